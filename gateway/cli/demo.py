"""`gateway demo`: the whole job on invented records, told step by step against a stand-in receiving EHR."""

import signal
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import click
from rich.console import Console

from gateway.demo.receivers import receivers_for
from gateway.demo.stage import Stage, StageBroken
from gateway.demo.story import Story, Tally, keep_in
from gateway.demo.telling import Telling

_RENEW_TOKEN_S = 200
_PLAIN_WIDTH = 120


def _host_and_port(_: click.Context, parameter: click.Parameter, written: str | None) -> tuple[str, int] | None:
    if written is None:
        return None
    host, _colon, port = written.rpartition(":")
    if not host or not port.isdigit():
        raise click.BadParameter("expected HOST:PORT", param=parameter)
    return host.strip("[]"), int(port)


def _http_address(_: click.Context, parameter: click.Parameter, written: str | None) -> str | None:
    if written is not None:
        parts = urlsplit(written)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise click.BadParameter("expected the http:// or https:// address of a FHIR server", param=parameter)
    return written


@click.command()
@click.option("--once", is_flag=True, help="End after the story; the last line on stdout is JSON.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Keep every byte sent.")
@click.option(
    "--ehr", callback=_http_address, metavar="URL", help="A real FHIR server in place of the stand-in hospital."
)
@click.option(
    "--ehr-mllp",
    callback=_host_and_port,
    metavar="HOST:PORT",
    help="A real HL7v2 listener in place of the stand-in clinic.",
)
def demo(once: bool, out: Path | None, ehr: str | None, ehr_mllp: tuple[str, int] | None) -> None:
    """Show the whole job in a temporary directory on free ports, which is removed at the end.

    Invented records of six programs are received, converted, decided, delivered by FHIR and by HL7v2, refused where
    there is no consent, and answered. Exit status 0 only if every expected outcome happened.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="warm-handoff-demo-") as directory:
        stage = Stage(Path(directory))
        receivers = receivers_for(stage, ehr, ehr_mllp)
        story = Story(
            stage, Telling(Console(width=None if sys.stdout.isatty() else _PLAIN_WIDTH)), receivers, keep_in(out)
        )
        tally = Tally(ok=False)  # until the story has been told to its end
        try:
            tally = story.tell()
            if not once:
                _leave_open(stage)
        except StageBroken as broken:
            click.echo(f"gateway demo: {broken}", err=True)
        except KeyboardInterrupt:
            if not tally.ok:
                click.echo("gateway demo: stopped before the end of the story", err=True)
        finally:
            stage.close()
    if once:
        click.echo(tally.as_json())
    sys.exit(0 if tally.ok else 1)


def _leave_open(stage: Stage) -> None:
    """Keep everything running until Ctrl-C (a KeyboardInterrupt), so that a person can look around in the console."""
    assert stage.gateway is not None
    click.echo("\nThe console is open. This link works once and asks for a password of your choice:")
    click.echo(f"  {stage.gateway.http}{stage.login_link}")
    if stage.ehr is not None:
        click.echo(f"What the receivers hold:\n  {stage.ehr.http}/received")
    click.echo("Ctrl-C ends everything and removes it.")
    while True:
        time.sleep(_RENEW_TOKEN_S)
        stage.write_token()
