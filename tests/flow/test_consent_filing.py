"""What partners do to consents by FHIR: filed with their paper, taken back by whom it concerns, and by nobody else."""

import base64
import re
from dataclasses import replace
from typing import Any

import orjson
import pytest

from gateway.flow.consents.changes import A_NO
from gateway.flow.people import PERSON_ID
from gateway.model.caller import Caller
from gateway.model.consent_life import Revoking
from gateway.model.exchange import NOT_FOUND, Answer, Problem
from tests.support.consent_desk import (
    KIM,
    LEE,
    PDF,
    a_form,
    a_record_with_release,
    a_refused_referral,
    capture,
    hand_in,
    line_of,
    patient_of,
    signed,
    states,
    stored,
    told,
)
from tests.support.flow_house import HOSPITAL, POLICE, World, a_caller
from tests.support.part2_world import a_consent, a_permit

LEAD = a_caller("demo-lead", "org:demo-lead")
SHELTER = a_caller("demo-shelter", "org:demo-shelter")
NPI = "http://hl7.org/fhir/sid/us-npi"
PARTNER = "https://warmhandoff.example/id/partner"
HOSPITAL_ACTOR = {
    "role": {"coding": [{"code": "IRCP"}]},
    "reference": {"identifier": {"system": NPI, "value": "9999999001"}},
}


def a_filed_consent(world: World, **changes: Any) -> dict[str, Any]:
    """What the program's own system would file for the referral that waits."""
    patient = {"reference": f"Patient/{patient_of(world)}"}
    consent = {
        **a_consent(a_permit(actor=[HOSPITAL_ACTOR])),
        "patient": patient,
        "performer": [patient],
        "organization": [{"identifier": {"system": PARTNER, "value": "demo-lead"}}],
        "scope": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]
        },
        "policyRule": {"text": "42 CFR part 2"},
        **changes,
    }
    return {name: value for name, value in consent.items() if name not in ("id", "meta", "sourceReference")}


def a_document(data: bytes = PDF, media_type: str = "application/pdf") -> dict[str, Any]:
    attachment = {"contentType": media_type, "data": base64.b64encode(data).decode()}
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "type": {"coding": [{"system": "http://loinc.org", "code": "59284-0"}]},
        "content": [{"attachment": attachment}],
    }


def file(world: World, caller: Caller = LEAD, **changes: Any) -> str:
    filed = world.gateway.file_with_document(caller, a_filed_consent(world, **changes), a_document())
    assert isinstance(filed, Answer), filed
    world.work()
    return str(orjson.loads(filed.body)["id"])


def revoke(
    world: World, caller: Caller, consent_id: str, *recipients: str, document: dict[str, Any] | None = None
) -> Problem | None:
    patient = {"reference": f"Patient/{patient_of(world)}"}
    consent = {"reference": f"Consent/{consent_id}"}
    return world.gateway.revoke_consent(caller, consent, patient, document, Revoking("written", recipients))


def test_the_program_files_a_consent_with_its_paper_and_it_counts_at_once() -> None:
    world = a_refused_referral()

    consent_id = file(world)

    assert states(world) == {"delivered"}
    paper = world.gateway.consent_desk.paper(KIM, consent_id)
    assert paper is not None
    assert (paper.media_type, paper.content) == ("application/pdf", PDF)
    assert all(b"JVBERi" not in one.inputs for one in world.database.state.decisions.values())


def a_referral_that_waits_after_one_that_went() -> World:
    """The hospital has received something of the person, whose consent to more was taken back."""
    world = a_refused_referral()
    first = file(world)
    assert revoke(world, LEAD, first) is None
    hand_in(world, "find work")
    return world


def test_what_a_recipient_files_waits_for_a_person_and_then_counts() -> None:
    world = a_referral_that_waits_after_one_that_went()
    sent = len(world.transport.sent)

    consent_id = file(world, HOSPITAL)
    before = len(world.transport.sent)
    verified = world.gateway.consent_desk.verify(LEE, consent_id, "a call to the program")
    world.work()

    assert before == sent
    assert verified is None
    assert len(world.transport.sent) > sent


