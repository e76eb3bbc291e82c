"""What `ports.Database` promises about inputs, handoffs, resources, people and referrals, on every implementation."""

from datetime import timedelta

import pytest

from gateway.model.errors import GatewayError
from gateway.model.handoff import InputRecord, StoredInput
from gateway.ports import Database, Transaction
from tests.support.stored import (
    AT,
    a_handoff,
    a_person,
    a_referral,
    an_input,
    an_observation,
    an_organization,
)

pytest_plugins = ("tests.support.databases",)

LATER = AT + timedelta(hours=1)


def keep(database: Database, *, handoff_id: str = "handoff-1") -> None:
    """Store input-1 and a handoff with one observation."""

    def work(transaction: Transaction) -> None:
        if transaction.inputs.get("input-1") is None:
            transaction.inputs.add(an_input())
        transaction.handoffs.save(a_handoff(handoff_id), [an_observation()])

    database.write(work)


def keep_with_key(database: Database, stored: StoredInput, key: str) -> None:
    """Store an input that came with an idempotency key."""

    def work(transaction: Transaction) -> None:
        transaction.inputs.add(stored)
        transaction.inputs.remember_key(stored.client, stored.source, key, stored.id)

    database.write(work)


def test_an_input_comes_back_byte_for_byte(database: Database) -> None:
    payload = bytes(range(256))

    database.write(lambda t: t.inputs.add(an_input(payload=payload)))

    assert database.read(lambda t: t.inputs.get("input-1")) == an_input(payload=payload)


def test_whose_an_input_is_can_be_said_later(database: Database) -> None:
    database.write(lambda t: t.inputs.add(an_input(client=None)))

    database.write(lambda t: t.inputs.set_sender("input-1", "org:sample"))

    assert database.read(lambda t: t.inputs.get("input-1")) == an_input(client="org:sample")
    with pytest.raises(GatewayError, match="expected a stored input"):
        database.write(lambda t: t.inputs.set_sender("nobody", "org:sample"))


def test_an_unknown_input_is_none(database: Database) -> None:
    assert database.read(lambda t: t.inputs.get("nobody")) is None


def test_the_same_content_is_found_only_for_the_same_client_and_source(database: Database) -> None:
    database.write(lambda t: t.inputs.add(an_input("later", received_at=LATER)))
    database.write(lambda t: t.inputs.add(an_input("first")))
    database.write(lambda t: t.inputs.add(an_input("nameless", client=None, sha256="c" * 64)))

    def look(t: Transaction) -> list[str | None]:
        return [
            t.inputs.same_content("demo-agency", "seattle-rms-crisis", "a" * 64),
            t.inputs.same_content("other-agency", "seattle-rms-crisis", "a" * 64),
            t.inputs.same_content("demo-agency", "eido", "a" * 64),
            t.inputs.same_content(None, "seattle-rms-crisis", "c" * 64),
            t.inputs.same_content(None, "seattle-rms-crisis", "a" * 64),
        ]

    assert database.read(look) == ["first", None, None, "nameless", None]


def test_an_idempotency_key_belongs_to_one_client_and_source(database: Database) -> None:
    keep_with_key(database, an_input("first"), "key-1")
    keep_with_key(database, an_input("of-another-source", source="eido"), "key-1")

    def look(t: Transaction) -> list[StoredInput | None]:
        return [
            t.inputs.by_idempotency_key("demo-agency", "seattle-rms-crisis", "key-1"),
            t.inputs.by_idempotency_key("demo-agency", "eido", "key-1"),
            t.inputs.by_idempotency_key("other-agency", "seattle-rms-crisis", "key-1"),
            t.inputs.by_idempotency_key(None, "seattle-rms-crisis", "key-1"),
        ]

    assert database.read(look) == [an_input("first"), an_input("of-another-source", source="eido"), None, None]


def test_an_input_may_have_several_idempotency_keys(database: Database) -> None:
    keep_with_key(database, an_input(), "key-1")
    database.write(lambda t: t.inputs.remember_key("demo-agency", "seattle-rms-crisis", "key-2", "input-1"))

    def look(t: Transaction) -> list[StoredInput | None]:
        return [t.inputs.by_idempotency_key("demo-agency", "seattle-rms-crisis", f"key-{n}") for n in (1, 2, 3)]

    assert database.read(look) == [an_input(), an_input(), None]


@pytest.mark.parametrize("client", ["demo-agency", None])
def test_a_second_input_with_the_same_idempotency_key_is_refused(database: Database, client: str | None) -> None:
    keep_with_key(database, an_input("first", client=client), "key-1")

    with pytest.raises(GatewayError, match="contradicts what is stored"):
        keep_with_key(database, an_input("second", client=client), "key-1")

    assert database.read(lambda t: t.inputs.get("second")) is None


