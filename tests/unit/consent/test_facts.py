"""What is known around a request is read once; what is over, not there yet or not dated is taken as the rules say."""

from typing import Any

import pytest

from gateway.catalog.partners import registry_from
from gateway.consent import read_facts
from gateway.consent.facts import (
    Episode,
    Facts,
    Merge,
    Restriction,
    Revocation,
    identifier_keys,
    relative,
    subject_keys,
)
from gateway.labeling import label
from gateway.model.fhir_time import instant
from gateway.model.labeled import Item
from tests.support.machines import a_machine_set_to
from tests.support.part2_world import (
    PARTNERS,
    PERSON,
    T0,
    a_condition,
    a_patient,
    bundle,
    handed_to,
    organization,
    world,
    written_by,
)

Json = dict[str, Any]

SUBJECT = {"reference": "Patient/t1", "identifier": {"system": PERSON, "value": "T1"}}
KEYS = {"Patient/t1", f"{PERSON}|T1"}


def facts(*stated: Any) -> Facts:
    return read_facts(stated, world(), instant(T0))


class TestKeys:
    @pytest.mark.parametrize(
        ("reference", "keys"),
        [
            (SUBJECT, KEYS),
            ({"reference": "https://warmhandoff.example/fhir/Patient/t1"}, {"Patient/t1"}),
            ({"reference": "https://elsewhere.example/fhir/Patient/t1"}, {"https://elsewhere.example/fhir/Patient/t1"}),
            ({"identifier": {"value": "7"}}, {"|7"}),
            ({"identifier": {"system": "urn:x"}}, set()),
            ({"identifier": "7", "reference": 7, "display": "x"}, set()),
            (None, set()),
        ],
    )
    def test_of_a_reference_are_its_address_and_its_number(self, reference: Json | None, keys: set[str]) -> None:
        assert subject_keys(reference) == keys

    def test_of_a_resource_are_its_numbers(self) -> None:
        numbers = [{"system": "urn:x", "value": "1"}, {"value": "2"}, {"system": "urn:y"}]

        assert identifier_keys({"identifier": numbers}) == {"urn:x|1", "|2"}
        assert identifier_keys({}) == frozenset()

    def test_an_address_of_ours_is_cut_and_no_other(self) -> None:
        assert relative("https://warmhandoff.example/fhir/Patient/t1") == "Patient/t1"
        assert relative("Patient/t1") == "Patient/t1"
        assert (
            relative("https://warmhandoff.example/fhirs/Patient/t1") == "https://warmhandoff.example/fhirs/Patient/t1"
        )


class TestThePatientIndex:
    def test_finds_a_patient_by_every_key(self) -> None:
        twin = a_patient(id="t2")

        found = facts(a_patient(), twin)

        assert found.patients.keys() == {"Patient/t1", "Patient/t2"}
        assert found.patients_by_key == {
            "Patient/t1": {"Patient/t1"},
            "Patient/t2": {"Patient/t2"},
            f"{PERSON}|T1": {"Patient/t1", "Patient/t2"},
        }

    def test_the_latest_version_that_exists_counts_whatever_the_order(self) -> None:
        versions = [
            a_patient(gender=gender, meta={"lastUpdated": updated} if updated else {})
            for gender, updated in (
                ("a", None),
                ("b", "2026-10-01T00:00:00Z"),
                ("c", T0),
                ("d", "2026-11-02T18:00:01Z"),
            )
        ]

        assert facts(*versions).patients["Patient/t1"]["gender"] == "c"
        assert facts(*reversed(versions)).patients["Patient/t1"]["gender"] == "c"
        assert facts(versions[0], {**versions[0], "gender": "later"}).patients["Patient/t1"]["gender"] == "later"
        assert facts(versions[3]).patients == {}

    def test_one_without_an_id_is_one_too_and_no_version_of_another(self) -> None:
        unnamed = {"resourceType": "Patient"}

        assert len(facts(unnamed).patients) == 1
        assert len(facts(unnamed, {**unnamed, "gender": "other"}).patients) == 2


