"""Who may be named in a disclosure: never a program that tells by its name, unless what is released tells already."""

from typing import Any

import pytest

from gateway.labeling import label
from gateway.model.fhir_time import instant
from gateway.model.partner import Registry
from gateway.redaction.visible import Visible, visible_to
from tests.support.part2_world import (
    PARTNER,
    PERSON,
    T0,
    a_condition,
    bundle,
    handed_to,
    organization,
    world,
    written_by,
)

Json = dict[str, Any]

FLU = a_condition("flu", "J10.1")
COLD = a_condition("cold", "J00")
OF_QUARRY = (FLU, written_by("quarry", FLU))


def seen(
    *records: Json,
    to: tuple[str, ...] = ("org:mercy",),
    directory: tuple[Json, ...] = (),
    registry: Registry | None = None,
) -> Visible:
    registry = registry or world()
    labeled = label(bundle(*(records or OF_QUARRY), *directory), registry, instant(T0))
    return visible_to(labeled.items, labeled, registry, to)


def an_entry(kind: str, key: str = "entry", /, **content: Any) -> Json:
    return {"resourceType": kind, "id": key, **content}


def numbered(name: str, key: str = "clinic") -> Json:
    return an_entry("Organization", key, identifier=[{"system": PARTNER, "value": name}])


class TestHidden:
    def test_a_program_that_does_nothing_else_is(self) -> None:
        visible = seen()

        assert visible.hidden == {"org:aspen"}
        assert visible.needles == ("aspen of nowhere", "aspen.example")

    @pytest.mark.parametrize(
        "records",
        [
            (FLU, written_by("aspen", FLU)),
            (FLU, written_by("quarry", FLU), handed_to("aspen", FLU)),
            (COLD, written_by("aspen", COLD), FLU, written_by("quarry", FLU)),
        ],
    )
    def test_one_that_wrote_or_held_what_is_released_is_not(self, records: tuple[Json, ...]) -> None:
        visible = seen(*records)

        assert visible.hidden == frozenset()
        assert visible.needles == ()
        assert not visible.tells("Aspen of Nowhere")

    def test_one_that_is_the_recipient_is_not_but_one_among_several_is(self) -> None:
        assert seen(to=("org:aspen",)).hidden == frozenset()
        assert seen(to=("org:aspen", "org:mercy")).hidden == {"org:aspen"}
        assert seen(to=("org:mercy", "org:aspen")).hidden == {"org:aspen"}

    def test_an_author_nobody_registered_does_not_disturb(self) -> None:
        assert seen(FLU, written_by("nobody", FLU)).hidden == {"org:aspen"}

    def test_its_name_and_the_hosts_of_its_endpoints_tell(self) -> None:
        addresses = ["https://fhir.aspen.example:8443/fhir/R4/x", "mllp://hl7.aspen.example:2575", "file:///inbox", "x"]
        endpoints = [{"transport": "fhir", "address": one, "verified": "2026-01-01"} for one in addresses]

        visible = seen(registry=world(aspen={"name": "ASPEN Recovery", "endpoints": endpoints}))

        assert visible.needles == ("aspen recovery", "fhir.aspen.example", "hl7.aspen.example")
        assert visible.tells("Seen at Aspen RECOVERY today")
        assert not visible.tells("an aspen tree")


class TestOrganizations:
    def test_one_that_may_be_named_is_found_by_its_number(self) -> None:
        found = seen().organization({"system": PARTNER, "value": "quarry"})

        assert found is not None
        assert found.id == "org:quarry"

    @pytest.mark.parametrize(
        "identifier",
        [None, "quarry", {}, {"value": "quarry"}, {"system": PARTNER}, {"system": PARTNER, "value": "aspen"}],
    )
    def test_a_hidden_one_or_what_is_no_number_finds_nobody(self, identifier: object) -> None:
        assert seen().organization(identifier) is None


