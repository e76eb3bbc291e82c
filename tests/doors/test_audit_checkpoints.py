"""Signed checkpoints of the audit trail: made in time, and every tampering found that the chain alone cannot show."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Connection, delete, select, update

from gateway.cli import main
from gateway.model.audit import GENESIS, AuditEntry, chain_hash
from gateway.settings import write_secret
from gateway.storage.checkpoint_key import CheckpointKey, KnownKeys
from gateway.storage.checkpoints import checkpoint_tokens
from gateway.storage.database import SqlDatabase, open_database
from gateway.storage.instants import from_micros
from gateway.storage.tables import audit, audit_checkpoints
from gateway.testing import FixedClock
from tests.support.stored import AT

pytest_plugins = ("tests.support.databases",)

SEED = bytes(range(32))
SIGNER = CheckpointKey(SEED)


@pytest.fixture
def folder(tmp_path: Path, sqlite_store_url: str) -> Path:
    """Give a configuration directory with the key that signs, whose database has no rows yet."""
    (tmp_path / "gateway.toml").write_text('[database]\nurl = "sqlite:///gateway.db"\n', encoding="utf-8")
    write_secret(tmp_path, "audit", SEED)
    return tmp_path


@pytest.fixture
def store(folder: Path, clock: FixedClock) -> Iterator[SqlDatabase]:
    """Give the store as a running server has it open."""
    database = open_database(f"sqlite:///{folder / 'gateway.db'}", clock=clock, signer=SIGNER)
    yield database
    database.close()


def tell(store: SqlDatabase, rows: int) -> None:
    def write(tx: object) -> None:
        for n in range(rows):
            tx.audit.append(AuditEntry(AT, "test", "worker", {"n": n}))  # type: ignore[attr-defined]

    store.write(write)


def two_checkpoints(store: SqlDatabase) -> None:
    """Write rows 1-3, a checkpoint (told by row 4), rows 5-6, a checkpoint (told by row 7), and row 8."""
    for rows in (3, 2):
        tell(store, rows)
        store.checkpoint()
    tell(store, 1)


def verify(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["audit", "verify", "--config", str(folder), *arguments])


def found(store: SqlDatabase, folder: Path, change: Callable[[Connection], object]) -> str:
    """Change the tables behind the gateway's back and return what `audit verify` says of it."""
    store.change(change)
    result = verify(folder)
    assert result.exit_code == 1, result.output
    return result.stderr.removeprefix("gateway audit verify: ").rstrip()


def rehashed(connection: Connection, rows: list[dict[str, object]]) -> None:
    """Write these rows as the whole trail, numbered and hashed anew: what the chain alone cannot show."""
    connection.execute(delete(audit))
    previous = GENESIS
    for seq, row in enumerate(rows, 1):
        entry = AuditEntry(from_micros(row["at"]), row["kind"], row["actor"], orjson.loads(row["data"]))  # type: ignore[arg-type]
        digest = chain_hash(previous, seq, entry)
        connection.execute(audit.insert().values({**row, "seq": seq, "previous": previous, "hash": digest}))
        previous = digest


def all_rows(connection: Connection) -> list[dict[str, object]]:
    return [dict(row._mapping) for row in connection.execute(select(audit).order_by(audit.c.seq))]


def test_a_signed_trail_verifies(store: SqlDatabase, folder: Path) -> None:
    two_checkpoints(store)

    assert verify(folder).exit_code == 0
    assert len(store.query(checkpoint_tokens)) == 2


def test_a_checkpoint_is_made_with_the_commit_that_crosses_a_thousand_rows(store: SqlDatabase) -> None:
    tell(store, 998)
    before = store.query(checkpoint_tokens)
    tell(store, 4)

    (token,) = store.query(checkpoint_tokens)
    assert before == []
    assert orjson.loads(KnownKeys([SIGNER.public()])(token) or b"")["seq"] == 1002


def test_no_checkpoint_is_made_where_nothing_happened_since_the_last(store: SqlDatabase) -> None:
    store.checkpoint()
    tell(store, 1)
    store.checkpoint()
    store.checkpoint()

    assert len(store.query(checkpoint_tokens)) == 1


