"""What `ports.Database` promises about what one transaction sees of its own writing, on every implementation."""

from gateway.ports import Database, Transaction
from tests.support.stored import AT, LATER, a_handoff, a_person, a_referral, an_input, an_observation, keep

pytest_plugins = ("tests.support.databases",)


def test_a_transaction_sees_what_it_has_written_itself(database: Database) -> None:
    def work(t: Transaction) -> list[object]:
        seen: list[object] = [t.people.by_number("P-7"), t.resources.get("Observation", "observation-1")]
        t.people.save(a_person(identifiers=(("urn:a", "P-7"),)), AT)
        t.inputs.add(an_input())
        t.handoffs.save(a_handoff(), [an_observation()])
        t.resources.put(an_observation(value="agitated"), handoff_id=None, person_id=None, at=AT)
        found = t.resources.get("Observation", "observation-1")
        return [*seen, [system for system, _ in t.people.by_number("P-7")], found.version if found else None]

    assert database.write(work) == [[], None, ["urn:a"], 2]


def test_what_a_transaction_has_read_is_what_it_has_written_since(database: Database) -> None:
    keep(database)
    database.write(lambda t: t.people.save(a_person(), AT))
    database.write(lambda t: t.referrals.save(a_referral()))

    def read(t: Transaction) -> list[object]:
        handoff, person, referral = t.handoffs.get("handoff-1"), t.people.get("person-1"), t.referrals.get("task-1")
        assert handoff is not None
        assert person is not None
        of_person = [one.status for one in t.referrals.of_person("person-1")]
        return [handoff.state, handoff.version, person.phone, referral and referral.status, of_person]

    def work(t: Transaction) -> list[list[object]]:
        t.people.lock("person-1")
        seen = [read(t)]
        t.handoffs.save(a_handoff(version=2), [an_observation()])
        t.people.save(a_person(phone="206-555-0102"), LATER)
        t.people.lock("person-1")
        t.referrals.save(a_referral(status="accepted"))
        seen.append(read(t))
        t.handoffs.set_state("handoff-1", "held", "a doubt", LATER)
        return [*seen, read(t)]

    assert database.write(work) == [
        ["active", 1, "206-555-0101", "requested", ["requested"]],
        ["active", 2, "206-555-0102", "accepted", ["accepted"]],
        ["held", 2, "206-555-0102", "accepted", ["accepted"]],
    ]
    assert database.read(read) == ["held", 2, "206-555-0102", "accepted", ["accepted"]]


def test_what_a_transaction_has_written_goes_on_from_there(database: Database) -> None:
    keep(database)

    def version_of(t: Transaction) -> int | None:
        found = t.resources.get("Observation", "observation-1")
        return found.version if found else None

    def work(t: Transaction) -> list[int | None]:
        seen = []
        for value in ("agitated", "calm"):
            t.resources.put(an_observation(value=value), handoff_id="handoff-1", person_id=None, at=AT)
            seen.append(version_of(t))
        t.handoffs.save(a_handoff(version=2), [])
        seen.append(version_of(t))
        t.resources.put(an_observation(value="calm"), handoff_id="handoff-1", person_id=None, at=LATER)
        return [*seen, version_of(t)]

    def of_later(t: Transaction) -> list[object]:
        return [version_of(t), [one.version for one in t.resources.history("Observation", "observation-1")]]

    assert database.write(work) == [2, 3, None, 5]
    assert database.read(of_later) == [5, [5, 3, 2, 1]]


def test_the_referrals_of_a_person_stay_in_the_order_of_their_last_change(database: Database) -> None:
    keep(database)
    database.write(lambda t: t.people.save(a_person(), AT))
    database.write(lambda t: t.referrals.save(a_referral()))
    database.write(lambda t: t.referrals.save(a_referral("task-2", identifier="r-2", updated_at=LATER)))

    def order(t: Transaction) -> list[tuple[str, str]]:
        return [(one.id, one.status) for one in t.referrals.of_person("person-1")]

    def work(t: Transaction) -> list[list[tuple[str, str]]]:
        seen = [order(t)]
        t.referrals.save(a_referral(status="accepted", updated_at=LATER + (LATER - AT)))
        return [*seen, order(t)]

    assert database.write(work) == [
        [("task-1", "requested"), ("task-2", "requested")],
        [("task-2", "requested"), ("task-1", "accepted")],
    ]
    assert database.read(order) == [("task-2", "requested"), ("task-1", "accepted")]
