"""What `ports.Database` promises about handoffs and what they hold, on every implementation."""

import pytest

from gateway.model.errors import GatewayError
from gateway.ports import Brought, Database, Transaction
from tests.support.stored import LATER, a_handoff, a_referral, an_input, an_observation, an_organization, keep

pytest_plugins = ("tests.support.databases",)


def test_a_handoff_comes_back_with_its_facts_findings_and_resources_in_order(database: Database) -> None:
    handoff = a_handoff(facts={"force": False, "minutes": 12}, findings=("late", "short"))
    database.write(lambda t: t.inputs.add(an_input()))

    database.write(
        lambda t: t.handoffs.save(handoff, [an_observation("o-2"), an_organization(), an_observation("o-1")])
    )

    assert database.read(lambda t: t.handoffs.get("handoff-1")) == handoff
    assert database.read(lambda t: t.handoffs.resources("handoff-1")) == [
        an_observation("o-2"),
        an_organization(),
        an_observation("o-1"),
    ]


def test_a_handoff_without_its_input_is_refused(database: Database) -> None:
    with pytest.raises(GatewayError, match="contradicts what is stored"):
        database.write(lambda t: t.handoffs.save(a_handoff(), []))


def test_saving_again_gives_a_new_version_only_to_what_changed(database: Database) -> None:
    database.write(lambda t: t.inputs.add(an_input()))
    database.write(lambda t: t.handoffs.save(a_handoff(), [an_observation("same"), an_observation("other", "calm")]))

    database.write(
        lambda t: t.handoffs.save(
            a_handoff(version=2, updated_at=LATER), [an_observation("same"), an_observation("other", "agitated")]
        )
    )

    def versions(t: Transaction) -> list[tuple[int, str]]:
        return [
            (s.version, s.body["valueString"])
            for name in ("same", "other")
            for s in t.resources.history("Observation", name)
        ]

    assert database.read(versions) == [(1, "calm"), (2, "agitated"), (1, "calm")]


def test_what_is_no_longer_in_a_handoff_is_deleted_and_its_history_stays(database: Database) -> None:
    database.write(lambda t: t.inputs.add(an_input()))
    database.write(lambda t: t.handoffs.save(a_handoff(), [an_observation("kept"), an_observation("gone")]))

    database.write(lambda t: t.handoffs.save(a_handoff(updated_at=LATER), [an_observation("kept")]))

    assert database.read(lambda t: t.resources.get("Observation", "gone")) is None
    assert [s.version for s in database.read(lambda t: t.resources.history("Observation", "gone"))] == [1]
    assert database.read(lambda t: t.handoffs.resources("handoff-1")) == [an_observation("kept")]


def test_a_handoff_holds_what_it_was_last_saved_with_in_that_order(database: Database) -> None:
    keep(database)
    listings = (["a", "b", "c"], ["a", "b", "d"], ["a", "b"], ["b", "a", "c", "d"], ["b"], [], ["a"])

    for ids in listings:
        database.write(lambda t, ids=ids: t.handoffs.save(a_handoff(), [an_observation(one) for one in ids]))

        assert [one["id"] for one in database.read(lambda t: t.handoffs.resources("handoff-1"))] == ids


def test_a_deleted_resource_that_comes_back_continues_its_versions(database: Database) -> None:
    database.write(lambda t: t.inputs.add(an_input()))
    for resources in ([an_observation()], [], [an_observation()]):
        database.write(lambda t, resources=resources: t.handoffs.save(a_handoff(), resources))

    stored = database.read(lambda t: t.resources.history("Observation", "observation-1"))

    assert [s.version for s in stored] == [3, 1]


def test_a_resource_that_two_handoffs_hold_outlives_its_removal_from_one(database: Database) -> None:
    database.write(lambda t: t.inputs.add(an_input()))
    database.write(lambda t: t.handoffs.save(a_handoff("one"), [an_organization()]))
    database.write(lambda t: t.handoffs.save(a_handoff("two"), [an_organization()]))

    database.write(lambda t: t.handoffs.save(a_handoff("two"), []))

    assert database.read(lambda t: t.handoffs.resources("one")) == [an_organization()]
    assert database.read(lambda t: t.resources.get("Organization", "org-1")) is not None


def test_a_resource_that_handoffs_of_two_persons_share_is_about_neither(database: Database) -> None:
    database.write(lambda t: t.inputs.add(an_input()))
    database.write(lambda t: t.handoffs.save(a_handoff("one", person_id="person-1"), [an_organization()]))
    database.write(lambda t: t.handoffs.save(a_handoff("two", person_id="person-2"), [an_organization()]))

    stored = database.read(lambda t: t.resources.get("Organization", "org-1"))

    assert stored is not None
    assert stored.person_id is None