def test_a_trail_cut_off_after_its_last_checkpoint_is_not_found_and_before_it_is(
    store: SqlDatabase, folder: Path
) -> None:
    two_checkpoints(store)

    store.change(lambda c: c.execute(delete(audit).where(audit.c.seq == 8)))
    after = verify(folder)
    before = found(store, folder, lambda c: c.execute(delete(audit).where(audit.c.seq > 4)))

    assert after.exit_code == 0
    assert before == "checkpoint 2 signs row 6, but the trail ends at row 4: it was cut off"


def test_a_trail_hashed_anew_from_the_start_is_found(store: SqlDatabase, folder: Path) -> None:
    two_checkpoints(store)

    def rewrite(connection: Connection) -> None:
        rows = all_rows(connection)
        rows[1]["actor"] = "somebody"
        rehashed(connection, rows)

    assert found(store, folder, rewrite) == (
        "checkpoint 1 signs another row 3 than stands there: the trail was rewritten"
    )


def test_a_row_left_out_of_a_trail_hashed_anew_is_found(store: SqlDatabase, folder: Path) -> None:
    two_checkpoints(store)

    assert found(store, folder, lambda c: rehashed(c, all_rows(c)[1:])).endswith("the trail was rewritten")


def test_two_rows_that_changed_places_are_found(store: SqlDatabase, folder: Path) -> None:
    two_checkpoints(store)

    def swap(connection: Connection) -> None:
        for old, new in ((1, 100), (2, 1), (100, 2)):
            connection.execute(update(audit).where(audit.c.seq == old).values(seq=new))

    assert found(store, folder, swap) == "broken link: row 1 does not follow the row before it"


@pytest.mark.parametrize(("removed", "said"), [(1, "the next one has number 2"), (2, "row 7 tells that it was made")])
def test_a_removed_checkpoint_is_found(store: SqlDatabase, folder: Path, removed: int, said: str) -> None:
    two_checkpoints(store)

    told = found(store, folder, lambda c: c.execute(delete(audit_checkpoints).where(audit_checkpoints.c.n == removed)))

    assert told == f"checkpoint {removed} is missing: {said}"


def test_checkpoints_that_changed_places_are_found(store: SqlDatabase, folder: Path) -> None:
    two_checkpoints(store)

    def swap(connection: Connection) -> None:
        for old, new in ((1, 3), (2, 1), (3, 2)):
            connection.execute(update(audit_checkpoints).where(audit_checkpoints.c.n == old).values(n=new))

    assert found(store, folder, swap) == "checkpoint 1 is missing: the next one has number 2"


def test_a_checkpoint_of_another_key_is_found(store: SqlDatabase, folder: Path) -> None:
    two_checkpoints(store)
    forged = CheckpointKey(bytes(32))(KnownKeys([SIGNER.public()])(store.query(checkpoint_tokens)[1]) or b"")

    told = found(store, folder, lambda c: c.execute(update(audit_checkpoints).values(token=forged)))

    assert told == "checkpoint 1 is not signed by a known key"


def test_a_long_trail_without_a_checkpoint_is_found(store: SqlDatabase, folder: Path) -> None:
    def unsigned(connection: Connection) -> None:
        connection.execute(delete(audit_checkpoints))
        rehashed(connection, [row for row in all_rows(connection) if row["kind"] == "test"])

    tell(store, 2100)

    assert found(store, folder, unsigned) == "checkpoint 1 is missing: rows 1 to 2100 are under no checkpoint"


def test_a_trail_rewritten_with_all_its_checkpoints_is_found_by_one_kept_elsewhere(
    store: SqlDatabase, folder: Path, tmp_path: Path
) -> None:
    two_checkpoints(store)
    kept = tmp_path / "kept.ndjson"
    kept.write_text(orjson.dumps({"checkpoint": 2, "token": store.query(checkpoint_tokens)[1]}).decode())

    def unsigned(connection: Connection) -> None:
        connection.execute(delete(audit_checkpoints))
        rehashed(connection, [row for row in all_rows(connection) if row["kind"] == "test"])

    store.change(unsigned)

    assert verify(folder).exit_code == 0
    result = verify(folder, "--checkpoints", str(kept))
    assert result.exit_code == 1
    assert result.stderr == "gateway audit verify: broken link: row 6 is not the row whose hash was noted\n"


