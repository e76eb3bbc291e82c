"""`gateway hl7v2`: look into HL7v2 messages and send them, for those who connect interfaces."""

import json
import re
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import click

from gateway.delivery.mllp_sender import MllpSender, client_tls
from gateway.formats.hl7v2 import Message, State, Unreadable, read_message, split_batch
from gateway.formats.hl7v2.acknowledgement import read_header
from gateway.formats.hl7v2.field_names import field_name
from gateway.formats.hl7v2.message import HEADER_SEGMENTS, Segment, read_any_bytes
from gateway.formats.hl7v2.paths import parse_path
from gateway.model.errors import TryLater, WillNeverWork

_FILE = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
_EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)

_LONGEST_S = 3600
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
_FRAME = re.compile(rb"\x0b|\x1c\r?")
"""Start block, end block: HL7 v2 Transport, MLLP R1; neither byte may stand inside of a message."""

_GUESSED = "MSH-18 states no character set and the bytes are no UTF-8: they are read as Windows-1252"


@click.group()
def hl7v2() -> None:
    """Look into HL7v2 messages, and send them over MLLP."""


def _path(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        try:
            parse_path(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error
    return value


@hl7v2.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=_FILE)
@click.option("--path", callback=_path, metavar="PATH", help="Only what stands there, such as PID-5.1 or OBX[2]-5.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a message, every field raw.")
def show(files: tuple[Path, ...], path: str | None, as_json: bool) -> None:
    """Show messages field by field: of any version, single, many in a file, or a batch ("-" reads standard input).

    Without --json only fields that hold something are shown, escapes decoded, named as the standard names them. With
    it, joining the fields of a segment with the separator (in MSH, FHS, BHS: field 1 itself) gives the segment again.
    Exit status: 0 all were read, 1 something could not be, 2 wrong use.
    """
    all_read = True
    for where, raw in _messages(files):
        message = read_message(raw)
        if isinstance(message, Unreadable):
            all_read = False
            click.echo(f"{where}: {message.location} {message.code}: {message.reason}", err=True)
            message = read_any_bytes(raw)
        elif message.guessed_charset:
            click.echo(f"{where}: {_GUESSED}", err=True)
        if isinstance(message, Unreadable):
            continue
        if path is not None:
            _show_place(message, path, as_json)
        elif as_json:
            click.echo(json.dumps({"segments": [_as_json(segment) for segment in message.segments]}))
        else:
            _show_fields(message, where)
    raise SystemExit(0 if all_read else 1)


def _messages(files: tuple[Path, ...]) -> Iterator[tuple[str, bytes]]:
    """Yield each message with where it stands; what is no message is yielded too, to be told."""
    for file in files:
        with click.open_file(str(file), "rb") as stream:
            batch = split_batch(_unframed(stream.read()))
        for trailer in batch.miscounted():
            click.echo(f"{file}: {trailer} states another count than there are messages or batches", err=True)
        number = 0
        for kind, content in batch.pieces:
            number += kind == "MSH"
            if kind in ("MSH", ""):
                yield f"{file}: message {number}" if kind else f"{file}: before message {number + 1}", content
        if not batch.pieces:
            yield f"{file}: message 1", b""


def _unframed(content: bytes) -> bytes:
    """Take the MLLP frames off what was recorded on a line: sent on, their bytes would end our own frame too soon."""
    return _FRAME.sub(b"", content) if content.startswith(b"\x0b") else content


def _as_json(segment: Segment) -> dict[str, str | list[str]]:
    return {"id": segment.id, "fields": segment.fields[1:]}


def _show_place(message: Message, path: str, as_json: bool) -> None:
    text, state = message.text(path), message.state(path)
    if as_json:
        click.echo(json.dumps({"path": path, "state": state.value, "value": text}))
    else:
        click.echo('""' if state is State.NULL else _harmless(text))


def _show_fields(message: Message, where: str) -> None:
    version = message.text("MSH-12.1")
    kind = "^".join(filter(None, (message.text("MSH-9.1"), message.text("MSH-9.2"))))
    click.echo(click.style(_harmless(f"{where}: {kind} {version}"), bold=True))
    seen: dict[str, int] = {}
    for segment in message.segments:
        seen[segment.id] = seen.get(segment.id, 0) + 1
        occurrence = f"[{seen[segment.id]}]" if seen[segment.id] > 1 else ""
        click.echo(click.style(_harmless(f"{segment.id}{occurrence}"), fg="cyan"))
        for field in range(1, len(segment.fields)):
            for repetition in range(1, segment.repetitions(field) + 1):
                _show_field(segment, field, repetition, version)
    click.echo()


def _show_field(segment: Segment, field: int, repetition: int, version: str) -> None:
    text = _shown(segment, field, repetition)
    if not text:
        return
    place = f"{segment.id}-{field}" + (f"[{repetition}]" if repetition > 1 else "")
    name = field_name(segment.id, field, version)
    click.echo(f"  {_harmless(place):<12}{click.style(f'{name[:34]:<36}', dim=True)}{_harmless(text)}")


def _harmless(text: str) -> str:
    """Write out what a terminal would obey: whoever sends could retitle, overwrite or answer what an engineer sees."""
    return text.translate(_CONTROL)


def _shown(segment: Segment, field: int, repetition: int) -> str:
    if segment.id in HEADER_SEGMENTS and field <= 2:
        return segment.fields[field]
    if segment.state(field, repetition=repetition) is State.NULL:
        return '""'
    # One line a field; a document of megabytes is told by its length.
    text = segment.text(field, repetition=repetition).replace("\r", " ").replace("\n", "\n" + " " * 50)
    return text if len(text) <= 2000 else f"{text[:80]}... ({len(text)} characters)"


def _waiting(_: click.Context, parameter: click.Parameter, seconds: float) -> float:
    """Refuse what nobody can wait, NaN too: no range of click's finds that outside of itself."""
    if not 0 < seconds <= _LONGEST_S:
        raise click.BadParameter(f"expected more than 0 and at most {_LONGEST_S} seconds", param=parameter)
    return seconds


@hl7v2.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=_FILE)
@click.option("--to", "target", metavar="HOST:PORT", required=True, help="The MLLP listener.")
@click.option("--tls", is_flag=True, help="Speak TLS; any of the next three options does so too.")
@click.option("--tls-ca", type=_EXISTING, help="PEM file of the authority that signed the server's certificate.")
@click.option("--tls-cert", type=_EXISTING, help="PEM file of our own certificate, for a server that asks.")
@click.option("--tls-key", type=_EXISTING, help="PEM file of its key.")
@click.option(
    "--timeout",
    "timeout_s",
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    callback=_waiting,
    help="Wait for an answer.",
)
def send(
    files: tuple[Path, ...],
    target: str,
    tls: bool,
    tls_ca: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    timeout_s: float,
) -> None:
    """Send each message over one MLLP connection and print its answer as one JSON line.

    Line ends of files are made CR on the way; nothing else is changed. A message that gets no answer is the last one:
    what follows must not overtake it; one that asks for none (MSH-15 and -16 NE) is not waited for, and has no code.
    Exit status: 0 all were accepted (AA or CA), 1 not, 2 wrong use.
    """
    host, port = _address(target)
    context = _tls(tls_ca, tls_cert, tls_key) if tls or tls_ca or tls_cert or tls_key else None
    accepted = True
    with MllpSender(host, port, context, timeout_s) as sender:
        for where, raw in _messages(files):
            message = read_message(raw)
            if isinstance(message, Unreadable):
                accepted = False
                click.echo(f"{where}: not sent: {message.location} {message.code}: {message.reason}", err=True)
                continue
            try:
                code = _send(sender, message)
            except (TryLater, WillNeverWork) as error:
                click.echo(f"{where}: {error}; nothing after it was sent", err=True)
                raise SystemExit(1) from error
            accepted = accepted and code in ("AA", "CA")
    raise SystemExit(0 if accepted else 1)


