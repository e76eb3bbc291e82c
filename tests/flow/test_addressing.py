"""One referral for each recipient, and none of them learns of the others."""

from typing import Any

from gateway.flow.addressing import Addressing, address, for_referral
from gateway.model.route import Recipient

KEY = b"k" * 32
HOSPITAL = Recipient("org:hospital", "fhir", ("TREAT",), None, "routes.yaml:1")
CLINIC = Recipient("org:clinic", "hl7v2", ("TREAT",), None, "routes.yaml:2")
SERVICE = "https://warmhandoff.example/fhir/CodeSystem/service"
REFERRAL = "https://warmhandoff.example/id/referral"


def a_record(patient: str = "p1") -> list[dict[str, Any]]:
    return [
        {"resourceType": "Patient", "id": patient},
        {
            "resourceType": "ServiceRequest", "id": "sr", "code": {"coding": [{"system": SERVICE, "code": "detox"}]},
            "identifier": [{"system": REFERRAL, "value": "old"}], "status": "active",
        },
        {
            "resourceType": "Task", "id": "t", "status": "requested", "focus": {"reference": "ServiceRequest/sr"},
            "identifier": [{"system": REFERRAL, "value": "old"}],
        },
        {
            "resourceType": "Provenance", "id": "pv",
            "target": [{"reference": one} for one in ("ServiceRequest/sr", "Task/t", f"Patient/{patient}")],
        },
    ]  # fmt: skip


def addressed(
    record: list[dict[str, Any]], *recipients: Recipient, known: dict[str, dict[str, Any]] | None = None
) -> Addressing:
    return address(
        record,
        key=KEY,
        choose=lambda services, priority: recipients if services == {"detox"} else (),
        reference=lambda organization: {"identifier": {"value": organization}},
        known_tasks=known or {},
    )


def test_each_recipient_gets_a_request_and_a_task_of_its_own() -> None:
    result = addressed(a_record(), HOSPITAL, CLINIC)

    assert [one.task["owner"]["identifier"]["value"] for one in result.referrals] == ["org:hospital", "org:clinic"]
    assert len({one.task["id"] for one in result.referrals} | {"t"}) == 3
    assert [r["resourceType"] for r in result.resources].count("ServiceRequest") == 2


def test_the_placer_identifier_of_request_and_task_agree_and_differ_by_recipient() -> None:
    first, second = addressed(a_record(), HOSPITAL, CLINIC).referrals

    assert first.task["identifier"] == first.service_request["identifier"]
    assert first.identifier != second.identifier


def test_provenance_follows_to_every_copy() -> None:
    result = addressed(a_record(), HOSPITAL, CLINIC)
    provenance = next(r for r in result.resources if r["resourceType"] == "Provenance")

    assert len(provenance["target"]) == 5


def test_the_same_record_addresses_the_same_task_again() -> None:
    assert (
        addressed(a_record(), HOSPITAL).referrals[0].task["id"]
        == addressed(a_record(), HOSPITAL).referrals[0].task["id"]
    )


def test_another_person_never_shares_a_task() -> None:
    one, other = addressed(a_record("p1"), HOSPITAL), addressed(a_record("p2"), HOSPITAL)

    assert one.referrals[0].task["id"] != other.referrals[0].task["id"]


def test_a_recipients_answers_survive_a_new_import() -> None:
    task_id = addressed(a_record(), HOSPITAL).referrals[0].task["id"]
    answered = {"id": task_id, "status": "accepted", "statusReason": {"text": "bed free"}}

    again = addressed(a_record(), HOSPITAL, known={task_id: answered})

    assert again.referrals[0].task["status"] == "accepted"
    assert again.referrals[0].task["statusReason"] == {"text": "bed free"}


def test_the_recipients_own_number_survives_a_new_import() -> None:
    """A new version of the Task without it would tell that the record changed, in parts nobody sees."""
    (first,) = addressed(a_record(), HOSPITAL).referrals
    filler = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "FILL"}]}
    answered = {**first.task, "identifier": [*first.task["identifier"], {"type": filler, "value": "H-77"}]}

    (again,) = addressed(a_record(), HOSPITAL, known={first.task["id"]: answered}).referrals

    assert again.task == answered


def test_an_uncovered_referral_stays_unaddressed_and_is_named() -> None:
    result = addressed(a_record())

    assert result.unrouted == ["sr"]
    assert [r["id"] for r in result.resources] == ["p1", "sr", "t", "pv"]


def test_what_one_recipient_gets_names_no_other() -> None:
    result = addressed(a_record(), HOSPITAL, CLINIC)
    own, other = result.referrals

    content = for_referral(result.resources, own.task["id"], own.service_request["id"])

    assert other.task["id"] not in str(content)
    assert other.service_request["id"] not in str(content)
    assert "org:clinic" not in str(content)


def test_a_plans_activity_follows_its_referral() -> None:
    plan = {"resourceType": "CarePlan", "id": "cp", "activity": [{"reference": {"reference": "ServiceRequest/sr"}}]}

    result = addressed([*a_record(), plan], HOSPITAL, CLINIC)

    followed = next(r for r in result.resources if r["resourceType"] == "CarePlan")["activity"]
    assert [one["reference"]["reference"] for one in followed] == [
        f"ServiceRequest/{one.service_request['id']}" for one in result.referrals
    ]
