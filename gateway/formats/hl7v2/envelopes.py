"""Batches that we write: referrals in a file, and the answers to a batch that came in (HL7 v2.5.1 ch. 2.10.3)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from gateway.formats.hl7v2.acknowledgement import acknowledge, read_header
from gateway.formats.hl7v2.batches import Batch
from gateway.formats.hl7v2.build import Field, MessageWriter
from gateway.formats.hl7v2.message import Message, Unreadable, read_message
from gateway.formats.hl7v2.referral import write_referral
from gateway.formats.hl7v2.times import hl7_time
from gateway.formats.referral_content import placers_of
from gateway.model.handoff import Resource
from gateway.model.hl7_header import Hl7Header, Reception

_CONTROL_ID_LENGTH = 20
"""MSH-10 and BHS-11 are ST of 20 up to 2.6."""


def referrals_of(bundle: Resource, header: Hl7Header) -> list[bytes]:
    """Write every referral of a Bundle as REF^I12; an empty list where it holds none.

    MSH-10 is made of the referral's number, so that the same referral is the same message again.
    """
    placers = placers_of(bundle)
    headers = [replace(header, trigger_event="I12", control_id=placer[-_CONTROL_ID_LENGTH:]) for placer in placers]
    return [
        write_referral(bundle, "", header, referral=placer) for header, placer in zip(headers, placers, strict=True)
    ]


def file_begin(header: Hl7Header) -> bytes:
    """Write the FHS that opens a file of batches."""
    return _envelope("FHS", header)


def file_end() -> bytes:
    """Write the FTS that closes a file of one batch."""
    return b"FTS|1\r"


def batch_begin(header: Hl7Header) -> bytes:
    """Write the BHS that opens a batch of messages with this header; messages follow as they are."""
    return _envelope("BHS", header)


def batch_end(count: int) -> bytes:
    """Write the BTS that closes a batch of this many messages."""
    return b"BTS|%d\r" % count


def _envelope(segment_id: str, header: Hl7Header) -> bytes:
    """Write a header segment; FHS and BHS have the same fields up to 12."""
    writer = MessageWriter()
    writer.add(
        segment_id,
        {
            3: header.sending_application,
            4: header.sending_facility,
            5: header.receiving_application,
            6: header.receiving_facility,
            7: header.time,
            11: header.control_id,
        },
    )
    return writer.to_bytes("ascii" if writer.is_ascii else "utf-8")


def batch_answer(batch: Batch, answers: Sequence[bytes], control_id: str, at: datetime) -> bytes:
    """Wrap the answers to the messages of a batch as a batch; b"" where none of them asked for one.

    A batch without a message is answered by one without an answer, for its sender waits; but not one that names another
    batch in BHS-12, which may itself be such an answer: two of us would go on for ever.

    BHS-12 names the batch that is answered. A trailer that counts wrong adds an AE for the batch itself: its messages
    are stored all the same.
    """
    opening = _opening(batch)
    header = read_header(opening)
    given = [answer for answer in answers if answer]
    given += [
        # Each needs an MSH-10 of its own, and the batch has but one id to give.
        _miscounted(opening, header, trailer, f"{control_id[: _CONTROL_ID_LENGTH - 2]}-{number}", at)
        for number, trailer in enumerate(batch.miscounted(), 1)
    ]
    if not given and (answers or opening.text("MSH-12")):
        return b""
    writer = MessageWriter()
    names: dict[int, Field] = {
        3: header.receiving_application,
        4: header.receiving_facility,
        5: header.sending_application,
        6: header.sending_facility,
    }
    writer.add("BHS", {**names, 7: hl7_time(at), 11: control_id[:_CONTROL_ID_LENGTH], 12: opening.text("MSH-11")})
    return writer.to_bytes(opening.codec) + b"".join(given) + batch_end(len(given))


def _opening(batch: Batch) -> Message:
    """Read the last envelope header before the messages; BHS and FHS have the fields of MSH up to 12."""
    headers = [content for kind, content in batch.pieces if kind in ("FHS", "BHS")]
    message = read_message(b"MSH" + headers[-1][headers[-1].index(b"HS") + 2 :]) if headers else None
    if message is None or isinstance(message, Unreadable):
        message = read_message(b"MSH|^~\\&|\r")
    assert isinstance(message, Message)
    return message


def _miscounted(opening: Message, header: Hl7Header, trailer: str, control_id: str, at: datetime) -> bytes:
    """Write an AE for the batch itself: field 9 on are other things in BHS than in MSH, and no answer is asked for."""
    batch_header = Hl7Header(
        header.sending_application, header.sending_facility, header.receiving_application, header.receiving_facility,
        "", opening.text("MSH-11"),
    )  # fmt: skip
    fault = Reception("error", batch_header, "102", trailer, "The trailer states another count than there are")
    return acknowledge(opening.raw, fault, control_id, at)
