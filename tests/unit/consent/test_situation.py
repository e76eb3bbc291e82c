"""Who the recipient is by every name, how old the person is, and whom a sending reaches on its way."""

from datetime import date
from typing import Any

import pytest

from gateway.consent import compile_consents, read_facts, read_request, read_switches
from gateway.consent.situation import Person, Recipient, Situation, recipient_of
from gateway.model.fhir_time import instant
from gateway.model.partner import Registry
from tests.support.part2_world import PARTNER, PERSON, T0, a_patient, a_request, bundle, organization, world

Json = dict[str, Any]

TESS = Person(frozenset({"Patient/t1", f"{PERSON}|T1"}), date(1980, 1, 31))
MERCY = {"org:mercy", f"{PARTNER}|mercy"}


def resolved(reference: str, *facts: Json, person: Person | None = TESS, **request: Any) -> Recipient:
    registry = world()
    known = read_facts(facts, registry, instant(T0))
    return recipient_of(reference, read_request(a_request(**request)), known, registry, person)


class TestTheKeysOfARecipient:
    def test_of_an_organization_are_its_id_and_its_numbers_and_its_person_who_asks(self) -> None:
        assert resolved("org:mercy").keys == MERCY | {"p1"}
        assert resolved("org:mercy", by="org:aspen").keys == MERCY

    def test_of_the_patient_are_all_the_patients(self) -> None:
        assert resolved("Patient/t1", by="org:aspen").keys == TESS.keys
        assert resolved("Patient/t1", person=None, by="org:aspen").keys == {"Patient/t1"}
        assert resolved("Patient/t2", by="org:aspen").keys == {"Patient/t2"}

    def test_of_a_person_are_own_numbers_and_those_of_who_is_in_the_role(self) -> None:
        role = {
            "resourceType": "PractitionerRole",
            "id": "r",
            "identifier": [{"system": "urn:x", "value": "1"}, {"value": "2"}, {"system": "urn:x"}],
            "practitioner": {"reference": "Practitioner/p", "identifier": {"system": "urn:y", "value": "3"}},
        }

        assert resolved("PractitionerRole/r", role, by="org:aspen").keys == {
            "PractitionerRole/r", "Practitioner/p", "urn:x|1", "|2", "urn:y|3",
        }  # fmt: skip
        bare = {"resourceType": "RelatedPerson", "id": "s"}
        assert resolved("RelatedPerson/s", bare, by="org:aspen").keys == {"RelatedPerson/s"}

    def test_who_asks_for_itself_is_known_by_the_person_asking(self) -> None:
        sister = {"resourceType": "RelatedPerson", "id": "p1", "identifier": [{"system": "urn:x", "value": "9"}]}
        asked = {"requester": {"organization": None, "person": {"id": "RelatedPerson/p1", "role": "family"}}}

        assert resolved("Person/x", sister, **asked).keys == {"Person/x", "RelatedPerson/p1", "urn:x|9"}


class TestCareTeams:
    def keys(self, *participants: Json, **changes: Any) -> frozenset[str]:
        team = {"resourceType": "CareTeam", "id": "team", "participant": list(participants), **changes}
        return resolved("org:mercy", team, by="org:aspen").keys

    OTHERS = (
        {"role": [{"text": "nurse"}]},
        {"member": organization("minds")},
        {"member": {"reference": "Practitioner/x"}, "onBehalfOf": organization("plan")},
        {"member": {"identifier": {"system": PARTNER}}, "onBehalfOf": {"identifier": {"value": "mercy"}}},
        {"member": {"display": "mercy"}},
    )

    @pytest.mark.parametrize(
        "participant",
        [
            {"member": organization("mercy")},
            {"onBehalfOf": organization("mercy")},
            {"member": {"reference": "Practitioner/x"}, "onBehalfOf": organization("mercy")},
            {"member": {"reference": "org:mercy"}},
            {"member": {**organization("minds"), "reference": "org:mercy"}},
        ],
    )
    def test_a_member_can_be_named_by_its_team(self, participant: Json) -> None:
        assert self.keys(*self.OTHERS, participant) == MERCY | {"CareTeam/team"}
        assert self.keys(*self.OTHERS, participant, status="active") == MERCY | {"CareTeam/team"}

    def test_only_by_one_that_is_active_and_by_no_other(self) -> None:
        assert self.keys({"member": organization("mercy")}, status="inactive") == MERCY
        assert self.keys(*self.OTHERS) == MERCY

    def test_a_team_without_participants_is_nobodys(self) -> None:
        assert resolved("org:mercy", {"resourceType": "CareTeam", "id": "t"}, by="org:aspen").keys == MERCY

    def test_a_number_without_a_system_names_too(self) -> None:
        sister = {"resourceType": "RelatedPerson", "id": "s", "identifier": [{"value": "7"}]}
        members = [{"member": {"identifier": {"value": "7"}}}]
        team = {"resourceType": "CareTeam", "id": "team", "participant": members}

        assert "CareTeam/team" in resolved("RelatedPerson/s", sister, team, by="org:aspen").keys


