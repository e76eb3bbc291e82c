"""Where in an HL7v2 message of a type and version the notice of 42 CFR 2.32 can stand, by the grammar.

The statement never stands in the header: MSH-8 is seen by everybody who moves messages.
"""

from typing import Literal

NoticeWay = Literal["note", "restriction", "document"]
"""`note`: an NTE of its grammar, where the receiver keeps notes; `restriction`: ARV-5; `document`: inside, as OBX."""

_WITH_NOTES = frozenset({"REF", "RRI", "ORU", "ORM", "OMG", "OSU", "SIU"})
_DOCUMENTS = frozenset({"T02", "T04", "T06", "T08", "T10"})
"""MDM with content; T01, T03, T05, T07, T09 and T11 only tell of a document."""

_RESTRICTED_FROM = (2, 6)
_RESTRICTED_UNTIL = (2, 8)
_WITH_RESTRICTIONS = frozenset(
    ("A01", "A02", "A03", "A04", "A05", "A06", "A07", "A08", "A13", "A14", "A15", "A16", "A28", "A31")
)
"""ADT events whose structures (A01, A02, A03, A05, A06, A15, A16) have ARV after PD1, from 2.6 up to 2.8.2."""


def notice_way(code: str, event: str, version: str) -> NoticeWay | None:
    """Return how a message of this type, event and version carries a notice; None: it has no place for one."""
    if code in _WITH_NOTES:
        return "note"
    if code == "MDM" and event in _DOCUMENTS:
        return "document"
    if code == "ADT" and event in _WITH_RESTRICTIONS and _RESTRICTED_FROM <= numbers_of(version) <= _RESTRICTED_UNTIL:
        return "restriction"
    return None


def numbers_of(version: str) -> tuple[int, ...]:
    """Return the first two numbers of an HL7 version; () where it is none."""
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


def is_proven(way: NoticeWay | None, *, stores_notes: bool | None, has_field: bool) -> bool:
    """Say whether the notice is known to arrive; a receiver that does not say it keeps notes may drop them."""
    if has_field:
        return True
    return stores_notes is True if way == "note" else way is not None
