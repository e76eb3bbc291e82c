"""42 CFR 2.26 and 2.31(c)(4) as stories: what was promised or is false stops what is queued and what comes later."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.flow.consents.restrictions import (
    agree_restriction,
    end_restriction,
    report_false,
    restrictions_of_record,
    take_report_back,
)
from gateway.flow.gateway import Gateway
from gateway.flow.releases.release import request_release
from gateway.model.caveat import Caveat, Wish
from gateway.model.exchange import NOT_FOUND, Problem
from gateway.model.partner import LegalClass, Organization, Registry
from gateway.redaction.notice_text import ASK_NO_FURTHER_USE
from tests.flow.test_equal_work import asks, worked
from tests.flow.test_non_interference import WORLDS
from tests.support.consent_desk import (
    KIM,
    LEE,
    PAM,
    STRANGER,
    a_form,
    a_refused_referral,
    capture,
    hand_in,
    line_of,
    person_of,
    signed,
    states,
    told,
)
from tests.support.flow_house import World
from tests.support.released import ED, NURSE, PROGRAM, an_emergency
from tests.support.two_worlds import GOOD_RELEASE, HOSPITAL, RELEASES, TwoWorld, case, contact, without_fresh_ids


@pytest.fixture
def world() -> World:
    """A program's referral that the person has consented to, and that has reached the hospital."""
    world = a_refused_referral()
    capture(world, signed(world, a_form(world)))
    return world


def record_of(world: World) -> str:
    (handoff,) = world.database.state.handoffs
    return handoff


def a_wish(**changes: Any) -> Wish:
    return replace(Wish("agreed", PROGRAM, (ED,), None, "asked for at the desk"), **changes)


def agree(world: World, **changes: Any) -> Caveat:
    """Agree to a restriction and return what is kept of it."""
    assert agree_restriction(world.house, PAM, record_of(world), a_wish(**changes)) is None
    return world.database.read(lambda tx: tx.caveats.of_person(person_of(world)))[-1]


def newest(world: World) -> tuple[str, str, list[str]]:
    """Return decision, reason and what was withheld of the newest decision about the hospital."""
    record = [one.record for one in world.database.state.decisions.values() if one.recipient == ED][-1]
    return record["decision"], record["reason"], record["withheld"]


