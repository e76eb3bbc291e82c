"""Non-interference: what may not leave changes nothing that does (42 CFR 2.13).

A random world holds people, records of police, of Part 2 programs and of both, and consents that do not let the
hospital have the programs' part: what they wrote in a record of the police's, and all of a record in their own hands.
It is made twice, with and without the programs' part, and then lived several times from that moment: each run is a
course of random requests through every door, and the hospital, the police and every peer of the HL7v2 port must see
the same bytes, headers included. `NON_INTERFERENCE_EXAMPLES` sets how many runs and `NON_INTERFERENCE_SEED` which:
without it always the same, so that a build says something about the code and not about luck (docs/proofs.md).
"""

import os
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.support.courses import Guessed, Step, assert_alike
from tests.support.filed_consents import taken_back
from tests.support.flow_house import NOW
from tests.support.two_worlds import (
    HOSPITAL,
    HOSPITAL_NPI,
    NPI,
    OFFICE,
    OFFICES,
    PERSON_ID,
    POLICE,
    RELEASES,
    Seen,
    Submission,
    TwoWorld,
    an_admission,
    an_answer,
    case,
    contact,
    hidden_contact,
    mixed_contact,
)

RUNS = int(os.environ.get("NON_INTERFERENCE_EXAMPLES", "10000"))
SEED = os.environ.get("NON_INTERFERENCE_SEED", "0")
SHARES = 100
"""Into how many tests the runs are divided, so that each ends within the time limit, and the file is among the first to
be given to a process: it takes the longest."""
COURSES = 8
"""How often one world is lived: making a world costs more than living in it."""

_NEEDS = st.sampled_from(["SUD treatment", "medical", "mental health care", "SUD treatment;medical"])
_UNROUTED = st.sampled_from(["SUD treatment", "legal income", "medical;legal income"])
_GOALS = st.sampled_from(["", "stay sober until winter", "finish detox; find work"])
_RELEASE = st.sampled_from(sorted(RELEASES)).map(RELEASES.__getitem__)
_PERSON = st.integers(0, 2)
_ANSWER = st.sampled_from(["verbal", "verbal", "refused", "not_asked"])
_ISSUE = st.sampled_from(["substance_use", "co_occurring", "mental_health"])
_CONTACT = st.tuples(_PERSON, _ANSWER, st.sampled_from(["mental_health", "suicide"]))
_HIDDEN = st.tuples(_PERSON, st.sampled_from(OFFICES), _ISSUE)

WORLDS = settings(
    max_examples=-(-RUNS // (SHARES * COURSES)),
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow],
)

_STEP = st.tuples(
    st.sampled_from(
        ["read", "search", "put", "consult", "revoke", "answer", "admission", "receipt", "events", "again", "later"]
    ),
    st.integers(0, 10_000),
    st.integers(0, 10_000),
)
_COURSE = st.lists(_STEP, min_size=1, max_size=3)


@st.composite
def submissions(draw: st.DrawFn, *, unrouted: bool = False) -> list[Submission]:
    """Draw what is handed in; with `unrouted`, programs also ask for what no route covers."""
    needs = _NEEDS | _UNROUTED if unrouted else _NEEDS
    drawn = st.tuples(_PERSON, st.sampled_from(OFFICES), needs, _GOALS, _RELEASE)
    found = st.tuples(_PERSON, st.sampled_from(OFFICES), _ANSWER, _ISSUE, needs | st.just(""))
    mixed = [mixed_contact(n, *one) for n, one in enumerate(draw(st.lists(found, min_size=1, max_size=2)))]
    cases = [case(n, *one) for n, one in enumerate(draw(st.lists(drawn, max_size=1)))]
    contacts = [contact(n, *one) for n, one in enumerate(draw(st.lists(_CONTACT, max_size=1)))]
    hidden = [hidden_contact(n, *one) for n, one in enumerate(draw(st.lists(_HIDDEN, max_size=2)))]
    return list(draw(st.permutations([*mixed, *cases, *contacts, *hidden])))


