"""A mistake in the configuration folder stops the start and names file, line and what was expected."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import main
from gateway.model.errors import ConfigurationError
from gateway.settings import read_settings
from gateway.wiring.installation import check_configuration


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert CliRunner().invoke(main, ["init", str(tmp_path / "gateway")]).exit_code == 0
    return tmp_path / "gateway"


def change(file: Path, old: str, new: str) -> int:
    """Change a file of the starter; return the line of the change."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def complaint(folder: Path) -> str:
    with pytest.raises(ConfigurationError) as refused:
        check_configuration(read_settings(folder))
    return str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[http]", "[http", "not readable as TOML: Expected ']'"),
        (
            'timezone = "America/Los_Angeles"',
            'timezone = "Mars/Phobos"',
            "installation.timezone: expected an IANA time",
        ),
        ("workers = 2", 'workers = "two"', "delivery.workers: Input should be a valid integer"),
        ("max_tries", "max_trys", "delivery.max_trys: Extra inputs are not permitted"),
        (
            'operator = "org:operator"',
            'operator = "org:x"',
            "installation.operator: expected the id of an organization",
        ),
        ("[programs.eido]", "[programs.eidos]", "programs.eidos: expected the name of a mapping, found an unknown one"),
        ('agency = "org:demo-lead"', 'agency = "org:x"', "programs.lead-referral.agency: expected the id of an org"),
        (
            'submits_for = ["org:demo-pd"]',
            'submits_for = ["org:x"]',
            "clients.1.submits_for: expected the id of an org",
        ),
    ],
)
def test_a_mistake_in_gateway_toml_is_told_with_its_line(folder: Path, old: str, new: str, told: str) -> None:
    file = folder / "gateway.toml"
    line = change(file, old, new)

    said = complaint(folder)

    assert said.startswith(f"{file}:{line}:")
    assert told in said


def test_a_scope_that_nothing_understands_is_refused_for_it_would_open_nothing(folder: Path) -> None:
    change(folder / "gateway.toml", 'scopes = ["intake", "system/Consent.cu"]', 'scopes = ["intak"]')

    assert "clients.0.scopes.0: expected intake, lookup or a scope like system/Task.rus" in complaint(folder)


def test_two_clients_of_one_id_are_refused_for_a_token_proves_one(folder: Path) -> None:
    change(folder / "gateway.toml", 'id = "demo-ehr"', 'id = "demo-lead"')

    assert "clients: expected ids of their own, found one twice: demo-lead" in complaint(folder)


def test_a_day_that_no_calendar_has_is_told_with_its_line(folder: Path) -> None:
    file = folder / "partners" / "demo-pd.yaml"
    line = change(file, "from: 2024-01-01", "from: 2024-13-01")

    assert complaint(folder).startswith(f"{file}:{line}:12: not readable as YAML: month must be in 1..12")


@pytest.mark.parametrize("name", ["gateway.toml", "routes.yaml", "partners/demo-pd.yaml"])
def test_a_file_in_another_character_set_is_refused_by_name(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b'name = "M\xfcller"')

    assert complaint(folder) == f"{folder / name}: expected UTF-8, found another byte at offset 9"


def test_a_mistake_in_the_environment_is_told_as_one_of_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_DELIVERY__WORKERS", "two")

    assert complaint(folder).startswith("environment variable GATEWAY_DELIVERY__WORKERS: delivery.workers: ")


def test_a_list_in_the_environment_that_is_no_json_is_told_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_CLIENTS", "demo-agency")

    assert complaint(folder).startswith("environment: error parsing value for field")


def test_a_byte_order_mark_before_gateway_toml_changes_nothing(folder: Path) -> None:
    file = folder / "gateway.toml"
    plain = read_settings(folder)
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())

    assert read_settings(folder) == plain