class TestARestriction:
    def test_stops_what_comes_after_it(self, world: World) -> None:
        """Also for what police wrote: in the program's hands it is the program's record, and its promise covers it."""
        agree(world)
        hand_in(world, "find work")

        assert newest(world)[:2] == ("DENY", "RESTRICTION_AGREED")
        assert (reached(world, "stay sober"), reached(world, "find work")) == (True, False)

    def test_stops_what_is_queued_already(self) -> None:
        world = a_refused_referral()
        consent = signed(world, a_form(world))
        assert world.gateway.consent_desk.capture(KIM, consent)
        assert "ready" in states(world)

        agree(world)
        world.work()

        assert (states(world), reached(world, "stay sober")) == ({"refused"}, False)

    def test_is_decided_again_once_the_person_has_ended_it(self, world: World) -> None:
        caveat = agree(world)
        hand_in(world, "find work")

        ended = end_restriction(world.house, PAM, caveat.id, "written")
        world.work()

        assert (ended, newest(world)[0], reached(world, "find work")) == (None, "PERMIT", True)
        assert [one["how"] for one in told(world, "restriction.ended")] == ["written"]

    def test_of_some_items_leaves_the_others(self, world: World) -> None:
        (plan,) = (f"{kind}/{key}" for kind, key in world.database.state.resources if kind == "CarePlan")

        agree(world, items=(plan,))
        hand_in(world, "find work")

        assert newest(world) == ("PERMIT_REDACTED", "RESTRICTION_AGREED", [plan])
        assert reached(world, "find work")

    def test_against_another_or_of_another_program_stops_nothing(self, world: World) -> None:
        """What one program has promised binds no other, and tells no other that the person is there (42 CFR 2.13)."""
        second = with_second_program(world)

        agree(world, against=("org:demo-clinic",))
        agree_restriction(second.house, KIM, record_of(world), a_wish(organization="org:second"))
        hand_in(second, "find work")

        assert newest(world)[0] == "PERMIT"

    def test_on_what_was_paid_in_full_leaves_treatment_alone(self, world: World) -> None:
        payer = with_second_program(world, "org:plan", roles=frozenset({"payer"}))

        assert agree_restriction(payer.house, PAM, record_of(world), a_wish(kind="self_pay")) is not None
        assert (
            agree_restriction(payer.house, PAM, record_of(world), a_wish(kind="self_pay", against=("org:plan",)))
            is None
        )
        hand_in(payer, "find work")

        assert newest(world)[0] == "PERMIT"

    def test_is_overridden_by_an_emergency_which_asks_for_no_further_use(self, world: World) -> None:
        """42 CFR 2.26(a)(3), (4)."""
        agree(world)
        world.transport.sent.clear()

        request_release(world.house, NURSE, an_emergency(record_of(world)))
        world.work()

        ((disclosure, _, _),) = world.transport.sent
        texts = [one["resource"].get("description") for one in disclosure.content["entry"]]
        assert "ASK_NO_FURTHER_USE" in disclosure.record.obligations
        assert ASK_NO_FURTHER_USE in texts

    def test_of_another_hand_adds_no_request_to_an_emergency(self, world: World) -> None:
        agree(world, against=("org:demo-clinic",))
        world.transport.sent.clear()

        request_release(world.house, NURSE, an_emergency(record_of(world)))
        world.work()

        ((disclosure, _, _),) = world.transport.sent
        assert "ASK_NO_FURTHER_USE" not in disclosure.record.obligations

    def test_is_kept_once_where_the_button_was_pressed_twice(self, world: World) -> None:
        agree(world)
        agree(world)

        assert len(world.database.state.caveats) == len(told(world, "restriction.agreed")) == 1

    def test_is_for_the_program_and_who_serves_it_to_agree_to_and_to_end(self, world: World) -> None:
        caveat = agree(world)

        assert agree_restriction(world.house, STRANGER, record_of(world), a_wish()) == NOT_FOUND
        assert agree_restriction(world.house, PAM, "no-such-record", a_wish()) == NOT_FOUND
        assert agree_restriction(world.house, PAM, record_of(world), a_wish(organization="org:demo-pd")) == NOT_FOUND
        assert end_restriction(world.house, STRANGER, caveat.id, "oral") == NOT_FOUND
        assert end_restriction(world.house, PAM, "no-such-restriction", "oral") == NOT_FOUND
        assert end_restriction(world.house, KIM, caveat.id, "oral") is None

    @pytest.mark.parametrize(
        ("changes", "status"),
        [
            ({"kind": "consent_false"}, 400),
            ({"against": ()}, 422),
            ({"against": ("org:nobody",)}, 422),
            ({"against": (PROGRAM,)}, 422),
            ({"items": ()}, 422),
            ({"items": ("Goal/of-another-record",)}, 422),
            ({"reason": " "}, 400),
        ],
    )
    def test_that_says_too_little_is_not_kept(self, world: World, changes: dict[str, Any], status: int) -> None:
        problem = agree_restriction(world.house, PAM, record_of(world), a_wish(**changes))

        assert isinstance(problem, Problem)
        assert problem.status == status
        assert world.database.state.caveats == {}

    def test_that_has_ended_is_not_ended_again_nor_in_a_way_the_rule_does_not_know(self, world: World) -> None:
        caveat = agree(world)

        unknown = end_restriction(world.house, PAM, caveat.id, "informed")
        first, second = (end_restriction(world.house, PAM, caveat.id, "oral") for _ in range(2))

        assert [one.status if one else None for one in (unknown, first, second)] == [400, None, 409]

    def test_is_shown_to_who_may_look_after_it_and_the_look_is_told(self, world: World) -> None:
        caveat = agree(world)

        theirs = restrictions_of_record(world.house, PAM, record_of(world))
        operators = restrictions_of_record(world.house, KIM, record_of(world))
        strangers = restrictions_of_record(world.house, STRANGER, record_of(world))

        assert theirs is not None
        assert operators is not None
        assert (theirs.in_force, operators.in_force, strangers) == ((caveat,), (caveat,), None)
        assert [one.id for one in theirs.bound] == [PROGRAM]
        assert len(told(world, "restrictions.viewed")) == 2


