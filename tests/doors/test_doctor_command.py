"""`gateway doctor` on the starter configuration and changes of it; nothing of it answers here."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main

ALERT = "\n- {alerts: [admitted], when: {}, to: org:%s, transport: hl7v2, purpose: TREAT}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert CliRunner().invoke(main, ["init", str(tmp_path / "gateway")]).exit_code == 0
    return tmp_path / "gateway"


@pytest.fixture
def listening() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def examined(folder: Path) -> Result:
    return CliRunner().invoke(main, ["doctor", "--config", str(folder)])


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_a_receiver_that_does_not_answer_fails(folder: Path) -> None:
    with socket.socket() as silent:  # bound, so that nobody else listens there meanwhile
        silent.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        change(folder / "partners" / "demo-clinic.yaml", "127.0.0.1:2590", address)

        result = examined(folder)

    assert result.exit_code == 1
    assert f"FAIL  org:demo-clinic hl7v2 mllp://{address}: cannot connect" in result.output


def test_where_an_alert_goes_is_tried_too(folder: Path, listening: str) -> None:
    change(folder / "partners" / "demo-clinic.yaml", "127.0.0.1:2590", listening)
    (folder / "routes.yaml").write_text(ALERT % "demo-clinic")

    result = examined(folder)

    assert (result.exit_code, f"ok    org:demo-clinic hl7v2 mllp://{listening}: answers" in result.output) == (0, True)


def test_an_alert_without_an_endpoint_fails(folder: Path) -> None:
    (folder / "routes.yaml").write_text(ALERT % "demo-hospital")

    result = examined(folder)

    assert result.exit_code == 1
    assert (
        "FAIL  org:demo-hospital: an alert goes there by hl7v2, but partners/ names no such endpoint" in result.output
    )


def test_a_route_for_what_no_record_can_have_is_a_warning(folder: Path) -> None:
    (folder / "routes.yaml").write_text(
        "- {when: {service: [detox, detoks]}, to: org:demo-clinic, transport: hl7v2, purpose: TREAT}\n"
        "- {when: {program: [hl7v2/ref, eido, co-responder]}, to: org:demo-hospital, transport: fhir, purpose: TREAT}\n"
    )

    lines = [line for line in examined(folder).output.splitlines() if "routes.yaml:" in line]

    assert lines == [
        "warn  routes.yaml:1: no record has the service detoks: that part of the rule matches nothing "
        "(docs/configuration.md)",
        "warn  routes.yaml:2: no record has the program co-responder: that part of the rule matches nothing "
        "(docs/configuration.md)",
    ]


def test_a_sender_that_is_believed_by_its_words_is_a_warning(folder: Path) -> None:
    lines = [line for line in examined(folder).output.splitlines() if line.startswith("warn")]

    assert [line.split(": ")[0] for line in lines] == [
        "warn  org:demo-clinic CLINIC-EHR^RECOVERY", "warn  org:demo-hospital DEMO_EHR^DEMO_HOSPITAL",
    ]  # fmt: skip


def test_a_feed_with_certificates_is_none(folder: Path) -> None:
    hospital = folder / "partners" / "demo-hospital.yaml"
    change(hospital, "facility: DEMO_HOSPITAL}", f'facility: DEMO_HOSPITAL, certificates: ["{"ab" * 32}"]}}')

    assert "DEMO_HOSPITAL" not in examined(folder).output


def test_a_receiver_whose_answers_would_wait_is_a_warning(folder: Path) -> None:
    change(folder / "partners" / "demo-clinic.yaml", ", application: CLINIC-EHR, facility: RECOVERY", "")

    assert "warn  org:demo-clinic: it takes HL7v2 and has no application and facility" in examined(folder).output


def test_a_mapping_of_which_nobody_said_whose_records_it_reads_is_warned_of(folder: Path) -> None:
    before = examined(folder).output
    change(folder / "gateway.toml", '[programs.eido]\nagency = "org:demo-pd"\n', "")

    line = "warn  mapping eido: no [programs.eido] says whose records these are"
    assert line not in before
    assert line in examined(folder).output
