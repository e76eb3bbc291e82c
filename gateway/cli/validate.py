"""`gateway validate`: tell every problem of FHIR resources and HL7v2 messages in files."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from gateway.catalog.profiles import load_checker
from gateway.cli.message_fields import is_hl7v2
from gateway.formats.hl7v2 import Unreadable, read_message, split_batch
from gateway.formats.hl7v2.conformance import conformance_of
from gateway.model.findings import Finding, Findings
from gateway.validation import Checker, DefinitionError, read_json
from gateway.validation.second_opinion import second_opinion

HANDOFF = "handoff"
BASE = "https://warmhandoff.example/fhir/StructureDefinition/"
LINES = (".ndjson", ".jsonl")


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--profile",
    "profile_names",
    multiple=True,
    metavar="URL",
    help="Hold resources of its type against this profile, alone or inside a Bundle. 'handoff' stands for all of our "
    "profiles, 'wh-task' and the like for one of them. May be repeated.",
)
@click.option(
    "--packages",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of FHIR packages (.tgz, or unpacked) whose profiles and codes are known too.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a finding.")
def validate(files: tuple[Path, ...], profile_names: tuple[str, ...], packages: Path | None, as_json: bool) -> None:
    """Check FHIR R4 resources and HL7v2 messages.

    .json files hold one resource or Bundle, .ndjson files one a line, and what begins with MSH, FHS or BHS is a message
    or a batch. Every resource is held against R4 and the profiles that it claims in meta.profile, every message against
    the standard of its MSH-12: order of segments, fields, data types, codes. Each problem is one line with place,
    severity, FHIRPath or field, and rule key; warnings and information of one kind are told once, with their number
    (--json tells each). Exit status: 0 no errors, 1 errors, 2 wrong use.
    """
    checker = load_checker(packages)
    count: Counter[str] = Counter()
    told = _Told(each=as_json)
    try:
        profiles = _profiles(checker, profile_names)
        for file in files:
            held = "message" if is_hl7v2(file) else "resource"
            for number, found in _checked(file, held, checker, profiles):
                count[held] += 1
                for finding in found:
                    count[finding.severity] += 1
                    told.add(finding, _shown(str(file), held, number, finding, as_json))
    except DefinitionError as problem:
        raise click.UsageError(f"a profile cannot be used: {problem}") from None
    told.rest()
    counted = [f"{held}s={count[held]}" for held in ("resource", "message") if count[held] or held == "resource"]
    click.echo(f"{' '.join(counted)} errors={count['error']} warnings={count['warning']}", err=True)
    raise SystemExit(1 if count["error"] else 0)


class _Told:
    """Prints findings: each error where it is found, of the rest the first of its kind and how many are like it."""

    def __init__(self, *, each: bool) -> None:
        self._each = each
        self._first: dict[tuple[str, str, str], str] = {}
        self._times: Counter[tuple[str, str, str]] = Counter()

    def add(self, finding: Finding, line: str) -> None:
        """Print one finding, or keep it for the end."""
        kind = (finding.severity, finding.rule, finding.message)
        self._times[kind] += 1
        if self._each or finding.severity == "error":
            click.echo(line)
        else:
            self._first.setdefault(kind, line)

    def rest(self) -> None:
        """Print what was kept."""
        for kind, line in self._first.items():
            alike = self._times[kind] - 1
            click.echo(f"{line} (and {alike} like it)" if alike else line)


def _profiles(checker: Checker, names: tuple[str, ...]) -> dict[str, str]:
    """Turn profile names into a table by resource type."""
    table: dict[str, str] = {}
    for name in names:
        if name == HANDOFF:
            table |= checker.profiles
            continue
        url = BASE + name if name.startswith("wh-") else name
        type_name = checker.type_of(url)
        if type_name is None:
            message = f"--profile {name}: expected a profile of ours or of a package in --packages, found none"
            raise click.UsageError(message)
        table[type_name] = url
    return table


def _checked(
    file: Path, held: str, checker: Checker, profiles: dict[str, str]
) -> Iterator[tuple[int, Iterable[Finding]]]:
    """Yield for each resource its line, for each message its number, and what is wrong with it."""
    if held == "message":
        yield from enumerate(map(_conformance, split_batch(file.read_bytes()).messages), 1)
    else:
        yield from ((line, _check(raw, checker, profiles)) for line, raw in _documents(file))


def _conformance(raw: bytes) -> Iterable[Finding]:
    message = read_message(raw)
    if isinstance(message, Unreadable):
        return [Finding("error", f"unreadable-{message.code}", message.location, message.reason)]
    return conformance_of(message)


def _documents(file: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the documents of a file with the line each starts on."""
    if file.suffix.lower() not in LINES:
        yield 1, file.read_bytes()
        return
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield number, line


def _check(raw: bytes, checker: Checker, profiles: dict[str, str]) -> Iterator[Finding]:
    """Check one document: limits and JSON first, then R4 and profiles, then the models of fhir.resources."""
    resource, refusal = read_json(raw)
    if not refusal.is_valid:
        yield from refusal
        return
    found = checker.check(resource, profiles)
    yield from _wrong_type(resource, profiles)
    yield from found
    # What the checker has refused the models would only refuse again.
    yield from second_opinion(resource) if found.is_valid else Findings()


def _wrong_type(resource: Any, profiles: dict[str, str]) -> Iterator[Finding]:
    """Tell when none of the profiles asked for is about a resource that stands alone."""
    name = resource.get("resourceType") if isinstance(resource, dict) else None
    if profiles and isinstance(name, str) and name != "Bundle" and name not in profiles:
        message = f"expected a resource of type {' or '.join(sorted(profiles))}, found another type"
        yield Finding("error", "profile-type", "$this", message)


def _shown(file: str, held: str, number: int, finding: Finding, as_json: bool) -> str:
    if as_json:
        unit = "number" if held == "message" else "line"
        return json.dumps({"file": file, unit: number, **asdict(finding)}, ensure_ascii=False)
    where = f"message {number}" if held == "message" else number
    return f"{file}:{where}: {finding.severity} {finding.location} [{finding.rule}] {finding.message}"