class TestAFalseConsent:
    def test_opens_nothing_from_the_moment_it_is_reported(self, world: World) -> None:
        consent_id = signed_consent(world)

        assert report_false(world.house, KIM, consent_id, "the person was in hospital that day") is None
        hand_in(world, "find work")

        assert newest(world)[:2] == ("DENY", "CONSENT_FALSE")
        assert not reached(world, "find work")
        assert line_of(world, consent_id).state == "false"
        assert [one["consent"] for one in told(world, "consent.reported-false")] == [consent_id]

    def test_counts_again_once_somebody_else_has_taken_the_report_back(self, world: World) -> None:
        consent_id = signed_consent(world)
        report_false(world.house, KIM, consent_id, "another hand")
        hand_in(world, "find work")

        own = take_report_back(world.house, KIM, consent_id, "it was theirs")
        others = take_report_back(world.house, LEE, consent_id, "it was theirs")
        again = take_report_back(world.house, LEE, consent_id, "it was theirs")
        world.work()

        assert [one.status if one else None for one in (own, others, again)] == [403, None, 409]
        assert (newest(world)[0], line_of(world, consent_id).state) == ("PERMIT", "active")

    def test_is_reported_once_and_with_a_reason_by_who_may_look_after_it(self, world: World) -> None:
        consent_id = signed_consent(world)

        made = [
            report_false(world.house, STRANGER, consent_id, "why not"),
            report_false(world.house, KIM, "no-such-consent", "why not"),
            report_false(world.house, KIM, consent_id, " "),
            report_false(world.house, KIM, consent_id, "another hand"),
            report_false(world.house, LEE, consent_id, "another hand"),
            take_report_back(world.house, STRANGER, consent_id, "why not"),
            take_report_back(world.house, LEE, consent_id, " "),
        ]

        assert [one.status if one else None for one in made] == [404, 404, 400, None, None, 404, 400]
        assert len(world.database.state.caveats) == 1

    def test_that_is_a_no_is_obeyed_all_the_same(self) -> None:
        world = a_refused_referral()
        no = capture(world, signed(world, a_form(world, outcome="refused")))

        problem = report_false(world.house, KIM, no, "another hand")

        assert isinstance(problem, Problem)
        assert problem.status == 409


def signed_consent(world: World) -> str:
    """Return the id of the consent that was signed here; the record brought the draft of another."""
    return str(told(world, "consent.captured")[0]["consent"])


def reached(world: World, words: str) -> bool:
    """Say whether these words of the program have reached the hospital."""
    return any(words in str(disclosure.content) for disclosure, _, _ in world.transport.sent)


def with_second_program(world: World, name: str = "org:second", **changes: Any) -> World:
    """The same world with one more organization, a program that the operator serves unless it is something else."""
    law = LegalClass(date(2024, 1, 1), "no" if changes else "yes", True)
    new = Organization(
        id=name, name="Second", identifiers=(("https://warmhandoff.example/id/partner", name),), legal_classes=(law,),
        roles=changes.get("roles", frozenset()),
    )  # fmt: skip
    every = {one.id: one for one in world.house.registry} | {name: new}
    operator = every["org:operator"]
    agreement = replace(operator.agreements[0], id="qsoa-second", organization=name)
    every["org:operator"] = replace(operator, agreements=(*operator.agreements, agreement))
    house = replace(world.house, registry=Registry(every.values()))
    return replace(world, house=house, gateway=Gateway(house))


def restrict(world: TwoWorld, office: str) -> None:
    """Keep a restriction of an office against the hospital for everybody the world knows."""

    def put(tx: Any) -> None:
        for number, person_id in enumerate(sorted(world.state.people)):
            tx.caveats.save(
                Caveat(f"caveat-{number}", person_id, "agreed", f"org:{office}", ("org:demo-hospital",), None, None,
                       "asked", "staff-1", world.clock() - timedelta(days=1))
            )  # fmt: skip

    world.database.write(put)


@given(
    needs=st.sampled_from(["SUD treatment", "medical", "SUD treatment;medical"]),
    goals=st.sampled_from(["", "stay sober until winter"]),
    office=st.sampled_from(["demo-lead", "demo-detox"]),
)
@settings(parent=WORLDS, max_examples=4)
def test_who_is_restricted_sees_and_makes_work_as_if_there_were_nothing(needs: str, goals: str, office: str) -> None:
    """The same bytes, headers included, and the same questions to the store, as with a consent that opens nothing."""
    first = [contact(1, 0, "verbal", "mental_health")]
    full = TwoWorld("fhir", has_program_part=True)
    full.hand_in(first)
    restrict(full, office)
    full.hand_in([case(1, 0, office, needs, goals, GOOD_RELEASE)])
    references = full.references()
    seen_full = seen(full, references)

    bare = TwoWorld("fhir", has_program_part=False)
    bare.hand_in([*first, case(1, 0, office, needs, goals, RELEASES["deficient"])])

    assert seen_full == seen(bare, references)


def seen(world: TwoWorld, references: list[str]) -> list[Any]:
    """Return everything that the hospital sees and gets, with the work each answer took."""
    requests = [one for reference in references for one in asks(reference)]
    requests += [((HOSPITAL, "GET", f"/fhir/R4/{kind}"), {}) for kind in ("Task", "Patient", "Consent", "Goal")]
    return [without_fresh_ids(list(world.wire.sent)), *(worked(world, *request, **more) for request, more in requests)]
