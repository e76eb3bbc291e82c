"""What partners write: answers to referrals, and consents."""

from typing import Any

import orjson

from gateway.model.exchange import NOT_FOUND, Answer, Problem
from gateway.model.hl7_header import PeerAddress
from tests.support.flow_house import CONTACT, HOSPITAL, POLICE, World, a_caller, a_world
from tests.support.hospital_feed import with_feed

PEER = PeerAddress("127.0.0.1", 5000)
CLINIC = a_caller("demo-ehr", "org:demo-clinic")


def sent(world: World, resource_type: str) -> dict[str, Any]:
    content = world.transport.sent[0][0].content
    return next(e["resource"] for e in content["entry"] if e["resource"]["resourceType"] == resource_type)


def an_answer(referral: str, status: str = "A", control_id: str = "R1") -> bytes:
    return (
        f"MSH|^~\\&|EHR|HOSPITAL|WARMHANDOFF|GATEWAY|20261102110000-0800||RRI^I12|{control_id}|P|2.5.1\r"
        f"RF1|{status}|||||{referral}^WARMHANDOFF|||20261102110000-0800||H-77\r"
        "PRD|RT|Welcome^Nora\rPID|1||M-1^^^HOSPITAL^MR||Sample^Ari||19900102|F\rNTE|1||bed free\r"
    ).encode()


def an_admission(event: str, control_id: str) -> bytes:
    return (
        f"MSH|^~\\&|EHR|HOSPITAL|WARMHANDOFF|GATEWAY|20261102120000-0800||ADT^{event}|{control_id}|P|2.5.1\r"
        f"EVN|{event}|20261102120000-0800\rPID|1||M-1^^^HOSPITAL^MR||Sample^Ari||19900102|F\r"
        "PV1|1|E|ED^^^HOSPITAL||||||||||||||||V-1|||||||||||||||||||||||||20261102115500-0800\r"
    ).encode()


def status(world: World) -> str:
    task = world.database.read(lambda tx: tx.referrals.get(sent(world, "Task")["id"]))
    assert task is not None
    return task.status


def test_a_recipient_moves_its_referral_by_the_task() -> None:
    world = a_world()
    world.take(CONTACT)
    task = {**sent(world, "Task"), "status": "accepted"}

    answer = world.gateway.update_task(HOSPITAL, task["id"], task, 1)

    assert isinstance(answer, Answer)
    assert (orjson.loads(answer.body)["status"], answer.version, status(world)) == ("accepted", 2, "accepted")


def test_a_stale_version_is_refused() -> None:
    world = a_world()
    world.take(CONTACT)
    task = {**sent(world, "Task"), "status": "accepted"}

    problem = world.gateway.update_task(HOSPITAL, task["id"], task, 7)

    assert isinstance(problem, Problem)
    assert (problem.status, problem.version) == (412, 1)


def test_the_same_status_again_is_answered_and_makes_no_new_version() -> None:
    world = a_world()
    world.take(CONTACT)
    task = {**sent(world, "Task"), "status": "accepted"}
    world.gateway.update_task(HOSPITAL, task["id"], task, 1)
    trail = len(world.database.audit)

    again = world.gateway.update_task(HOSPITAL, task["id"], task, 2)

    assert isinstance(again, Answer)
    assert (orjson.loads(again.body)["status"], again.version) == ("accepted", 2)
    assert not any(row.kind == "referral.moved" for row in world.database.audit[trail:])


def test_a_step_that_is_not_theirs_is_refused_and_changes_nothing() -> None:
    world = a_world()
    world.take(CONTACT)
    task = {**sent(world, "Task"), "status": "completed", "statusReason": {"text": "done"}}

    problem = world.gateway.update_task(HOSPITAL, task["id"], task, 1)

    assert isinstance(problem, Problem)
    assert (problem.status, status(world)) == (409, "requested")


def test_somebody_elses_task_looks_like_none() -> None:
    world = a_world()
    world.take(CONTACT)
    task = {**sent(world, "Task"), "status": "accepted"}

    assert world.gateway.update_task(CLINIC, task["id"], task, 1) is NOT_FOUND
    assert world.gateway.update_task(CLINIC, "no-such-task", task, 1) is NOT_FOUND


def test_an_rri_moves_the_referral_and_an_adt_of_the_number_it_gave_follows() -> None:
    world = with_feed(a_world())
    world.take(CONTACT)
    referral = sent(world, "Task")["identifier"][0]["value"]

    acknowledged = world.gateway.accept_message(an_answer(referral), PEER)
    world.work()
    accepted = status(world)
    world.gateway.accept_message(an_admission("A01", "A1"), PEER)
    world.work()
    admitted = status(world)
    world.gateway.accept_message(an_admission("A03", "A3"), PEER)
    world.work()

    assert b"MSA|AA|R1" in acknowledged
    assert (accepted, admitted, status(world)) == ("accepted", "in-progress", "completed")