def an_encounter(**changes: Any) -> Json:
    return {
        "resourceType": "Encounter", "id": "e", "status": "in-progress", "subject": SUBJECT,
        "serviceProvider": organization("mercy"), **changes,
    }  # fmt: skip


def a_team(**changes: Any) -> Json:
    participants = [{"member": organization("mercy")}, {"onBehalfOf": organization("minds")}, {"role": []}]
    return {"resourceType": "CareTeam", "id": "team", "subject": SUBJECT, "participant": participants, **changes}


def a_coverage(**changes: Any) -> Json:
    return {
        "resourceType": "Coverage", "id": "c", "status": "active", "beneficiary": SUBJECT,
        "payor": [organization("plan"), {"display": "somebody"}, organization("payco")], **changes,
    }  # fmt: skip


def an_episode(**changes: Any) -> Json:
    return {
        "resourceType": "EpisodeOfCare", "id": "e", "status": "active", "patient": SUBJECT,
        "managingOrganization": organization("aspen"), **changes,
    }  # fmt: skip


class TestRelationships:
    @pytest.mark.parametrize("status", ["arrived", "triaged", "in-progress", "onleave"])
    def test_an_open_visit_is_treatment(self, status: str) -> None:
        assert facts(an_encounter(status=status)).treating == {"org:mercy": KEYS}

    @pytest.mark.parametrize("status", ["planned", "finished", "cancelled", None])
    def test_any_other_visit_is_none(self, status: str | None) -> None:
        assert facts(an_encounter(status=status)).treating == {}
        assert facts(an_encounter(serviceProvider={"display": "Mercy"})).treating == {}

    def test_an_active_care_team_treats_by_member_and_by_whom_one_stands_for(self) -> None:
        for team in (a_team(), a_team(status="active")):
            found = facts(team)
            assert found.treating == {"org:mercy": KEYS, "org:minds": KEYS}
            assert found.care_teams == {"CareTeam/team": team}

    def test_one_that_is_not_active_treats_nobody_and_is_still_known(self) -> None:
        found = facts(a_team(status="inactive"))

        assert found.treating == {}
        assert found.care_teams.keys() == {"CareTeam/team"}

    def test_one_without_members_treats_nobody(self) -> None:
        assert facts({key: one for key, one in a_team().items() if key != "participant"}).treating == {}

    def test_an_active_coverage_pays(self) -> None:
        assert facts(a_coverage()).covering == {"org:plan": KEYS, "org:payco": KEYS}
        assert facts(a_coverage(status="cancelled")).covering == {}
        assert facts({key: one for key, one in a_coverage().items() if key != "payor"}).covering == {}

    @pytest.mark.parametrize("make", [an_encounter, a_team, a_coverage])
    @pytest.mark.parametrize(
        ("period", "counts"),
        [
            ({}, True),
            ({"start": "2020-01-01"}, True),
            ({"end": "2026-11-02"}, True),
            ({"end": "2026-11-01"}, False),
            ({"end": "2026-11-02T18:00:00Z"}, True),
            ({"end": "2026-11-02T17:59:59Z"}, False),
            ({"end": "some day"}, False),
        ],
    )
    def test_what_has_ended_or_may_have_counts_no_more(self, make: Any, period: Json, counts: bool) -> None:
        found = facts(make(period=period))

        assert bool(found.treating or found.covering) is counts

    def test_several_add_up(self) -> None:
        other = {"reference": "Patient/t2"}

        assert facts(an_encounter(), an_encounter(id="f", subject=other)).treating == {
            "org:mercy": KEYS | {"Patient/t2"}
        }

    def test_an_episode_treats_while_it_is_active_and_is_remembered_when_it_is_finished(self) -> None:
        assert facts(an_episode()).treating == {"org:aspen": KEYS}
        assert facts(an_episode()).finished_episodes == []
        done = facts(an_episode(status="finished", period={"end": "2026-10-31"}))
        assert done.treating == {}
        assert done.finished_episodes == [Episode("org:aspen", frozenset(KEYS), instant("2026-11-01T07:00:00Z"))]

    @pytest.mark.parametrize("period", [{}, {"end": "some day"}, {"end": ""}])
    def test_an_episode_may_have_ended_nobody_knows_when_or_where(self, period: Json) -> None:
        stranger = {"display": "somebody"}

        assert facts(an_episode(status="finished", period=period, managingOrganization=stranger)).finished_episodes == [
            Episode(None, frozenset(KEYS), None)
        ]
        assert facts(an_episode(status="planned")).finished_episodes == []

    def test_a_day_is_one_where_it_was_whatever_the_machine_is_set_to(self) -> None:
        registry = registry_from([*PARTNERS[1:], {**PARTNERS[0], "timezone": "Pacific/Honolulu"}], zone="Asia/Tokyo")
        ended = an_episode(status="finished", period={"end": "2026-11-02"})

        with a_machine_set_to("Pacific/Kiritimati"):
            visits = [
                read_facts([an_encounter(period={"end": "2026-11-02"})], registry, instant(at)).treating
                for at in ("2026-11-02T14:59:59Z", "2026-11-02T15:00:00Z")
            ]
            here = read_facts([ended], registry, instant(T0))
            elsewhere = read_facts([{**ended, "managingOrganization": {}}], registry, instant(T0))

        assert visits == [{"org:mercy": KEYS}, {}]
        assert [one.ended for one in here.finished_episodes] == [instant("2026-11-03T10:00:00Z")]
        assert [one.ended for one in elsewhere.finished_episodes] == [instant("2026-11-02T15:00:00Z")]