class TestLawEnforcement:
    @pytest.mark.parametrize(("reference", "is_police"), [("org:police", True), ("org:mercy", False)])
    def test_is_what_the_organization_is(self, reference: str, is_police: bool) -> None:
        assert resolved(reference).is_law_enforcement is is_police
        assert resolved(reference, by="org:aspen").is_law_enforcement is is_police

    @pytest.mark.parametrize("role", ["officer", "detective", "prosecutor"])
    def test_and_what_the_person_is_who_asks_for_itself(self, role: str) -> None:
        assert resolved("org:mercy", role=role).is_law_enforcement
        assert not resolved("org:mercy", role=role, by="org:aspen").is_law_enforcement
        assert not resolved("org:mercy", role="clinician").is_law_enforcement
        nobody = {"requester": {"person": {"id": "p", "role": role}}}
        assert resolved("Person/x", **nobody).is_law_enforcement

    def test_whom_nobody_registered_is_none(self) -> None:
        assert resolved("Person/x", by="org:aspen") == Recipient("Person/x", None, frozenset({"Person/x"}), False)


class TestAge:
    @pytest.mark.parametrize(
        ("day", "age"),
        [
            (date(2026, 1, 30), 45),
            (date(2026, 1, 31), 46),
            (date(2026, 12, 1), 46),
            (date(2027, 1, 1), 46),
        ],
    )
    def test_is_in_full_years(self, day: date, age: int) -> None:
        assert TESS.age_on(day) == age

    @pytest.mark.parametrize(("at", "age"), [("2026-01-31T07:59:59Z", 45), ("2026-01-31T08:00:00Z", 46)])
    def test_grows_at_midnight_where_the_installation_is(self, at: str, age: int) -> None:
        assert a_situation(world()).age_at(instant(at)) == age

    def test_is_unknown_without_a_birth_date(self) -> None:
        assert Person(frozenset(), None).age_on(date(2026, 11, 2)) is None


def a_situation(registry: Registry, *facts: Json, person: Person | None = TESS, **request: Any) -> Situation:
    known = read_facts([a_patient(), *facts], registry, instant(T0))
    asked = read_request(a_request(**request))
    relays = tuple(recipient_of(one, asked, known, registry, person) for one in asked.via)
    return Situation(
        request=asked,
        recipient=recipient_of(asked.recipient, asked, known, registry, person),
        relays=relays,
        person=person,
        consents=compile_consents(bundle(), registry),
        directives=(),
        facts=known,
        registry=registry,
        switches=read_switches(None),
        at=instant(T0),
        refusing=(),
        is_unreadable=False,
        tells_items_apart=False,
    )


def test_a_sending_reaches_the_recipient_what_it_is_a_unit_of_and_all_on_the_way() -> None:
    registry = world(mercy={"parent": "org:quarry"}, quarry={"parent": "org:plan"}, relay={"parent": "org:exchange"})

    situation = a_situation(registry, via=["org:relay", "someone"])

    assert situation.reached == MERCY | {"p1", "someone"} | {
        key for one in ("quarry", "plan", "relay", "exchange") for key in (f"org:{one}", f"{PARTNER}|{one}")
    }
    assert situation.reached is situation.reached


def test_a_key_names_another_where_the_index_knows_somebody_else_by_it() -> None:
    other = a_patient(id="t2", identifier=[{"system": PERSON, "value": "T2"}])
    situation = a_situation(world(), other)

    assert situation.names_another(frozenset({f"{PERSON}|T2"}))
    assert situation.names_another(frozenset({f"{PERSON}|T1", "urn:x|1", "Patient/t2"}))
    assert not situation.names_another(frozenset({f"{PERSON}|T1", "urn:x|1"}))
    assert not situation.names_another(frozenset())


def test_without_a_person_there_are_no_keys() -> None:
    assert a_situation(world()).patient_keys == TESS.keys
    assert a_situation(world(), person=None).patient_keys == frozenset()


def test_without_a_person_or_a_birth_date_nobody_has_an_age() -> None:
    unborn = Person(TESS.keys, None)

    assert a_situation(world()).age_at(instant(T0)) == 46
    assert a_situation(world(), person=None).age_at(instant(T0)) is None
    assert a_situation(world(), person=unborn).age_at(instant(T0)) is None
