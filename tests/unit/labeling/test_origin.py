"""Origin as Provenance tells it: who wrote an item, through whose hands it went, and which program it comes from."""

from collections.abc import Mapping
from typing import Any

import pytest

from gateway.labeling.origin import NO_ORIGIN, Origins
from gateway.model.fhir_time import instant
from gateway.model.labeled import Hop, Origin
from gateway.model.partner import Organization
from tests.support.part2_world import (
    ACT_REASON,
    PARTNER,
    T0,
    a_condition,
    handed_to,
    organization,
    world,
    written_by,
)

Json = dict[str, Any]

FLU = a_condition("flu", "J10.1")


def origin(*provenances: Json, directory: Mapping[str, Json] | None = None, of: str = "Condition/flu") -> Origin:
    return Origins(provenances, directory or {}, world(), instant(T0)).of(of)


def names(organizations: tuple[Organization | None, ...]) -> list[str]:
    return [one.id.removeprefix("org:") if one else "?" for one in organizations]


def authors(*provenances: Json, directory: Mapping[str, Json] | None = None) -> list[str]:
    return names(origin(*provenances, directory=directory).authors)


def hands(hops: tuple[Hop, ...]) -> list[str]:
    return names(tuple(hop.custodian for hop in hops))


def agent(role: str, **who: Any) -> Json:
    return {"type": {"coding": [{"code": "x"}, {"code": role}]}, **who}


def derived(*entities: Json, activity: str = "transform", target: str = "Condition/flu", **changes: Any) -> Json:
    return {
        "resourceType": "Provenance",
        "id": f"made-{target}",
        "activity": {"coding": [{"code": activity}]},
        "target": [{"reference": target}],
        "entity": list(entities),
        **changes,
    }


class TestAuthors:
    def test_an_item_nobody_tells_of_has_none(self) -> None:
        assert origin() == NO_ORIGIN
        assert origin(written_by("quarry", FLU), of="Condition/other") == NO_ORIGIN
        assert Origin(authors=(), hops=(), program=None, after=()) == NO_ORIGIN

    def test_every_author_of_every_word_on_it_counts_once(self) -> None:
        assert authors(written_by("quarry", FLU), written_by("mercy", FLU), written_by("quarry", FLU)) == [
            "mercy",
            "quarry",
        ]

    def test_one_nobody_registered_stays_as_somebody_unknown(self) -> None:
        assert authors(written_by("nobody", FLU), written_by("quarry", FLU)) == ["?", "quarry"]

    @pytest.mark.parametrize("changes", [{"agent": []}, {"agent": None}, {"activity": None}, {"target": None}])
    def test_a_word_without_agent_activity_or_target_is_no_error(self, changes: Json) -> None:
        told = {key: one for key, one in {**written_by("quarry", FLU), **changes}.items() if one is not None}

        assert authors(told) == (["quarry"] if "activity" in changes else [])

    def test_only_the_author_is_one(self) -> None:
        others = [agent("verifier", who=organization("mercy")), {"who": organization("mercy")}, {"type": {}}]

        assert authors({**written_by("quarry", FLU), "agent": others}) == []
        assert authors(
            {**written_by("quarry", FLU), "agent": [*others, agent("author", who=organization("plan"))]}
        ) == ["plan"]

    def test_the_unit_somebody_acts_for_comes_before_the_one_who_acts(self) -> None:
        both = agent("author", who=organization("mercy"), onBehalfOf=organization("quarry"))

        assert authors({**written_by("quarry", FLU), "agent": [both]}) == ["quarry"]
        assert authors({**written_by("quarry", FLU), "agent": [agent("author")]}) == ["?"]

    def test_targets_without_a_reference_are_passed_over(self) -> None:
        told = written_by("quarry", FLU)

        assert authors({**told, "target": [{"display": "it"}, *told["target"]]}) == ["quarry"]


class TestTheDirectory:
    CLINIC = {
        "resourceType": "Organization",
        "id": "clinic",
        "identifier": [{"value": "1"}, {"system": PARTNER}, {"system": PARTNER, "value": "quarry"}],
    }

    def by(self, reference: str, *entries: Json) -> list[str]:
        directory = {f"{one['resourceType']}/{one['id']}": one for one in entries}
        author = agent("author", who={"reference": reference})
        return authors({**written_by("quarry", FLU), "agent": [author]}, directory=directory)

    def test_finds_an_organization_by_any_of_its_numbers(self) -> None:
        assert self.by("Organization/clinic", self.CLINIC) == ["quarry"]
        assert self.by("Organization/clinic") == ["?"]
        assert self.by("Organization/clinic", {**self.CLINIC, "identifier": []}) == ["?"]
        bare = {key: one for key, one in self.CLINIC.items() if key != "identifier"}
        assert self.by("Organization/clinic", bare) == ["?"]

    @pytest.mark.parametrize(
        ("home", "found"),
        [
            (organization("mercy"), "mercy"),
            ({"reference": "Organization/clinic"}, "quarry"),
            ({"reference": "Organization/other"}, "?"),
            ({}, "?"),
            (None, "?"),
        ],
    )
    def test_finds_the_organization_of_a_role(self, home: Json | None, found: str) -> None:
        role = {"resourceType": "PractitionerRole", "id": "doc", **({"organization": home} if home is not None else {})}

        assert self.by("PractitionerRole/doc", role, self.CLINIC) == [found]

    def test_nobody_else_is_an_author_whatever_number_they_have(self) -> None:
        assert self.by("Practitioner/clinic", {**self.CLINIC, "resourceType": "Practitioner"}) == ["?"]


