"""`gateway mapping explain` for HL7v2: what becomes of each field of a message, by the pack that reads it."""

import sys
from pathlib import Path

import click
import orjson

from gateway.catalog.hl7v2_packs import FOLDER, Hl7Packs, read_hl7_packs
from gateway.cli.hl7_packs import EXAMPLE_KEY, EXAMPLE_SENDER, pack_of
from gateway.cli.pack_examples import EXAMPLE_AT
from gateway.formats.hl7v2 import Message, Unreadable, read_message, split_batch
from gateway.formats.hl7v2.maps import FeedContext, read_feed
from gateway.formats.hl7v2.reading import FieldReading, read_fields
from gateway.model.errors import ConfigurationError

_HEAD_BYTES = 4096


def is_hl7v2(file: Path) -> bool:
    """Tell whether a file holds HL7v2 messages or a batch of them, by its beginning."""
    with file.open("rb") as stream:
        return any(kind for kind, _ in split_batch(stream.read(_HEAD_BYTES)).pieces[:1])


def explain_messages(file: Path, number: int | None, mappings: Path, partner: str, *, as_json: bool) -> None:
    """Print each field that holds something with its fate and the reason; `number` picks the n-th message.

    `mappings` are the installation's own packs, `partner` names whose changes count. Exits 1 where a message or a pack
    cannot be read.
    """
    unread = 0
    try:
        packs = read_hl7_packs(mappings)
    except ConfigurationError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    partner = partner.removeprefix("org:")
    if partner and not any(partner == name for name, _ in packs.overlays):
        click.echo(
            f"gateway mapping explain: warning: expected a partner who has a file mappings/{FOLDER}/<pack>/NAME.yaml"
            f" (NAME is the id without org:), found none of {partner!r}; the packs are shown as they are for everybody",
            err=True,
        )
    messages = split_batch(file.read_bytes()).messages
    if number is not None and number > len(messages):
        unread += 1
        click.echo(f"{file}: expected a message {number}, found {len(messages)}", err=True)
    for n, content in enumerate(messages, 1):
        if number not in (None, n):
            continue
        message = read_message(content)
        if isinstance(message, Unreadable):
            unread += 1
            click.echo(f"{file}: message {n}: {message.location} {message.code}: {message.reason}", err=True)
            continue
        if not as_json:
            click.echo(f"message {n}")
        for one in _readings(message, packs, partner):
            if as_json:
                row = {"record": n, "path": one.path, "status": one.status, "rule": one.rule, "target": one.target}
                click.echo(orjson.dumps({**row, "value": one.value}))
            else:
                click.echo(
                    f"  {one.path:12} {one.status:8} {one.target or '-':28} {one.name} = {one.value!r} ({one.rule})"
                )
    if unread:
        sys.exit(1)


def _readings(message: Message, packs: Hl7Packs, partner: str) -> list[FieldReading]:
    """Return what the pack says of each field; of messages that no pack reads, what the answers do with them."""
    pack = pack_of(message, packs, partner)
    if pack is None:
        return read_fields(message)
    return read_feed(message, pack, FeedContext(EXAMPLE_KEY, EXAMPLE_AT, EXAMPLE_SENDER)).report()
