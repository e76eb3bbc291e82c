"""A consent's life at the desk: taken on a form or from paper, verified, replaced, taken back."""

import base64
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from gateway.flow.gateway import Gateway
from gateway.model.consent_form import (
    STATEMENTS,
    Captured,
    ConsentForm,
    Expiry,
    FormRefused,
    FormText,
    Interpreter,
    Paper,
    Recipients,
    Scan,
    Signature,
    Signer,
)
from gateway.model.consent_life import ConsentLine, Revoking
from gateway.model.exchange import NOT_FOUND, Problem
from gateway.model.partner import Registry
from gateway.model.staff import Member
from tests.support.consent_forms import A_PNG
from tests.support.flow_house import CONTACT, World, a_world, csv_of, without_agreements
from tests.support.two_worlds import GOOD_RELEASE, case

KIM = Member("staff-kim", "Kim", "staff", "org:operator")
LEE = Member("staff-lee", "Lee", "staff", "org:operator")
PAM = Member("staff-pam", "Pam", "staff", "org:demo-lead")
"""Of the program itself."""
STRANGER = Member("staff-sal", "Sal", "staff", "org:demo-shelter")
WINTER = date(2026, 12, 31)
HOSPITAL = Recipients(named=("org:demo-hospital",))
PDF = b"%PDF-1.7 a scan of a signed paper"


def a_refused_referral() -> World:
    """A program's referral of a person whom nobody has asked: it waits for a consent."""
    world = a_world()
    hand_in(world, "stay sober")
    return world


def hand_in(world: World, goals: str) -> None:
    """Hand in the program's record, with these goals; other goals are an update to whoever has it."""
    row = case(1, 0, "demo-lead", "medical", goals, {}).full
    world.gateway.accept("http", "lead-referral", "demo-agency", "text/csv", csv_of(row), None)
    world.work()


def a_record_with_release(release: dict[str, str] = GOOD_RELEASE) -> tuple[World, str]:
    """A record of the program that came with the person's consent in it; the world, and the consent's id."""
    world = a_world()
    row = case(1, 0, "demo-lead", "medical", "stay sober", release).full
    world.gateway.accept("http", "lead-referral", "demo-agency", "text/csv", csv_of(row), None)
    world.work()
    (consent_id,) = (key for kind, key in world.database.state.resources if kind == "Consent")
    return world, consent_id


def patient_of(world: World) -> str:
    (handoff,) = world.database.state.handoffs
    patient = world.gateway.consent_desk.patient_of_record(KIM, handoff)
    assert patient is not None
    return patient


def person_of(world: World) -> str:
    (person,) = world.database.state.people
    return person


def a_form(world: World, **changes: Any) -> ConsentForm:
    """A form filled in for the referral that waits, not signed yet."""
    values: dict[str, Any] = {
        "patient_id": patient_of(world),
        "disclosers": ("org:demo-lead",),
        "information": ("everything",),
        "recipients": HOSPITAL,
        "purposes": ("treatment",),
        "expiry": Expiry(on=WINTER),
    }
    return ConsentForm(**{**values, **changes})


def signed(world: World, form: ConsentForm, **changes: Any) -> ConsentForm:
    """The form as shown, with the person's signature under it."""
    text = world.gateway.consent_desk.text(KIM, form)
    assert isinstance(text, FormText)
    signature = Signature("typed", Signer("Ari Sample"), world.clock(), shown=text.digest, witness="Kim")
    return replace(form, signatures=(replace(signature, **changes),))


def capture(world: World, form: ConsentForm, actor: Member = KIM) -> str:
    captured = world.gateway.consent_desk.capture(actor, form)
    assert isinstance(captured, Captured), captured
    world.work()
    return captured.consent_id


def a_paper(world: World, **changes: Any) -> ConsentForm:
    """What a member of staff wrote down from a signed paper."""
    signature = Signature("paper", Signer("Ari Sample"), world.clock() - timedelta(days=1))
    return a_form(world, signatures=(signature,), statements=frozenset(STATEMENTS), **changes)


def file_scan(world: World, form: ConsentForm, actor: Member = KIM) -> str:
    filed = world.gateway.consent_desk.file_scan(actor, form, Scan("application/pdf", PDF))
    assert isinstance(filed, Captured), filed
    world.work()
    return filed.consent_id