def test_an_idempotency_key_of_no_input_is_refused(database: Database) -> None:
    with pytest.raises(GatewayError, match="contradicts what is stored"):
        database.write(lambda t: t.inputs.remember_key("demo-agency", "eido", "key-1", "nobody"))


def test_an_input_that_cannot_be_read_is_quarantined_with_its_reason(database: Database) -> None:
    database.write(lambda t: t.inputs.add(an_input()))

    database.write(lambda t: t.inputs.set_state("input-1", "quarantined", "not UTF-8"))

    stored = database.read(lambda t: t.inputs.get("input-1"))
    assert stored is not None
    assert (stored.state, stored.reason) == ("quarantined", "not UTF-8")


def test_several_inputs_are_marked_each_with_its_own_state(database: Database) -> None:
    database.write(lambda t: t.inputs.add(an_input("input-1"), an_input("input-2", sha256="b" * 64)))

    database.write(lambda t: t.inputs.set_states([("input-1", "done", None), ("input-2", "quarantined", "unknown")]))

    found = [database.read(lambda t, key=key: t.inputs.get(key)) for key in ("input-1", "input-2")]
    assert [(one.state, one.reason) for one in found if one] == [("done", None), ("quarantined", "unknown")]


def test_marking_an_unknown_input_fails(database: Database) -> None:
    with pytest.raises(GatewayError, match="expected a stored input with id nobody, found none"):
        database.write(lambda t: t.inputs.set_state("nobody", "done"))


def test_what_became_of_records_is_overwritten_by_number(database: Database) -> None:
    database.write(lambda t: t.inputs.add(an_input()))
    database.write(
        lambda t: t.inputs.put_records([InputRecord("input-1", 2, "skipped"), InputRecord("input-1", 1, "quarantined")])
    )

    database.write(lambda t: t.inputs.put_records([InputRecord("input-1", 1, "converted", None, "handoff-1")]))

    assert database.read(lambda t: t.inputs.records("input-1")) == [
        InputRecord("input-1", 1, "converted", None, "handoff-1"),
        InputRecord("input-1", 2, "skipped"),
    ]


def test_what_waits_for_a_person_is_found_by_whose_it_is_in_the_order_it_came(database: Database) -> None:
    def keep_four(t: Transaction) -> None:
        for number, client in ((3, "org:sample"), (1, "org:sample"), (2, "org:sample"), (4, "org:other")):
            t.inputs.add(an_input(id=f"input-{number}", client=client, received_at=AT + timedelta(minutes=number)))
            t.inputs.put_records([InputRecord(f"input-{number}", 1, "converted" if number == 2 else "quarantined")])
        t.inputs.put_records([InputRecord("input-1", 2, "quarantined")])

    database.write(keep_four)

    assert database.read(lambda t: t.inputs.waiting("org:sample")) == ["input-1", "input-3"]
    assert database.read(lambda t: t.inputs.waiting("org:sample", limit=1)) == ["input-1"]
    assert database.read(lambda t: t.inputs.waiting("org:nobody")) == []


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


def test_handoffs_of_a_person_come_oldest_first(database: Database) -> None:
    database.write(lambda t: t.inputs.add(an_input()))
    database.write(lambda t: t.handoffs.save(a_handoff("young", created_at=LATER), []))
    database.write(lambda t: t.handoffs.save(a_handoff("old"), []))

    assert [h.id for h in database.read(lambda t: t.handoffs.of_person("person-1"))] == ["old", "young"]


def test_a_resource_that_is_put_carries_its_version_and_instant(database: Database) -> None:
    resource = {**an_observation(), "meta": {"profile": ["p"], "versionId": "99"}}

    version = database.write(lambda t: t.resources.put(resource, handoff_id=None, person_id="person-1", at=AT))

    stored = database.read(lambda t: t.resources.get("Observation", "observation-1"))
    assert version == 1
    assert stored is not None
    assert stored.body["meta"] == {"profile": ["p"], "versionId": "1", "lastUpdated": "2026-11-02T18:00:00.000000Z"}
    assert (stored.version, stored.updated_at, stored.person_id) == (1, AT, "person-1")


def test_putting_again_makes_the_next_version_and_keeps_the_one_before(database: Database) -> None:
    for value in ("calm", "agitated"):
        database.write(
            lambda t, value=value: t.resources.put(an_observation(value=value), handoff_id=None, person_id=None, at=AT)
        )

    history = database.read(lambda t: t.resources.history("Observation", "observation-1"))

    assert [(s.version, s.body["valueString"]) for s in history] == [(2, "agitated"), (1, "calm")]