class TestDirectory:
    def shown(self, *directory: Json) -> set[str]:
        visible = seen(directory=directory)
        assert visible.references >= {"Condition/flu"}
        return set(visible.references) - {"Condition/flu"}

    def test_an_organization_shows_by_any_of_its_numbers(self) -> None:
        two = an_entry("Organization", "two", identifier=[{"value": "1"}, {"system": PARTNER, "value": "quarry"}])

        assert self.shown(numbered("quarry"), two) == {"Organization/clinic", "Organization/two"}

    def test_one_that_is_hidden_unknown_or_without_a_number_does_not(self) -> None:
        assert not self.shown(numbered("aspen"), numbered("nobody", "b"), an_entry("Organization", "c"))

    @pytest.mark.parametrize(
        ("kind", "key"),
        [
            ("PractitionerRole", "organization"),
            ("Location", "managingOrganization"),
            ("HealthcareService", "providedBy"),
        ],
    )
    def test_a_role_a_place_and_a_service_show_with_whose_they_are(self, kind: str, key: str) -> None:
        assert self.shown(an_entry(kind, **{key: organization("quarry")})) == {f"{kind}/entry"}
        assert not self.shown(an_entry(kind, **{key: organization("aspen")}))
        assert not self.shown(an_entry(kind, **{key: {"display": "somebody"}}))
        inside = {"reference": "Organization/clinic"}
        assert f"{kind}/entry" in self.shown(numbered("quarry"), an_entry(kind, **{key: inside}))
        assert not self.shown(numbered("aspen"), an_entry(kind, **{key: inside}))
        assert not self.shown(an_entry(kind, **{key: inside}))

    @pytest.mark.parametrize(
        ("kind", "key"),
        [
            ("PractitionerRole", "organization"),
            ("Location", "managingOrganization"),
            ("HealthcareService", "providedBy"),
        ],
    )
    def test_a_program_may_be_named_but_nobody_and_no_place_of_it_is_shown(self, kind: str, key: str) -> None:
        """That a record names its clinician would tell that the program wrote something in it (42 CFR 2.13)."""
        inside = {"reference": "Organization/clinic"}

        assert not self.shown(an_entry(kind, **{key: organization("birch")}))
        assert self.shown(numbered("birch"), an_entry(kind, **{key: inside})) == {"Organization/clinic"}

    @pytest.mark.parametrize(
        "records",
        [(FLU, written_by("birch", FLU)), (FLU, written_by("quarry", FLU), handed_to("birch", FLU))],
        ids=["wrote", "received"],
    )
    def test_they_are_shown_beside_what_the_program_wrote_or_received(self, records: tuple[Json, ...]) -> None:
        visible = seen(*records, directory=(an_entry("PractitionerRole", organization=organization("birch")),))

        assert "PractitionerRole/entry" in visible.references

    def test_they_are_shown_to_the_program_itself_but_not_where_others_receive_too(self) -> None:
        role = an_entry("PractitionerRole", organization=organization("birch"))

        assert "PractitionerRole/entry" in seen(to=("org:birch",), directory=(role,)).references
        assert "PractitionerRole/entry" not in seen(to=("org:birch", "org:mercy"), directory=(role,)).references

    def test_whose_name_stands_beside_a_reference_that_leads_nowhere_counts(self) -> None:
        both = {"reference": "Organization/elsewhere", **organization("quarry")}

        assert self.shown(an_entry("PractitionerRole", organization=both)) == {"PractitionerRole/entry"}

    def test_belonging_to_two_it_needs_both(self) -> None:
        place = an_entry("Location", managingOrganization=organization("quarry"), organization=organization("aspen"))

        assert not self.shown(place)

    def test_a_role_is_no_organization_of_a_role(self) -> None:
        outer = an_entry("PractitionerRole", "outer", organization={"reference": "PractitionerRole/inner"})
        inner = an_entry("PractitionerRole", "inner", organization={"reference": "Organization/clinic"})

        assert "PractitionerRole/outer" not in self.shown(outer, inner, numbered("quarry"))

    def test_somebody_who_belongs_to_nobody_shows(self) -> None:
        assert self.shown(an_entry("Practitioner")) == {"Practitioner/entry"}


def test_the_person_goes_by_every_key_of_what_is_released() -> None:
    own = a_condition("own", "I10", subject={"identifier": {"system": PERSON, "value": "T1"}})

    assert seen(FLU, own).subjects == {"Patient/t1", f"{PERSON}|T1"}
