"""What belongs into an accounting of disclosures and what does not (42 CFR 2.24, 2.25; 45 CFR 164.528).

In it: every disclosure made with consent, whatever the transport, answers to reads and consults among them. Told
apart: those without consent outside Part 2, or by an exception that 45 CFR 164.528 counts. Not in it: refusals, use
inside the program, service organizations, emergencies, what the patient got, what identifies nobody; those are in the
audit trail. What was about to leave counts although nobody confirmed it, for it may have left.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import orjson

from gateway.model.accounting import Accounted, Accounting, Disclosed, Part, Repeated
from gateway.model.partner import Registry

KEPT_YEARS = 3
"""42 CFR 2.24, 2.25(a)."""

_NOT_ACCOUNTED = frozenset({"emergency", "patient_access", "qso", "deidentified"})
"""Kinds of basis that never stand in the list."""

_NEVER_COUNTED = frozenset({"Provenance", "Organization", "Practitioner", "PractitionerRole", "Location"})
"""What only supports the rest, and is about nobody's health."""


def account(
    rows: Iterable[Disclosed], registry: Registry, person_id: str, since: datetime, until: datetime, at: datetime
) -> Accounting:
    """Make the accounting of one person from the rows of the disclosure log."""
    told = [_accounted(row, part, registry) for row in rows if (part := _part_of(row.decision.record)) is not None]
    return Accounting(person_id, since, until, at, tuple(told))


def list_of_intermediary(
    rows: Iterable[Disclosed],
    registry: Registry,
    person_id: str,
    intermediary: str,
    since: datetime,
    until: datetime,
    at: datetime,
) -> Accounting:
    """Make the list that an intermediary owes: what passed through it under a general designation (42 CFR 2.24)."""
    told = [_accounted(row, "consent", registry) for row in rows if _passed_through(row, intermediary)]
    return Accounting(person_id, since, until, at, tuple(told), intermediary)


def in_parts(accounting: Accounting) -> list[tuple[str, list[Repeated]]]:
    """Return what a page or a letter shows under one title each: (consent, other), or (intermediary)."""
    if accounting.intermediary is not None:
        return [("intermediary", together(accounting.disclosures))]
    parts: tuple[Part, ...] = ("consent", "other")
    return [(part, together(accounting.of_part(part))) for part in parts]


def together(disclosures: Iterable[Accounted]) -> list[Repeated]:
    """Tell disclosures to one recipient for one purpose, on one consent and by one way, together, oldest first."""
    groups: dict[tuple[str | bool, ...], list[Accounted]] = {}
    for one in disclosures:
        key = (one.part, one.recipient, one.purpose, one.consent, one.transport, one.occasion, one.is_confirmed)
        groups.setdefault(key, []).append(one)
    repeated = [Repeated(group[0], len(group), group[-1].at) for group in groups.values()]
    return sorted(repeated, key=lambda one: (one.first.at, one.first.decision))


def years_before(at: datetime, years: int) -> datetime:
    """Return the same moment years earlier; of 29 February, the 28th."""
    try:
        return at.replace(year=at.year - years)
    except ValueError:
        return at.replace(year=at.year - years, day=28)


def _part_of(record: Mapping[str, Any]) -> Part | None:
    """Say where a disclosure belongs; only permits are disclosed, so the record of a refusal never comes here.

    The obligations of the permit tell, not its reason: where something was withheld the reason speaks of that.
    """
    obligations = set(record["obligations"])
    if "ACCOUNT" in obligations:
        return "consent"
    basis = record["basis"]
    if basis is not None and basis["type"] in _NOT_ACCOUNTED:
        return None
    is_internal = obligations <= {"AUDIT"}  # OK_INTERNAL is the only permit that obliges to nothing else
    return None if is_internal else "other"


def _passed_through(row: Disclosed, intermediary: str) -> bool:
    if "INTERMEDIARY_LOG" not in row.decision.record["obligations"]:
        return False
    request = orjson.loads(row.decision.inputs)["request"]
    return intermediary in {request["requester"]["organization"], *request.get("via", ())}


def _accounted(row: Disclosed, part: Part, registry: Registry) -> Accounted:
    decision = row.decision
    basis = decision.record["basis"] or {}
    organization = registry.get(decision.recipient)
    return Accounted(
        part=part,
        at=row.intended_at,
        recipient=decision.recipient,
        name=organization.name if organization else "",
        address=_address(decision.recipient, decision.channel, registry),
        occasion=row.description.partition(", ")[0],
        content=_content(decision.record, decision.inputs),
        purpose=row.purpose,
        consent=basis.get("id", "") if basis.get("type") == "Consent" else "",
        transport=decision.channel,
        is_confirmed=row.confirmed_at is not None,
        decision=decision.id,
    )


def _address(recipient: str, transport: str, registry: Registry) -> str:
    organization = registry.get(recipient)
    if organization is None:
        return ""
    electronic = (one.address for one in organization.endpoints if one.transport == transport)
    return organization.address or next(electronic, "")


def _content(record: Mapping[str, Any], inputs: bytes) -> str:
    """Name what was disclosed by type and number: from what was decided on, without what was withheld."""
    matter = orjson.loads(inputs)
    asked, withheld = matter["request"].get("items"), set(record["withheld"])
    counted: Counter[str] = Counter()
    for entry in matter["records"]["entry"]:
        kind = entry["resource"]["resourceType"]
        reference = f"{kind}/{entry['resource'].get('id')}"
        is_asked = asked is None or reference in asked
        if is_asked and reference not in withheld and kind not in _NEVER_COUNTED:
            counted[kind] += 1
    return ", ".join(f"{number} {kind}" for kind, number in sorted(counted.items()))