class TestStudiesAndPersons:
    @pytest.mark.parametrize(
        ("status", "closed"),
        [
            ("completed", True),
            ("administratively-completed", True),
            ("closed-to-accrual-and-intervention", True),
            ("withdrawn", True),
            ("active", False),
            (None, False),
        ],
    )
    def test_a_study_that_is_closed_stays_closed(self, status: str | None, closed: bool) -> None:
        study = {"resourceType": "ResearchStudy", "id": "s", "status": status}

        assert facts(study, {**study, "id": "t", "status": "active"}).studies_closed is closed

    def test_those_who_act_are_kept_by_their_reference(self) -> None:
        kinds = ("PractitionerRole", "RelatedPerson", "Practitioner")

        found = facts(*({"resourceType": kind, "id": "p"} for kind in (*kinds, "Device")))

        assert found.persons.keys() == {f"{kind}/p" for kind in kinds}


class TestStatedFacts:
    def test_a_source_that_is_down(self) -> None:
        assert facts({"type": "unavailable", "what": "registry"}).unavailable == {"registry"}

    def test_two_records_said_to_be_one_person(self) -> None:
        told = {"type": "merge", "from": "https://warmhandoff.example/fhir/Patient/t2", "into": "Patient/t1"}

        assert facts(told, {**told, "verified": True}, {**told, "verified": "yes"}).merges == [
            Merge("Patient/t2", "Patient/t1", False),
            Merge("Patient/t2", "Patient/t1", True),
            Merge("Patient/t2", "Patient/t1", False),
        ]

    def test_a_revocation_that_has_reached_us(self) -> None:
        paper = {"type": "revocation", "of": ["https://warmhandoff.example/fhir/Consent/paper"], "received": T0}
        oral = {"type": "revocation", "of": "all", "method": "oral"}

        assert facts(paper, oral, {**oral, "received": "2026-11-01"}).revocations == [
            Revocation(frozenset({"Consent/paper"}), False, instant(T0)),
            Revocation(None, True, None),
            Revocation(None, True, None),
        ]
        assert facts({**paper, "received": "2026-11-02T18:00:01Z"}).revocations == []

    def test_a_consent_said_to_be_false_counts_from_the_report_on(self) -> None:
        told = {"type": "consent_false", "consent": "https://warmhandoff.example/fhir/Consent/paper"}

        assert facts(told).false_consents == {"Consent/paper"}
        assert facts({**told, "reported": T0}).false_consents == {"Consent/paper"}
        assert facts({**told, "reported": "2026-11-02T18:00:01Z"}).false_consents == set()

    def test_a_restriction_of_everything_by_everybody_or_of_some_by_some(self) -> None:
        told = {"type": "restriction", "kind": "agreed", "against": ["org:mercy"]}

        assert facts(told, {**told, "items": ["Condition/a"], "of": ["org:aspen"]}).restrictions == [
            Restriction("agreed", frozenset({"org:mercy"}), None, None),
            Restriction("agreed", frozenset({"org:mercy"}), frozenset({"Condition/a"}), frozenset({"org:aspen"})),
        ]

    def test_a_kind_nobody_knows_is_history(self) -> None:
        assert facts({"type": "weather"}, {}).digest != facts().digest
        assert facts({"type": "weather"}).unavailable == set()

    @pytest.mark.parametrize(
        "told",
        [
            {"type": "unavailable"},
            {"type": "merge", "from": "Patient/t2"},
            {"type": "revocation"},
            {"type": "revocation", "of": None},
            {"type": "consent_false"},
            {"type": "restriction", "kind": "agreed"},
            {"type": "restriction", "against": []},
        ],
    )
    def test_one_that_lacks_what_its_kind_needs_stops(self, told: Json) -> None:
        with pytest.raises(ValueError, match=rf"^facts: a {told['type']} fact lacks what its kind needs$"):
            facts(told)

    def test_what_is_no_object_stops(self) -> None:
        with pytest.raises(ValueError, match=r"^facts: expected objects$"):
            facts("unavailable")

    def test_the_digest_is_of_all_of_them_in_any_order(self) -> None:
        assert facts(a_patient(), a_team()).digest == facts(a_team(), a_patient()).digest
        assert facts(a_patient(), a_team()).digest != facts(a_patient()).digest
        assert facts({"type": "x", "a": 1}).digest == facts({"a": 1, "type": "x"}).digest


