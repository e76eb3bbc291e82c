"""`gateway audit`: check the trail, sign it, and write it out so that others can check it."""

import secrets
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import orjson

from gateway.catalog.partners import read_partners
from gateway.cli.operations import opened, told, where
from gateway.model.audit import (
    AuditEntry,
    Broken,
    BrokenCheckpoint,
    BrokenRecord,
    ChainHead,
    Checkpoint,
    Link,
    check_trail,
    read_checkpoint,
    read_checkpoints,
)
from gateway.model.errors import ConfigurationError, GatewayError
from gateway.reporting.audit_event import disclosure_event, refusal_event
from gateway.settings import read_settings, write_secret
from gateway.storage.accounting import every_disclosure, every_refusal
from gateway.storage.audit import audit_links, audit_rows
from gateway.storage.checkpoint_key import CheckpointKey, KnownKeys
from gateway.storage.checkpoints import checkpoint_tokens
from gateway.storage.database import SqlDatabase
from gateway.storage.instants import from_micros
from gateway.storage.told_by_trail import broken_record

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def audit() -> None:
    """Check, sign or print the hash-chained audit trail."""


class _Head(click.ParamType[ChainHead]):
    name = "SEQ:HASH"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> ChainHead:
        """Read a chain head as `audit verify` prints it."""
        seq, _, digest = str(value).partition(":")
        if not seq.isdigit() or len(digest) != 64:
            self.fail("expected SEQ:HASH as an earlier `gateway audit verify` printed it", param, ctx)
        return ChainHead(int(seq), digest)


@audit.command()
@where
@click.option("--known", type=_Head(), help="A head noted earlier: rows cut off since then are found too.")
@click.option("--checkpoints", "noted", type=_FILE, help="Checkpoints kept elsewhere: the trail must still hold them.")
@click.option("--export", "exported", type=_FILE, help="Check this file of `audit export` in place of the database.")
@click.option("--key", "keys", type=_FILE, multiple=True, help="Public key of the checkpoints, also an older one.")
def verify(
    directory: Path,
    url: str | None,
    known: ChainHead | None,
    noted: Path | None,
    exported: Path | None,
    keys: tuple[Path, ...],
) -> None:
    """Walk the whole trail and print its head, SEQ:HASH; exit 1 naming the first thing that does not hold.

    Checked are every row, every link, and every signed checkpoint; then that each decision and each disclosure the
    trail tells of is kept as it was told, and no others are. An export holds the trail alone. Without --key the
    installation's own keys tell which signatures are right, those that `gateway keys rotate` kept too.
    """
    with told("audit verify"):
        opens = _known_keys(directory, keys)
        heads = [known] if known else []
        broken: BrokenRecord | None = None
        if noted is not None:
            heads += [ChainHead(one.seq, one.hash) for one in _kept_elsewhere(noted, opens)]
        if exported is not None:
            tokens = [token for token, _ in _lines(exported) if token is not None]
            found = _checked(_links_in(exported), tokens, opens, heads)
        else:
            with opened(directory, url, "reader") as database:
                found = database.query(lambda c: _checked(audit_links(c), checkpoint_tokens(c), opens, heads))
                broken = database.query(broken_record) if isinstance(found, ChainHead) else None
    if broken is not None or not isinstance(found, ChainHead):
        click.echo(f"gateway audit verify: {broken or found}", err=True)
        sys.exit(1)
    click.echo(f"{found.seq}:{found.hash}")


def _checked(
    links: Iterator[Link], tokens: list[str], opens: KnownKeys | None, heads: list[ChainHead]
) -> ChainHead | Broken:
    """Check links and checkpoints; fail where there are checkpoints and no key for them."""
    if opens is None and tokens:
        raise ConfigurationError(
            f"the trail has {len(tokens)} checkpoints and no key to check them was found: name one with --key"
        )
    signed = read_checkpoints(tokens, opens) if opens is not None else None
    if isinstance(signed, BrokenCheckpoint):
        found = check_trail(links, None, heads)  # a broken link says more, where there is one too
        return signed if isinstance(found, ChainHead) else found
    return check_trail(links, signed, heads)


def _known_keys(directory: Path, files: tuple[Path, ...]) -> KnownKeys | None:
    if files:
        return KnownKeys([_json(file, file.read_bytes()) for file in files])
    if not (directory / "secrets" / "audit.key").exists():
        return None
    earlier = [_json(file, file.read_bytes()) for file in sorted((directory / "secrets").glob("audit-*.json"))]
    return KnownKeys([CheckpointKey(read_settings(directory).secret("audit")).public(), *earlier])


