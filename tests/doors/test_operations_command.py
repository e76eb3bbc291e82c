"""The operator's commands, run as an operator runs them: on a configuration directory, beside a running server."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text, update

from gateway.cli import main
from gateway.model.audit import AuditEntry, ChainHead
from gateway.model.handoff import WorkState
from gateway.storage.audit import audit_head
from gateway.storage.database import SqlDatabase, open_database
from gateway.storage.tables import audit
from gateway.testing import FixedClock
from tests.support.stored import AT, an_input

pytest_plugins = ("tests.support.databases",)


@pytest.fixture
def installation(tmp_path: Path, sqlite_store_url: str) -> Path:
    """Give a configuration directory whose database has no rows yet."""
    (tmp_path / "gateway.toml").write_text('[database]\nurl = "sqlite:///gateway.db"\n', encoding="utf-8")
    return tmp_path


@pytest.fixture
def server(installation: Path, clock: FixedClock) -> Iterator[SqlDatabase]:
    """Give the store as a running server has it open."""
    database = open_database(f"sqlite:///{installation / 'gateway.db'}", clock=clock)
    yield database
    database.close()


def run(installation: Path, *arguments: str) -> Result:
    """Run a gateway command on the installation."""
    return CliRunner().invoke(main, [*arguments, "--config", str(installation)])


def enqueue(server: SqlDatabase, message_id: str, state: WorkState = "dead", reason: str | None = "gone") -> int:
    """Add work to a lane."""
    return server.write(
        lambda t: t.outbox.add(
            lane="org:clinic/fhir",
            kind="deliver",
            subject="task-1",
            action="create",
            message_id=message_id,
            version=1,
            at=AT,
            state=state,
            reason=reason,
        )
    )


def tell(server: SqlDatabase, count: int) -> None:
    """Write rows to the audit trail."""
    for n in range(count):
        server.write(lambda t, n=n: t.audit.append(AuditEntry(AT, "test", "worker", {"n": n})))


def test_dead_letters_are_listed_beside_a_running_server(installation: Path, server: SqlDatabase) -> None:
    enqueue(server, "m-1")
    enqueue(server, "m-2", "held")

    result = run(installation, "dead-letters")

    assert result.exit_code == 0
    assert result.stdout == (
        "1  dead  2026-11-02T18:00:00+00:00  org:clinic/fhir  deliver create task-1  tries=0  gone\n"
    )
    assert result.stderr == "dead=1\n"


def test_held_and_refused_work_is_listed_when_asked_for(installation: Path, server: SqlDatabase) -> None:
    for state in ("dead", "held", "refused"):
        enqueue(server, f"m-{state}", state)

    result = run(installation, "dead-letters", "--state", "held", "--state", "refused", "--json")

    letters = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(letter["id"], letter["state"]) for letter in letters] == [(2, "held"), (3, "refused")]
    assert letters[0] == {
        "id": 2,
        "lane": "org:clinic/fhir",
        "kind": "deliver",
        "subject": "task-1",
        "action": "create",
        "message_id": "m-held",
        "state": "held",
        "tries": 0,
        "reason": "gone",
        "version": 1,
        "created_at": "2026-11-02T18:00:00+00:00",
        "updated_at": "2026-11-02T18:00:00+00:00",
    }


def test_a_replay_makes_named_work_ready_and_tells_the_audit(installation: Path, server: SqlDatabase) -> None:
    held = enqueue(server, "m-1", "held")
    other = enqueue(server, "m-2", "dead")

    result = run(installation, "replay", str(held))

    assert (result.exit_code, result.stderr) == (0, "replayed=1\n")
    assert [server.read(lambda t, k=k: t.outbox.get(k).state) for k in (held, other)] == ["ready", "dead"]
    rows = server.query(lambda c: c.execute(text("SELECT kind, actor, data FROM audit")).all())
    assert [tuple(row) for row in rows] == [("work.replayed", "cli", b'{"was":"held","work":1}')]


def test_replay_all_brings_back_the_dead_and_leaves_held_work_to_a_person(
    installation: Path, server: SqlDatabase
) -> None:
    keys = [enqueue(server, f"m-{n}", state) for n, state in enumerate(("dead", "held", "refused", "dead"))]

    result = run(installation, "replay", "--all")

    assert (result.exit_code, result.stderr) == (0, "replayed=2\n")
    states = [server.read(lambda t, k=k: t.outbox.get(k).state) for k in keys]
    assert states == ["ready", "held", "refused", "ready"]


def test_what_cannot_be_replayed_is_named_and_the_rest_is_replayed(installation: Path, server: SqlDatabase) -> None:
    dead = enqueue(server, "m-1", "dead")
    delivered = enqueue(server, "m-2", "delivered")

    result = run(installation, "replay", str(delivered), "99", str(dead))

    assert result.exit_code == 1
    assert result.stderr == (
        "gateway replay: 2: it is delivered; only dead, refused or held work can be replayed\n"
        "gateway replay: 99: there is no work of this number\n"
        "replayed=1\n"
    )


@pytest.mark.parametrize("arguments", [[], ["1", "--all"]])
def test_replay_wants_either_numbers_or_all(installation: Path, arguments: list[str]) -> None:
    assert run(installation, "replay", *arguments).exit_code == 2


def test_an_unbroken_trail_verifies_and_its_head_is_printed(installation: Path, server: SqlDatabase) -> None:
    tell(server, 3)
    head = server.query(audit_head)

    result = run(installation, "audit", "verify")

    assert (result.exit_code, result.stdout) == (0, f"3:{head.hash}\n")


def test_a_broken_link_is_named_and_exits_1(installation: Path, server: SqlDatabase) -> None:
    tell(server, 3)
    server.change(lambda c: c.execute(update(audit).where(audit.c.seq == 2).values(actor="somebody")))

    result = run(installation, "audit", "verify")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "gateway audit verify: broken link: row 2 has other content than was written\n"


def test_rows_cut_off_since_a_noted_head_are_found(installation: Path, server: SqlDatabase) -> None:
    tell(server, 3)
    noted: ChainHead = server.query(audit_head)
    server.change(lambda c: c.execute(audit.delete().where(audit.c.seq == 3)))

    assert run(installation, "audit", "verify").exit_code == 0
    result = run(installation, "audit", "verify", "--known", f"{noted.seq}:{noted.hash}")

    assert result.exit_code == 1
    assert "row 3 and all after it are missing: number 3 was noted as written" in result.stderr


def test_a_head_that_is_none_is_wrong_use(installation: Path, server: SqlDatabase) -> None:
    assert run(installation, "audit", "verify", "--known", "yesterday").exit_code == 2


def test_the_trail_is_exported_row_by_row(installation: Path, server: SqlDatabase) -> None:
    tell(server, 2)

    result = run(installation, "audit", "export")

    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["seq"] for row in rows] == [1, 2]
    assert rows[0] == {
        "seq": 1,
        "at": "2026-11-02T18:00:00+00:00",
        "kind": "test",
        "actor": "worker",
        "data": {"n": 0},
        "previous": "0" * 64,
        "hash": rows[1]["previous"],
    }


@pytest.mark.parametrize("command", [["dead-letters"], ["replay", "--all"], ["audit", "verify"], ["audit", "export"]])
def test_without_a_database_a_command_says_what_creates_it(tmp_path: Path, command: list[str]) -> None:
    result = run(tmp_path, *command)

    assert result.exit_code == 2
    assert "there is no database at" in result.stderr
    assert "`gateway serve` creates it" in result.stderr


def test_upgrade_creates_the_database(tmp_path: Path) -> None:
    result = run(tmp_path, "db", "upgrade")

    assert (result.exit_code, result.stdout) == (0, "schema=0001\n")
    assert run(tmp_path, "audit", "verify").exit_code == 0


def test_upgrade_is_refused_while_a_server_writes(installation: Path, server: SqlDatabase) -> None:
    result = run(installation, "db", "upgrade")

    assert result.exit_code == 2
    assert "already being written by process" in result.stderr


def test_another_database_can_be_named(installation: Path, server: SqlDatabase, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'gateway.db'}"

    assert CliRunner().invoke(main, ["audit", "verify", "--database", url]).exit_code == 0


def test_a_backup_taken_beside_the_server_is_restored_elsewhere(
    installation: Path, server: SqlDatabase, tmp_path_factory: pytest.TempPathFactory, clock: FixedClock
) -> None:
    server.write(lambda t: t.inputs.add(an_input()))
    tell(server, 2)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    copy = elsewhere / "Monday? 50% #1.db"

    backed_up = run(installation, "backup", str(copy))
    restored = run(elsewhere, "restore", str(copy))

    assert (backed_up.exit_code, restored.exit_code) == (0, 0)
    assert oct(copy.stat().st_mode & 0o777) == "0o600"
    database = open_database(f"sqlite:///{elsewhere / 'gateway.db'}", clock=clock)
    found = database.read(lambda t: t.inputs.get("input-1"))
    database.close()
    assert found == an_input()
    assert run(elsewhere, "audit", "verify").stdout == run(installation, "audit", "verify").stdout


def test_a_backup_never_overwrites_a_file(installation: Path, server: SqlDatabase, tmp_path: Path) -> None:
    existing = tmp_path / "precious.txt"
    existing.write_text("keep me", encoding="utf-8")

    result = run(installation, "backup", str(existing))

    assert result.exit_code == 1
    assert "File exists" in result.stderr
    assert existing.read_text(encoding="utf-8") == "keep me"


def test_a_backup_that_fails_leaves_nothing_that_looks_like_one(tmp_path: Path) -> None:
    (tmp_path / "gateway.db").write_bytes(b"no database at all " * 1000)

    result = run(tmp_path, "backup", str(tmp_path / "copy.db"))

    assert result.exit_code == 1
    assert f"cannot copy {tmp_path / 'gateway.db'}" in result.stderr
    assert not (tmp_path / "copy.db").exists()


def test_a_restore_never_overwrites_a_database(installation: Path, server: SqlDatabase, tmp_path: Path) -> None:
    run(installation, "backup", str(tmp_path / "copy.db"))

    result = run(installation, "restore", str(tmp_path / "copy.db"))

    assert result.exit_code == 1
    assert "move it (and its -wal file) away first" in result.stderr


def test_a_file_that_is_no_store_is_not_restored(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("no database", encoding="utf-8")

    result = run(tmp_path, "restore", str(tmp_path / "letter.txt"))

    assert result.exit_code == 1
    assert "is not an undamaged SQLite database of a gateway" in result.stderr
    assert not (tmp_path / "gateway.db").exists()


def test_a_backup_with_a_broken_trail_is_not_restored(
    installation: Path, server: SqlDatabase, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tell(server, 2)
    server.change(lambda c: c.execute(update(audit).where(audit.c.seq == 1).values(kind="other")))
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    run(installation, "backup", str(elsewhere / "copy.db"))

    result = run(elsewhere, "restore", str(elsewhere / "copy.db"))

    assert result.exit_code == 1
    assert "the audit trail in" in result.stderr
    assert not (elsewhere / "gateway.db").exists()


def test_backing_up_postgres_is_left_to_its_own_tools(tmp_path: Path) -> None:
    url = "postgresql://gateway@/none"

    result = CliRunner().invoke(main, ["backup", str(tmp_path / "copy.db"), "--database", url])

    assert result.exit_code == 2
    assert "use pg_dump" in result.stderr