def _send(sender: MllpSender, message: Message) -> str | None:
    """Send one message, print its line and return the code; None where it asks for no answer."""
    header = read_header(message)
    code, text = None, "the message asks for no answer"
    began = time.monotonic()
    try:
        if header.asks_for_silence:
            sender.post(message.normalized())
        else:
            acknowledgement = sender.send(message.normalized()).acknowledgement
            code, text = acknowledgement.code, acknowledgement.text
    except (TryLater, WillNeverWork) as error:
        text = str(error)
        raise
    finally:
        elapsed_ms = round((time.monotonic() - began) * 1000, 1)
        click.echo(json.dumps({"control_id": header.control_id, "code": code, "text": text, "ms": elapsed_ms}))
    return code


def _tls(authority: Path | None, certificate: Path | None, key: Path | None) -> ssl.SSLContext:
    if key is not None and certificate is None:
        raise click.UsageError("--tls-key: expected --tls-cert beside it")
    try:
        return client_tls(authority, certificate, key)
    except ssl.SSLError as error:
        files = " and ".join(str(file) for file in (authority, certificate, key) if file is not None)
        raise click.UsageError(f"{files}: expected PEM files that belong together ({error.reason})") from error


def _address(target: str) -> tuple[str, int]:
    host, _, port = target.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise click.BadParameter("expected HOST:PORT", param_hint="--to")
    return host.strip("[]"), int(port)
