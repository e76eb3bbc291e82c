"""There is no container engine where the tests run: what can be checked without one is checked here."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[3]
DOCKER = REPOSITORY / "docker"


@pytest.fixture
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    return read


def test_everything_the_image_copies_exists_and_is_not_ignored() -> None:
    copied = [
        source
        for line in (DOCKER / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
    ]
    let_in = (DOCKER / "Dockerfile.dockerignore").read_text().splitlines()

    assert [source for source in copied if not (REPOSITORY / source).exists()] == []
    assert [source for source in copied if f"!{source}" not in let_in and not source.startswith("docker/")] == []
    assert "!docker/*.sh" in let_in


@pytest.mark.parametrize("script", sorted(DOCKER.glob("*.sh")), ids=lambda path: path.name)
def test_script_is_readable_for_the_shell(script: Path) -> None:
    checked = subprocess.run(["sh", "-n", str(script)], capture_output=True, text=True, check=False)

    assert (checked.returncode, checked.stderr) == (0, "")


def test_both_services_run_the_one_image_without_rights(compose: dict[str, Any]) -> None:
    services = compose["services"].values()

    assert {service["image"] for service in services} == {"warm-handoff"}
    assert all(service["cap_drop"] == ["ALL"] and service["read_only"] is True for service in services)


def test_only_loopback_of_the_host_is_published(compose: dict[str, Any]) -> None:
    ports = compose["services"]["gateway"]["ports"]

    assert ports == ["127.0.0.1:8080:8080", "127.0.0.1:2575:2575"]


def test_stand_in_listens_where_the_starter_configuration_sends() -> None:
    script = (DOCKER / "stand-in-ehr.sh").read_text()
    partners = REPOSITORY / "gateway" / "catalog" / "starter" / "partners"
    hospital = re.search(r'"http://([^/"]+)/fhir"', (partners / "demo-hospital.yaml").read_text())
    clinic = re.search(r'"mllp://([^"]+)"', (partners / "demo-clinic.yaml").read_text())
    assert hospital is not None
    assert clinic is not None

    assert f"--http {hospital[1]} " in script
    assert f"--mllp {clinic[1]} " in script
