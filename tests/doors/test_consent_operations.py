"""`Consent/$file-consent` and `$revoke-consent` over HTTP, on the house with its real rules, in memory."""

import base64
from typing import Any

import orjson
import pytest

from tests.flow.test_consent_filing import HOSPITAL_ACTOR, PARTNER, a_document
from tests.support.part2_world import a_consent, a_permit
from tests.support.shared_data import shared_data
from tests.support.two_worlds import HOSPITAL, OFFICE, POLICE, RELEASES, Seen, TwoWorld, case

FILE, REVOKE = "/fhir/R4/Consent/$file-consent", "/fhir/R4/Consent/$revoke-consent"


@pytest.fixture
def world() -> TwoWorld:
    """A program's referral of a person who agreed to be referred and signed nothing yet."""
    world = TwoWorld("fhir", has_program_part=True)
    world.hand_in([case(1, 0, OFFICE, "SUD treatment", "stay sober", RELEASES["agreed to be referred"])])
    return world


def patient_of(world: TwoWorld) -> dict[str, str]:
    (patient,) = (key for kind, key in world.state.resources if kind == "Patient")
    return {"reference": f"Patient/{patient}"}


def a_filed_consent(world: TwoWorld) -> dict[str, Any]:
    consent = a_consent(a_permit(actor=[HOSPITAL_ACTOR]), patient=patient_of(world), performer=[patient_of(world)])
    office = [{"identifier": {"system": PARTNER, "value": "demo-lead"}}]
    return {key: one for key, one in consent.items() if key not in ("id", "meta", "sourceReference")} | {
        "organization": office,
        "policyRule": {"text": "42 CFR part 2"},
    }


def post(world: TwoWorld, path: str, *parameter: Any, client: str = OFFICE) -> tuple[int, dict[str, Any], Seen]:
    answer = world.http(client, "POST", path, {"resourceType": "Parameters", "parameter": list(parameter)})
    return answer[0], orjson.loads(answer[2]), answer


def file(world: TwoWorld, client: str = OFFICE, path: str = FILE) -> str:
    status, body, answer = post(
        world,
        path,
        {"name": "consent", "resource": a_filed_consent(world)},
        {"name": "document", "resource": a_document()},
        client=client,
    )
    assert status == 200, body
    assert body["issue"][0]["severity"] == "information"
    world.work()
    return str(dict(answer[1])["Location"]).rpartition("/")[2]


def what_reached_the_hospital(world: TwoWorld) -> bytes:
    return b"".join(message for _, message in world.wire.sent)


def revocation(world: TwoWorld, consent_id: str, *more: Any) -> list[Any]:
    return [
        {"name": "consent", "valueReference": {"reference": f"Consent/{consent_id}"}},
        {"name": "patient", "valueReference": patient_of(world)},
        *more,
    ]


@pytest.mark.parametrize("path", [FILE, "/fhir/R4/Consent/$fileConsent"])
def test_a_filed_consent_lets_the_programs_part_go(world: TwoWorld, path: str) -> None:
    before = what_reached_the_hospital(world)

    consent_id = file(world, path=path)

    assert b"stay sober" not in before
    assert b"stay sober" in what_reached_the_hospital(world)
    assert ("Consent", consent_id) in world.state.resources


def test_what_a_recipient_files_opens_nothing(world: TwoWorld) -> None:
    """The hospital has received something of the person before, on a consent that was taken back."""
    post(world, REVOKE, *revocation(world, file(world)))
    world.hand_in([case(1, 0, OFFICE, "SUD treatment", "find work", RELEASES["agreed to be referred"])])

    file(world, client=HOSPITAL)

    assert b"stay sober" in what_reached_the_hospital(world)
    assert b"find work" not in what_reached_the_hospital(world)


@pytest.mark.parametrize("path", [REVOKE, "/fhir/R4/Consent/$revokeConsent"])
def test_a_revocation_is_in_force_when_it_is_answered(world: TwoWorld, path: str) -> None:
    consent_id = file(world)
    world.wire.sent.clear()

    status, body, _ = post(world, path, *revocation(world, consent_id))
    world.hand_in([case(1, 0, OFFICE, "SUD treatment", "find work", RELEASES["agreed to be referred"])])

    assert (status, body["resourceType"]) == (200, "OperationOutcome")
    assert world.state.resources["Consent", consent_id].body["status"] == "inactive"
    assert b"find work" not in what_reached_the_hospital(world)


