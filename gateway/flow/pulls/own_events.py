"""The AuditEvents a caller may read: one for each disclosure it received, and nothing of what it was refused.

A refusal's event would be the very thing that a refusal must not tell (42 CFR 2.13(c)(2)); those are for the
operator's staff, `gateway audit export --format fhir`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from gateway.flow.circumstances import NOBODY
from gateway.flow.house import House
from gateway.model.accounting import Disclosed
from gateway.model.audit import AuditEntry
from gateway.model.caller import Caller
from gateway.model.exchange import Answer, Found, Problem, RequestRefused
from gateway.model.fhir_time import BEGINNING, covered_interval
from gateway.model.handoff import Resource
from gateway.ports import Transaction
from gateway.reporting.audit_event import disclosure_event

MOST_EVENTS = 200
"""Events on one page, oldest first."""

_END = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is searched for: in [since, until), after one event, and of each set any value."""

    since: datetime
    until: datetime
    after: str | None
    ids: tuple[frozenset[str], ...]
    patients: tuple[frozenset[str], ...]

    def is_met_by(self, row: Disclosed, event: Resource) -> bool:
        """Say whether a disclosure, told as this event, is one of those."""
        named = {one.get("what", {}).get("reference", "") for one in event["entity"]}
        return (
            self.since <= row.intended_at < self.until
            and all(event["id"] in each for each in self.ids)
            and all(not named.isdisjoint(each) for each in self.patients)
        )


def read_event(house: House, caller: Caller, event_id: str) -> Answer | None:
    """Return the event of one disclosure to the caller's organization; None for any other id."""

    def look(tx: Transaction) -> Answer | None:
        row = tx.decisions.received(caller.organization, event_id)
        _note(house, tx, caller, int(row is not None))
        return None if row is None else Answer(orjson.dumps(_event(house, row)), None, None)

    return house.database.write(look)


def search_events(house: House, caller: Caller, parameters: list[tuple[str, str]]) -> Found:
    """Return the events of the disclosures to the caller's organization, by _id, date (ge, gt, le, lt) and patient.

    `after`, the id of an event the caller was shown, is how the next page is asked for.
    """
    wanted = _wanted(parameters)

    def look(tx: Transaction) -> Found:
        found = _found(house, tx, caller, wanted)
        page = found[:MOST_EVENTS]
        _note(house, tx, caller, len(page))
        return Found(page, page[-1]["id"] if len(found) > MOST_EVENTS else None)

    return house.database.write(look)


def _found(house: House, tx: Transaction, caller: Caller, wanted: _Wanted) -> list[Resource]:
    """Return the events of one page and, where there is another, of its beginning."""
    last = _last(tx, caller, wanted.after)
    if wanted.ids:
        asked = (tx.decisions.received(caller.organization, one) for one in sorted(wanted.ids[0]))
        rows = _following(last, (one for one in asked if one is not None))
    elif wanted.patients:
        rows = _following(last, _of_patients(tx, caller, wanted))
    else:
        rows = tx.decisions.received_between(caller.organization, wanted.since, wanted.until, MOST_EVENTS + 1, last)
    told = ((row, _event(house, row)) for row in rows)
    return [event for row, event in told if wanted.is_met_by(row, event)]


def _last(tx: Transaction, caller: Caller, after: str | None) -> Disclosed | None:
    if after is None:
        return None
    last = tx.decisions.received(caller.organization, after)
    if last is None:
        raise RequestRefused(Problem(400, "value", None, "after: expected the id of an event on the page before."))
    return last


def _following(last: Disclosed | None, rows: Iterable[Disclosed]) -> list[Disclosed]:
    ordered = sorted(rows, key=_place)
    return ordered if last is None else [one for one in ordered if _place(one) > _place(last)]


def _place(row: Disclosed) -> tuple[datetime, str]:
    return row.intended_at, row.message_id


def _of_patients(tx: Transaction, caller: Caller, wanted: _Wanted) -> list[Disclosed]:
    """Look up what was disclosed about whoever is named, with as many questions where that is nobody."""
    rows: dict[str, Disclosed] = {}
    for reference in sorted(wanted.patients[0]):
        for person_id in tx.people.known_as("Patient", reference.removeprefix("Patient/")) or [NOBODY]:
            about = tx.decisions.disclosed(person_id, wanted.since, wanted.until)
            rows |= {one.message_id: one for one in about if one.decision.recipient == caller.organization}
    return list(rows.values())


def _event(house: House, row: Disclosed) -> Resource:
    """Tell of a disclosure to the second: the fractions would tell how long its answer took to make."""
    event = disclosure_event(row, house.registry, house.operator)
    return {**event, "recorded": row.intended_at.isoformat(timespec="seconds")}


def _note(house: House, tx: Transaction, caller: Caller, count: int) -> None:
    person = caller.person[0] if caller.person else caller.client
    tx.audit.append(AuditEntry(house.clock(), "audit.viewed", person, {"client": caller.client, "events": count}))


def _wanted(parameters: list[tuple[str, str]]) -> _Wanted:
    since, until = _between([value for name, value in parameters if name == "date"])
    after = [value for name, value in parameters if name == "after"]
    if len(after) > 1:
        raise RequestRefused(Problem(400, "value", None, "after: expected one id."))
    return _Wanted(
        since,
        until,
        after[0] if after else None,
        tuple(frozenset(value.split(",")) for name, value in parameters if name == "_id"),
        tuple(
            frozenset(one if "/" in one else f"Patient/{one}" for one in value.split(","))
            for name, value in parameters
            if name == "patient"
        ),
    )


def _between(bounds: list[str]) -> tuple[datetime, datetime]:
    """Read the bounds as [since, until); one that cannot be applied is refused, never ignored.

    A date means its whole day in UTC, a second all of it (FHIR R4 search.html#date).
    """
    since, until = BEGINNING, _END
    for value in bounds:
        prefix = value[:2]
        if prefix not in ("ge", "gt", "le", "lt"):
            raise RequestRefused(
                Problem(400, "not-supported", None, "date: expected ge, gt, le or lt before the time.")
            )
        try:
            first, after = covered_interval(value[2:], UTC)
        except ValueError:
            raise RequestRefused(
                Problem(400, "value", None, "date: expected a FHIR date, or a dateTime with an offset.")
            ) from None
        if prefix[0] == "g":
            since = max(since, first if prefix == "ge" else after)
        else:
            until = min(until, first if prefix == "lt" else after)
    return since, until
