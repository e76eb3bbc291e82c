"""`gateway keys rotate` on the starter: what was proven by an old key is not any more, and the trail still verifies."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.settings import read_settings
from gateway.web.tokens import TokenRefused, client_of
from gateway.wiring import clock


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert CliRunner().invoke(main, ["init", str(tmp_path / "gateway")]).exit_code == 0
    return tmp_path / "gateway"


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--config", str(folder)])


def keys_of(folder: Path) -> dict[str, bytes]:
    return {name: read_settings(folder).secret(name) for name in ("id", "token", "session", "audit")}


def changed(before: dict[str, bytes], after: dict[str, bytes]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


def test_without_a_name_those_change_that_prove_who_is_calling(folder: Path) -> None:
    before = keys_of(folder)

    result = run(folder, "keys", "rotate")

    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith("rotated=token+session;")
    assert changed(before, keys_of(folder)) == {"token", "session"}
    assert {path.name for path in (folder / "secrets").iterdir()} == {
        "id.key", "token.key", "session.key", "audit.key",
    }  # fmt: skip


def test_a_rotation_that_broke_off_does_not_stop_the_next(folder: Path) -> None:
    before = keys_of(folder)
    (folder / "secrets" / "token.new.key").write_text("half a k", encoding="ascii")

    result = run(folder, "keys", "rotate", "token")

    assert result.exit_code == 0
    assert changed(before, keys_of(folder)) == {"token"}
    assert not (folder / "secrets" / "token.new.key").exists()


def test_a_token_of_the_old_key_proves_nobody(folder: Path) -> None:
    token = run(folder, "token", "demo-agency").stdout.strip()

    run(folder, "keys", "rotate", "token")

    with pytest.raises(TokenRefused):
        client_of(token, read_settings(folder).secret("token"), at=clock())


def test_the_trail_verifies_over_a_new_key_and_tells_of_the_rotation(folder: Path) -> None:
    run(folder, "audit", "checkpoint")

    rotated = run(folder, "keys", "rotate", "audit")
    run(folder, "audit", "checkpoint")

    assert rotated.exit_code == 0
    assert run(folder, "audit", "verify").exit_code == 0
    assert '"kind":"key.rotated","actor":"cli","data":{"key":"audit"}' in run(folder, "audit", "export").stdout


def test_the_trail_does_not_verify_without_what_is_public_of_the_old_key(folder: Path) -> None:
    run(folder, "keys", "rotate", "audit")
    for kept in (folder / "secrets").glob("audit-*.json"):
        kept.unlink()

    assert "is not signed by a known key" in run(folder, "audit", "verify").stderr


@pytest.mark.parametrize("name", ["id", "gateway"])
def test_a_key_that_is_not_rotated_is_wrong_use_and_changes_nothing(folder: Path, name: str) -> None:
    before = keys_of(folder)

    assert run(folder, "keys", "rotate", "token", name).exit_code == 2
    assert keys_of(folder) == before
