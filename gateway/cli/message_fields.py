"""`gateway mapping explain` for HL7v2: what becomes of each field of a message that comes in."""

import sys
from pathlib import Path

import click
import orjson

from gateway.formats.hl7v2 import Unreadable, read_message, split_batch
from gateway.formats.hl7v2.reading import read_fields

_HEAD_BYTES = 4096


def is_hl7v2(file: Path) -> bool:
    """Tell whether a file holds HL7v2 messages or a batch of them, by its beginning."""
    with file.open("rb") as stream:
        return any(kind for kind, _ in split_batch(stream.read(_HEAD_BYTES)).pieces[:1])


def explain_messages(file: Path, number: int | None, *, as_json: bool) -> None:
    """Print each field that holds something with its fate and the reason; `number` picks the n-th message.

    Exits 1 where a message cannot be read.
    """
    unread = 0
    for n, content in enumerate(split_batch(file.read_bytes()).messages, 1):
        if number not in (None, n):
            continue
        message = read_message(content)
        if isinstance(message, Unreadable):
            unread += 1
            click.echo(f"{file}: message {n}: {message.location} {message.code}: {message.reason}", err=True)
            continue
        if not as_json:
            click.echo(f"message {n}")
        for one in read_fields(message):
            if as_json:
                row = {"record": n, "path": one.path, "status": one.status, "rule": one.rule, "target": one.target}
                click.echo(orjson.dumps({**row, "value": one.value}))
            else:
                click.echo(
                    f"  {one.path:12} {one.status:8} {one.target or '-':28} {one.name} = {one.value!r} ({one.rule})"
                )
    if unread:
        sys.exit(1)
