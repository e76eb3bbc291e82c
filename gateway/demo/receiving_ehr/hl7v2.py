"""HL7 v2.5.1 as this EHR reads and writes it, by hand: a REF^I12 in; acknowledgements, RRI^I12 and ADT out.

Own code on purpose: it shares nothing with the gateway's, so that each checks the other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from gateway.demo.receiving_ehr.front_desk import age_on, known_service
from gateway.demo.receiving_ehr.records import Referral, Subject

_GENDERS = {"male": "M", "female": "F", "other": "O"}
_PRIORITIES = {"A": "asap", "S": "stat", "R": "routine"}
_OID = "urn:oid:"


class Unreadable(Exception):
    """The bytes are no HL7v2 message that could be answered."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message split into segments and fields; values are unescaped only where they are asked for."""

    segments: tuple[tuple[str, ...], ...]
    """Fields of each segment; the index is the field number (MSH-1 is the separator itself)."""
    separators: str
    """MSH-1 and MSH-2: field, component, repetition, escape, subcomponent."""

    def fields(self, segment: str, number: int) -> Iterator[str]:
        """Yield a field as written, of every segment of that name; empty where it is absent."""
        for fields in self.segments:
            if fields[0] == segment:
                yield fields[number] if number < len(fields) else ""

    def field(self, segment: str, number: int) -> str:
        """Return a field as written, of the first segment of that name."""
        return next(self.fields(segment, number), "")

    def components(self, field: str) -> list[str]:
        """Return the unescaped components of a field's first repetition, padded to five."""
        first = field.split(self.separators[2])[0]
        parts = [self.unescape(part) for part in first.split(self.separators[1])]
        return parts + [""] * (5 - len(parts))

    def repetitions(self, field: str) -> list[str]:
        """Return the repetitions of a field as written."""
        return [part for part in field.split(self.separators[2]) if part]

    def unescape(self, text: str) -> str:
        """Turn the escapes of delimiters back into the delimiters (HL7 v2.5.1 ch. 2.7.1)."""
        field, component, repetition, escape, subcomponent = tuple(self.separators)
        signs = {"F": field, "S": component, "R": repetition, "T": subcomponent, "E": escape}
        pieces = text.split(escape)
        # Odd pieces stand between two escape characters; what is no delimiter's escape (\.br\) becomes a blank.
        return "".join(piece if n % 2 == 0 else signs.get(piece, " ") for n, piece in enumerate(pieces))

    @property
    def type_and_event(self) -> tuple[str, str]:
        """MSH-9 as (message type, trigger event)."""
        kind = self.components(self.field("MSH", 9))
        return kind[0], kind[1]

    @property
    def control_id(self) -> str:
        """MSH-10."""
        return self.field("MSH", 10)


def read(raw: bytes) -> Message:
    """Split a message; `Unreadable` when it does not begin with MSH and five separators."""
    text = raw.decode("utf-8", errors="replace").replace("\r\n", "\r").replace("\n", "\r")
    separators = text[3:8]
    if not text.startswith("MSH") or len(set(separators)) != 5:
        raise Unreadable("expected a message that begins with MSH and five separators")
    segments = [line.split(separators[0]) for line in text.split("\r") if line]
    segments[0].insert(1, separators[0])
    return Message(tuple(tuple(fields) for fields in segments), separators)


def missing_elements(message: Message) -> list[str]:
    """Name what a referral cannot be filed without, as ERR-2 location (segment^sequence^field)."""
    wanted = {
        "RF1^1^6": message.field("RF1", 6),
        "PID^1^3": message.field("PID", 3),
        "PID^1^5": message.field("PID", 5),
    }
    return [location for location, value in wanted.items() if not value]


def referral_from_message(message: Message, referral_id: str, today: date) -> Referral:
    """Read the referral of a REF (HL7 v2.5.1 ch. 11: RF1, PID, and OBR-4 or PR1-3 for the service)."""
    name = message.components(message.field("PID", 5))
    services = [message.components(field)[0] for field in (*message.fields("OBR", 4), *message.fields("PR1", 3))]
    born = _fhir_date(message.field("PID", 7))
    return Referral(
        id=referral_id,
        channel="hl7v2",
        placer=message.components(message.field("RF1", 6))[0],
        service=known_service(services),
        priority=_PRIORITIES.get(message.components(message.field("RF1", 2))[0], "routine"),
        age=age_on(born, today),
        subject=Subject(
            identifiers=tuple(_identifier(message, part) for part in message.repetitions(message.field("PID", 3))),
            family=name[0],
            given=name[1],
            birth_date=born,
            gender=next((word for word, sign in _GENDERS.items() if sign == message.field("PID", 8)), "unknown"),
        ),
        application=message.field("MSH", 3),
        facility=message.field("MSH", 4),
        own_application=message.field("MSH", 5),
        own_facility=message.field("MSH", 6),
        message_id=message.control_id,
    )


def acknowledge(message: Message, code: str, control_id: str, at: datetime, errors: list[tuple[str, str]]) -> bytes:
    """Write the ACK of a message: MSA-1 AA, AE or AR, and one ERR for each (ERR-2 location, code of table 0357)."""
    event = message.type_and_event[1]
    lines = [
        _header(
            (message.field("MSH", 5), message.field("MSH", 6)),
            (message.field("MSH", 3), message.field("MSH", 4)),
            f"ACK^{event}^ACK", control_id, at,
        ),
        f"MSA|{code}|{message.control_id}",
        *(f"ERR||{location}|{number}^^HL70357|E" for location, number in errors),
    ]  # fmt: skip
    return _join(lines)