def elements(outcome: object) -> list[str]:
    assert isinstance(outcome, FormRefused)
    return [one.element for one in outcome.shortcomings]


def stored(world: World, consent_id: str) -> dict[str, Any]:
    found = world.database.read(lambda tx: tx.resources.get("Consent", consent_id))
    assert found is not None
    return found.body


def line_of(world: World, consent_id: str, actor: Member = KIM) -> ConsentLine:
    lines = world.gateway.consent_desk.of_person(actor, person_of(world))
    assert lines is not None
    return next(one for one in lines.lines if one.consent_id == consent_id)


def states(world: World) -> set[str]:
    """How far the deliveries have come: the program's record makes two referrals."""
    return {state for _, state, _ in world.states()}


def told(world: World, kind: str) -> list[Any]:
    return [dict(entry.data) for entry in world.database.audit if entry.kind == kind]


def test_a_signed_form_lets_go_what_was_refused_for_want_of_it() -> None:
    world = a_refused_referral()
    before = states(world)

    consent_id = capture(world, signed(world, a_form(world)))

    assert (before, states(world)) == ({"refused"}, {"delivered"})
    permits = [one.record for one in world.database.state.decisions.values() if one.record["decision"] == "PERMIT"]
    assert {(one["reason"], one["basis"]["id"]) for one in permits} == {("OK_CONSENT", consent_id)}
    assert told(world, "consent.captured")[0]["consent"] == consent_id


def test_no_decision_carries_the_signed_paper() -> None:
    world = a_refused_referral()

    capture(world, signed(world, a_form(world), method="drawn", strokes=A_PNG))

    assert all(b"JVBERi" not in one.inputs for one in world.database.state.decisions.values())


def test_the_evidence_of_the_signature_is_kept() -> None:
    world = a_refused_referral()
    form = a_form(world, language="es", interpreter=Interpreter("Ina Interpreter", "Spanish"))
    shown = world.gateway.consent_desk.text(KIM, form)
    assert isinstance(shown, FormText)

    consent = stored(world, capture(world, signed(world, form, device="a tablet")))

    signature = next(one for one in consent["extension"] if one["url"].endswith("part2-signature"))["valueSignature"]
    assert json.loads(base64.b64decode(signature["data"])) == {
        "interpreter": {"language": "Spanish", "name": "Ina Interpreter"},
        "language": "es",
        "signatures": [
            {
                "at": "2026-11-02T18:00:00Z", "capacity": "patient", "device": "a tablet", "method": "typed",
                "name": "Ari Sample", "strokes_sha256": None, "text_sha256": shown.digest, "witness": "Kim",
            }
        ],
    }  # fmt: skip
    assert [one["valueDate"] for one in consent["extension"] if one["url"].endswith("form-edition")] == ["2026-11-22"]


def test_an_incomplete_form_is_refused_with_everything_it_lacks_and_nothing_is_kept() -> None:
    world = a_refused_referral()
    form = a_form(world, disclosers=(), purposes=(), expiry=Expiry())

    outcome = world.gateway.consent_desk.capture(KIM, form)

    assert elements(outcome) == ["EL_DISCLOSER", "EL_PURPOSE", "EL_EXPIRY", "EL_SIGNATURE"]
    assert "Binary" not in {kind for kind, _ in world.database.state.resources}
    assert told(world, "consent.captured") == []


def test_what_was_changed_after_it_was_shown_is_not_signed() -> None:
    world = a_refused_referral()
    form = replace(signed(world, a_form(world)), purposes=("treatment", "payment"))

    assert elements(world.gateway.consent_desk.capture(KIM, form)) == ["EL_SIGNATURE"]


def test_before_signing_only_the_signature_may_be_missing() -> None:
    world = a_refused_referral()
    desk = world.gateway.consent_desk

    assert desk.shortcomings(KIM, a_form(world)) is None
    assert elements(desk.shortcomings(KIM, a_form(world, purposes=()))) == ["EL_PURPOSE"]


@pytest.mark.parametrize("changes", [{"patient_id": "nobody"}, {"language": "tlh"}])
def test_a_form_of_nobody_known_or_in_no_language_of_ours_is_refused(changes: dict[str, Any]) -> None:
    world = a_refused_referral()
    form = a_form(world, **changes)

    assert isinstance(world.gateway.consent_desk.text(KIM, form), FormRefused)
    assert isinstance(world.gateway.consent_desk.capture(KIM, form), FormRefused)