def test_the_same_message_again_gets_the_same_answer_and_has_no_effect() -> None:
    world = with_feed(a_world())
    world.take(CONTACT)
    message = an_answer(sent(world, "Task")["identifier"][0]["value"])

    first = world.gateway.accept_message(message, PEER)
    world.work()
    second = world.gateway.accept_message(message, PEER)

    assert first == second
    assert not world.database.read(lambda tx: tx.outbox.of_states(["ready"]))


def test_the_same_control_id_with_other_content_is_an_error_for_a_person() -> None:
    world = a_world()
    world.gateway.accept_message(an_answer("x"), PEER)

    answer = world.gateway.accept_message(an_answer("y"), PEER)

    assert b"MSA|AE|R1" in answer
    assert b"205" in answer


def test_what_was_refused_may_be_mended_and_sent_again_under_its_own_id() -> None:
    """HL7 v2.5.1 ch. 2.9.2.2: after AE the same message may be sent again once it is mended."""
    world = a_world()
    faulty = an_answer("x").replace(b"|P|2.5.1\r", b"|P|2.5.1||||||ASCII\r", 1) + b"NTE|1||\xe4\r"

    refused = world.gateway.accept_message(faulty, PEER)
    again = world.gateway.accept_message(faulty, PEER)
    mended = world.gateway.accept_message(an_answer("x"), PEER)
    other = world.gateway.accept_message(an_answer("y"), PEER)

    assert (b"|207^" in refused, again) == (True, refused)
    assert b"MSA|AA|R1" in mended
    assert b"|205^" in other


def test_an_answer_about_an_unknown_referral_is_acknowledged_and_waits_for_a_person() -> None:
    world = with_feed(a_world())

    answer = world.gateway.accept_message(an_answer("nobodys"), PEER)
    world.work()

    assert b"MSA|AA|R1" in answer
    assert not world.database.read(lambda tx: tx.outbox.of_states(["dead", "ready"]))


def a_consent(world: World, kind: str) -> dict[str, Any]:
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]
        },
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": f"Patient/{patient_of(world)}"},
        "dateTime": "2026-11-01T10:00:00-08:00",
        "organization": [{"identifier": {"system": "https://warmhandoff.example/id/ori", "value": "WA0990000"}}],
        "policyRule": {"text": "agreement to a referral"},
        "provision": {"type": kind},
    }


def patient_of(world: World) -> str:
    every = world.database.read(lambda tx: tx.outbox.of_states(["refused", "delivered", "ready", "held"]))
    referral_id = next(one.subject for one in every if one.kind == "deliver")
    person = world.database.read(lambda tx: tx.people.get(tx.referrals.get(referral_id).person_id))  # type: ignore[union-attr]
    assert person is not None
    return person.patient_ids[0]


def test_a_consent_filed_later_lets_a_refused_referral_go() -> None:
    world = a_world()
    world.take({**CONTACT, "consent_status": "not_asked", "consent_at": ""})
    before = len(world.transport.sent)

    filed = world.gateway.file_consent(POLICE, a_consent(world, "permit"), None, None)
    world.work()

    assert isinstance(filed, Answer)
    assert (before, len(world.transport.sent)) == (0, 1)


def test_a_recipient_cannot_let_itself_have_records_by_filing_a_consent() -> None:
    world = a_world()
    world.take({**CONTACT, "consent_status": "signed", "consent_form": "agreement"})
    consent = sent(world, "Consent")
    stored = world.database.read(lambda tx: tx.resources.get("Consent", consent["id"]))
    assert stored is not None
    ended = {name: value for name, value in stored.body.items() if name != "meta"} | {"status": "inactive"}
    world.gateway.file_consent(POLICE, ended, consent["id"], stored.version)
    forged = {**a_consent(world, "permit"), "verification": [{"verified": True}]}

    filed = world.gateway.file_consent(HOSPITAL, forged, None, None)
    world.take({**CONTACT, "consent_status": "signed", "consent_form": "agreement", "self_harm": "Y"})

    assert isinstance(filed, Answer)
    assert len(world.transport.sent) == 1


def test_an_import_never_undoes_a_revocation_that_was_filed() -> None:
    world = a_world()
    world.take({**CONTACT, "consent_status": "signed", "consent_form": "agreement"})
    consent = sent(world, "Consent")
    stored = world.database.read(lambda tx: tx.resources.get("Consent", consent["id"]))
    assert stored is not None
    revoked = {name: value for name, value in stored.body.items() if name != "meta"} | {"status": "inactive"}

    world.gateway.file_consent(POLICE, revoked, consent["id"], stored.version)
    world.take({**CONTACT, "consent_status": "signed", "consent_form": "agreement", "self_harm": "Y"})

    kept = world.database.read(lambda tx: tx.resources.get("Consent", consent["id"]))
    assert kept is not None
    assert kept.body["status"] == "inactive"
    assert len(world.transport.sent) == 1


def test_a_consent_about_nobody_we_know_is_refused() -> None:
    world = a_world()
    world.take(CONTACT)
    consent = {**a_consent(world, "permit"), "patient": {"reference": "Patient/nobody"}}

    problem = world.gateway.file_consent(POLICE, consent, None, None)

    assert isinstance(problem, Problem)
    assert (problem.status, problem.expression) == (422, "Consent.patient")
