"""Commands for whoever runs the gateway: dead letters and replay, the database itself.

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

from gateway.flow.replays import replay as replayed
from gateway.model.errors import ConfigurationError, GatewayError
from gateway.model.handoff import Work, WorkState
from gateway.settings import read_settings
from gateway.storage import backup as copies
from gateway.storage.checkpoints import Signer
from gateway.storage.database import Role, SqlDatabase, open_database
from gateway.storage.schema import CURRENT
from gateway.wiring import clock

F = TypeVar("F", bound=Callable[..., None])

_AT_REST: tuple[WorkState, ...] = ("dead", "refused", "held")
_EVERY_ONE = 1_000_000


def where(command: F) -> F:
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
def told(command: str) -> Iterator[None]:
    """Tell a failure on stderr: exit 2 for a configuration that does not work, 1 for everything else."""
    try:
        yield
    except GatewayError as error:
        click.echo(f"gateway {command}: {error}", err=True)
        sys.exit(2 if isinstance(error, ConfigurationError) else 1)


@contextmanager
def opened(directory: Path, url: str | None, role: Role, signer: Signer | None = None) -> Iterator[SqlDatabase]:
    """Open the database that is meant, and close it again."""
    database = open_database(url_of(directory, url), clock=clock, role=role, signer=signer)
    try:
        yield database
    finally:
        database.close()


def url_of(directory: Path, url: str | None) -> str:
    """Return the URL that was given, else the configured one."""
    return url or read_settings(directory).database_url


@click.command("dead-letters")
@where
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
    with told("dead-letters"), opened(directory, url, "reader") as database:
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
@where
def replay(ids: tuple[int, ...], every: bool, directory: Path, url: str | None) -> None:
    """Make dead, refused or held work ready again. Consent is decided anew before anything leaves.

    Exit status: 0 all of it is ready, 1 some is not (each with its reason on stderr), 2 wrong use.
    """
    if bool(ids) == every:
        raise click.UsageError("name the work to replay, or say --all")
    with told("replay"), opened(directory, url, "operator") as database:
        if every:
            ids = tuple(work.id for work in database.read(lambda t: t.outbox.of_states(["dead"], _EVERY_ONE)))
        tried = [database.write(partial(replayed, work_id=work_id, actor="cli", at=clock())) for work_id in ids]
        refusals = [refusal for refusal in tried if refusal is not None]
    for refusal in refusals:
        click.echo(f"gateway replay: {refusal}", err=True)
    click.echo(f"replayed={len(ids) - len(refusals)}", err=True)
    sys.exit(1 if refusals else 0)


@click.group()
def db() -> None:
    """Look after the database."""


@db.command()
@where
def upgrade(directory: Path, url: str | None) -> None:
    """Create the database or bring it to this version's schema, all or nothing. Stop the server and back up first."""
    with told("db upgrade"), opened(directory, url, "server"):
        click.echo(f"schema={CURRENT}")


@click.command()
@click.argument("copy", type=click.Path(dir_okay=False, path_type=Path))
@where
def backup(copy: Path, directory: Path, url: str | None) -> None:
    """Write a consistent copy of the SQLite database to the new file COPY, also while the server writes.

    The configuration directory with its secrets is not in it: keep a copy of that apart from the data.
    """
    with told("backup"):
        copies.back_up(url_of(directory, url), copy)


@click.command()
@click.argument("copy", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@where
def restore(copy: Path, directory: Path, url: str | None) -> None:
    """Check COPY, its audit trail too, and make it the database; refused where a database lies already."""
    with told("restore"):
        copies.restore(url_of(directory, url), copy)


def _json_line(value: Any) -> str:
    return orjson.dumps(value).decode()