class TestWhatWasMadeOfSomethingElse:
    SOURCE = a_condition("source", "J10.1")
    FROM_SOURCE = {"role": "derivation", "what": {"reference": "Condition/source"}}

    def test_has_the_authors_of_what_it_was_made_of(self) -> None:
        assert authors(derived(self.FROM_SOURCE), written_by("mercy", self.SOURCE)) == ["mercy"]

    def test_and_those_named_for_the_part_and_for_the_whole(self) -> None:
        named = {**self.FROM_SOURCE, "agent": [agent("author", who=organization("plan")), agent("x")]}
        told = derived(named, agent=[agent("author", who=organization("quarry"))])

        assert authors(told, written_by("mercy", self.SOURCE)) == ["plan", "quarry"]

    @pytest.mark.parametrize(
        "entity",
        [FROM_SOURCE, {"role": "derivation"}, {"role": "derivation", "what": {"display": "a letter"}}],
    )
    def test_of_what_nobody_tells_has_somebody_unknown(self, entity: Json) -> None:
        assert authors(derived(entity)) == ["?"]

    @pytest.mark.parametrize(("role", "activity"), [("source", "transform"), ("derivation", "originate")])
    def test_only_a_derivation_by_a_transformation_is_one(self, role: str, activity: str) -> None:
        told = derived({**self.FROM_SOURCE, "role": role}, activity=activity)

        assert authors(told, written_by("quarry", FLU), written_by("mercy", self.SOURCE)) == ["quarry"]

    def test_one_without_entities_is_an_ordinary_word(self) -> None:
        told = {key: one for key, one in derived().items() if key != "entity"}

        assert authors({**told, "agent": [agent("author", who=organization("plan"))]}) == ["plan"]

    def test_made_of_itself_has_somebody_unknown(self) -> None:
        back = derived({"role": "derivation", "what": {"reference": "Condition/flu"}}, target="Condition/source")

        assert authors(derived(self.FROM_SOURCE), back) == ["?"]

    def test_a_program_that_held_what_it_was_made_of_counts_as_author(self) -> None:
        held = [handed_to("aspen", self.SOURCE), handed_to("mercy", self.SOURCE), handed_to("nobody", self.SOURCE)]

        made = origin(derived(self.FROM_SOURCE), written_by("quarry", self.SOURCE), *held)

        assert names(made.authors) == ["aspen", "quarry"]
        assert made.program is not None
        assert made.program.id == "org:aspen"

    @pytest.mark.parametrize(
        ("maker", "went_through"), [("plan", ["mercy", "plan"]), ("mercy", ["mercy"]), ("quarry", [])]
    )
    def test_went_through_the_hands_by_which_its_maker_got_that_and_no_others(
        self, maker: str, went_through: list[str]
    ) -> None:
        made = derived(self.FROM_SOURCE, agent=[agent("author", who=organization(maker))])
        held = [
            handed_to(name, self.SOURCE, recorded=f"2026-10-1{day}T12:00:00Z")
            for day, name in enumerate(("mercy", "plan", "minds"))
        ]

        assert hands(origin(made, written_by("quarry", self.SOURCE), *reversed(held)).hops) == went_through

    def test_went_through_two_hands_that_are_alike_in_time_and_id(self) -> None:
        made = derived(self.FROM_SOURCE, agent=[agent("author", who=organization("plan"))])
        twice = [handed_to(name, self.SOURCE, id="a") for name in ("mercy", "plan")]

        assert hands(origin(made, written_by("quarry", self.SOURCE), *twice).hops) == ["mercy", "plan"]


def hop(custodian: str, recorded: str = "2026-10-10T12:00:00Z", identifier: str | None = None, **changes: Any) -> Json:
    return handed_to(custodian, FLU, recorded=recorded, id=identifier or f"at-{custodian}", **changes)


