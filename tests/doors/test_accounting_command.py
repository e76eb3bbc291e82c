"""`gateway accounting` and `gateway consent replay` on a real installation after a day's work."""

import csv
import io
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.flow.work import work_once
from gateway.ports import Transaction
from gateway.settings import read_settings
from gateway.storage.audit import verify_audit
from gateway.storage.database import SqlDatabase
from gateway.web.tokens import issue
from gateway.wiring import clock
from gateway.wiring.installation import Installation, open_installation
from tests.support.flow_house import CONTACT, RecordingTransport, csv_of


@dataclass(frozen=True)
class Day:
    """An installation in which two contacts were decided: one may go to the hospital, one was refused."""

    folder: Path
    installation: Installation
    database: SqlDatabase
    person: str
    patient: str
    permitted: str
    refused: str


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    folder: Path = tmp_path_factory.mktemp("installation") / "gateway"
    assert CliRunner().invoke(main, ["init", str(folder)]).exit_code == 0
    installation = open_installation(read_settings(folder))
    gateway = installation.gateway
    other = {"contact_id": "C-2", "client_id": "K-2", "last_name": "Mockname", "first_name": "Cy", "phone": "",
             "dob": "1971-03-04", "consent_status": "refused"}  # fmt: skip
    contacts = csv_of(CONTACT, {**CONTACT, **other})
    gateway.accept("http", "co-responder-contact", "demo-agency", "text/csv", contacts, None)
    house = replace(gateway.house, transports={"fhir": RecordingTransport()})
    while work_once(house, "a-test"):
        pass
    database = gateway.house.database
    assert isinstance(database, SqlDatabase)
    yield database.read(lambda tx: _day(folder, installation, database, tx))
    installation.stop(1)


def _day(folder: Path, installation: Installation, database: SqlDatabase, tx: Transaction) -> Day:
    made = [
        (referral.person_id, decision)
        for referral in tx.referrals.of_recipient("org:demo-hospital", None, None)
        for decision in tx.decisions.of_handoff(referral.handoff_id)
    ]
    person, permitted = next(one for one in made if one[1]["decision"].startswith("PERMIT"))
    refused = next(decision for _, decision in made if decision["decision"] == "DENY")
    known = tx.people.get(person)
    assert known is not None
    return Day(folder, installation, database, person, known.patient_ids[0], permitted["id"], refused["id"])


def run(day: Day, *arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--config", str(day.folder)])


def test_the_accounting_of_a_person_in_words_as_table_as_json_and_as_letter(day: Day, tmp_path: Path) -> None:
    letter = tmp_path / "letter.pdf"

    words = run(day, "accounting", day.person)
    table = run(day, "accounting", "--patient", day.patient, "--csv")
    objects = run(day, "accounting", day.person, "--json")
    printed = run(day, "accounting", day.person, "--pdf", str(letter))

    assert [one.exit_code for one in (words, table, objects, printed)] == [0, 0, 0, 0], words.output
    rows = list(csv.DictReader(io.StringIO(table.stdout)))
    parsed = [json.loads(line) for line in objects.stdout.splitlines()]
    assert len(words.stdout.splitlines()) == len(rows) == len(parsed) > 0
    assert [row["decision"] for row in rows] == [one["decision"] for one in parsed]
    assert {row["name"] for row in rows} == {"Exampleville General Hospital"}
    assert letter.read_bytes().startswith(b"%PDF-")
    assert words.stderr.startswith("consent=")


def test_every_look_is_in_the_audit_trail_and_the_chain_holds(day: Day) -> None:
    before = run(day, "audit", "export").stdout.count("accounting.viewed")

    run(day, "accounting", day.person)

    assert run(day, "audit", "export").stdout.count("accounting.viewed") == before + 1
    assert day.database.query(verify_audit) is None


def test_days_without_disclosures_are_empty_and_fine(day: Day) -> None:
    told = run(day, "accounting", day.person, "--from", "2020-01-01", "--to", "2020-12-31")

    assert (told.exit_code, told.stdout, told.stderr) == (0, "", "consent=0 other=0\n")


def test_an_intermediary_that_passed_on_nothing_has_an_empty_list(day: Day) -> None:
    told = run(day, "accounting", day.person, "--intermediary", "org:demo-exchange")

    assert (told.exit_code, told.stdout) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["accounting"], 2, "name PERSON or --patient"),
        (["accounting", "x", "--patient", "y"], 2, "name PERSON or --patient"),
        (["accounting", "x", "--csv", "--json"], 2, "at most one of"),
        (["accounting", "nobody"], 1, "nobody of this id"),
        (["accounting", "x", "--intermediary", "org:nobody"], 2, "found an unknown one"),
        (["consent", "replay", "nobody"], 1, "there is no decision of this id"),
    ],
)
def test_what_cannot_be_told_is_said(day: Day, arguments: list[str], status: int, said: str) -> None:
    told = run(day, *arguments)

    assert told.exit_code == status
    assert said in told.stderr