def _kept_elsewhere(file: Path, opens: KnownKeys | None) -> Iterator[Checkpoint]:
    if opens is None:
        raise ConfigurationError(f"expected a key to check the checkpoints in {file}: name one with --key")
    for token, _ in _lines(file):
        if token is not None:
            signed = opens(token)
            if signed is None:
                raise GatewayError(f"{file}: found a checkpoint that no known key signed")
            yield read_checkpoint(signed)


def _links_in(file: Path) -> Iterator[Link]:
    for _, row in _lines(file):
        if row is not None:
            entry = AuditEntry(datetime.fromisoformat(row["at"]), row["kind"], row["actor"], row["data"])
            yield Link(row["seq"], entry, row["previous"], row["hash"])


def _lines(file: Path) -> Iterator[tuple[str | None, dict[str, Any] | None]]:
    """Yield (token, row) of each line of an export: a checkpoint or a row."""
    with file.open("rb") as lines:
        for line in lines:
            written = _json(file, line)
            yield (written["token"], None) if "token" in written else (None, written)


def _json(file: Path, content: bytes) -> dict[str, Any]:
    try:
        written = orjson.loads(content)
    except orjson.JSONDecodeError:
        written = None
    if not isinstance(written, dict):
        raise GatewayError(f"{file}: expected JSON objects as `gateway audit` prints them, found something else")
    return written


@audit.command()
@where
def checkpoint(directory: Path, url: str | None) -> None:
    """Sign the trail as it stands and print the newest checkpoint: a line to keep somewhere else."""
    with told("audit checkpoint"):
        signer = CheckpointKey(read_settings(directory).secret("audit"))
        with opened(directory, url, "operator", signer) as database:
            database.checkpoint()
            tokens = database.query(checkpoint_tokens)
    if tokens:
        click.echo(_json_line({"checkpoint": len(tokens), "token": tokens[-1]}))


@audit.command()
@click.option("--new", is_flag=True, help="Write secrets/audit.key first; refused where there is one.")
@click.option("--config", "directory", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".")
def key(directory: Path, new: bool) -> None:
    """Print the public key that checkpoints are checked with (JWK): give it to whoever is to check them."""
    with told("audit key"):
        if new:
            _write_key(directory)
        signer = CheckpointKey(read_settings(directory).secret("audit"))
    click.echo(_json_line(signer.public()))


def _write_key(directory: Path) -> None:
    try:
        write_secret(directory, "audit", secrets.token_bytes(32))
    except FileExistsError:
        raise ConfigurationError(
            f"{directory / 'secrets' / 'audit.key'} is there already: keep what `gateway audit key` prints of it, and "
            "move it away before a new one is made"
        ) from None


@audit.command()
@where
@click.option(
    "--format",
    "form",
    type=click.Choice(("rows", "fhir")),
    default="rows",
    show_default=True,
    help="`rows`: the trail itself. `fhir`: an AuditEvent for each disclosure and each refusal (IHE BALP shapes).",
)
def export(directory: Path, url: str | None, form: str) -> None:
    """Print the whole trail, one JSON object a row, oldest first, and then its checkpoints.

    As `fhir`, for the operator's staff only: that something was refused is itself protected.
    """
    with told("audit export"), opened(directory, url, "reader") as database:
        if form == "fhir":
            _print_events(database, directory)
        else:
            _print_trail(database)


def _print_events(database: SqlDatabase, directory: Path) -> None:
    settings = read_settings(directory)
    registry, operator = read_partners(settings.directory / "partners"), settings.installation.operator

    def printed(connection: Any) -> None:
        for row in every_disclosure(connection):
            click.echo(_json_line(disclosure_event(row, registry, operator)))
        for decision in every_refusal(connection):
            click.echo(_json_line(refusal_event(decision, registry, operator)))

    database.query(printed)


def _print_trail(database: SqlDatabase) -> None:
    def printed(connection: Any) -> None:
        for row in audit_rows(connection):
            shown = {"seq": row.seq, "at": from_micros(row.at), "kind": row.kind, "actor": row.actor}
            # The data as it was hashed, byte for byte.
            linked = {"data": orjson.Fragment(row.data), "previous": row.previous, "hash": row.hash}
            click.echo(_json_line({**shown, **linked}))
        for n, token in enumerate(checkpoint_tokens(connection), 1):
            click.echo(_json_line({"checkpoint": n, "token": token}))

    database.query(printed)


def _json_line(value: Any) -> str:
    return orjson.dumps(value).decode()
