"""Read CON segments of any message: what the person's paper says, never more (HL7 v2.5 ch. 9.9.4).

CON names no discloser, no recipient and no purpose (42 CFR 2.31(a)(2), (4), (5)): it can take a consent back or
restrict, and what it allows is no permit.
"""

from gateway.formats.hl7v2.answers import person_of
from gateway.formats.hl7v2.message import Message, Segment
from gateway.formats.hl7v2.times import fhir_date_time, zone_of
from gateway.model.hl7_answer import PersonNamed
from gateway.model.hl7_consent import ConsentAct, ConsentMode, ConsentStatement

_ACTS: dict[str, ConsentAct] = {
    "A": "permits",
    "L": "limits",
    "P": "proposes",
    "R": "refuses",
    "X": "rescinds",
    "B": "bypasses",
}
"""HL7 table 0498."""

_RESTRICTION_KINDS = frozenset(("110", "111"))
"""Table 0496: a request to restrict access or disclosure, a request to remain anonymous. Active, they forbid."""

_RESTRICTION_ACTS: dict[str, ConsentAct] = {"A": "refuses", "L": "refuses", "P": "proposes"}

_DISCLOSURE_KINDS = _RESTRICTION_KINDS | frozenset(
    ("001", "041", "057", "079", "092", "093", "097", "098", "099", "100", "102", "103")
)
"""Table 0496: release of information to others, to family, of photographs, and papers that hold one among others."""

_LAST_KIND = 137
_MODES: dict[str, ConsentMode] = {"W": "written", "V": "oral", "T": "oral"}
"""HL7 table 0497; a telephone is a voice."""


def has_consents(content: bytes) -> bool:
    """Say whether a message as it came may hold a CON, without reading it."""
    return b"\rCON" in content or (b"\n" in content and b"\nCON" in content)


def read_consents(message: Message, peer_zone: str = "") -> tuple[ConsentStatement, ...]:
    """Read every CON, each with the person of the last PID before it, or of the first one where none is before.

    `peer_zone`, an offset or the name of a zone, counts for times whose sender states no offset.
    """
    zone = zone_of(message.text("MSH-7.1")) or peer_zone
    people = [person_of(pid) for pid in message.named("PID")]
    person = people[0] if people else None
    statements: list[ConsentStatement] = []
    for segment in message.segments:
        if segment.id == "PID":
            person = person_of(segment)
        elif segment.id == "CON" and len(segment.fields) > 1:
            statements.append(_statement(segment, len(statements) + 1, person, zone))
    return tuple(statements)


def _statement(con: Segment, number: int, person: PersonNamed | None, zone: str) -> ConsentStatement:
    kind = _table_code(con.text(2, 1))
    limitations = "\n".join(text for text in con.texts(9) if text.strip())
    return ConsentStatement(
        number=number,
        act=_act(con.text(11, 1).strip().upper(), kind, limitations),
        kind=kind,
        form=con.text(3),
        form_number=con.text(4, 1),
        mode=_MODES.get(con.text(10, 1).strip().upper(), "electronic"),
        limitations=limitations,
        decided_at=fhir_date_time(con.text(13, 1), zone),
        ends_at=fhir_date_time(con.text(15, 1), zone),
        bypass_reason=con.text(20, 1),
        person=person,
    )


def _act(status: str, kind: str, limitations: str) -> ConsentAct:
    """Say what a segment does; a status nobody knows, and one that would lift a restriction, is for a person."""
    if _is_of_treatment(kind):
        return "is-of-treatment"
    if kind in _RESTRICTION_KINDS:
        return _RESTRICTION_ACTS.get(status, "is-unclear")
    act = _ACTS.get(status, "is-unclear")
    return "limits" if act == "permits" and limitations else act


def _table_code(code: str) -> str:
    code = code.strip()
    return code.zfill(3) if code.isdigit() else code.upper()


def _is_of_treatment(kind: str) -> bool:
    """Say whether a type is one of the procedures of table 0496; a local type may be about anything."""
    is_of_the_table = kind.isdigit() and (2 <= int(kind) <= _LAST_KIND or kind == "1137")
    return is_of_the_table and kind not in _DISCLOSURE_KINDS