@pytest.mark.parametrize("which", ["permitted", "refused"])
def test_a_past_decision_is_made_again_and_agrees(day: Day, which: str) -> None:
    told = run(day, "consent", "replay", getattr(day, which))

    shown = json.loads(told.stdout)
    assert (told.exit_code, shown["agrees"], shown["differences"]) == (0, True, [])
    assert shown["kept"] == shown["now"]


def test_a_yes_to_a_consult_stands_in_the_accounting_and_a_no_does_not(day: Day) -> None:
    client = day.installation.app.test_client()
    settings = read_settings(day.folder)
    token = issue("demo-ehr", settings.secret("token"), token_id="t", at=clock())
    parameters = [{"name": "purpose", "valueCode": "TREAT"}]

    def asked(patient: str) -> str:
        named = {"name": "patient", "valueReference": {"reference": f"Patient/{patient}"}}
        answer = client.post(
            "/fhir/R4/Consent/$evaluate",
            json={"resourceType": "Parameters", "parameter": [named, *parameters]},
            headers={"Authorization": f"Bearer {token}"},
        )
        assert answer.json is not None, answer.text
        return str(answer.json["parameter"][0]["valueCode"])

    assert (asked(day.patient), asked("nobody")) == ("permit", "deny")

    rows = list(csv.DictReader(io.StringIO(run(day, "accounting", day.person, "--csv").stdout)))
    (consult,) = (row for row in rows if row["transport"] == "consult")
    assert (consult["name"], consult["part"]) == ("Exampleville General Hospital", "other")
    assert run(day, "consent", "replay", consult["decision"]).exit_code == 0


def test_partners_that_changed_since_are_said(day: Day) -> None:
    partner = day.folder / "partners" / "demo-hospital.yaml"
    text = partner.read_text()
    partner.write_text(f"{text}\naddress: 1 Example Way, Exampleville, WA 98501\n")

    replayed = run(day, "consent", "replay", day.permitted)
    accounted = run(day, "accounting", day.person)
    partner.write_text(text)

    assert replayed.exit_code == 1
    assert "partners/ has changed since" in replayed.stderr
    assert "these differ: input_hash" in replayed.stderr
    assert "the outcome is the same" in replayed.stderr
    assert json.loads(replayed.stdout)["registry_changed"] is True
    assert accounted.exit_code == 0


def test_a_log_of_disclosures_that_lost_a_row_does_not_verify(day: Day, tmp_path: Path) -> None:
    shutil.copytree(day.folder, tmp_path / "copy", ignore=shutil.ignore_patterns("gateway.db*"))
    assert run(day, "backup", str(tmp_path / "copy" / "gateway.db")).exit_code == 0
    verify = ["audit", "verify", "--config", str(tmp_path / "copy")]
    untouched = CliRunner().invoke(main, verify)
    with closing(sqlite3.connect(tmp_path / "copy" / "gateway.db")) as store:
        store.execute("DELETE FROM disclosure")
        store.commit()

    told = CliRunner().invoke(main, verify)

    assert (untouched.exit_code, told.exit_code) == (0, 1), untouched.output
    assert told.stderr.startswith("gateway audit verify: disclosure ")
    assert " is missing: row " in told.stderr
