"""The AuditEvents a caller may read: one for each disclosure it received, and nothing of what it was refused.

A refusal's event would be the very thing that a refusal must not tell (42 CFR 2.13(c)(2)); those are for the
operator's staff, `gateway audit export --format fhir`.
"""

from datetime import UTC, datetime

import orjson

from gateway.flow.house import House
from gateway.model.audit import AuditEntry
from gateway.model.caller import Caller
from gateway.model.exchange import Answer, Problem, RequestRefused
from gateway.model.handoff import Resource
from gateway.ports import Transaction
from gateway.reporting.audit_event import disclosure_event

MOST_EVENTS = 200
"""Events in one answer, oldest first; a caller asks again from the last one's time."""

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def read_event(house: House, caller: Caller, event_id: str) -> Answer | None:
    """Return the event of one disclosure to the caller's organization; None for any other id."""

    def look(tx: Transaction) -> Answer | None:
        row = tx.decisions.received(caller.organization, event_id)
        _note(house, tx, caller, int(row is not None))
        if row is None:
            return None
        return Answer(orjson.dumps(disclosure_event(row, house.registry, house.operator)), None, None)

    return house.database.write(look)


def search_events(house: House, caller: Caller, parameters: list[tuple[str, str]]) -> list[Resource]:
    """Return the events of the disclosures to the caller's organization, by _id, date (ge, gt, le, lt) and patient."""
    since, until = _between(parameters)

    def look(tx: Transaction) -> list[Resource]:
        rows = tx.decisions.received_between(caller.organization, since, until, MOST_EVENTS)
        made = (disclosure_event(row, house.registry, house.operator) for row in rows)
        found = [event for event in made if _matches(event, parameters)]
        _note(house, tx, caller, len(found))
        return found

    return house.database.write(look)


def _note(house: House, tx: Transaction, caller: Caller, count: int) -> None:
    person = caller.person[0] if caller.person else caller.client
    tx.audit.append(AuditEntry(house.clock(), "audit.viewed", person, {"client": caller.client, "events": count}))


def _between(parameters: list[tuple[str, str]]) -> tuple[datetime, datetime | None]:
    """Read the bounds as [since, until); a bound that cannot be applied is refused, never ignored."""
    since, until = _BEGINNING, None
    for name, value in parameters:
        if name != "date":
            continue
        prefix, moment = value[:2], _moment(value[2:])
        if prefix in ("ge", "gt"):
            since = max(since, moment if prefix == "ge" else moment + datetime.resolution)
        elif prefix in ("le", "lt"):
            end = moment if prefix == "lt" else moment + datetime.resolution
            until = end if until is None else min(until, end)
        else:
            raise RequestRefused(
                Problem(400, "not-supported", None, "date: expected ge, gt, le or lt before the time.")
            )
    return since, until


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RequestRefused(Problem(400, "value", None, "date: expected a FHIR dateTime.")) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _matches(event: Resource, parameters: list[tuple[str, str]]) -> bool:
    return all(_holds(event, name, set(value.split(","))) for name, value in parameters)


def _holds(event: Resource, name: str, values: set[str]) -> bool:
    if name == "_id":
        return event["id"] in values
    if name == "patient":
        named = {one.get("what", {}).get("reference", "") for one in event["entity"]}
        wanted = {value if "/" in value else f"Patient/{value}" for value in values}
        return bool(named & wanted)
    return True
