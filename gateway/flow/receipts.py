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
    record could be read and nothing else: no ids, so nothing that tells what became of the person. Nor are there ids
    of a record that another organization has handed in since: they would tell what that one wrote into it.
    """

    def look(tx: Transaction) -> dict[str, Any] | None:
        stored = tx.inputs.get(input_id)
        if stored is None or stored.client != caller.client:
            return None
        records = tx.inputs.records(input_id)
        organization = house.registry.get(caller.organization)
        neutral = organization is None or organization.is_law_enforcement
        own = _OwnRecords(house, tx, caller)
        return {
            "id": input_id,
            "state": _state(stored, records),
            **({"reason": stored.reason} if stored.reason else {}),
            "records": [
                {
                    "n": record.n,
                    "state": record.state,
                    "reason": record.reason,
                    "ids": [] if neutral or record.handoff_id is None else own.ids(record.handoff_id),
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


class _OwnRecords:
    """What the records that a caller handed in hold, as far as its own organization wrote them as they are now."""

    def __init__(self, house: House, tx: Transaction, caller: Caller) -> None:
        self._house, self._tx, self._caller = house, tx, caller
        self._own: dict[str, bool] = {}
        """Whether an input is of the caller's organization: a large file's records came by few."""

    def ids(self, handoff_id: str) -> list[str]:
        """Return `Type/id` of all that a record holds; none where it is as somebody else has handed it in."""
        handoff = self._tx.handoffs.get(handoff_id)
        if handoff is None or not self._is_own(handoff.input_id):
            return []
        return [f"{one['resourceType']}/{one['id']}" for one in self._tx.handoffs.resources(handoff_id)]

    def _is_own(self, input_id: str) -> bool:
        if input_id not in self._own:
            stored = self._tx.inputs.get(input_id)
            client = self._house.clients.get(stored.client or "") if stored is not None else None
            self._own[input_id] = client is not None and client.organization == self._caller.organization
        return self._own[input_id]
