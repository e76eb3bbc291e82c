"""A consent that comes from elsewhere, on paper or by a client: it waits until somebody has verified it."""

import pytest

from gateway.model.consent_form import (
    Captured,
    FormRefused,
    Paper,
    Scan,
)
from gateway.model.exchange import Problem
from tests.support.consent_desk import (
    KIM,
    LEE,
    PDF,
    a_form,
    a_paper,
    a_record_with_release,
    a_refused_referral,
    capture,
    elements,
    file_scan,
    hand_in,
    line_of,
    signed,
    states,
    stored,
    told,
)
from tests.support.flow_house import csv_of
from tests.support.two_worlds import GOOD_RELEASE, case


def test_a_scan_is_held_until_a_second_person_has_compared_it() -> None:
    world = a_refused_referral()
    desk = world.gateway.consent_desk

    consent_id = file_scan(world, a_paper(world))

    assert "held" in states(world)
    (waiting,) = desk.waiting(LEE).lines
    assert (waiting.consent_id, waiting.state, waiting.from_paper, waiting.captured_by) == (
        consent_id, "waits", True, "staff-kim",
    )  # fmt: skip
    assert desk.paper(LEE, consent_id) == Paper("application/pdf", PDF, f"consent-{consent_id}.pdf")
    own = desk.verify(KIM, consent_id, "the scan")
    assert isinstance(own, Problem)
    assert own.status == 403
    assert desk.verify(LEE, consent_id, "the scan") is None
    world.work()
    assert states(world) == {"delivered"}
    assert desk.waiting(LEE).lines == ()
    assert told(world, "consent.verified") == [{"consent": consent_id, "version": 2, "how": "the scan"}]


def test_the_same_scan_twice_is_one_consent_and_a_better_scan_of_the_paper_is_kept_too() -> None:
    world = a_refused_referral()
    form = a_paper(world)
    whole = Scan("application/pdf", b"%PDF-1.7 the whole paper this time")

    first, again = file_scan(world, form), file_scan(world, form)
    better = world.gateway.consent_desk.file_scan(KIM, form, whole)

    assert first == again
    assert isinstance(better, Captured)
    assert better.consent_id != first
    kept = world.gateway.consent_desk.paper(LEE, better.consent_id)
    assert kept is not None
    assert kept.content == whole.content


def test_a_rejected_scan_opens_nothing_and_says_why_in_the_trail() -> None:
    world = a_refused_referral()
    desk = world.gateway.consent_desk
    consent_id = file_scan(world, a_paper(world))

    assert desk.reject(LEE, consent_id, " ") == Problem(
        400, "required", None, "Expected words on what it was compared with, or why it is none."
    )
    assert desk.reject(LEE, consent_id, "another person's paper") is None

    assert stored(world, consent_id)["status"] == "entered-in-error"
    assert told(world, "consent.rejected")[0]["why"] == "another person's paper"
    assert desk.verify(LEE, consent_id, "the scan") is not None
    assert line_of(world, consent_id).state == "error"


def test_what_a_scan_replaces_ends_with_its_verification() -> None:
    world = a_refused_referral()
    no = capture(world, a_form(world, outcome="refused"))
    paper = file_scan(world, a_paper(world, supersedes=(no,)))
    before = stored(world, no)["status"]

    world.gateway.consent_desk.verify(LEE, paper, "the scan")
    world.work()

    assert (before, stored(world, no)["status"]) == ("active", "inactive")
    assert states(world) == {"delivered"}


@pytest.mark.parametrize(
    "scan",
    [
        Scan("application/pdf", b""),
        Scan("application/pdf", b"MZ, a program"),
        Scan("image/png", PDF),
        Scan("application/pdf", b"%PDF-" + bytes(10 * 1024 * 1024)),
    ],
    ids=["empty", "no scan", "another name", "too large"],
)
def test_a_file_that_is_no_scan_is_refused(scan: Scan) -> None:
    world = a_refused_referral()

    assert isinstance(world.gateway.consent_desk.file_scan(KIM, a_paper(world), scan), FormRefused)


def test_a_form_of_the_screen_is_no_paper_and_a_paper_no_form_of_the_screen() -> None:
    world = a_refused_referral()
    desk = world.gateway.consent_desk

    assert "EL_SIGNATURE" in elements(desk.capture(KIM, a_paper(world)))
    assert isinstance(desk.file_scan(KIM, signed(world, a_form(world)), Scan("application/pdf", PDF)), FormRefused)


def test_while_a_scan_waits_what_it_replaces_permits_no_more() -> None:
    world = a_refused_referral()
    older = capture(world, signed(world, a_form(world)))
    file_scan(world, a_paper(world, supersedes=(older,)))

    hand_in(world, "find work")

    assert world.states()[-1][1:] == ("held", "CONSENT_UNVERIFIED (42 CFR 2.31(c)(4))")


def test_a_consent_that_another_client_handed_in_waits_and_counts_once_it_is_verified() -> None:
    world, consent_id = a_record_with_release()
    desk = world.gateway.consent_desk

    (waiting,) = desk.waiting(KIM).lines
    before = states(world)
    verified = desk.verify(KIM, consent_id, "a call to the program")
    world.work()

    assert (waiting.consent_id, waiting.captured_by, waiting.from_paper) == (consent_id, "", False)
    assert verified is None
    assert (before & {"delivered"}, states(world)) == (set(), {"delivered"})


def test_a_verification_is_not_undone_by_the_next_import() -> None:
    world, consent_id = a_record_with_release()
    world.gateway.consent_desk.verify(KIM, consent_id, "a call to the program")

    row = case(1, 0, "demo-lead", "medical", "find work", GOOD_RELEASE).full
    world.gateway.accept("http", "lead-referral", "demo-agency", "text/csv", csv_of(row), None)
    world.work()

    assert stored(world, consent_id)["verification"][0]["verified"] is True
    assert states(world) == {"delivered"}
