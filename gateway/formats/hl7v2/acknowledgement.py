"""Acknowledgements: what a message deserves on arrival, the answer in its sender's own terms, and answers to us.

Original and enhanced mode: HL7 v2.5.1 ch. 2.9.2 and 2.9.3; error codes: HL7 table 0357.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import get_args

from gateway.formats.hl7v2.build import AsSent, Field, MessageWriter
from gateway.formats.hl7v2.delimiters import NULL_TEXT, STANDARD
from gateway.formats.hl7v2.message import Agreed, Message, Unreadable, read_message
from gateway.formats.hl7v2.times import hl7_time
from gateway.model.hl7_header import AckCode, Acknowledgement, Designator, Hl7Header, Reception, Verdict

TAKEN = frozenset(("ACK", "ADT", "MDM", "OMG", "ORM", "ORU", "OSU", "PGL", "PPR", "REF", "RPA", "RQA", "RRI", "SIU"))
"""MSH-9.1 of the messages we take; what an event of theirs means is found out after it is stored."""

ERROR_TEXT = {
    "100": "Segment sequence error",
    "101": "Required field missing",
    "102": "Data type error",
    "103": "Table value not found",
    "200": "Unsupported message type",
    "201": "Unsupported event code",
    "202": "Unsupported processing id",
    "203": "Unsupported version id",
    "204": "Unknown key identifier",
    "205": "Duplicate key identifier",
    "206": "Application record locked",
    "207": "Application internal error",
}

_REJECTED = frozenset(("200", "201", "202", "203"))
"""Errors of MSH-9, -11 and -12: these reject a message, others leave it open to correction (ch. 2.9.2.2)."""

_CONTROL_ID_LENGTH = 20
"""MSH-10 is ST of 20 up to 2.6, and strict receivers refuse an answer whose own is longer."""

_VERSION = re.compile(r"2(\.\d){0,2}")


def read_header(message: Message) -> Hl7Header:
    """Return what MSH says, decoded; fields that are not there are ""."""
    # By their numbers: found by path, these took a third of what is computed for a message before it is kept.
    separators = message.separators
    sent = [field.partition(separators.repetition)[0] for field in message.header[:19]]
    sent += [""] * (19 - len(sent))
    is_coded = any(separators.escape in field or NULL_TEXT in field for field in sent[3:] if field)

    def whole(field: int) -> str:
        return message.decoded(sent[field]) if is_coded else sent[field]

    def parts(field: int, most: int) -> list[str]:
        found = sent[field].split(separators.component, most)[:most]
        return [message.decoded(part) for part in found] if is_coded else found

    code, event = (*parts(9, 2), "")[:2]
    if not event:
        # Before MSH-9 had two components (2.1), and in many a message since, the event is said once, in EVN.
        event = message.text("EVN-1")
    return Hl7Header(
        sending_application=_designator(parts(3, 3)),
        sending_facility=_designator(parts(4, 3)),
        receiving_application=_designator(parts(5, 3)),
        receiving_facility=_designator(parts(6, 3)),
        time=parts(7, 1)[0].strip(),
        security=whole(8),
        message_code=code.strip(),
        trigger_event=event.strip(),
        control_id=whole(10).strip(),
        processing_id=parts(11, 1)[0].strip(),
        version=parts(12, 1)[0].strip(),
        accept_acknowledgment=whole(15).strip().upper(),
        application_acknowledgment=whole(16).strip().upper(),
        charset=whole(18).strip(),
    )


def receive(frame: bytes, agreed: Agreed | None = None) -> Reception:
    """Judge a message by its frame and header alone.

    Accepted: it is readable and of a type and version we take. Error: its header lacks something or its characters
    are not those it declares. Rejected: no message, or a type, version or processing id that we do not take. What its
    content holds never changes the answer. `agreed` as for `read_message`.
    """
    return judge(read_message(frame, agreed), frame)


def judge(message: Message | Unreadable, frame: bytes) -> Reception:
    """Judge a message that is read already, or could not be; `frame` is what it was read from; see `receive`."""
    if isinstance(message, Unreadable):
        verdict: Verdict = "reject" if message.location == "MSH" else "error"
        return Reception(verdict, _salvaged_header(frame), message.code, message.location, message.reason)
    header = read_header(message)
    for code, location, wrong in _header_faults(header):
        if wrong:
            text = ERROR_TEXT[code]
            return Reception("reject" if code in _REJECTED else "error", header, code, location, text)
    return Reception("accept", header)


def _header_faults(header: Hl7Header) -> list[tuple[str, str, bool]]:
    return [
        ("101", "MSH-9.1", not header.message_code),
        ("101", "MSH-10", not header.control_id),
        ("102", "MSH-10", len(header.control_id) > 199),
        ("101", "MSH-9.2", not header.trigger_event and header.message_code != "ACK"),
        ("200", "MSH-9.1", header.message_code not in TAKEN),
        ("202", "MSH-11.1", header.processing_id not in ("", "P", "T", "D")),
        # An empty version is the peer's default; a later 2.x is read like the nearest one we know.
        ("203", "MSH-12.1", bool(header.version) and not _VERSION.fullmatch(header.version)),
    ]


def acknowledge(frame: bytes, reception: Reception, control_id: str, at: datetime) -> bytes:
    """Write the answer to `frame` that goes back on the same connection; see `answer_to`."""
    return answer_to(read_message(frame), reception, control_id, at)


def answer_to(message: Message | Unreadable, reception: Reception, control_id: str, at: datetime) -> bytes:
    """Write the answer that goes back on the same connection; b"" when the sender of the message asked for none.

    `control_id` is MSH-10 of the answer. Original mode gives AA, AE or AR. In enhanced mode MSH-15 asks for CA, CE or
    CR; where it asks for nothing and MSH-16 does, the application answer goes back here. An acknowledgement is itself
    answered only where its MSH-15 says so, or two systems would thank each other for ever.
    """
    header = reception.header or _UNKNOWN_SENDER
    code = _answer_code(header, reception.verdict)
    return b"" if code is None else _write(message, header, code, reception, control_id, at)


def owes_application_answer(reception: Reception) -> bool:
    """Tell whether an application answer follows the CA as a message of its own (HL7 v2.5.1 ch. 2.9.3.2).

    Nothing follows a CE or CR: the message did not get as far. An acknowledgement is never answered so.
    """
    header = reception.header
    if header is None or header.message_code == "ACK" or reception.verdict != "accept":
        return False
    return _asked(header.accept_acknowledgment, "accept") and _asked(header.application_acknowledgment, "accept")


def application_answer(frame: bytes, control_id: str, at: datetime) -> bytes:
    """Write the AA that follows the CA to `frame` as a message of its own; it asks for an accept answer in turn."""
    message = read_message(frame)
    header = judge(message, frame).header or _UNKNOWN_SENDER
    asked = {15: "AL", 16: "NE"}
    return _write(message, header, "AA", Reception("accept", header), control_id, at, asked)


_APPLICATION: dict[Verdict, AckCode] = {"accept": "AA", "error": "AE", "reject": "AR"}
_ACCEPT: dict[Verdict, AckCode] = {"accept": "CA", "error": "CE", "reject": "CR"}
_UNKNOWN_SENDER = Hl7Header((), (), (), (), "", "")


def _answer_code(header: Hl7Header, verdict: Verdict) -> AckCode | None:
    if _asked(header.accept_acknowledgment, verdict):
        return _ACCEPT[verdict]
    if header.message_code == "ACK":
        return None
    if not header.is_enhanced or _asked(header.application_acknowledgment, verdict):
        return _APPLICATION[verdict]
    return None


def _asked(condition: str, verdict: Verdict) -> bool:
    if condition == "ER":
        return verdict != "accept"
    if condition == "SU":
        return verdict == "accept"
    # A word that is not of HL7 table 0155 is answered like AL: a sender without an answer stands still.
    return condition not in ("", "NE")


def _write(
    message: Message | Unreadable,
    header: Hl7Header,
    code: AckCode,
    reception: Reception,
    control_id: str,
    at: datetime,
    asked: Mapping[int, Field] = MappingProxyType({}),
) -> bytes:
    # What cannot be read is answered in ASCII, which all sets hold: our own words and the ids need no more.
    separators, codec = (STANDARD, "ascii") if isinstance(message, Unreadable) else (message.separators, message.codec)
    version = header.version or "2.5.1"
    modern = version >= "2.5"
    structure = "ACK" if version >= "2.4" and header.trigger_event else ""
    writer = MessageWriter(separators)
    writer.add(
        "MSH",
        {
            3: header.receiving_application,
            4: header.receiving_facility,
            5: header.sending_application,
            6: header.sending_facility,
            7: hl7_time(at),
            9: ("ACK", header.trigger_event, structure),
            10: control_id[:_CONTROL_ID_LENGTH],
            11: header.processing_id or "P",
            12: version,
            **asked,
            18: _returned(message, "MSH-18", header.charset),
        },
    )
    writer.add(
        "MSA", {1: code, 2: _returned(message, "MSH-10", header.control_id), 3: "" if modern else reception.text}
    )
    if reception.verdict != "accept":
        writer.add("ERR", _error(reception, modern, nests=bool(separators.subcomponent)))
    return writer.to_bytes(codec)


def _returned(message: Message | Unreadable, path: str, read: str) -> Field | AsSent:
    """Return a field of MSH as its sender wrote it: whoever compares letter by letter must find his own."""
    if not read or isinstance(message, Unreadable) or message.text(path).strip() != read:
        return read
    sent = (message.raw_value(path) or "").strip()
    return AsSent(sent) if sent.isprintable() else read


def _error(reception: Reception, modern: bool, *, nests: bool) -> dict[int, Field]:
    """Write the fields of ERR; before 2.5 the code is a component of the place, and its parts need subcomponents."""
    code = (reception.code, ERROR_TEXT.get(reception.code, ""), "HL70357")
    segment, _, place = reception.location.partition("-")
    field, _, component = place.partition(".")
    if not modern:
        return {1: (segment, "1" if segment else "", field, code if nests else reception.code)}
    where = (segment, "1" if segment else "", field, "1" if component else "", component)
    return {2: where, 3: code, 4: "E", 8: reception.text}


def read_acknowledgement(content: bytes) -> Acknowledgement | None:
    """Read an answer to one of our messages; None when it is something else or cannot be read."""
    message = read_message(content)
    if isinstance(message, Unreadable):
        return None
    code = message.text("MSA-1").strip().upper()
    for known in get_args(AckCode):
        if code == known:
            return Acknowledgement(known, message.text("MSA-2").strip(), _error_codes(message), _error_text(message))
    return None


def _error_codes(message: Message) -> tuple[str, ...]:
    codes = (error.text(3, 1) or error.text(1, 4, 1) for error in message.named("ERR"))
    return tuple(code.strip() for code in codes if code.strip())


def _error_text(message: Message) -> str:
    words = [message.text("MSA-3")]
    words += [error.text(8) or error.text(7) or error.text(3, 2) for error in message.named("ERR")]
    return "; ".join(dict.fromkeys(word for word in words if word))


def _designator(parts: list[str]) -> Designator:
    while parts and not parts[-1]:
        parts.pop()
    return tuple(parts)


def _salvaged_header(frame: bytes) -> Hl7Header | None:
    """Read what the header of an otherwise unreadable message says, so that its sender can match the answer."""
    first_line = re.split(rb"[\r\n]", frame.lstrip(b"\xef\xbb\xbf\r\n\x0b "), maxsplit=1)[0][:4096]
    # Latin-1 gives every byte a character: the header is read for its ids, which are ASCII.
    separator = first_line[3:4] or b"|"
    fields = first_line.split(separator)
    if len(fields) > 17:
        fields[17] = b""
    message = read_message(separator.join(fields).decode("latin-1").encode("ascii", "replace"))
    if isinstance(message, Unreadable) and message.location == "MSH-2":
        # Delimiters that contradict each other do not hide the id: it has no parts.
        fields[1:2] = [STANDARD.encoding_characters.encode()]
        message = read_message(separator.join(fields).decode("latin-1").encode("ascii", "replace"))
    return None if isinstance(message, Unreadable) else read_header(message)
