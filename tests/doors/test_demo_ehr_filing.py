"""What the stand-in EHR files, what it refuses and how it says so, by FHIR and by HL7v2."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from gateway.demo.receiving_ehr.app import make_app
from gateway.demo.receiving_ehr.front_desk import Names
from gateway.demo.receiving_ehr.mllp import Intake
from gateway.demo.receiving_ehr.records import Records
from tests.support.demo_referrals import a_ref, a_transaction


@dataclass
class Ehr:
    """A stand-in EHR without its threads."""

    http: FlaskClient
    mllp: Intake

    def say(self, message: str) -> str:
        """Hand over one HL7v2 message and return the answer's text."""
        answer = self.mllp.take(message.encode())
        assert answer is not None
        return answer.decode()

    def received(self) -> dict[str, Any]:
        """Return what the EHR says it holds."""
        held: dict[str, Any] = self.http.get("/received").get_json()
        return held


def _now() -> datetime:
    return datetime(2026, 11, 22, 18, 30, tzinfo=UTC)


@pytest.fixture
def ehr(tmp_path: Path) -> Iterator[Ehr]:
    records = Records(tmp_path / "ehr.sqlite")
    names = Names("EHR", "HOSPITAL", "WARM_HANDOFF", "WARM_HANDOFF")
    app = make_app(records, now=_now, new_id=(f"id-{n}" for n in count(1)), names=names, pace_s=0)
    yield Ehr(app.test_client(), Intake(records, _now, names, 0))
    records.close()


def test_transaction_is_filed_and_its_references_follow(ehr: Ehr) -> None:
    answer = ehr.http.post("/fhir", json=a_transaction())

    assert answer.status_code == 200
    assert [entry["response"]["status"] for entry in answer.get_json()["entry"]] == ["201 Created"] * 3
    found = ehr.http.get("/fhir/Task", query_string={"identifier": "urn:oid:2.999.2|ref-1"}).get_json()
    task = found["entry"][0]["resource"]
    patient = ehr.http.get(f"/fhir/{task['for']['reference']}")
    assert patient.get_json()["name"] == [{"family": "Otter-Test"}]
    assert patient.headers["ETag"] == 'W/"1"'


def test_same_transaction_twice_files_nothing_new(ehr: Ehr) -> None:
    ehr.http.post("/fhir", json=a_transaction())
    again = ehr.http.post("/fhir", json=a_transaction(family="Changed-Test"))

    assert [entry["response"]["status"] for entry in again.get_json()["entry"]] == ["200 OK"] * 3
    assert ehr.received()["resources"] == {"Patient": 1, "ServiceRequest": 1, "Task": 1}
    patients = ehr.http.get("/fhir/Patient").get_json()["entry"]
    assert patients[0]["resource"]["name"] == [{"family": "Otter-Test"}]


def test_conditional_update_changes_what_is_filed(ehr: Ehr) -> None:
    ehr.http.post("/fhir", json=a_transaction())
    changed = a_transaction(family="Changed-Test")
    for entry in changed["entry"]:
        identifier = entry["resource"]["identifier"][0]
        query = f"identifier={identifier['system']}%7C{identifier['value']}"
        entry["request"] = {"method": "PUT", "url": f"{entry['resource']['resourceType']}?{query}"}

    answer = ehr.http.post("/fhir", json=changed)

    assert [entry["response"]["etag"] for entry in answer.get_json()["entry"]] == ['W/"2"'] * 3
    patients = ehr.http.get("/fhir/Patient").get_json()["entry"]
    assert [entry["resource"]["name"] for entry in patients] == [[{"family": "Changed-Test"}]]
    assert [referral["arrivals"] for referral in ehr.received()["referrals"]] == [2]


def _without_status(bundle: dict[str, Any]) -> None:
    del bundle["entry"][2]["resource"]["status"]


def _dangling(bundle: dict[str, Any]) -> None:
    bundle["entry"][2]["resource"]["focus"] = {"reference": "ServiceRequest/nobody"}


def _junk_element(bundle: dict[str, Any]) -> None:
    bundle["entry"][0]["resource"]["badge"] = "7"


def _batch(bundle: dict[str, Any]) -> None:
    bundle["type"] = "batch"


def _unknown_condition(bundle: dict[str, Any]) -> None:
    bundle["entry"][0]["request"]["ifNoneExist"] = "name=Otter-Test"