def test_one_flipped_bit_anywhere_is_found(store: SqlDatabase, folder: Path) -> None:
    two_checkpoints(store)
    rows, tokens = store.query(lambda c: (all_rows(c), checkpoint_tokens(c)))
    chance = random.Random(11)

    for row in rows:
        for column in ("kind", "actor", "data", "previous", "hash"):
            store.change(lambda c, r=row, k=column: _put(c, r["seq"], k, _flipped(r[k], chance)))
            assert verify(folder).exit_code == 1, (row["seq"], column)
            store.change(lambda c, r=row, k=column: _put(c, r["seq"], k, r[k]))
    for n, token in enumerate(tokens, 1):
        for _ in range(10):
            changed = _flipped(token, chance)
            store.change(lambda c, n=n, t=changed: _put_token(c, n, t))
            assert verify(folder).exit_code == 1, n
        store.change(lambda c, n=n, t=token: _put_token(c, n, t))
    assert verify(folder).exit_code == 0


def _put(connection: Connection, seq: object, column: str, value: object) -> None:
    connection.execute(update(audit).where(audit.c.seq == seq).values({column: value}))


def _put_token(connection: Connection, n: int, token: object) -> None:
    connection.execute(update(audit_checkpoints).where(audit_checkpoints.c.n == n).values(token=token))


def _flipped(value: object, chance: random.Random) -> object:
    """Flip the lowest bit of one character or byte."""
    content = bytearray(value if isinstance(value, bytes) else str(value).encode())
    content[chance.randrange(len(content))] ^= 1
    return bytes(content) if isinstance(value, bytes) else content.decode()


def test_an_export_is_checked_by_others_with_the_public_key(store: SqlDatabase, folder: Path, tmp_path: Path) -> None:
    two_checkpoints(store)
    trail, key = tmp_path / "trail.ndjson", tmp_path / "key.json"
    trail.write_text(CliRunner().invoke(main, ["audit", "export", "--config", str(folder)]).stdout)
    key.write_text(CliRunner().invoke(main, ["audit", "key", "--config", str(folder)]).stdout)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    good = verify(elsewhere, "--export", str(trail), "--key", str(key))
    trail.write_text(trail.read_text().replace('"seq":2,', '"seq":2,"x":1,').replace('"n":1}', '"n":7}', 1))
    bad = verify(elsewhere, "--export", str(trail), "--key", str(key))

    assert (good.exit_code, good.stdout[:2]) == (0, "8:")
    assert (bad.exit_code, bad.stderr) == (
        1, "gateway audit verify: broken link: row 2 has other content than was written\n",
    )  # fmt: skip


def test_checkpoints_without_a_key_to_check_them_are_wrong_use(
    store: SqlDatabase, folder: Path, tmp_path: Path
) -> None:
    two_checkpoints(store)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    result = verify(elsewhere, "--database", f"sqlite:///{folder / 'gateway.db'}")

    assert result.exit_code == 2
    assert "the trail has 2 checkpoints and no key to check them was found" in result.stderr


def test_a_checkpoint_can_be_made_beside_a_running_server(store: SqlDatabase, folder: Path) -> None:
    tell(store, 2)

    result = CliRunner().invoke(main, ["audit", "checkpoint", "--config", str(folder)])

    line = json.loads(result.stdout)
    signed = json.loads(KnownKeys([SIGNER.public()])(line["token"]) or b"")
    assert (line["checkpoint"], signed["n"], signed["seq"]) == (1, 1, 2)
    assert verify(folder).exit_code == 0


def test_the_public_key_says_nothing_of_the_private_one(folder: Path) -> None:
    shown = json.loads(CliRunner().invoke(main, ["audit", "key", "--config", str(folder)]).stdout)

    assert sorted(shown) == ["alg", "crv", "kid", "kty", "use", "x"]


def test_a_new_key_never_takes_the_place_of_one(folder: Path) -> None:
    result = CliRunner().invoke(main, ["audit", "key", "--new", "--config", str(folder)])

    assert result.exit_code == 2
    assert "is there already" in result.stderr
