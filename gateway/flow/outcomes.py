"""What became of an HL7v2 message that was kept, in the words its page and its receipt use."""

from gateway.model.handoff import RecordState

Outcome = tuple[RecordState, str | None, str | None]
"""State of the message, why it moved nothing or waits for a person, and the handoff it moved."""