def referral_response(referral: Referral, accepted: bool, reason: str, control_id: str, at: datetime) -> bytes:
    """Write the RRI^I12 that accepts or rejects a referral (RF1-1 of table 0283, RF1-6 theirs, RF1-11 ours)."""
    status, when = "A" if accepted else "R", _timestamp(at)
    lines = [
        _header(*_addresses(referral), "RRI^I12^RRI_I12", control_id, at),
        f"MSA|AA|{referral.message_id}",
        f"RF1|{status}|||||{_escape(referral.placer)}|{when}||{when}||{referral.id}",
        f"PRD|RT|Intake^{_escape(referral.own_facility) or 'Front desk'}",
        _pid(referral),
        *([f"NTE|1|L|{_escape(reason)}"] if reason else []),
    ]
    return _join(lines)


def appointment(referral: Referral, starts_at: datetime, control_id: str, at: datetime) -> bytes:
    """Write the SIU^S12 that books a visit for a referral (SCH-26 theirs, SCH-11.4 begin; HL7 v2.5.1 ch. 10)."""
    timing = f"^^^{_timestamp(starts_at)}"
    lines = [
        _header(*_addresses(referral), "SIU^S12^SIU_S12", control_id, at),
        f"SCH||{referral.id}||||ROUTINE|||||{timing}|||||Intake||||Intake|||||Booked|{_escape(referral.placer)}",
        _pid(referral),
        "RGS|1",
        f"AIS|1||{_escape(referral.service)}|{_timestamp(starts_at)}",
    ]
    return _join(lines)


def admission(referral: Referral, event: str, control_id: str, at: datetime) -> bytes:
    """Write an ADT^A01 (admitted) or ADT^A03 (discharged) for the person of a referral (HL7 v2.5.1 ch. 3)."""
    times = f"{_timestamp(at)}|" if event == "A01" else f"|{_timestamp(at)}"
    lines = [
        _header(*_addresses(referral), f"ADT^{event}^{'ADT_A01' if event == 'A01' else 'ADT_A03'}", control_id, at),
        f"EVN|{event}|{_timestamp(at)}",
        _pid(referral),
        # PV1-19 is the visit; PV1-44 and PV1-45 are when it began and ended.
        f"PV1|1|I{'|' * 17}{referral.id}{'|' * 25}{times}",
    ]
    return _join(lines)


def answered_well(raw: bytes, control_id: str) -> tuple[bool, str]:
    """Tell whether bytes acknowledge our message (MSA-2) as taken, and which code they gave."""
    message = read(raw)
    code = message.field("MSA", 1)
    if message.field("MSA", 2) != control_id:
        return False, "an acknowledgement of another message"
    return code in ("AA", "CA"), code


def _addresses(referral: Referral) -> tuple[tuple[str, str], tuple[str, str]]:
    return (referral.own_application, referral.own_facility), (referral.application, referral.facility)


def _header(sender: tuple[str, str], receiver: tuple[str, str], kind: str, control_id: str, at: datetime) -> str:
    return f"MSH|^~\\&|{'|'.join(sender)}|{'|'.join(receiver)}|{_timestamp(at)}||{kind}|{control_id}|P|2.5.1"


def _pid(referral: Referral) -> str:
    """Name the person by the numbers that came with the referral and by our own record number."""
    subject = referral.subject
    numbers = [*(_assigned(system, value) for system, value in subject.identifiers), f"MRN{referral.id}^^^EHR^MR"]
    born = subject.birth_date.replace("-", "")
    gender = _GENDERS.get(subject.gender, "U")
    return f"PID|1||{'~'.join(numbers)}||{_escape(subject.family)}^{_escape(subject.given)}||{born}|{gender}"


def _identifier(message: Message, repetition: str) -> tuple[str, str]:
    """Read a CX as (system, value): CX-4 is namespace & universal id & its type (HL7 v2.5.1 ch. 2.A.14, 2.A.33)."""
    raw = [*repetition.split(message.separators[1]), "", "", ""]
    authority = [message.unescape(part) for part in raw[3].split(message.separators[4])]
    universal = authority[1] if len(authority) > 1 else ""
    if not universal:
        return authority[0], message.unescape(raw[0])
    return (_OID if authority[-1] == "ISO" else "") + universal, message.unescape(raw[0])


def _assigned(system: str, value: str) -> str:
    if system.startswith(_OID):
        authority = f"&{system.removeprefix(_OID)}&ISO"
    elif system.startswith(("http://", "https://")):
        authority = f"&{_escape(system)}&URI"
    else:
        authority = _escape(system)
    return f"{_escape(value)}^^^{authority}"


def _escape(text: str) -> str:
    # The escape character first, or the escapes themselves would be escaped.
    for sign, letter in (("\\", "E"), ("|", "F"), ("^", "S"), ("&", "T"), ("~", "R")):
        text = text.replace(sign, f"\\{letter}\\")
    return "".join(character if character >= " " else " " for character in text)


def _fhir_date(timestamp: str) -> str:
    digits = timestamp[:8]
    return "-".join(part for part in (digits[:4], digits[4:6], digits[6:8]) if part)


def _timestamp(at: datetime) -> str:
    return at.strftime("%Y%m%d%H%M%S%z")


def _join(lines: list[str]) -> bytes:
    return ("\r".join(lines) + "\r").encode()