class TestHands:
    def test_come_in_the_order_of_time_then_of_their_ids(self) -> None:
        told = [
            hop("plan", "2026-10-12T12:00:00Z"),
            hop("mercy", "2026-10-11T12:00:00Z", "b"),
            hop("minds", "2026-10-11T12:00:00Z", "a"),
            hop("squad", "2026-10-10T12:00:00Z"),
            hop("court", "no instant"),
        ]
        nameless = {key: one for key, one in hop("jail", "2026-10-11T12:00:00Z").items() if key != "id"}
        order = ["court", "squad", "jail", "minds", "mercy", "plan"]

        assert hands(origin(written_by("quarry", FLU), *told, nameless).hops) == order
        assert hands(origin(written_by("quarry", FLU), nameless, *reversed(told)).hops) == order

    def test_two_alike_in_time_and_id_are_both_kept(self) -> None:
        twice = [hop("mercy", identifier="a"), hop("plan", identifier="a")]

        assert hands(origin(written_by("quarry", FLU), *twice).hops) == ["mercy", "plan"]

    def test_one_tells_for_what_and_under_what_it_was_received(self) -> None:
        reasons = [
            {"coding": [{"system": ACT_REASON, "code": "TREAT"}, {"code": "own"}, {"display": "no code"}]},
            {"text": "help"},
            {"coding": [{"system": ACT_REASON, "code": "COC"}]},
        ]
        other = {"url": "https://elsewhere.example/x", "valueCode": "x"}
        told = hop("mercy", under="Consent/paper", reason=reasons)
        told["extension"].insert(0, other)
        by_code = hop("plan", "2026-10-11T12:00:00Z", code="qso")

        first, second = origin(written_by("quarry", FLU), told, by_code).hops

        assert first == Hop(
            world().get("org:mercy"),
            ((ACT_REASON, "TREAT"), ("", "own"), (ACT_REASON, "COC")),
            "Consent/paper",
            None,
        )
        assert (second.consent, second.code) == (None, "qso")

    def test_one_of_which_nobody_recorded_anything_is_one_all_the_same(self) -> None:
        bare = {"resourceType": "Provenance", "target": [{"reference": "Condition/flu"}]}
        received = {**bare, "activity": {"coding": [{"code": "receive"}]}}
        sender = {**received, "agent": [agent("sender", who=organization("mercy"))]}

        assert origin(written_by("quarry", FLU), received).hops == (Hop(None, (), None, None),)
        assert origin(written_by("quarry", FLU), sender).hops == (Hop(None, (), None, None),)

    def test_hands_make_no_author(self) -> None:
        assert origin(hop("mercy")) == NO_ORIGIN


class TestTheProgram:
    def test_is_the_author_that_is_one(self) -> None:
        told = origin(written_by("quarry", FLU), written_by("birch", FLU), hop("aspen"), hop("mercy"))

        assert told.program is not None
        assert told.program.id == "org:birch"
        assert hands(told.after) == ["aspen", "mercy"]

    def test_else_the_first_that_held_it_and_what_followed_counts(self) -> None:
        days = [f"2026-10-1{day}T12:00:00Z" for day in range(4)]
        told = origin(
            written_by("quarry", FLU),
            *(hop(name, day) for name, day in zip(("mercy", "birch", "plan", "minds"), days, strict=True)),
        )

        assert told.program is not None
        assert told.program.id == "org:birch"
        assert hands(told.hops) == ["mercy", "birch", "plan", "minds"]
        assert hands(told.after) == ["plan", "minds"]

    def test_a_copy_that_came_home_is_no_copy_elsewhere(self) -> None:
        days = [f"2026-10-1{day}T12:00:00Z" for day in range(3)]
        told = origin(
            written_by("birch", FLU),
            *(hop(name, day) for name, day in zip(("mercy", "birch", "plan"), days, strict=True)),
        )
        home = origin(written_by("birch", FLU), hop("birch"))

        assert hands(told.after) == ["plan"]
        assert home.after == ()

    def test_nobody_where_none_is_one_and_an_unknown_hand_is_none(self) -> None:
        told = origin(written_by("quarry", FLU), hop("nobody"), hop("mercy"))

        assert (told.program, told.after) == (None, ())
        assert hands(told.hops) == ["mercy", "?"]


def test_all_hands_after_the_program_that_received_it_are_after_it() -> None:
    names_of_hands = ("aspen", "mercy", "quarry", "plan")
    told = origin(
        written_by("police", FLU),
        *(handed_to(name, FLU, recorded=f"2026-10-1{day}T12:00:00Z") for day, name in enumerate(names_of_hands)),
    )

    assert names((told.program,)) == ["aspen"]
    assert hands(told.after) == ["mercy", "quarry", "plan"]


def test_items_that_share_only_the_last_word_do_not_share_their_origin() -> None:
    other = a_condition("other", "I10")
    origins = Origins([written_by("birch", FLU), written_by("quarry", FLU, other)], {}, world(), instant(T0))

    for order in (("Condition/other", "Condition/flu"), ("Condition/flu", "Condition/other")):
        told = {reference: names(origins.of(reference).authors) for reference in order}
        assert told == {"Condition/flu": ["birch", "quarry"], "Condition/other": ["quarry"]}


def test_items_of_one_word_share_their_origin() -> None:
    both = [FLU, a_condition("other", "I10")]
    origins = Origins([written_by("quarry", *both)], {}, world(), instant(T0))

    assert origins.of("Condition/flu") is origins.of("Condition/other")
