"""A consent at the desk of a program: who works there, and what they do with it, in the world of `flow_house`."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from gateway.model.consent_form import (
    STATEMENTS,
    Captured,
    ConsentForm,
    Expiry,
    FormRefused,
    FormText,
    Recipients,
    Scan,
    Signature,
    Signer,
)
from gateway.model.consent_life import ConsentLine
from gateway.model.staff import Member
from tests.support.flow_house import World, a_world, csv_of
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


def record_of(world: World) -> str:
    (record,) = world.database.state.handoffs
    return record


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
    page = world.gateway.consent_desk.page(actor, consent_id)
    assert page is not None
    return page.line


def states(world: World) -> set[str]:
    """How far the deliveries have come: the program's record makes two referrals."""
    return {state for _, state, _ in world.states()}


def told(world: World, kind: str) -> list[Any]:
    return [dict(entry.data) for entry in world.database.audit if entry.kind == kind]