def test_a_resource_put_into_a_handoff_comes_last_and_keeps_its_place(database: Database) -> None:
    keep(database)
    for value in ("one", "two"):
        database.write(
            lambda t, value=value: t.resources.put(
                an_observation("added", value), handoff_id="handoff-1", person_id=None, at=AT
            )
        )

    assert database.read(lambda t: t.handoffs.resources("handoff-1")) == [
        an_observation(),
        an_observation("added", "two"),
    ]


def test_a_business_identifier_is_found_as_long_as_the_resource_carries_it(database: Database) -> None:
    system = "https://warmhandoff.example/id/ori"
    long_value = "x" * 3000
    for identifier in ("WA0171100", long_value):
        database.write(
            lambda t, identifier=identifier: t.resources.put(
                an_organization(identifier=identifier), handoff_id=None, person_id=None, at=AT
            )
        )

    assert database.read(lambda t: t.resources.by_identifier("Organization", system, "WA0171100")) == []
    assert len(database.read(lambda t: t.resources.by_identifier("Organization", system, long_value))) == 1
    assert database.read(lambda t: t.resources.by_identifier("Patient", system, long_value)) == []


def test_a_stored_resource_does_not_change_with_the_callers_copy(database: Database) -> None:
    resource = an_observation()
    database.write(lambda t: t.resources.put(resource, handoff_id=None, person_id=None, at=AT))

    resource["valueString"] = "changed by the caller"

    stored = database.read(lambda t: t.resources.get("Observation", "observation-1"))
    assert stored is not None
    assert stored.body["valueString"] == "calm"


def test_a_person_is_found_by_patient_and_by_identifier(database: Database) -> None:
    person = a_person(patient_ids=("patient-1", "patient-2"))
    database.write(lambda t: t.people.save(person, AT))

    assert database.read(lambda t: t.people.get("person-1")) == person
    assert database.read(lambda t: t.people.by_patient("patient-2")) == person
    assert database.read(lambda t: t.people.by_patient("P-1")) is None
    assert database.read(lambda t: t.people.by_identifier("https://warmhandoff.example/id/person", "P-1")) == [person]


def test_an_identifier_that_a_person_lost_no_longer_finds_them(database: Database) -> None:
    database.write(lambda t: t.people.save(a_person(), AT))

    database.write(lambda t: t.people.save(a_person(identifiers=(), patient_ids=("patient-9",)), LATER))

    assert database.read(lambda t: t.people.by_identifier("https://warmhandoff.example/id/person", "P-1")) == []
    assert database.read(lambda t: t.people.by_patient("patient-1")) is None


def test_one_identifier_may_name_two_persons(database: Database) -> None:
    database.write(lambda t: t.people.save(a_person("person-1"), AT))
    database.write(lambda t: t.people.save(a_person("person-2", patient_ids=()), AT))

    found = database.read(lambda t: t.people.by_identifier("https://warmhandoff.example/id/person", "P-1"))

    assert [person.id for person in found] == ["person-1", "person-2"]


def test_a_number_finds_everybody_who_has_it_with_the_system_that_gives_it(database: Database) -> None:
    ours, theirs = "https://warmhandoff.example/id/person", "urn:hospital"
    one = a_person("person-1", patient_ids=("7",), identifiers=((ours, "7"), (theirs, "8")))
    other = a_person("person-2", patient_ids=(), identifiers=((theirs, "7"),))
    for person in (other, one):
        database.write(lambda t, person=person: t.people.save(person, AT))  # type: ignore[misc]

    assert database.read(lambda t: t.people.by_number("7")) == [(ours, one), (theirs, other)]
    assert database.read(lambda t: t.people.by_number("8")) == [(theirs, one)]
    assert database.read(lambda t: t.people.by_number("9")) == []


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


def test_several_resources_are_those_that_are_there_in_the_order_asked(database: Database) -> None:
    keep(database)
    keys = [("Observation", "nobodys"), ("Observation", "observation-1"), ("Patient", "observation-1")]

    def look(t: Transaction) -> list[list[str]]:
        asked = [t.resources.several(keys), t.resources.several([])]
        return [[one.body["id"] for one in found] for found in asked]

    assert database.read(look) == [["observation-1"], []]
    database.write(lambda t: t.handoffs.save(a_handoff(), []))
    assert database.read(look) == [[], []]


