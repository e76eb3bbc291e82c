"""Commands for whoever runs the gateway: dead letters and replay, the audit trail, the database itself.

All but `db upgrade` and `restore` work beside a running `gateway serve`.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click
import orjson
from sqlalchemy import Connection

from gateway.flow.replays import replay as replayed
from gateway.model.errors import ConfigurationError, GatewayError
from gateway.model.handoff import Work, WorkState
from gateway.settings import read_settings
from gateway.storage import backup as copies
from gateway.storage.audit import ChainHead, audit_head, audit_rows, verify_audit
from gateway.storage.database import Role, SqlDatabase, open_database
from gateway.storage.instants import from_micros
from gateway.storage.schema import CURRENT
from gateway.wiring import clock

F = TypeVar("F", bound=Callable[..., None])

_AT_REST: tuple[WorkState, ...] = ("dead", "refused", "held")
_EVERY_ONE = 1_000_000


def _where(command: F) -> F:
    """Add the options that say which database is meant."""
    config = click.option(
        "--config",
        "directory",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        default=".",
        show_default=True,
        help="Configuration directory.",
    )
    url = click.option("--database", "url", metavar="URL", help="Database URL in place of the configured one.")
    return config(url(command))


@contextmanager
def _told(command: str) -> Iterator[None]:
    """Tell a failure on stderr: exit 2 for a configuration that does not work, 1 for everything else."""
    try:
        yield
    except GatewayError as error:
        click.echo(f"gateway {command}: {error}", err=True)
        sys.exit(2 if isinstance(error, ConfigurationError) else 1)


@contextmanager
def _database(directory: Path, url: str | None, role: Role) -> Iterator[SqlDatabase]:
    opened = open_database(_url(directory, url), clock=clock, role=role)
    try:
        yield opened
    finally:
        opened.close()


def _url(directory: Path, url: str | None) -> str:
    return url or read_settings(directory).database_url


@click.command("dead-letters")
@_where
@click.option(
    "--state",
    "states",
    type=click.Choice(_AT_REST),
    multiple=True,
    default=("dead",),
    show_default=True,
    help="Which work at rest to list. May be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a piece of work.")
def dead_letters(directory: Path, url: str | None, states: tuple[WorkState, ...], as_json: bool) -> None:
    """List work that was given up, oldest first; `gateway replay` brings it back."""
    with _told("dead-letters"), _database(directory, url, "reader") as database:
        letters = database.read(lambda t: t.outbox.of_states(states, _EVERY_ONE))
    for work in letters:
        click.echo(_json_line(asdict(work)) if as_json else _in_words(work))
    click.echo(f"{'+'.join(states)}={len(letters)}", err=True)


def _in_words(work: Work) -> str:
    since = work.updated_at.isoformat(timespec="seconds")
    return (
        f"{work.id}  {work.state}  {since}  {work.lane}  {work.kind} {work.action} {work.subject}  "
        f"tries={work.tries}  {work.reason or ''}"
    ).rstrip()


@click.command()
@click.argument("ids", nargs=-1, type=int, metavar="[ID]...")
@click.option("--all", "every", is_flag=True, help="All dead letters. Held and refused work is named one by one.")
@_where
def replay(ids: tuple[int, ...], every: bool, directory: Path, url: str | None) -> None:
    """Make dead, refused or held work ready again. Consent is decided anew before anything leaves.

    Exit status: 0 all of it is ready, 1 some is not (each with its reason on stderr), 2 wrong use.
    """
    if bool(ids) == every:
        raise click.UsageError("name the work to replay, or say --all")
    with _told("replay"), _database(directory, url, "operator") as database:
        if every:
            ids = tuple(work.id for work in database.read(lambda t: t.outbox.of_states(["dead"], _EVERY_ONE)))
        tried = [database.write(partial(replayed, work_id=work_id, actor="cli", at=clock())) for work_id in ids]
        refusals = [refusal for refusal in tried if refusal is not None]
    for refusal in refusals:
        click.echo(f"gateway replay: {refusal}", err=True)
    click.echo(f"replayed={len(ids) - len(refusals)}", err=True)
    sys.exit(1 if refusals else 0)


@click.group()
def audit() -> None:
    """Check or print the hash-chained audit trail."""


class _Head(click.ParamType[ChainHead]):
    name = "SEQ:HASH"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> ChainHead:
        """Read a chain head as `audit verify` prints it."""
        seq, _, digest = str(value).partition(":")
        if not seq.isdigit() or len(digest) != 64:
            self.fail("expected SEQ:HASH as an earlier `gateway audit verify` printed it", param, ctx)
        return ChainHead(int(seq), digest)


@audit.command()
@_where
@click.option("--known", type=_Head(), help="A head noted earlier: rows cut off since then are found too.")
def verify(directory: Path, url: str | None, known: ChainHead | None) -> None:
    """Walk the whole trail and print its head, SEQ:HASH; exit 1 naming the first link that does not hold.

    Note the head outside this machine now and then and give it back as --known: a chain that was cut off at its end
    is unbroken in itself.
    """
    with _told("audit verify"), _database(directory, url, "reader") as database:
        broken, head = database.query(lambda connection: (verify_audit(connection, known), audit_head(connection)))
    if broken is not None:
        click.echo(f"gateway audit verify: broken link: row {broken.seq} {broken.problem}", err=True)
        sys.exit(1)
    click.echo(f"{head.seq}:{head.hash}")


@audit.command()
@_where
def export(directory: Path, url: str | None) -> None:
    """Print the whole trail, one JSON object a row, oldest first."""
    with _told("audit export"), _database(directory, url, "reader") as database:
        database.query(_print_rows)


def _print_rows(connection: Connection) -> None:
    for row in audit_rows(connection):
        shown = {"seq": row.seq, "at": from_micros(row.at), "kind": row.kind, "actor": row.actor}
        # The data as it was hashed, byte for byte.
        linked = {"data": orjson.Fragment(row.data), "previous": row.previous, "hash": row.hash}
        click.echo(_json_line({**shown, **linked}))


@click.group()
def db() -> None:
    """Look after the database."""


@db.command()
@_where
def upgrade(directory: Path, url: str | None) -> None:
    """Create the database or bring it to this version's schema, all or nothing. Stop the server and back up first."""
    with _told("db upgrade"), _database(directory, url, "server"):
        click.echo(f"schema={CURRENT}")


@click.command()
@click.argument("copy", type=click.Path(dir_okay=False, path_type=Path))
@_where
def backup(copy: Path, directory: Path, url: str | None) -> None:
    """Write a consistent copy of the SQLite database to the new file COPY, also while the server writes.

    The configuration directory with its secrets is not in it: keep a copy of that apart from the data.
    """
    with _told("backup"):
        copies.back_up(_url(directory, url), copy)


@click.command()
@click.argument("copy", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_where
def restore(copy: Path, directory: Path, url: str | None) -> None:
    """Check COPY, its audit trail too, and make it the database; refused where a database lies already."""
    with _told("restore"):
        copies.restore(_url(directory, url), copy)


def _json_line(value: Any) -> str:
    return orjson.dumps(value).decode()
