"""The HTTP side on a real installation: what `gateway init` writes, with the work done between the requests."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from gateway.catalog import shipped
from gateway.cli import main
from gateway.flow.work import work_once
from gateway.settings import Settings, read_settings
from gateway.web.tokens import issue
from gateway.wiring import clock
from gateway.wiring.installation import Installation, open_installation

EXAMPLES = shipped("mappings", "co-responder-contact", "examples")
A_CONTACT = EXAMPLES / "01-an-officer-and-a-clinician.in.csv"


@dataclass(frozen=True)
class Road:
    """A running installation without threads of its own, so that a test says when work is done."""

    installation: Installation
    settings: Settings
    link: str

    def client(self, name: str | None = None) -> FlaskClient:
        client = self.installation.app.test_client()
        if name is not None:
            token = issue(name, self.settings.secret("token"), token_id="t", at=clock())
            client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return client

    def work(self) -> None:
        while work_once(self.installation.gateway.house, "a-test"):
            pass


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    folder: Path = tmp_path_factory.mktemp("installation") / "gateway"
    told = CliRunner().invoke(main, ["init", str(folder)])
    assert told.exit_code == 0, told.output
    link = re.search(r"/console/welcome/\S+", told.output)
    assert link is not None
    settings = read_settings(folder)
    installation = open_installation(settings)
    yield Road(installation, settings, link[0])
    installation.stop(1)


@pytest.fixture(scope="module")
def receipt(road: Road) -> str:
    """The address of the receipt of a contact that has been converted."""
    answer = road.client("demo-agency").post("/intake/co-responder-contact", data=A_CONTACT.read_bytes())
    assert answer.status_code == 202, answer.text
    road.work()
    return answer.headers["Location"]


def test_the_receipt_of_the_police_says_that_it_was_read_and_nothing_more(road: Road, receipt: str) -> None:
    answer = road.client("demo-agency").get(receipt).json

    assert answer is not None
    assert answer["state"] == "converted"
    assert {record["state"] for record in answer["records"]} == {"converted"}
    assert all(record["ids"] == [] for record in answer["records"])


def test_the_same_file_again_has_the_same_receipt(road: Road, receipt: str) -> None:
    again = road.client("demo-agency").post("/intake/co-responder-contact", data=A_CONTACT.read_bytes())

    assert again.headers["Location"] == receipt


def test_a_stranger_cannot_tell_a_record_that_is_there_from_one_that_is_not(road: Road, receipt: str) -> None:
    client = road.client("demo-clinic-ehr")
    handoffs = road.installation.gateway.database.read(
        lambda tx: [tx.handoffs.resources(record.handoff_id or "") for record in tx.inputs.records(receipt[17:])]
    )
    held_back = next(r for r in handoffs[0] if r["resourceType"] == "Provenance")

    there = client.get(f"/fhir/R4/Provenance/{held_back['id']}")
    nowhere = client.get("/fhir/R4/Provenance/nowhere")

    assert (there.status_code, there.data) == (404, nowhere.data)


def test_staff_enter_by_the_link_of_init_and_open_the_record(road: Road, receipt: str) -> None:
    browser = road.client()
    page = browser.get(road.link).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    entered = browser.post(
        road.link, data={"csrf_token": token[1], "password": "four plain words", "again": "four plain words"}
    )
    assert entered.headers["Location"] == "/console/"

    listed = browser.get("/console/records").text
    (record, *_) = re.findall(r'href="(/console/records/\w+)"', listed)
    shown = browser.get(record).text

    assert "Ari" not in listed
    assert "Decisions" in shown
    assert "Encounter" in shown


def test_a_consent_that_is_not_valid_is_refused_with_the_place(road: Road) -> None:
    answer = road.client("demo-agency").post(
        "/fhir/R4/Consent", data=orjson.dumps({"resourceType": "Consent"}), content_type="application/fhir+json"
    )

    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["issue"][0]["expression"][0].startswith("Consent")


@pytest.mark.parametrize(
    "body",
    [
        {"statusReason": "text", "status": "accepted"},
        {"status": ["accepted"]},
        {"businessStatus": {"coding": "x"}},
        {"meta": [], "status": "accepted"},
        {"output": {}, "note": 7, "status": "accepted"},
    ],
)
def test_no_shape_of_a_task_breaks_the_server(road: Road, receipt: str, body: dict[str, object]) -> None:
    client = road.client("demo-ehr")
    found = client.get("/fhir/R4/Task").json
    assert found is not None
    for entry in found.get("entry", [{"resource": {"id": "nowhere"}}])[:1]:
        task = {**entry["resource"], "resourceType": "Task", **body}
        answer = client.put(
            f"/fhir/R4/Task/{task['id']}",
            data=orjson.dumps(task),
            content_type="application/fhir+json",
            headers={"If-Match": 'W/"1"'},
        )
        assert answer.status_code in (200, 404, 409, 412, 422), answer.text
