"""What is withheld takes the same work as what is not there: the same questions to the store, in the same order.

So nobody can tell the two apart by the time an answer takes, and the test needs no clock.
"""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.flow.gateway import Gateway
from tests.flow.test_non_interference import WORLDS, submissions
from tests.support.counted import CountedDatabase
from tests.support.filed_consents import a_filed, taken_back, with_paper
from tests.support.two_worlds import (
    HOSPITAL,
    HOSPITAL_NPI,
    NPI,
    OFFICES,
    PERSON_ID,
    POLICE,
    RELEASES,
    Seen,
    Submission,
    TwoWorld,
    case,
    contact,
    hidden_contact,
    mixed_contact,
)

JSON = "application/json"
NOBODYS = "aaaaaaaaaaaaaaaaaaaaaaaaaa"


def worked(world: TwoWorld, *request: Any, **more: Any) -> tuple[Seen, list[str]]:
    """Make a request and return the answer with every question that was put to the store."""
    counted = CountedDatabase(world.database)
    gateway, world.gateway = world.gateway, Gateway(replace(world.gateway.house, database=counted))
    moment = world.moment()
    try:
        return world.http(*request, **more), counted.asked
    finally:
        world.gateway = gateway
        world.return_to(moment)


def evaluate(patient: str) -> dict[str, Any]:
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": "patient", "valueReference": {"reference": f"Patient/{patient}"}}],
    }


def hook(patient: str) -> dict[str, Any]:
    context = {
        "patientId": [{"system": PERSON_ID, "value": patient}],
        "actor": [{"system": NPI, "value": HOSPITAL_NPI}],
        "purposeOfUse": ["TREAT"],
    }
    return {"hook": "patient-consent-consult", "hookInstance": "i-1", "context": context}


def a_task(task: str) -> dict[str, Any]:
    return {"resourceType": "Task", "id": task, "status": "accepted", "intent": "order"}


Request = tuple[tuple[Any, ...], dict[str, Any]]


def writes(client: str, reference: str) -> list[Request]:
    """Return the requests of a client that write a consent about a Patient, or the next version of a Consent."""
    kind, _, key = reference.partition("/")
    if kind == "Consent":
        return _written(client, {"reference": f"Patient/{NOBODYS}"}, key)
    by_number = {"identifier": {"system": PERSON_ID, "value": key}}
    return [*_written(client, {"reference": reference}, NOBODYS), *_written(client, by_number, NOBODYS)]


def _written(client: str, patient: dict[str, Any], consent: str) -> list[Request]:
    body = a_filed(patient, "demo-lead")
    next_version = {**body, "id": consent}
    return [
        ((client, "POST", "/fhir/R4/Consent", body), {}),
        ((client, "POST", "/fhir/R4/Consent/$file-consent", with_paper(body)), {}),
        ((client, "PUT", f"/fhir/R4/Consent/{consent}", next_version), {"if_match": 'W/"1"'}),
        ((client, "POST", "/fhir/R4/Consent/$revoke-consent", taken_back(patient, consent)), {}),
    ]


def asks(reference: str) -> list[Request]:
    """Return the requests that name a thing which may be there or not."""
    kind, _, key = reference.partition("/")
    made: list[Request] = [((HOSPITAL, "GET", f"/fhir/R4/{reference}"), {})]
    if kind == "Patient":
        made += [
            ((HOSPITAL, "POST", "/fhir/R4/Consent/$evaluate", evaluate(key)), {}),
            (
                (HOSPITAL, "POST", "/cds-services/patient-consent-consult", hook(key)),
                {"media_type": "application/json"},
            ),
        ]
    if kind == "Task":
        made.append(((HOSPITAL, "PUT", f"/fhir/R4/Task/{key}", a_task(key)), {"if_match": 'W/"1"'}))
    return made


@given(records=submissions(unrouted=True))
@settings(parent=WORLDS, max_examples=10)
def test_what_exists_for_nobody_here_takes_the_work_of_what_does_not_exist(records: list[Submission]) -> None:
    full = TwoWorld("fhir", has_program_part=True)
    full.hand_in(records)
    references = full.references()
    traces_full = [worked(full, *request, **more) for one in references for request, more in asks(one)]

    bare = TwoWorld("fhir", has_program_part=False)
    bare.hand_in(records)
    traces_bare = [worked(bare, *request, **more) for one in references for request, more in asks(one)]

    assert [work for _, work in traces_full] == [work for _, work in traces_bare]


