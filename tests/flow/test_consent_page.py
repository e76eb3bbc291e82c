"""The page of one consent: everything a second person compares with the paper, and what else the person has said."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.flow.gateway import Gateway
from gateway.model.consent_form import CriminalJustice, Expiry, Recipients
from gateway.model.consent_life import Revoking
from gateway.model.partner import Registry
from tests.support.consent_desk import (
    KIM,
    LEE,
    PAM,
    STRANGER,
    WINTER,
    a_form,
    a_paper,
    a_refused_referral,
    capture,
    file_scan,
    record_of,
    signed,
)


def test_whoever_verifies_a_paper_reads_all_that_was_written_down_of_it() -> None:
    world = a_refused_referral()
    consent_id = file_scan(world, a_paper(world, information=("attendance", "diagnoses")))

    page = world.gateway.consent_desk.page(LEE, consent_id)

    assert page is not None
    assert page.person == "Ari Sample, born 1990-01-02"
    assert page.written.information == (
        "That I came, when and where (visits, stays and appointments)", "What I was diagnosed with",
    )  # fmt: skip
    assert [(one.name, one.capacity, one.method) for one in page.written.signatures] == [
        ("Ari Sample", "patient", "paper")
    ]
    assert "fundraising-opt-out" in page.written.statements


def test_who_takes_one_consent_back_is_shown_the_others_that_still_stand() -> None:
    world = a_refused_referral()
    first = capture(world, signed(world, a_form(world)))
    second = capture(world, signed(world, a_form(world, expiry=Expiry(event="none"))))
    desk = world.gateway.consent_desk

    desk.revoke(KIM, first, Revoking("oral"))
    page, other = desk.page(KIM, first), desk.page(KIM, second)

    assert page is not None
    assert [(one.consent_id, one.state) for one in page.others] == [(second, "active")]
    assert other is not None
    assert [(one.consent_id, one.state) for one in other.others] == [(first, "oral-revocation")]


def test_what_cannot_be_taken_back_yet_is_not_said_to_be_and_is_once_its_day_has_come() -> None:
    world = a_refused_referral()
    day = WINTER - timedelta(days=10)
    bound = CriminalJustice("parole", day, "end of parole 99-1")
    form = a_form(
        world, kind="criminal-justice-referral", information=("attendance",), purposes=("monitoring",),
        recipients=Recipients(named=("org:demo-prosecutor",)), criminal_justice=bound,
    )  # fmt: skip
    consent_id = capture(world, signed(world, form))
    desk = world.gateway.consent_desk

    assert desk.revoke(KIM, consent_id, Revoking("written")) is None
    early = desk.page(KIM, consent_id)
    world.clock.at = datetime(2026, 12, 22, 12, tzinfo=UTC)
    late = desk.page(KIM, consent_id)

    assert early is not None
    assert (early.line.state, early.line.words) == (
        "active", "active until 2026-12-31; taken back, which counts from 2026-12-21",
    )  # fmt: skip
    assert early.revocable_from == datetime(2026, 12, 21, 8, tzinfo=UTC)
    assert late is not None
    assert (late.line.state, late.revocable_from) == ("revoked", None)


def test_what_is_over_is_not_shown_beside_it() -> None:
    world = a_refused_referral()
    older = capture(world, signed(world, a_form(world)))
    newer = capture(world, signed(world, a_form(world, expiry=Expiry(on=WINTER.replace(day=30)), supersedes=(older,))))

    page = world.gateway.consent_desk.page(KIM, newer)

    assert page is not None
    assert page.others == ()
    assert page.written.replaces == (older,)


def test_the_page_leads_to_a_record_with_which_a_new_form_can_begin() -> None:
    world = a_refused_referral()
    consent_id = capture(world, signed(world, a_form(world)))

    pages = [world.gateway.consent_desk.page(actor, consent_id) for actor in (KIM, PAM)]

    assert [page.record for page in pages if page is not None] == [record_of(world), record_of(world)]


def test_to_whom_it_is_nothing_it_is_not_there_and_the_trail_says_the_same_of_both() -> None:
    world = a_refused_referral()
    consent_id = capture(world, signed(world, a_form(world)))
    desk = world.gateway.consent_desk

    assert desk.page(STRANGER, consent_id) is None
    assert desk.page(STRANGER, "nothing") is None

    looks = [one.data for one in world.database.audit if one.actor == STRANGER.id]
    assert looks == [{"lines": 0}, {"lines": 0}]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"information": ("attendance", "plans"), "purposes": ("treatment", "housing")},
        {"recipients": Recipients(treating_class=True), "purposes": ("treatment", "payment", "operations")},
        {"kind": "counseling-notes", "information": ()},
    ],
)
def test_a_form_in_its_place_begins_with_what_was_chosen_but_for_its_end(changes: dict[str, Any]) -> None:
    world = a_refused_referral()
    form = a_form(world, **changes)
    consent_id = capture(world, signed(world, form))

    assert world.gateway.consent_desk.form_again(KIM, consent_id) == replace(
        form, expiry=Expiry(), supersedes=(consent_id,)
    )
    assert world.gateway.consent_desk.form_again(STRANGER, consent_id) is None
    assert world.gateway.consent_desk.form_again(KIM, "nothing") is None


def test_whoever_passes_on_is_no_recipient_of_its_own_on_a_form_in_its_place() -> None:
    world = a_refused_referral()
    network = {"roles": frozenset({"intermediary"}), "members": frozenset({"org:demo-hospital"})}
    registry = Registry(
        replace(one, **network) if one.id == "org:demo-shelter" else one for one in world.house.registry
    )
    house = replace(world.house, registry=registry)
    world = replace(world, house=house, gateway=Gateway(house))
    through = Recipients(intermediary="org:demo-shelter", participants=("org:demo-hospital",))
    consent_id = capture(world, signed(world, a_form(world, recipients=through)))

    again = world.gateway.consent_desk.form_again(KIM, consent_id)

    assert again is not None
    assert again.recipients == through


def test_what_is_over_is_not_replaced_by_a_form_like_it() -> None:
    world = a_refused_referral()
    consent_id = capture(world, signed(world, a_form(world)))
    world.gateway.consent_desk.revoke(KIM, consent_id, Revoking("written"))

    again = world.gateway.consent_desk.form_again(KIM, consent_id)

    assert again is not None
    assert again.supersedes == ()
