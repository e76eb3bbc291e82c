"""`gateway token`: the command as a script uses it."""

from pathlib import Path

from click.testing import CliRunner

from gateway.cli import main
from gateway.settings import write_secret
from gateway.web.tokens import client_of
from gateway.wiring import clock

KEY = bytes(range(32))
CONFIGURATION = """
[[clients]]
id = "demo-ehr"
organization = "org:harbor"
scopes = ["system/Task.rus"]
"""


def an_installation(folder: Path) -> Path:
    (folder / "gateway.toml").write_text(CONFIGURATION, encoding="utf-8")
    write_secret(folder, "token", KEY)
    return folder


def test_a_registered_client_gets_a_token_and_nothing_else(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["token", "demo-ehr", "--config", str(an_installation(tmp_path))])

    assert (result.exit_code, result.stderr) == (0, "")
    assert client_of(result.stdout.strip(), KEY, at=clock()) == "demo-ehr"


def test_an_unknown_client_is_wrong_use_and_those_known_are_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["token", "nobody", "--config", str(an_installation(tmp_path))])

    assert (result.exit_code, result.stdout) == (2, "")
    assert "registered: demo-ehr" in result.stderr


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    (an_installation(tmp_path) / "secrets" / "token.key").chmod(0o644)

    result = CliRunner().invoke(main, ["token", "demo-ehr", "--config", str(tmp_path)])

    assert (result.exit_code, result.stdout) == (2, "")
    assert "chmod 600" in result.stderr
