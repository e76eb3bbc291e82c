"""Batches that we write: referrals in a file, and the answers to a batch that came in (HL7 v2.5.1 ch. 2.10.3)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count, islice

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
    """Wrap the answers to the messages of a block as the block is; b"" where none of them asked for one.

    Each batch is answered by a batch whose BHS-12 names it; several of a file are answered by a file whose FHS-12 names
    theirs. A trailer that counts wrong adds an AE for the batch itself: its messages are stored all the same.
    """
    parts = batch.parts()
    file_header = next((content for kind, content in batch.pieces if kind == "FHS"), None)
    file_faults = [trailer for trailer in batch.miscounted() if trailer == "FTS-1"]
    # Whatever needs an MSH-10 or BHS-11 of its own, where the block has but one id to give.
    ids = (f"{control_id[: _CONTROL_ID_LENGTH - 4]}-{number}" for number in count(1))
    given = iter(answers)
    told = []
    for part in parts:
        opening = _opening(next((content for kind, content in part.pieces if kind == "BHS"), file_header))
        own_id = control_id if len(parts) == 1 else next(ids)
        own = [*islice(given, len(part.messages))]
        faults = part.miscounted() + (file_faults if part is parts[-1] else [])
        own += [_miscounted(opening, fault, next(ids), at) for fault in faults]
        told.append(_batch_told(part, opening, own, own_id, at))
    told = [one for one in told if one]
    if len(parts) == 1 or file_header is None or not told:
        return b"".join(told)
    return b"".join([_returned("FHS", _opening(file_header), control_id, at), *told, b"FTS|%d\r" % len(told)])


def _batch_told(part: Batch, opening: Message, answers: Sequence[bytes], control_id: str, at: datetime) -> bytes:
    """Write the answer to one batch.

    A batch without a message is answered by one without an answer, for its sender waits; but not one that names another
    batch in BHS-12, which may itself be such an answer: two of us would go on for ever.
    """
    told = [answer for answer in answers if answer]
    if not told and (part.messages or opening.text("MSH-12")):
        return b""
    return b"".join([_returned("BHS", opening, control_id, at), *told, batch_end(len(told))])


def _returned(segment_id: str, opening: Message, control_id: str, at: datetime) -> bytes:
    """Write the header of the answer to a batch or file: back to its sender, with field 12 naming it."""
    header = read_header(opening)
    writer = MessageWriter()
    names: dict[int, Field] = {
        3: header.receiving_application,
        4: header.receiving_facility,
        5: header.sending_application,
        6: header.sending_facility,
    }
    writer.add(
        segment_id,
        {**names, 7: hl7_time(at), 11: control_id[:_CONTROL_ID_LENGTH], 12: opening.text("MSH-11")},
    )
    return writer.to_bytes(opening.codec)


def _opening(header: bytes | None) -> Message:
    """Read the header of a batch or file as an MSH, whose fields up to 12 it has; one that cannot be read as empty."""
    message = read_message(b"MSH" + header[header.index(b"HS") + 2 :]) if header is not None else None
    if message is None or isinstance(message, Unreadable):
        message = read_message(b"MSH|^~\\&|\r")
    assert isinstance(message, Message)
    return message


def _miscounted(opening: Message, trailer: str, control_id: str, at: datetime) -> bytes:
    """Write an AE for the batch itself: field 9 on are other things in BHS than in MSH, and no answer is asked for."""
    header = read_header(opening)
    batch_header = Hl7Header(
        header.sending_application, header.sending_facility, header.receiving_application, header.receiving_facility,
        "", opening.text("MSH-11"),
    )  # fmt: skip
    fault = Reception("error", batch_header, "102", trailer, "The trailer states another count than there are")
    return acknowledge(opening.raw, fault, control_id, at)
