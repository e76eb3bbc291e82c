"""`gateway keys`: put a new key in the place of one, and keep what others need of the old."""

import secrets
from functools import partial
from pathlib import Path

import click
import orjson

from gateway.cli.operations import opened, told, where
from gateway.model.audit import AuditEntry
from gateway.ports import Transaction
from gateway.settings import read_settings, replace_secret
from gateway.storage.checkpoint_key import CheckpointKey
from gateway.wiring import clock

_ROTATED = ("token", "session", "audit")
_KEY_BYTES = 32


@click.group()
def keys() -> None:
    """Look after the keys under secrets/."""


@keys.command()
@click.argument("names", nargs=-1, metavar="[token|session|audit]...", type=click.Choice(_ROTATED))
@where
def rotate(names: tuple[str, ...], directory: Path, url: str | None) -> None:
    """Put new keys in the place of the named ones; without a name, of token and session.

    After token no bearer token made before is good. After session a console form that stands open has to be loaded
    again (logins are not made with a key). After audit, checkpoints are signed by a new key, and what is public of the
    old one stays in secrets/, where `gateway audit verify` finds it. The key of the ids stays for good: with another,
    each record would come in as a new one.

    Stop `gateway serve` first, or start it again afterwards: it reads its keys at start. Each rotation is a row of the
    audit trail.
    """
    chosen = tuple(dict.fromkeys(names)) or ("token", "session")
    with told("keys rotate"):
        settings = read_settings(directory)
        old = {name: settings.secret(name) for name in (*chosen, "audit")}
        signer = CheckpointKey(old["audit"])
        with opened(directory, url, "operator", signer) as database:
            database.write(partial(_tell, chosen))
            database.checkpoint()
    if "audit" in chosen:
        kept = directory / "secrets" / f"audit-{signer.id}.json"
        kept.write_bytes(orjson.dumps(signer.public(), option=orjson.OPT_APPEND_NEWLINE))
    for name in chosen:
        replace_secret(directory, name, secrets.token_bytes(_KEY_BYTES))
    click.echo(f"rotated={'+'.join(chosen)}; a gateway that runs has the old ones until it is started again", err=True)


def _tell(names: tuple[str, ...], tx: Transaction) -> None:
    for name in names:
        tx.audit.append(AuditEntry(clock(), "key.rotated", "cli", {"key": name}))