def test_only_who_serves_the_program_takes_and_sees_its_consents() -> None:
    world = a_refused_referral()
    form = signed(world, a_form(world))
    consent_id = capture(world, form, PAM)

    assert elements(world.gateway.consent_desk.capture(STRANGER, form)) == ["QSOA_NOT_IN_FORCE"]
    for actor, seen in ((KIM, 1), (PAM, 1), (STRANGER, 0)):
        lines = world.gateway.consent_desk.of_person(actor, person_of(world))
        assert lines is not None
        assert [one.consent_id for one in lines.lines].count(consent_id) == seen
        assert (world.gateway.consent_desk.paper(actor, consent_id) is not None) is bool(seen)
    assert world.gateway.consent_desk.revoke(STRANGER, consent_id, Revoking("written")) is NOT_FOUND


def test_an_operator_without_agreement_sees_none_of_a_programs_consents() -> None:
    world = a_refused_referral()
    consent_id = capture(world, signed(world, a_form(world)))
    operator = world.house.registry.get("org:operator")
    assert operator is not None
    others = [one for one in world.house.registry if one.id != "org:operator"]
    house = replace(world.house, registry=Registry([*others, replace(operator, agreements=())]))
    desk = Gateway(house).consent_desk

    lines = desk.of_person(KIM, person_of(world))

    assert lines is not None
    assert lines.lines == ()
    assert desk.paper(KIM, consent_id) is None


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


def test_a_blank_form_is_printed_to_be_signed_on_paper() -> None:
    world = a_refused_referral()

    paper = world.gateway.consent_desk.blank(KIM, a_form(world, language="es"))

    assert isinstance(paper, Paper)
    assert paper.content.startswith(b"%PDF-")


def test_the_form_offers_what_the_registry_knows() -> None:
    world = a_world()

    choices = world.gateway.consent_desk.choices("es")

    assert [one.code for one in choices.programs] == ["org:demo-lead", "org:demo-clinic"]
    assert [one.code for one in choices.justice] == ["org:demo-prosecutor"]
    assert "org:operator" not in [one.code for one in choices.recipients]
    assert choices.purposes[0].words == "Mi tratamiento"
    assert [one.words for one in choices.languages] == ["English", "Español"]


def test_a_form_may_replace_more_than_one() -> None:
    world = a_refused_referral()
    older = [capture(world, signed(world, a_form(world, expiry=Expiry(on=date(2026, 11, day))))) for day in (10, 20)]

    newer = capture(world, signed(world, a_form(world, supersedes=tuple(older))))

    assert [line_of(world, one).words for one in older] == [f"replaced by {newer}"] * 2


def test_while_a_scan_waits_what_it_replaces_permits_no_more() -> None:
    world = a_refused_referral()
    older = capture(world, signed(world, a_form(world)))
    file_scan(world, a_paper(world, supersedes=(older,)))

    hand_in(world, "find work")

    assert world.states()[-1][1:] == ("held", "CONSENT_UNVERIFIED (42 CFR 2.31(c)(4))")


def test_the_text_of_a_form_names_its_person_only_to_who_may_take_it() -> None:
    world = a_refused_referral()
    desk = world.gateway.consent_desk

    assert elements(desk.text(STRANGER, a_form(world))) == ["QSOA_NOT_IN_FORCE"]
    assert elements(desk.blank(STRANGER, a_form(world))) == ["QSOA_NOT_IN_FORCE"]


def test_an_operator_without_agreement_begins_no_form_with_the_person_of_a_programs_record() -> None:
    """The form of any organization would name them (42 CFR 2.12(c)(4))."""
    world = a_refused_referral()
    (record,) = world.database.state.handoffs
    world.take(CONTACT)
    (contact,) = set(world.database.state.handoffs) - {record}
    desk = without_agreements(world).gateway.consent_desk

    assert desk.patient_of_record(KIM, record) is None
    assert desk.patient_of_record(KIM, contact) is not None


def test_who_may_not_keep_a_form_does_not_learn_from_it_what_the_person_has_said() -> None:
    world = a_refused_referral()
    form = a_form(world)
    capture(world, replace(form, outcome="refused"))
    desk = without_agreements(world).gateway.consent_desk

    assert elements(desk.shortcomings(KIM, form)) == ["QSOA_NOT_IN_FORCE"]


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