def test_candidates_share_name_and_birth_date_or_phone_or_name_or_birth_date_in_this_order(database: Database) -> None:
    nobody = {"patient_ids": (), "identifiers": (), "birth_date": None, "phone": None}
    people = [
        a_person("by-date", family="Other", given="X", **{**nobody, "birth_date": "1980-02-30"}),
        a_person("by-name", family="ZZTÉST", given="Aa-ron", **nobody),
        a_person("by-phone", family="Third", given="Y", **{**nobody, "phone": "+1 (206) 555-0101"}),
        a_person("stranger", family="Fourth", given="Z", **nobody),
        a_person("by-two", family="Zztest", given="Aaron", **{**nobody, "birth_date": "1980-02-30"}),
    ]
    for person in people:
        database.write(lambda t, person=person: t.people.save(person, AT))

    found = database.read(lambda t: t.people.candidates("Zztest", "Aaron", "1980-02-30", "206-555-0101"))

    assert [person.id for person in found] == ["by-two", "by-phone", "by-name", "by-date"]


def test_a_common_name_does_not_hide_who_was_born_that_day(database: Database) -> None:
    def crowd(t: Transaction) -> None:
        for n in range(60):
            t.people.save(a_person(f"person-{n:02}", birth_date=None, patient_ids=(), identifiers=()), AT)
        t.people.save(a_person("sought", patient_ids=(), identifiers=()), AT)

    database.write(crowd)

    found = database.read(lambda t: t.people.candidates("Zztest", "Aaron", "1980-02-30", None))

    assert found[0].id == "sought"


def test_nobody_is_a_candidate_for_having_no_name(database: Database) -> None:
    database.write(lambda t: t.people.save(a_person(family="", given="", birth_date=None, phone=None), AT))

    assert database.read(lambda t: t.people.candidates("", "", None, None)) == []


def test_there_are_at_most_fifty_candidates(database: Database) -> None:
    def crowd(t: Transaction) -> None:
        for n in range(60):
            t.people.save(a_person(f"person-{n:02}", given=f"N{n}", patient_ids=(), identifiers=()), AT)

    database.write(crowd)

    assert len(database.read(lambda t: t.people.candidates("Nobody", "Known", "1980-02-30", None))) == 50


def test_locking_an_unknown_person_fails(database: Database) -> None:
    with pytest.raises(GatewayError, match="found none to lock"):
        database.write(lambda t: t.people.lock("nobody"))


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
        return database.read(lambda t: [one.id for one in t.referrals.in_order(after, {"completed"}, limit)])

    assert ids("", 2) == ["task-0", "task-2"]
    assert ids("task-2", 2) == ["task-3"]


def test_who_is_known_as_whom_is_one_question(database: Database) -> None:
    ours = "https://warmhandoff.example/id/person"
    database.write(lambda t: t.people.save(a_person("person-2", patient_ids=()), AT))
    database.write(lambda t: t.people.save(a_person("person-1"), AT))

    def look(t: Transaction) -> list[list[str]]:
        asked = [(ours, "P-1"), ("Patient", "patient-1"), (ours, "patient-1"), ("Patient", "P-1")]
        return [t.people.known_as(system, value) for system, value in asked]

    assert database.read(look) == [["person-1", "person-2"], ["person-1"], [], []]


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


def test_several_handoffs_come_with_their_resources_in_the_order_asked(database: Database) -> None:
    keep(database)
    database.write(lambda t: t.handoffs.save(a_handoff("empty"), []))

    found = database.read(lambda t: t.handoffs.several(["empty", "nobodys", "handoff-1", "empty"]))

    assert [handoff.id for handoff, _ in found] == ["empty", "handoff-1"]
    assert found[0][1] == []
    assert found[1][1] == database.read(lambda t: t.handoffs.resources("handoff-1"))
    assert database.read(lambda t: t.handoffs.several([])) == []


def test_what_is_asked_about_several_people_is_what_is_asked_about_each(database: Database) -> None:
    keep(database)
    database.write(lambda t: t.referrals.save(a_referral()))

    def look(t: Transaction) -> tuple[object, ...]:
        people, kinds = ["person-1", "nobody"], ("Observation", "Patient")
        several = (t.resources.of_people(kinds, people), t.handoffs.of_people(people), t.referrals.of_people(people))
        one = (
            t.resources.of_person(kinds, "person-1"),
            t.handoffs.of_person("person-1"),
            t.referrals.of_person("person-1"),
        )
        assert several == one
        return (t.resources.of_people(kinds, []), t.handoffs.of_people([]), t.referrals.of_people([]))

    assert database.read(look) == ([], [], [])
    assert database.read(lambda t: len(t.referrals.of_people(["person-1"]))) == 1


def test_locking_several_people_passes_over_those_nobody_knows(database: Database) -> None:
    keep(database)

    database.write(lambda t: t.people.lock_each(["person-1", "nobody"]))
    database.write(lambda t: t.people.lock_each([]))