def test_a_revocation_says_how_and_for_whom(world: TwoWorld) -> None:
    consent_id = file(world)
    method = {"name": "method", "valueCode": "oral"}
    recipient = {"name": "recipient", "valueReference": HOSPITAL_ACTOR["reference"]}

    status, _, _ = post(world, REVOKE, *revocation(world, consent_id, method, recipient))

    (told,) = (one for one in world.database.audit if one.kind == "consent.revoked")
    assert status == 200
    assert (told.data["method"], told.data["recipients"]) == ("oral", ["org:demo-hospital"])


def test_a_revocation_with_its_paper_was_in_writing(world: TwoWorld) -> None:
    consent_id = file(world)

    post(world, REVOKE, *revocation(world, consent_id, {"name": "document", "resource": a_document()}))

    (told,) = (one for one in world.database.audit if one.kind == "consent.revoked")
    assert told.data["method"] == "written"


def test_a_strangers_consent_and_none_are_the_same_answer(world: TwoWorld) -> None:
    consent_id = file(world)

    def seen(one: str) -> tuple[Any, ...]:
        _, _, (status, headers, body) = post(world, REVOKE, *revocation(world, one), client=POLICE)
        return status, headers, body

    assert seen(consent_id) == seen("nobodys")
    assert seen(consent_id)[0] == 404


@pytest.mark.parametrize(
    ("path", "parameter", "status"),
    [
        (FILE, [], 400),
        (FILE, [{"name": "consent", "resource": {"resourceType": "Patient"}}], 400),
        (FILE, [{"name": "comment", "valueString": "x"}], 400),
        (REVOKE, [{"name": "consent", "valueReference": {"reference": "Consent/x"}}], 400),
        (REVOKE, [{"name": "method", "valueCode": "by telepathy"}], 400),
    ],
)
def test_a_question_that_cannot_be_taken_as_it_was_meant_is_refused(
    world: TwoWorld, path: str, parameter: list[Any], status: int
) -> None:
    assert post(world, path, *parameter)[0] == status


@pytest.mark.parametrize(
    "parameter",
    [
        ['{"name": "consent"}'],
        [{"name": "consent", "valueReference": '{"reference": "Consent/x"}'}],
        [{"name": "consent", "resource": {"resourceType": "Consent", "patient": ' {"reference": "Patient/x"}'}}],
        [{"name": "consent", "_name": "2026"}],
    ],
)
def test_an_object_that_is_written_as_text_is_none(world: TwoWorld, parameter: list[Any]) -> None:
    status, body, _ = post(world, REVOKE, *parameter)

    assert (status, body["issue"][0]["code"]) == (422, "structure")


def test_null_is_no_list_of_parameters(world: TwoWorld) -> None:
    assert world.http(OFFICE, "POST", REVOKE, {"resourceType": "Parameters", "parameter": None})[0] == 422


def test_a_recipient_nobody_registered_is_never_left_out_silently(world: TwoWorld) -> None:
    consent_id = file(world)
    recipient = {"name": "recipient", "valueReference": {"identifier": {"system": PARTNER, "value": "unheard-of"}}}

    status, body, _ = post(world, REVOKE, *revocation(world, consent_id, recipient))

    assert (status, body["issue"][0]["expression"]) == (400, ["Parameters.parameter.where(name='recipient')"])
    assert world.state.resources["Consent", consent_id].body["status"] == "active"


def test_a_file_larger_than_any_scan_is_refused(world: TwoWorld) -> None:
    document = a_document()
    document["content"][0]["attachment"]["data"] = base64.b64encode(bytes(12 * 1024 * 1024)).decode()

    status, _, _ = post(
        world,
        FILE,
        {"name": "consent", "resource": a_filed_consent(world)},
        {"name": "document", "resource": document},
    )

    assert status == 413


def test_the_capability_statement_names_both(world: TwoWorld) -> None:
    statement = orjson.loads(world.http(OFFICE, "GET", "/fhir/R4/metadata")[2])

    (consent,) = (one for one in statement["rest"][0]["resource"] if one["type"] == "Consent")
    assert [one["name"] for one in consent["operation"]] == ["evaluate", "file-consent", "revoke-consent"]


def test_the_guides_own_example_is_read_up_to_its_patient_whom_nobody_here_knows(world: TwoWorld) -> None:
    example = shared_data("exchange", "examples", "fast-consent", "Parameters-FileConsentQuestionnaireExample.json")

    status, body, _ = post(world, FILE, *orjson.loads(example.read_bytes())["parameter"])

    assert (status, body["issue"][0]["expression"]) == (422, ["Consent.patient"])