def test_a_resource_listed_twice_is_refused(database: Database) -> None:
    database.write(lambda t: t.inputs.add(an_input()))

    with pytest.raises(ValueError, match="found one twice"):
        database.write(lambda t: t.handoffs.save(a_handoff(), [an_observation(), an_observation()]))


def test_a_handoff_is_held_and_released(database: Database) -> None:
    keep(database)

    database.write(lambda t: t.handoffs.set_state("handoff-1", "held", "possible match", LATER))

    handoff = database.read(lambda t: t.handoffs.get("handoff-1"))
    assert handoff is not None
    assert (handoff.state, handoff.hold_reason, handoff.updated_at) == ("held", "possible match", LATER)


def test_moving_a_person_takes_handoffs_resources_and_referrals_along(database: Database) -> None:
    keep(database)
    database.write(lambda t: t.referrals.save(a_referral()))

    database.write(lambda t: t.handoffs.move_person("person-1", "person-2"))

    def about(t: Transaction, person_id: str) -> list[int]:
        found = (
            t.handoffs.of_person(person_id),
            t.resources.of_person(["Observation"], person_id),
            t.referrals.of_person(person_id),
        )
        return [len(each) for each in found]

    assert database.read(lambda t: about(t, "person-1")) == [0, 0, 0]
    assert database.read(lambda t: about(t, "person-2")) == [1, 1, 1]


def test_the_contents_of_a_person_are_those_of_the_active_handoffs(database: Database) -> None:
    keep(database)

    active = database.read(lambda t: t.handoffs.contents_of("person-1"))
    database.write(lambda t: t.handoffs.set_state("handoff-1", "held", "possible match", LATER))

    assert [handoff_id for handoff_id, _ in active] == ["handoff-1"]
    assert [body for _, body in active] == database.read(lambda t: t.handoffs.resources("handoff-1"))
    assert database.read(lambda t: t.handoffs.contents_of("person-1")) == []


def test_nothing_is_the_content_of_a_person_of_whom_one_record_is_held(database: Database) -> None:
    keep(database)
    held = a_handoff("handoff-2", state="held", hold_reason="possible match")
    database.write(lambda t: t.handoffs.save(held, []))

    while_in_doubt = database.read(lambda t: t.handoffs.contents_of("person-1"))
    database.write(lambda t: t.handoffs.set_state("handoff-2", "active", None, LATER))

    assert while_in_doubt == []
    assert database.read(lambda t: t.handoffs.contents_of("person-1")) != []


def test_handoffs_of_a_person_come_oldest_first(database: Database) -> None:
    database.write(lambda t: t.inputs.add(an_input()))
    database.write(lambda t: t.handoffs.save(a_handoff("young", created_at=LATER), []))
    database.write(lambda t: t.handoffs.save(a_handoff("old"), []))

    assert [h.id for h in database.read(lambda t: t.handoffs.of_person("person-1"))] == ["old", "young"]


def test_several_handoffs_come_with_their_resources_in_the_order_asked(database: Database) -> None:
    keep(database)
    database.write(lambda t: t.handoffs.save(a_handoff("empty"), []))

    found = database.read(lambda t: t.handoffs.several(["empty", "nobodys", "handoff-1", "empty"]))

    assert [handoff.id for handoff, _ in found] == ["empty", "handoff-1"]
    assert found[0][1] == []
    assert found[1][1] == database.read(lambda t: t.handoffs.resources("handoff-1"))
    assert database.read(lambda t: t.handoffs.several([])) == []


def test_the_handoffs_that_hold_a_resource_now_come_with_who_brought_them(database: Database) -> None:
    def bring(t: Transaction) -> None:
        t.inputs.add(an_input(), an_input("input-2", client="demo-lead", sha256="2" * 64))
        t.inputs.add(an_input("input-3", client=None, sha256="3" * 64))
        t.handoffs.save(a_handoff("handoff-1"), [an_observation("one"), an_observation("two")])
        t.handoffs.save(a_handoff("handoff-2", input_id="input-2"), [an_observation("one"), an_observation("gone")])
        t.handoffs.save(a_handoff("handoff-2", input_id="input-2"), [an_observation("one")])
        t.handoffs.save(a_handoff("handoff-3", input_id="input-3", agency=""), [an_observation("three")])

    database.write(bring)

    def held(t: Transaction, *keys: str) -> list[Brought]:
        return t.handoffs.holding("Observation", keys)

    police = Brought("handoff-1", "org:police", "demo-agency")
    assert database.read(lambda t: held(t, "one")) == [police, Brought("handoff-2", "org:police", "demo-lead")]
    assert database.read(lambda t: held(t, "three", "two", "one-more")) == [police, Brought("handoff-3", "", None)]
    assert database.read(lambda t: held(t, "one", "two"))[:1] == [police]
    assert database.read(lambda t: held(t, "gone")) == []
    assert database.read(lambda t: t.handoffs.holding("Patient", ["one"])) == []