def test_a_questionnaire_is_a_paper_too() -> None:
    world = a_refused_referral()
    answers = {"resourceType": "QuestionnaireResponse", "status": "completed"}

    assert isinstance(world.gateway.file_with_document(LEAD, a_filed_consent(world), answers), Answer)
    world.work()

    assert states(world) == {"delivered"}


@pytest.mark.parametrize(
    "document", [a_document(b"MZ"), a_document(PDF, "text/html"), a_document(bytes(11 * 1024 * 1024))]
)
def test_a_paper_that_is_none_is_refused_and_nothing_is_kept(document: dict[str, Any]) -> None:
    world = a_refused_referral()
    before = set(world.database.state.resources)

    refused = world.gateway.file_with_document(LEAD, a_filed_consent(world), document)

    assert isinstance(refused, Problem)
    assert (refused.status, refused.expression) == (422, "DocumentReference.content.attachment")
    assert set(world.database.state.resources) == before


def test_a_consent_filed_with_a_link_to_an_older_one_ends_it() -> None:
    world = a_refused_referral()
    older = capture(world, signed(world, a_form(world)))
    link = {
        "url": "https://warmhandoff.example/fhir/StructureDefinition/part2-supersedes",
        "valueReference": {"reference": f"Consent/{older}"},
    }
    extensions = [*a_filed_consent(world)["extension"], link]

    newer = file(world, extension=extensions)

    assert line_of(world, older).words == f"replaced by {newer}"


def test_who_only_receives_ends_nothing_by_such_a_link() -> None:
    world = a_refused_referral()
    older = capture(world, signed(world, a_form(world)))
    link = {
        "url": "https://warmhandoff.example/fhir/StructureDefinition/part2-supersedes",
        "valueReference": {"reference": f"Consent/{older}"},
    }
    assert states(world) == {"delivered"}

    file(world, HOSPITAL, extension=[*a_filed_consent(world)["extension"], link])

    assert stored(world, older)["status"] == "active"


def test_a_program_ends_nothing_of_another_by_such_a_link() -> None:
    """42 CFR 2.31(a)(6): a no is replaced by a form of the person, not by whoever knows its id."""
    world = a_refused_referral()
    no = capture(world, a_form(world, outcome="refused", disclosers=("org:demo-clinic",)))
    problems = []
    for one in (no, "nobodys"):
        link = {
            "url": "https://warmhandoff.example/fhir/StructureDefinition/part2-supersedes",
            "valueReference": {"reference": f"Consent/{one}"},
        }
        body = a_filed_consent(world, extension=[*a_filed_consent(world)["extension"], link])
        problems += [
            world.gateway.file_with_document(LEAD, body, a_document()),
            world.gateway.file_consent(LEAD, body, None, None),
        ]

    assert isinstance(problems[0], Problem)
    assert problems[0].status == 422
    assert problems == [problems[0]] * 4
    assert stored(world, no)["status"] == "active"


def test_the_program_takes_a_consent_back_and_nothing_more_leaves() -> None:
    world = a_refused_referral()
    consent_id = capture(world, signed(world, a_form(world)))

    assert revoke(world, LEAD, consent_id, document=a_document()) is None
    hand_in(world, "find work")

    assert stored(world, consent_id)["status"] == "inactive"
    assert world.states()[-1][1] == "refused"


def test_a_recipient_that_has_received_on_it_takes_back_its_own_access_only() -> None:
    world = a_refused_referral()
    consent_id = capture(world, signed(world, a_form(world)))

    assert revoke(world, HOSPITAL, consent_id) is None
    hand_in(world, "find work")

    assert stored(world, consent_id)["status"] == "active"
    assert told(world, "consent.revoked") == [
        {"consent": consent_id, "version": 2, "method": "written", "recipients": ["org:demo-hospital"]}
    ]
    assert world.states()[-1][1] == "refused"


