"""Alerts that wait, and that go on once what they waited for is settled: decided anew, like everything that leaves.

An alert is news, and news grow old. What has waited longer than anybody could act on it goes on waiting: a person at
the console sends it, where somebody still wants it.
"""

from collections.abc import Callable
from datetime import timedelta

from gateway.flow.house import House
from gateway.model.handoff import Work
from gateway.ports import Transaction

NEWS_FOR = timedelta(days=3)
"""How old news may be and still be told: after that nobody can act on it at once."""


def resume_alerts(house: House, tx: Transaction, person_id: str, waits: Callable[[Work], bool]) -> None:
    """Let the alerts about a person of which `waits` says that they waited for this be decided again."""
    now = house.clock()
    for alert in tx.resources.of_person(["Communication"], person_id):
        for piece in tx.outbox.of_subject(alert.body["id"]):
            if piece.kind == "alert" and waits(piece) and now - piece.created_at <= NEWS_FOR:
                tx.outbox.set_state(piece.id, "ready", None, now)
