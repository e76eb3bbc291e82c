"""`gateway convert`: source files in, one Bundle (or HL7v2 referral) a record out, and a count that adds up."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, BinaryIO

import click
import orjson
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from gateway.catalog.mappings import pack_paths, read_mapping, read_mappings
from gateway.catalog.partners import read_partners
from gateway.cli.conversion import DEMONSTRATION_KEY, Conversion, complaint, files_of, summary
from gateway.cli.emission import as_fhir, as_hl7v2, checked
from gateway.cli.instant import Instant
from gateway.formats.hl7v2.times import hl7_time
from gateway.mapping import CompiledMapping, Context
from gateway.model.draft import Draft
from gateway.model.errors import ConfigurationError
from gateway.model.hl7_header import Hl7Header
from gateway.model.received import Received
from gateway.settings import MllpSection, read_settings
from gateway.wiring import clock


@click.command()
@click.argument("paths", metavar="FILE|DIR...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--mapping", "named", metavar="NAME", help="Mapping to use; without it each file is recognized.")
@click.option(
    "--config",
    "directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Configuration directory: its key, partners and mappings.",
)
@click.option("--at", type=Instant(), help="Take this as the present instant, e.g. 2026-11-02T18:00:00Z.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Write one file a record here.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["fhir", "hl7v2"]),
    default="fhir",
    show_default=True,
    help="fhir: Bundles. hl7v2: the referrals in them as one batch of REF^I12.",
)
@click.option("--facts", type=click.Path(dir_okay=False, path_type=Path), help="Write the measure facts here (NDJSON).")
@click.option("--validate", is_flag=True, help="Quarantine records whose Bundle breaks R4 or our profiles.")
def convert(
    paths: tuple[Path, ...],
    named: str | None,
    directory: Path | None,
    at: datetime | None,
    out: Path | None,
    form: str,
    facts: Path | None,
    validate: bool,
) -> None:
    """Convert source files to FHIR Bundles, one NDJSON line a record on stdout.

    Records that cannot be read or mapped are named on stderr and never stop the rest. The last line of stderr counts
    every input. Exit status 1 if anything was quarantined.

    With --format hl7v2 a record that refers nobody is skipped.

    This decides nothing about consent: what it writes is the whole record. Only what `gateway serve` sends, or `gateway
    redact` prints, is a disclosure that somebody may have.
    """
    at = at or clock()
    conversion = _conversion(named, directory, at)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        take = stack.enter_context(as_fhir(out) if form == "fhir" else as_hl7v2(out, _header(directory, at)))
        conversion.take = checked(take) if validate else take
        facts_file = stack.enter_context(facts.open("wb")) if facts else None
        files = list(files_of(paths))
        advance = stack.enter_context(_progress(files, conversion))
        for path in files:
            _convert_file(path, conversion, facts_file, advance)
    sys.stdout.flush()
    for line in summary(conversion.findings):
        click.echo(line, err=True)
    click.echo(str(conversion.counts), err=True)
    sys.exit(1 if conversion.counts.quarantined else 0)


def _conversion(named: str | None, directory: Path | None, at: datetime) -> Conversion:
    try:
        folders = [directory / "mappings"] if directory else []
        paths = pack_paths(*folders)
        if named is not None and named not in paths:
            own = "" if directory else "; packs of your own need --config"
            known = ", ".join(sorted(paths))
            click.echo(f"gateway convert: expected a mapping ({known}), found {named!r}{own}", err=True)
            sys.exit(2)
        mappings = {named: read_mapping(paths[named])} if named else read_mappings(*folders)
        context_for = _contexts(directory, at)
    except ConfigurationError as error:
        click.echo(f"gateway convert: {error}", err=True)
        sys.exit(2)
    return Conversion(mappings, context_for, named)


def _contexts(directory: Path | None, at: datetime) -> Callable[[CompiledMapping], Context]:
    """Return how each mapping gets its context: from the installation, or from the published demonstration key."""
    if directory is None:
        click.echo("no --config: ids are made with the published demonstration key", err=True)
        return lambda mapping: Context(DEMONSTRATION_KEY, at)
    from gateway.wiring.installation import conversion_context  # here: without --config nobody needs the whole house

    settings = read_settings(directory)
    registry = read_partners(directory / "partners")
    settings.secret("id")  # a missing key stops the run before the first record
    return lambda mapping: conversion_context(settings, registry, mapping, at)


def _header(directory: Path | None, at: datetime) -> Hl7Header:
    """Name as sender who this installation is; the receiver is whoever the file is given to."""
    names = MllpSection() if directory is None else read_settings(directory).mllp
    return Hl7Header(
        sending_application=(names.application,),
        sending_facility=(names.facility,),
        receiving_application=(),
        receiving_facility=(),
        time=hl7_time(at),
        control_id=f"{at:%Y%m%d%H%M%S}",
        processing_id=names.processing_id,
    )


def _convert_file(
    path: Path,
    conversion: Conversion,
    facts: IO[bytes] | None,
    advance: Callable[[BinaryIO], BinaryIO],
) -> None:
    received = Received(str(path), lambda: advance(path.open("rb")))
    for outcome in conversion.run(received, path.stat().st_size):
        if isinstance(outcome, Draft):
            if facts is not None:
                facts.write(orjson.dumps(outcome.facts, default=str) + b"\n")
        elif (line := complaint(str(path), outcome)) is not None:
            click.echo(line, err=True)


class _Counted:
    """A stream that tells how far it was read."""

    def __init__(self, stream: BinaryIO, told: Callable[[int], None]) -> None:
        self._stream = stream
        self._told = told
        self.close = stream.close

    def read(self, size: int = -1) -> bytes:
        chunk = self._stream.read(size)
        self._told(self._stream.tell())
        return chunk

    def __enter__(self) -> "_Counted":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


@contextmanager
def _progress(files: list[Path], conversion: Conversion) -> Iterator[Callable[[BinaryIO], BinaryIO]]:
    """Show a bar of the bytes read and the records done, where a person watches; else do nothing."""
    if not sys.stderr.isatty():
        yield lambda stream: stream
        return
    sizes = sum(path.stat().st_size for path in files)
    columns = (BarColumn(), DownloadColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=sizes)
        furthest = 0

        def wrap(stream: BinaryIO) -> BinaryIO:
            nonlocal furthest
            base, best = furthest, 0

            def told(position: int) -> None:
                nonlocal best, furthest
                best = max(best, position)
                furthest = max(furthest, base + best)
                progress.update(task, completed=min(furthest, sizes), description=f"{conversion.counts}")

            return _Counted(stream, told)  # type: ignore[return-value]  # read and close are all a reader uses

        yield wrap
