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