@pytest.mark.parametrize("office", OFFICES)
@pytest.mark.parametrize("release", RELEASES.values(), ids=RELEASES)
def test_the_referral_of_a_program_that_is_withheld_takes_the_work_of_none(office: str, release: Any) -> None:
    records = [
        case(1, 0, office, "SUD treatment", "stay sober", release),
        hidden_contact(1, 1, office, "substance_use"),
    ]
    world = TwoWorld("fhir", has_program_part=True)
    world.hand_in(records)

    for reference in world.references():
        there, missing = asks(reference), asks(f"{reference.partition('/')[0]}/{NOBODYS}")
        for (request, more), (other, other_more) in zip(there, missing, strict=True):
            answer, work = worked(world, *request, **more)
            nothing, work_for_nothing = worked(world, *other, **other_more)
            if answer == nothing:
                assert work == work_for_nothing, request


@pytest.mark.parametrize(("client", "unknown"), [(HOSPITAL, 3), (POLICE, 2)])
def test_a_consent_about_somebody_one_may_not_know_takes_the_work_of_one_about_nobody(
    client: str, unknown: int
) -> None:
    """What is filed goes in step: after it all that waits about the person is looked at (test_even_answers)."""
    world = TwoWorld("fhir", has_program_part=True)
    world.hand_in([
        contact(1, 0, "verbal", "mental_health"),
        case(1, 0, "demo-detox", "SUD treatment", "stay sober", RELEASES["for another"]),
        hidden_contact(1, 1, "demo-lead", "substance_use"),
        mixed_contact(1, 2, "demo-lead", "not_asked", "substance_use"),
    ])  # fmt: skip
    strangers = [one for one in world.references() if one.startswith("Patient/") and not knows(world, client, one)]
    consents = [one for one in world.references() if one.startswith("Consent/")]

    for reference in (*strangers, *consents):
        there, missing = writes(client, reference), writes(client, f"{reference.partition('/')[0]}/{NOBODYS}")
        for (request, more), (other, other_more) in zip(there, missing, strict=True):
            assert worked(world, *request, **more) == worked(world, *other, **other_more), request

    assert (len(strangers), len(consents)) == (unknown, 3)


def knows(world: TwoWorld, client: str, patient: str) -> bool:
    """Say whether a client may file a consent about a Patient."""
    (request, more), *_ = writes(client, patient)
    return worked(world, *request, **more)[0][0] == 201


def test_what_may_be_had_takes_more_work_than_nothing_for_it_is_logged() -> None:
    world = TwoWorld("fhir", has_program_part=True)
    world.hand_in([contact(1, 0, "verbal", "mental_health")])
    (task,) = (one for one in world.references() if one.startswith("Task/"))

    answer, work = worked(world, HOSPITAL, "GET", f"/fhir/R4/{task}")

    assert answer[0] == 200
    assert work[-3:] == ["decisions.hand_over", "audit.append", "resources.get"]


def test_a_receipt_takes_the_same_work_whatever_became_of_the_record() -> None:
    sent, held, hidden = (
        [contact(1, 0, "verbal", "mental_health")],
        [contact(1, 0, "refused", "mental_health")],
        [hidden_contact(1, 0, "demo-lead", "substance_use")],
    )
    traces = []
    for records in (sent, held, [replace(one, client=POLICE) for one in hidden]):
        world = TwoWorld("fhir", has_program_part=True)
        (input_id,) = world.hand_in(records)
        traces.append(worked(world, POLICE, "GET", f"/intake/receipts/{input_id}")[1])

    assert traces == [["read", "inputs.get", "inputs.records"]] * 3


@given(records=submissions(unrouted=True), kind=st.sampled_from(["Task", "ServiceRequest", "Patient", "Consent"]))
@settings(parent=WORLDS, max_examples=25)
def test_a_search_takes_the_same_work_whatever_it_leaves_out(records: list[Submission], kind: str) -> None:
    full = TwoWorld("fhir", has_program_part=True)
    full.hand_in(records)
    seen_full = worked(full, HOSPITAL, "GET", f"/fhir/R4/{kind}")[1]

    bare = TwoWorld("fhir", has_program_part=False)
    bare.hand_in(records)

    assert seen_full == worked(bare, HOSPITAL, "GET", f"/fhir/R4/{kind}")[1]
