"""What the sender of an input may know of it: that it came, and whether each record could be read."""

from typing import Any

from gateway.flow.house import House
from gateway.model.caller import Caller
from gateway.model.handoff import InputRecord, StoredInput
from gateway.ports import Transaction

SHOWN_RECORDS = 10_000
"""Records listed in one receipt; a larger file's receipt says how many more there are."""


def receipt(house: House, caller: Caller, input_id: str) -> dict[str, Any] | None:
    """Return the receipt of an input, or None when there is none of this client.

    Shape: id, state, records of n, state, reason, ids. A law-enforcement client learns whether its
    record could be read and nothing else: no ids, so nothing that tells what became of the person.
    """

    def look(tx: Transaction) -> dict[str, Any] | None:
        stored = tx.inputs.get(input_id)
        if stored is None or stored.client != caller.client:
            return None
        records = tx.inputs.records(input_id)
        organization = house.registry.get(caller.organization)
        neutral = organization is None or organization.is_law_enforcement
        return {
            "id": input_id,
            "state": _state(stored, records),
            **({"reason": stored.reason} if stored.reason else {}),
            "records": [
                {
                    "n": record.n,
                    "state": record.state,
                    "reason": record.reason,
                    "ids": [] if neutral or record.handoff_id is None else _ids(tx, record.handoff_id),
                }
                for record in records[:SHOWN_RECORDS]
            ],
            **({"more": len(records) - SHOWN_RECORDS} if len(records) > SHOWN_RECORDS else {}),
        }

    return house.database.read(look)


def _state(stored: StoredInput, records: list[InputRecord]) -> str:
    """Sum an input up in one word: the best that any of its records became."""
    if stored.state != "done":
        return stored.state
    states = {record.state for record in records}
    return next((state for state in ("converted", "quarantined", "duplicate", "skipped") if state in states), "skipped")


def _ids(tx: Transaction, handoff_id: str) -> list[str]:
    return [f"{resource['resourceType']}/{resource['id']}" for resource in tx.handoffs.resources(handoff_id)]