@pytest.mark.parametrize(
    ("spoil", "status", "code"),
    [
        (_without_status, 422, "required"),
        (_dangling, 422, "not-found"),
        (_junk_element, 422, "structure"),
        (_batch, 422, "not-supported"),
        (_unknown_condition, 412, "not-supported"),
    ],
)
def test_faulty_transaction_is_refused_whole(ehr: Ehr, spoil: Any, status: int, code: str) -> None:
    bundle = a_transaction()
    spoil(bundle)

    answer = ehr.http.post("/fhir", json=bundle)

    assert answer.status_code == status
    assert answer.get_json()["issue"][0]["code"] == code
    assert ehr.received()["resources"] == {}
    assert [arrival["outcome"] for arrival in ehr.received()["arrivals"]] == [str(status)]


def test_body_that_is_no_json_is_refused_and_kept(ehr: Ehr) -> None:
    answer = ehr.http.post("/fhir", data=b"{broken")

    assert (answer.status_code, answer.get_json()["issue"][0]["code"]) == (400, "structure")
    assert ehr.http.get("/received/1").data == b"{broken"


def test_same_message_again_gets_the_same_answer_and_no_second_referral(ehr: Ehr) -> None:
    first = ehr.say(a_ref())
    second = ehr.say(a_ref())

    assert second == first
    assert len(ehr.received()["referrals"]) == 1
    assert len(ehr.received()["arrivals"]) == 1


def test_same_message_id_with_other_content_is_an_error(ehr: Ehr) -> None:
    ehr.say(a_ref())

    answer = ehr.say(a_ref(rf1="RF1|P|R|Psy|||ref-8"))

    assert "\rMSA|AE|m-1\r" in answer
    assert "\rERR||MSH^1^10|205^^HL70357|E" in answer
    assert [referral["placer"] for referral in ehr.received()["referrals"]] == ["ref-7"]


@pytest.mark.parametrize(
    ("message", "lines"),
    [
        (a_ref(rf1="RF1|P|R|Psy||"), ["MSA|AE|m-1", "ERR||RF1^1^6|101^^HL70357|E"]),
        (a_ref().replace("PID|1", "ZID|1"), ["MSA|AE|m-1", "ERR||PID^1^3|101^^HL70357|E"]),
        (a_ref().replace("REF^I12^REF_I12", "ORU^R01"), ["MSA|AR|m-1", "ERR||MSH^1^9|200^^HL70357|E"]),
        (a_ref().replace("REF^I12^REF_I12", "REF^I99"), ["MSA|AR|m-1", "ERR||MSH^1^9|201^^HL70357|E"]),
    ],
)
def test_message_that_cannot_be_filed_is_told_why(ehr: Ehr, message: str, lines: list[str]) -> None:
    answer = ehr.say(message).split("\r")

    assert answer[1:3] == lines
    assert ehr.received()["referrals"] == []


def test_person_sees_a_page(ehr: Ehr) -> None:
    ehr.http.post("/fhir", json=a_transaction())

    page = ehr.http.get("/received", headers={"Accept": "text/html"})

    assert "Received by the stand-in EHR" in page.text
    assert "Otter-Test" in page.text


def test_type_without_identifier_is_created_once_by_its_tag(ehr: Ehr) -> None:
    bundle = a_transaction()
    bundle["entry"].append(
        {
            "fullUrl": "urn:uuid:0c5f1e6e-0000-4000-8000-000000000001",
            "resource": {
                "resourceType": "Provenance",
                "meta": {"tag": [{"system": "https://warmhandoff.example/id/resource", "code": "prov-1"}]},
                "target": [{"reference": "https://warmhandoff.example/fhir/Task/t1"}],
                "recorded": "2026-11-22T18:30:00Z",
                "agent": [{"who": {"identifier": {"value": "demo-pd"}}}],
            },
            "request": {
                "method": "POST",
                "url": "Provenance",
                "ifNoneExist": "_tag=https%3A%2F%2Fwarmhandoff.example%2Fid%2Fresource%7Cprov-1",
            },
        }
    )

    ehr.http.post("/fhir", json=bundle)
    again = ehr.http.post("/fhir", json=bundle).get_json()

    assert again["entry"][3]["response"]["status"] == "200 OK"
    assert ehr.received()["resources"]["Provenance"] == 1


def test_update_of_an_accepted_task_is_a_change_of_its_referral(ehr: Ehr) -> None:
    ehr.http.post("/fhir", json=a_transaction())
    changed = a_transaction()
    task = changed["entry"][2]
    task["resource"]["status"] = "accepted"
    task["request"] = {"method": "PUT", "url": "Task?identifier=urn:oid:2.999.2%7Cref-1"}

    ehr.http.post("/fhir", json=changed)

    assert [referral["arrivals"] for referral in ehr.received()["referrals"]] == [2]


def test_task_that_is_over_when_it_first_comes_asks_for_nothing(ehr: Ehr) -> None:
    over = a_transaction()
    over["entry"][2]["resource"]["status"] = "completed"

    ehr.http.post("/fhir", json=over)

    assert ehr.received()["referrals"] == []
