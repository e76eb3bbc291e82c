"""A consent that is taken back or replaced, and a no that is kept."""

from dataclasses import replace
from datetime import UTC, date, datetime

from gateway.model.consent_form import (
    Expiry,
    Recipients,
)
from gateway.model.consent_life import Revoking
from gateway.model.exchange import Problem
from tests.support.consent_desk import (
    KIM,
    LEE,
    PAM,
    a_form,
    a_paper,
    a_record_with_release,
    a_refused_referral,
    capture,
    elements,
    file_scan,
    hand_in,
    line_of,
    person_of,
    signed,
    states,
    stored,
    told,
)


def test_a_no_is_kept_and_obeyed_until_a_yes_replaces_it() -> None:
    world = a_refused_referral()
    no = capture(world, a_form(world, outcome="refused"))
    yes = a_form(world)

    assert line_of(world, no).state == "refusal"
    assert elements(world.gateway.consent_desk.capture(KIM, signed(world, yes))) == ["EXPLICIT_DENY"]
    capture(world, signed(world, replace(yes, supersedes=(no,))))
    assert states(world) == {"delivered"}
    assert line_of(world, no).state == "replaced"


def test_a_no_stops_what_a_yes_had_opened() -> None:
    world = a_refused_referral()
    capture(world, signed(world, a_form(world)))
    capture(world, a_form(world, outcome="refused"))

    hand_in(world, "find work")

    assert world.states()[-1][1:] == ("refused", "EXPLICIT_DENY (42 CFR 2.31(a)(3); 2.13(a))")


def test_a_new_form_ends_the_one_it_replaces_in_the_same_transaction() -> None:
    world = a_refused_referral()
    older = capture(world, signed(world, a_form(world)))

    newer = capture(world, signed(world, a_form(world, supersedes=(older,))))

    assert stored(world, older)["status"] == "inactive"
    assert (line_of(world, older).state, line_of(world, older).words) == ("replaced", f"replaced by {newer}")
    assert told(world, "consent.replaced") == [{"consent": older, "version": 2, "by": newer}]
    again = world.gateway.consent_desk.capture(KIM, signed(world, a_form(world, supersedes=(older,))))
    assert elements(again) == ["SUPERSEDES"]


def test_a_written_revocation_ends_the_consent_and_stops_what_is_queued() -> None:
    world = a_refused_referral()
    consent_id = capture(world, signed(world, a_form(world)))

    assert world.gateway.consent_desk.revoke(KIM, consent_id, Revoking("written")) is None
    hand_in(world, "find work")

    assert world.states()[-1][1] == "refused"
    assert (line_of(world, consent_id).state, line_of(world, consent_id).words) == ("revoked", "revoked on 2026-11-02")
    assert told(world, "consent.revoked")[0]["method"] == "written"
    assert isinstance(world.gateway.consent_desk.revoke(KIM, consent_id, Revoking("written")), Problem)


def test_a_revocation_for_one_recipient_leaves_the_others() -> None:
    world = a_refused_referral()
    both = Recipients(named=("org:demo-hospital", "org:demo-shelter"))
    consent_id = capture(world, signed(world, a_form(world, recipients=both)))
    desk = world.gateway.consent_desk

    desk.revoke(KIM, consent_id, Revoking("written", ("org:demo-shelter",)))
    hand_in(world, "find work")
    kept = world.states()[-1][1]
    desk.revoke(KIM, consent_id, Revoking("written", ("org:demo-hospital",)))
    hand_in(world, "find a home")

    assert stored(world, consent_id)["status"] == "active"
    assert line_of(world, consent_id).state == "revoked-in-part"
    assert (kept, world.states()[-1][1]) == ("delivered", "refused")


def test_a_spoken_revocation_holds_until_it_comes_in_writing() -> None:
    world = a_refused_referral()
    consent_id = capture(world, signed(world, a_form(world)))
    desk = world.gateway.consent_desk

    desk.revoke(KIM, consent_id, Revoking("oral"))
    hand_in(world, "find work")

    assert world.states()[-1][1:] == ("held", "CONSENT_REVOKED (42 CFR 2.31(c)(3))")
    assert line_of(world, consent_id).state == "oral-revocation"
    assert desk.revoke(KIM, consent_id, Revoking("written")) is None
    assert stored(world, consent_id)["status"] == "inactive"


def test_the_list_says_what_would_stop_with_a_consent() -> None:
    world = a_refused_referral()
    consent_id = capture(world, signed(world, a_form(world)))
    world.clock.at = datetime(2026, 12, 10, 18, 0, tzinfo=UTC)
    (ending,) = world.gateway.consent_desk.ending(KIM).lines

    assert (ending.consent_id, sorted(one.referral_id for one in ending.referrals), ending.words) == (
        consent_id,
        sorted(world.database.state.referrals),
        "active until 2026-12-31",
    )


def test_an_agreement_is_not_shown_as_if_a_program_could_disclose_on_it() -> None:
    """42 CFR 2.31(a): what a form only ticks off is no written consent to disclose a program's records."""
    world, consent_id = a_record_with_release({"roi_signed": "Y", "roi_signed_at": "2026-10-20T10:00:00"})
    world.gateway.consent_desk.verify(KIM, consent_id, "a call to the program")

    line = line_of(world, consent_id)

    assert (line.state, line.words) == (
        "active",
        "active, but without elements of 42 CFR 2.31(a): no record of a Part 2 program leaves on it",
    )


def test_a_form_may_replace_more_than_one() -> None:
    world = a_refused_referral()
    older = [capture(world, signed(world, a_form(world, expiry=Expiry(on=date(2026, 11, day))))) for day in (10, 20)]

    newer = capture(world, signed(world, a_form(world, supersedes=tuple(older))))

    assert [line_of(world, one).words for one in older] == [f"replaced by {newer}"] * 2


def test_nobody_replaces_a_paper_they_may_not_see() -> None:
    """Its id is no secret: with its refusal gone, what it stopped would leave."""
    world = a_refused_referral()
    no = capture(world, a_form(world, outcome="refused", disclosers=("org:demo-clinic",)))
    form = a_form(world, supersedes=(no,))
    paper = a_paper(world, supersedes=(no,))

    assert elements(world.gateway.consent_desk.capture(PAM, signed(world, form))) == ["SUPERSEDES"]
    waiting = file_scan(world, paper)
    refused = world.gateway.consent_desk.verify(PAM, waiting, "the scan")
    assert refused is not None
    assert (refused.status, line_of(world, no).state) == (403, "refusal")
    assert world.gateway.consent_desk.verify(LEE, waiting, "the scan") is None
    assert line_of(world, no).state == "replaced"


def test_a_list_leaves_out_what_has_been_settled_elsewhere() -> None:
    world = a_refused_referral()
    consent_id = file_scan(world, a_paper(world))
    body = {**stored(world, consent_id), "status": "entered-in-error"}
    world.database.write(
        lambda tx: tx.resources.put(body, handoff_id=None, person_id=person_of(world), at=world.clock())
    )

    assert world.gateway.consent_desk.waiting(LEE).lines == ()