_COURSES = st.lists(_COURSE, min_size=COURSES, max_size=COURSES)
_WAYS = st.sampled_from([*[("fhir", "REF")] * 4, ("hl7v2", "REF"), ("hl7v2", "OMG"), ("hl7v2", "MDM")])


@pytest.mark.parametrize("share", range(SHARES))
def test_what_is_withheld_changes_nothing_that_leaves(share: int) -> None:
    @seed(f"{SEED}/{share}")
    @given(records=submissions(unrouted=True), courses=_COURSES, way=_WAYS)
    @WORLDS
    def hold(records: list[Submission], courses: list[list[Step]], way: tuple[Any, str]) -> None:
        assert_alike_by(way, records, courses)

    hold()


@pytest.mark.parametrize(
    ("records", "courses"),
    [
        pytest.param(
            [
                case(0, 0, OFFICE, "SUD treatment", "", RELEASES["not asked"]),
                mixed_contact(0, 0, OFFICE, "verbal", "substance_use", "SUD treatment"),
                hidden_contact(1, 0, OFFICE, "substance_use"),
            ],
            [[("consult", one, 0), ("events", 0, 0)] for one in range(2)],
            id="the event of a consult names the Patient that was asked about",
        ),
        pytest.param(
            [
                mixed_contact(0, 0, OFFICE, "verbal", "substance_use"),
                mixed_contact(1, 0, OFFICE, "verbal", "substance_use", "SUD treatment"),
                contact(0, 0, "refused", "mental_health"),
                contact(1, 0, "verbal", "mental_health"),
            ],
            [[("revoke", one, 0), ("again", 0, 0)] for one in range(8)],
            id="what a no had stopped does not wait for the next version of a hidden part",
        ),
    ],
)
def test_what_was_found_once_stays_mended(records: list[Submission], courses: list[list[Step]]) -> None:
    assert_alike_by(("fhir", "REF"), records, courses)


def assert_alike_by(way: tuple[Any, str], records: list[Submission], courses: list[list[Step]]) -> None:
    """Live a world whose hospital is reached this way with and without the programs' part, and see no difference."""
    transport, message = way
    assert_alike(
        lambda has_program_part: TwoWorld(transport, has_program_part, message=message), records, courses, take
    )


def take(world: TwoWorld, records: list[Submission], number: int, step: Step, guessed: Guessed) -> list[Seen]:
    """Take one step through a door and return what came back."""
    kind, one, other = step
    reference = guessed.references[one % len(guessed.references)]
    if kind == "read":
        return [world.http(HOSPITAL, "GET", f"/fhir/R4/{reference}")]
    if kind == "search":
        return [world.http(HOSPITAL, "GET", search(world, one, other, reference))]
    if kind == "put":
        return [put_task(world, one, other, guessed)]
    if kind == "consult":
        return [consult(world, one, other, guessed)]
    if kind == "revoke":
        return [revoke(world, one, other, guessed)]
    if kind == "events":
        return [world.http(HOSPITAL, "GET", f"/fhir/R4/AuditEvent{('', f'?patient={reference}')[other % 2]}")]
    if kind == "answer":
        referral = guessed.numbers[one % len(guessed.numbers)]
        return [world.message(an_answer(referral, "AR"[other % 2], number))]
    if kind == "admission":
        return [world.message(an_admission(one % 3, number))]
    if kind == "receipt":
        return [world.http(POLICE, "GET", f"/intake/receipts/{each}") for each in world.inputs_of(POLICE)]
    if kind == "again":
        world.hand_in([changed(record, number) for record in records])
    else:
        world.clock.advance(timedelta(minutes=1 + one % 300))
    return []


def changed(record: Submission, number: int) -> Submission:
    """Return a record as it is handed in again after the program has written more; the rest is as it was."""
    if record.source == "lead-referral":
        return replace(record, full={**record.full, "goals": f"{record.full['goals']};new goal {number}"})
    if record.full != record.bare and record.bare is not None:
        return replace(record, full={**record.full, "suicide": ("threat", "attempt", "none")[number % 3]})
    return record


