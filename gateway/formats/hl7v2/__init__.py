"""HL7v2 messages of versions 2.1 to 2.9: read without loss, written without holes.

`read_message` and `split_batch` read, `Message.text("PID-5.1")` looks, `MessageWriter` writes. Beside them:
`acknowledgement` (what to answer, and what was answered), `answers` (RRI, ADT, SIU), `referral` (REF), `envelopes`
(batches).
"""

from gateway.formats.hl7v2.batches import Batch, split_batch
from gateway.formats.hl7v2.build import MessageWriter
from gateway.formats.hl7v2.message import Message, Segment, State, Unreadable, read_message

__all__ = ["Batch", "Message", "MessageWriter", "Segment", "State", "Unreadable", "read_message", "split_batch"]
