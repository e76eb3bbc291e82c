"""`gateway staff`: accounts of the console from the command line."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import main


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    assert CliRunner().invoke(main, ["init", str(folder)]).exit_code == 0
    return folder


def run(installation: Path, *words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ["staff", *words, "--config", str(installation)])
    return result.exit_code, result.stdout, result.stderr


def test_the_first_account_may_everything_and_further_ones_are_told_apart(installation: Path) -> None:
    code, link, _ = run(installation, "invite", "pia", "--role", "privacy-officer")
    run(installation, "invite", "kim", "--organization", "org:demo-lead")

    _, listed, _ = run(installation, "list")

    assert code == 0
    assert link.startswith("http://127.0.0.1:8080/console/welcome/")
    assert listed.splitlines() == [
        "kim  staff  org:demo-lead  invited",
        "operator  admin  org:operator  invited",
        "pia  privacy-officer  org:operator  invited",
    ]


def test_an_account_gets_another_role_and_keeps_it_with_a_new_link(installation: Path) -> None:
    run(installation, "invite", "pia")
    run(installation, "invite", "pia", "--role", "legal")

    run(installation, "invite", "pia")

    assert "pia  legal  org:operator  invited" in run(installation, "list")[1]


def test_an_organization_nobody_registered_is_wrong_use(installation: Path) -> None:
    code, link, said = run(installation, "invite", "kim", "--organization", "org:nobody")

    assert (code, link) == (2, "")
    assert "found none of that id" in said


def test_an_account_without_a_name_is_wrong_use(installation: Path, tmp_path: Path) -> None:
    assert run(installation, "invite", " ")[:2] == (2, "")
    assert CliRunner().invoke(main, ["init", str(tmp_path / "other"), "--staff", ""]).exit_code == 2
