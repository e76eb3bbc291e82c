"""What `ports.Database` promises about referrals, on every implementation."""

import pytest

from gateway.model.errors import GatewayError
from gateway.ports import Database, Transaction
from tests.support.stored import AT, LATER, a_referral, keep

pytest_plugins = ("tests.support.databases",)


def test_a_referral_comes_back_and_is_updated(database: Database) -> None:
    keep(database)
    database.write(lambda t: t.referrals.save(a_referral()))

    database.write(lambda t: t.referrals.save(a_referral(status="accepted", external_id="F-7", updated_at=LATER)))

    expected = a_referral(status="accepted", external_id="F-7", updated_at=LATER)
    assert database.read(lambda t: t.referrals.get("task-1")) == expected
    assert database.read(lambda t: t.referrals.by_identifier("R-1", "org:clinic")) == expected
    assert database.read(lambda t: t.referrals.by_identifier("R-1", "org:hospital")) is None
    assert database.read(lambda t: t.referrals.of_handoff("handoff-1")) == [expected]


def test_open_referrals_come_by_their_ids_in_order(database: Database) -> None:
    keep(database)
    for number, status in enumerate(("requested", "completed", "accepted", "requested")):
        referral = a_referral(f"task-{number}", identifier=f"R-{number}", status=status)
        database.write(lambda t, one=referral: t.referrals.save(one))

    def ids(after: str, limit: int) -> list[str]:
        return database.read(lambda t: t.referrals.in_order(after, {"completed"}, limit))

    assert ids("", 2) == ["task-0", "task-2"]
    assert ids("task-2", 2) == ["task-3"]


def test_a_recipients_referrals_are_chosen_by_status_and_by_change_at_or_after(database: Database) -> None:
    keep(database)
    database.write(lambda t: t.referrals.save(a_referral("new", identifier="R-2", updated_at=LATER)))
    database.write(lambda t: t.referrals.save(a_referral("old", status="accepted")))
    database.write(lambda t: t.referrals.save(a_referral("elsewhere", recipient="org:hospital")))

    def look(t: Transaction) -> list[list[str]]:
        chosen = [
            t.referrals.of_recipient("org:clinic", None, None),
            t.referrals.of_recipient("org:clinic", "accepted", None),
            t.referrals.of_recipient("org:clinic", None, LATER),
        ]
        return [[referral.id for referral in each] for each in chosen]

    assert database.read(look) == [["old", "new"], ["old"], ["new"]]


def test_an_identifier_names_one_referral_at_a_recipient(database: Database) -> None:
    keep(database)
    database.write(lambda t: t.referrals.save(a_referral()))

    with pytest.raises(GatewayError, match="contradicts what is stored"):
        database.write(lambda t: t.referrals.save(a_referral("task-2")))


def test_referrals_are_found_by_a_resource_that_their_records_hold(database: Database) -> None:
    keep(database)
    for key, recipient, at in (("old", "org:clinic", AT), ("new", "org:clinic", LATER), ("other", "org:ward", AT)):
        referral = a_referral(key, identifier=f"R-{key}", recipient=recipient, updated_at=at)
        database.write(lambda t, one=referral: t.referrals.save(one))

    def look(t: Transaction) -> list[list[str]]:
        keys = [(one["resourceType"], one["id"]) for one in t.handoffs.resources("handoff-1")]
        found = [t.referrals.holding("org:clinic", *keys[0]), t.referrals.holding("org:clinic", "Task", "nobodys")]
        return [[referral.id for referral in each] for each in found]

    assert database.read(look) == [["new", "old"], []]
