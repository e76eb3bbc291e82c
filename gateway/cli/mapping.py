"""`gateway mapping`: list, check, test, explain and propose mapping packs."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click
import orjson

from gateway.catalog.hl7v2_packs import PackFolder, read_hl7_packs
from gateway.catalog.mappings import PACK_FILE, pack_paths, read_mapping
from gateway.cli.conversion import DEMONSTRATION_KEY, Conversion, complaint
from gateway.cli.hl7_packs import (
    check_hl7_packs,
    hl7_example,
    hl7_examples,
    hl7_names,
    hl7_rows,
    unclaimed_files,
)
from gateway.cli.instant import Instant
from gateway.cli.message_fields import explain_messages, is_hl7v2
from gateway.cli.pack_examples import Example, differences, record_examples, write_expectations
from gateway.formats import read
from gateway.mapping import CompiledMapping, Context, apply, explain
from gateway.model.draft import Draft, TraceLine
from gateway.model.errors import ConfigurationError
from gateway.model.received import Received
from gateway.model.source_record import SourceRecord
from gateway.wiring import clock


@click.group()
def mapping() -> None:
    """List, check, test, explain and propose mapping packs."""


_CONFIG = click.option(
    "--config",
    "directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    show_default=True,
    help="Configuration directory whose mappings/ come first.",
)


def _packs(names: tuple[str, ...], directory: Path) -> dict[str, Path]:
    """Return the packs asked for (by name or by folder), those of HL7v2 left out; all where none is named."""
    known = pack_paths(directory / "mappings")
    if not names:
        return known
    names = tuple(name for name in names if name not in hl7_names(directory))
    chosen: dict[str, Path] = {}
    for name in names:
        folder = Path(name).parent if Path(name).name == PACK_FILE else Path(name)
        if name in known:
            chosen[name] = known[name]
        elif (folder / PACK_FILE).is_file():
            chosen[folder.resolve().name] = folder.resolve()
        else:
            click.echo(
                f"gateway mapping: expected a mapping ({', '.join(known)}) or its folder, found {name!r}", err=True
            )
            sys.exit(2)
    return chosen


def _hl7_packs(names: tuple[str, ...], directory: Path) -> dict[str, PackFolder]:
    """Return the HL7v2 packs asked for by name; all where none is named."""
    return {name: folder for name, folder in hl7_names(directory).items() if not names or name in names}


@mapping.command("list")
@_CONFIG
@click.option("--paths", "only_paths", is_flag=True, help="Print only the folder of each, to copy one from.")
@click.option("--json", "as_json", is_flag=True, help="Print one object a line.")
def list_packs(directory: Path, only_paths: bool, as_json: bool) -> None:
    """List every mapping pack with its format and program."""
    for name, folder in _packs((), directory).items():
        if only_paths:
            click.echo(str(folder))
            continue
        found = _read_or_exit(folder)
        row = {"mapping": name, "format": found.layout.format, "program": found.program["code"], "title": found.title}
        if as_json:
            click.echo(orjson.dumps(row))
        else:
            _show_row(row)
    for pack in hl7_names(directory).values() if only_paths else ():
        click.echo(str(pack.path))
    with _mistakes_end_it():
        rows = () if only_paths else tuple(hl7_rows(directory))
    for row in rows:
        if as_json:
            click.echo(orjson.dumps(row))
        else:
            _show_row(row)


def _show_row(row: dict[str, str]) -> None:
    click.echo(f"{row['mapping']:28} {row['format']:6} {row['program']:18} {row['title']}")


@contextmanager
def _mistakes_end_it() -> Iterator[None]:
    """Tell the mistakes of a pack and exit with 1."""
    try:
        yield
    except ConfigurationError as error:
        click.echo(str(error), err=True)
        sys.exit(1)


def _read_or_exit(folder: Path) -> CompiledMapping:
    with _mistakes_end_it():
        return read_mapping(folder)


@mapping.command()
@click.argument("names", metavar="[NAME|FOLDER]...", nargs=-1)
@_CONFIG
def check(names: tuple[str, ...], directory: Path) -> None:
    """Check packs against the schema and compile them; each mistake with file:line:column."""
    failed = 0
    for name, folder in _packs(names, directory).items():
        try:
            read_mapping(folder)
            click.echo(f"{name}: ok")
        except ConfigurationError as error:
            failed += 1
            click.echo(str(error), err=True)
    asked = _hl7_packs(names, directory)
    mistakes = check_hl7_packs(directory) if asked else []
    for line in [*mistakes, *(unclaimed_files(directory) if asked else ())]:
        click.echo(line, err=True)
    for name in () if mistakes else asked:
        click.echo(f"{name}: ok")
    sys.exit(1 if failed or mistakes else 0)


@mapping.command()
@click.argument("names", metavar="[NAME|FOLDER]...", nargs=-1)
@_CONFIG
@click.option("--write", is_flag=True, help="Write what comes out of examples that have no expectation yet.")
def test(names: tuple[str, ...], directory: Path, write: bool) -> None:
    """Run every example of the packs: the Bundles, and what else comes out (facts, messages) where a file says it.

    With --write, what comes out of an input that has no expectation yet becomes its expectation: read it before you
    trust it.
    """
    passed = failed = 0
    for name, example in _examples(names, directory):
        for file in write_expectations(example) if write else ():
            click.echo(f"written: {file}", err=True)
        found = list(differences(example))
        passed, failed = passed + (not found), failed + bool(found)
        for difference in found:
            click.echo(f"{name}/{example.source.name}: {difference}", err=True)
    click.echo(f"passed={passed} failed={failed}")
    sys.exit(1 if failed else 0)


def _examples(names: tuple[str, ...], directory: Path) -> Iterator[tuple[str, Example]]:
    """Yield each example of the packs asked for, tried, with the name of its pack; a pack without any is told of."""
    for name, folder in _packs(names, directory).items():
        with _mistakes_end_it():
            found = list(record_examples(read_mapping(folder), folder))
        if not found:
            click.echo(f"{name}: no examples; put inputs into {folder / 'examples'} as NN-what.in.csv", err=True)
        yield from ((name, example) for example in found)
    if asked := _hl7_packs(names, directory):
        with _mistakes_end_it():
            packs = read_hl7_packs(directory / "mappings")
        yield from ((name, hl7_example(packs, source)) for name, pack in asked.items() for source in hl7_examples(pack))


@mapping.command("explain")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--mapping", "named", metavar="NAME", help="Mapping to use; without it the file is recognized.")
@click.option("--partner", default="", metavar="NAME", help="Of HL7v2: whose file of a pack to take.")
@click.option("--record", "number", type=click.IntRange(min=1), help="Only the n-th record.")
@click.option("--at", type=Instant(), help="Take this as the present instant, e.g. 2026-11-02T18:00:00Z.")
@_CONFIG
@click.option("--json", "as_json", is_flag=True, help="Print one object an element or field.")
def explain_file(
    file: Path, named: str | None, partner: str, number: int | None, at: datetime | None, directory: Path, as_json: bool
) -> None:
    """Show for each element the source field, rule and value it came from, and what became of all other fields.

    Of HL7v2 messages: what becomes of each field when such a message comes in, as the packs of `mappings/hl7v2` say;
    `--partner` takes that partner's changes.

    What the mapping found wrong with a record is told on stderr.

    This prints what the record says: use it where the record may be seen.
    """
    if named is None and is_hl7v2(file):
        explain_messages(file, number, directory / "mappings", partner, as_json=as_json)
        return
    packs = {name: _read_or_exit(folder) for name, folder in _packs((named,) if named else (), directory).items()}
    context = Context(DEMONSTRATION_KEY, at or clock())
    conversion = Conversion(packs, lambda one: context, next(iter(packs)) if named else None)
    received = Received(str(file), lambda: file.open("rb"))
    compiled = conversion.mapping_for(received)
    if isinstance(compiled, str):
        click.echo(f"{file}: {compiled}", err=True)
        sys.exit(1)
    found = number is None
    for item in read(received, compiled.layout):
        if number not in (None, item.number):
            continue
        found = True
        outcome = apply(item, compiled, context) if isinstance(item, SourceRecord) else item
        if isinstance(outcome, Draft) and isinstance(item, SourceRecord):
            _show(explain(item, outcome, compiled, context), item.number, as_json)
            for one in outcome.findings:
                click.echo(f"{file}: record {item.number}: {one.location}: {one.message} [{one.rule}]", err=True)
        elif (line := complaint(str(file), outcome)) is not None:
            click.echo(line, err=True)
    if not found:
        click.echo(f"{file}: expected a record {number}, found none of that number", err=True)
        sys.exit(1)


def _show(lines: list[TraceLine], number: int, as_json: bool) -> None:
    if not as_json:
        click.echo(f"record {number}")
    for line in lines:
        if as_json:
            row = {"record": number, "path": line.path, "status": line.status, "rule": line.rule, "target": line.target}
            click.echo(orjson.dumps({**row, "value": line.value}, default=str))
        else:
            told = f"  ({line.rule})" if line.rule else ""
            click.echo(f"  {line.target or '-':48} {line.status:8} {line.path} = {line.value!r}{told}")


@mapping.command()
@click.option("--from", "sample", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", default="my-program", show_default=True, help="Name of the new pack.")
def new(sample: Path, name: str) -> None:
    """Propose a mapping from sample rows: what the columns seem to hold, for a person to correct.

    It is printed: save it as mappings/NAME/mapping.yaml in the configuration directory.
    """
    from gateway.cli.proposal import propose  # here: it reads every code table

    proposal = propose(sample, name)
    if proposal is None:
        click.echo(f"{sample}: expected delimited text with a header row, or a JSON list of objects", err=True)
        sys.exit(1)
    click.echo(proposal)
    click.echo(f"save it as mappings/{name}/mapping.yaml, then: gateway mapping check {name}", err=True)