def test_the_consent_that_a_recipient_received_on_is_named_to_it_and_not_shown() -> None:
    """It says by that name what the person takes back; whom else the consent names is not for it."""
    world = a_refused_referral()

    consent_id = file(world)

    sent = b"".join(disclosure.body for disclosure, _, _ in world.transport.sent)
    named = set(re.findall(rb'"resource":"https://warmhandoff.example/fhir/Consent/([^"]+)"', sent))
    assert named == {consent_id.encode()}
    assert world.gateway.read(HOSPITAL, "Consent", consent_id) is None
    assert revoke(world, HOSPITAL, consent_id) is None


def test_a_no_is_not_taken_back_but_replaced() -> None:
    world = a_refused_referral()
    file(world)
    no = file(world, provision={"type": "deny"})

    refused = revoke(world, LEAD, no, document=a_document())

    assert refused is A_NO
    assert stored(world, no)["status"] == "active"
    hand_in(world, "find work")
    assert world.states()[-1][1] == "refused"


def test_what_a_no_stopped_is_decided_again_when_its_author_ends_it() -> None:
    world = a_refused_referral()
    no = file(world, provision={"type": "deny"})
    file(world)
    before = states(world)

    ended = {**stored(world, no), "status": "inactive"}
    assert isinstance(world.gateway.file_consent(LEAD, ended, no, 1), Answer)
    world.work()

    assert before == {"refused"}
    assert states(world) == {"delivered"}


def test_to_everybody_else_the_consent_does_not_exist() -> None:
    world = a_refused_referral()
    consent_id = capture(world, signed(world, a_form(world)))

    assert revoke(world, SHELTER, consent_id) is NOT_FOUND
    assert revoke(world, POLICE, consent_id) is NOT_FOUND
    assert revoke(world, LEAD, "nobodys") is NOT_FOUND
    elsewhere = {"reference": "Patient/nobody"}
    consent = {"reference": f"Consent/{consent_id}"}
    assert world.gateway.revoke_consent(LEAD, consent, elsewhere, None, Revoking("written")) is NOT_FOUND
    assert stored(world, consent_id)["status"] == "active"


def test_a_recipient_that_got_nothing_on_a_consent_does_not_learn_of_it() -> None:
    world = a_refused_referral()
    consent_id = capture(world, signed(world, a_form(world, purposes=("payment",))))

    assert states(world) == {"refused"}
    assert revoke(world, HOSPITAL, consent_id) is NOT_FOUND


def test_the_same_revocation_twice_is_one() -> None:
    world = a_refused_referral()
    consent_id = capture(world, signed(world, a_form(world)))

    assert [revoke(world, LEAD, consent_id, "org:demo-hospital") for _ in range(2)] == [None, None]

    assert stored(world, consent_id)["meta"]["versionId"] == "2"


def test_a_revoked_consent_of_a_record_is_not_brought_back_by_the_next_import() -> None:
    world, consent_id = a_record_with_release()

    assert revoke(world, LEAD, consent_id) is None
    hand_in(world, "find work")

    assert stored(world, consent_id)["status"] == "inactive"


def test_another_patient_of_the_same_person_is_none_of_the_consent() -> None:
    """A yes would tell whoever names it that it is one, and that it is kept here."""
    world = a_refused_referral()
    consent_id = capture(world, signed(world, a_form(world)))
    (person,) = world.database.state.people.values()
    known = replace(person, patient_ids=(*person.patient_ids, "another"))
    world.database.write(lambda tx: tx.people.save(known, world.clock()))
    consent, revoking = {"reference": f"Consent/{consent_id}"}, Revoking("written")

    by_another = world.gateway.revoke_consent(LEAD, consent, {"reference": "Patient/another"}, None, revoking)
    number = {"identifier": {"system": PERSON_ID, "value": patient_of(world)}}
    by_its_number = world.gateway.revoke_consent(LEAD, consent, number, None, revoking)

    assert by_another is NOT_FOUND
    assert by_its_number is None
    assert stored(world, consent_id)["status"] == "inactive"