class TestWhatARestrictionCovers:
    RECORD = a_condition("a", "I10")

    def item(self, *told: Json) -> Item:
        items = label(bundle(self.RECORD, *told), world(), instant(T0)).items
        return next(one for one in items if one.reference == "Condition/a")

    def test_every_item_or_those_it_names(self) -> None:
        mine = self.item(written_by("quarry", self.RECORD))

        assert Restriction("agreed", frozenset(), None, None).covers(mine)
        assert Restriction("agreed", frozenset(), frozenset({"Condition/a"}), None).covers(mine)
        assert not Restriction("agreed", frozenset(), frozenset({"Condition/b"}), None).covers(mine)

    @pytest.mark.parametrize(
        ("told", "bound", "covered"),
        [
            ((written_by("quarry", RECORD),), "org:quarry", True),
            ((written_by("quarry", RECORD),), "org:mercy", False),
            ((written_by("aspen", RECORD),), "org:aspen", True),
            ((written_by("quarry", RECORD), written_by("aspen", RECORD)), "org:quarry", False),
            ((written_by("aspen", RECORD), handed_to("mercy", RECORD)), "org:mercy", True),
            ((written_by("aspen", RECORD), handed_to("mercy", RECORD)), "org:aspen", True),
            ((written_by("nobody", RECORD),), "org:mercy", True),
        ],
    )
    def test_what_is_in_the_hands_of_who_is_bound(self, told: tuple[Json, ...], bound: str, covered: bool) -> None:
        restriction = Restriction("agreed", frozenset(), None, frozenset({bound}))

        assert restriction.covers(self.item(*told)) is covered