def search(world: TwoWorld, one: int, other: int, reference: str) -> str:
    kind, _, identifier = reference.partition("/")
    since = (NOW + timedelta(seconds=one % 20)).isoformat().replace("+00:00", "Z")
    filters = [
        "",
        f"?_id={identifier}",
        f"?_lastUpdated=ge{since}",
        "?status=requested,accepted",
        f"?patient={identifier}",
    ]
    offered = ("Task", "ServiceRequest", "Patient", "Consent")
    chosen = kind if kind in offered else offered[one % 4]
    asked = filters[other % (3 if chosen == "Patient" else 5)]
    return f"/fhir/R4/{chosen}{asked}"


def put_task(world: TwoWorld, one: int, other: int, guessed: Guessed) -> Seen:
    reference = guessed.any_of("Task", one)
    body = {
        "resourceType": "Task", "id": reference[5:], "status": ["accepted", "rejected", "in-progress"][other % 3],
        "intent": "order", "statusReason": {"text": "no bed"},
    }  # fmt: skip
    return world.http(HOSPITAL, "PUT", f"/fhir/R4/{reference}", body, if_match=f'W/"{1 + other % 2}"')


def consult(world: TwoWorld, one: int, other: int, guessed: Guessed) -> Seen:
    """Ask whether there are records of a person, by one of the two doors."""
    patient = guessed.any_of("Patient", one)
    if other % 2:
        parameter = [{"name": "patient", "valueReference": {"reference": patient}}]
        body: dict[str, Any] = {"resourceType": "Parameters", "parameter": parameter}
        return world.http(HOSPITAL, "POST", "/fhir/R4/Consent/$evaluate", body)
    context = {
        "patientId": [{"system": PERSON_ID, "value": patient[8:]}],
        "actor": [{"system": NPI, "value": HOSPITAL_NPI}],
        "purposeOfUse": ["TREAT"],
    }
    body = {"hook": "patient-consent-consult", "hookInstance": "i-1", "context": context}
    return world.http(HOSPITAL, "POST", "/cds-services/patient-consent-consult", body, media_type="application/json")


def revoke(world: TwoWorld, one: int, other: int, guessed: Guessed) -> Seen:
    """Say, as the hospital or the police, that a person takes a consent back."""
    body = taken_back({"reference": guessed.any_of("Patient", other)}, guessed.any_of("Consent", one)[8:])
    return world.http((HOSPITAL, POLICE)[one % 2], "POST", "/fhir/R4/Consent/$revoke-consent", body)


@given(records=submissions(unrouted=True))
@settings(parent=WORLDS, max_examples=max(RUNS // 50, 1))
def test_an_operator_without_agreements_sees_nothing_of_a_program_on_a_page(records: list[Submission]) -> None:
    assert_pages_alike(records)


def test_a_page_does_not_tell_why_a_delivery_was_refused() -> None:
    taken_back = case(0, 1, OFFICE, "SUD treatment", "", RELEASES["taken back"])

    assert_pages_alike([mixed_contact(1, 1, OFFICE, "not_asked", "substance_use"), taken_back])


def assert_pages_alike(records: list[Submission]) -> None:
    """Make a world with and without the programs' part, and see no difference on the page of any record."""
    full = TwoWorld("fhir", has_program_part=True)
    full.hand_in(records)
    pages_full = {key: page(full, key) for key in full.state.handoffs}

    bare = TwoWorld("fhir", has_program_part=False)
    bare.hand_in(records)
    pages_bare = {key: page(bare, key) for key in bare.state.handoffs}

    assert {key: pages_full[key] for key in pages_bare} == pages_bare


def page(world: TwoWorld, handoff_id: str) -> dict[str, Any]:
    """Return what the page of a record shows of its content, its decisions and its deliveries."""
    shown = world.gateway.console_record(("staff-1", "admin"), handoff_id)
    assert shown is not None
    kept = {name: shown[name] for name in ("resources", "withheld", "decisions", "trace", "source", "candidates")}
    kept["referrals"] = [(one.id, one.recipient, one.status, one.updated_at) for one in shown["referrals"]]
    kept["deliveries"] = [(one.lane, one.action, one.state, one.reason) for one in shown["deliveries"]]
    return kept
