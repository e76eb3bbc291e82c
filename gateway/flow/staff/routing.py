"""Route a record again that no route covered when it came: routes.yaml may cover it since the last start.

Its input is read once more, as if it had come again, so that nothing is addressed in a second way.
"""

from dataclasses import replace

from gateway.flow.house import House
from gateway.flow.messages.answers import take_one
from gateway.flow.people import locked_record
from gateway.flow.replays import read_again
from gateway.model.audit import AuditEntry
from gateway.ports import Transaction

_AGAIN = "to be routed again"


def route_again(house: House, actor: str, handoff_id: str) -> bool:
    """Route what waits for a route by the routes of now; False where the record does not wait for one.

    What is still covered by none waits on.
    """

    def route(tx: Transaction) -> bool:
        handoff = locked_record(tx, handoff_id)
        stored = tx.inputs.get(handoff.input_id) if handoff is not None and handoff.state == "unrouted" else None
        if stored is None:
            return False
        if stored.channel == "mllp":
            take_one(house, tx, stored, actor)
        else:
            own = [one for one in tx.inputs.records(stored.id) if one.handoff_id == handoff_id]
            tx.inputs.put_records([replace(one, state="quarantined", reason=_AGAIN) for one in own])
            read_again(tx, stored.id, house.clock())
        tx.audit.append(AuditEntry(house.clock(), "record.routed-again", actor, {"handoff": handoff_id}))
        return True

    return house.database.write(route)
