"""`gateway consent decide` and `gateway redact`: decide on files, and show what would leave, byte for byte.

Both are pure: no network, no database, no clock but `--at`. File shapes: docs/consent-engine.md.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click
import orjson

from gateway.catalog.partners import Entry, overlaid, read_partner_entries, registry_from
from gateway.catalog.state_law import read_state_law
from gateway.cli.consent_case import checked_parts, read_strictly
from gateway.cli.consent_replay import replay_command
from gateway.consent import (
    Switches,
    UnreadableRequest,
    compile_consents,
    decide,
    read_facts,
    read_request,
    read_switches,
)
from gateway.labeling import label
from gateway.model.consent_directive import Consents
from gateway.model.decision import POLICY_VERSION, Permit, Refusal
from gateway.model.disclosure import Disclosure
from gateway.model.errors import ConfigurationError
from gateway.model.fhir_time import instant
from gateway.model.labeled import LabeledRecords
from gateway.model.partner import DEFAULT_ZONE, Registry
from gateway.model.state_law import StateLaw
from gateway.redaction import redact as redact_records
from gateway.settings import FILE_NAME, read_settings

_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, RecursionError, ConfigurationError)
"""What one unreadable case may raise; it is answered, and the next one is read."""

_OWN_WORDS = (ValueError, UnreadableRequest, ConfigurationError)


@dataclass(frozen=True, slots=True)
class _World:
    """What a configuration directory says about partners, the law of their states, and switches."""

    entries: list[Entry]
    state_law: StateLaw
    registry: Registry
    switches: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Decided:
    """One decision with what it was made from."""

    outcome: Permit | Refusal
    records: LabeledRecords
    consents: Consents
    registry: Registry


def _file_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that both commands share."""
    readable = click.Path(exists=True, dir_okay=False, path_type=Path)
    folder = click.Path(exists=True, file_okay=False, path_type=Path)
    options = [
        click.option("--request", "request_file", type=readable, help="Who asks for what, for which purpose (JSON)."),
        click.option("--consents", "consents_file", type=readable, help="FHIR Bundle of Consents, all versions."),
        click.option("--records", "records_file", type=readable, help="FHIR Bundle of what is asked, with Provenance."),
        click.option("--facts", "facts_file", type=readable, help="JSON list: Patient index and other facts."),
        click.option("--config", "directory", type=folder, default=".", show_default=True, help="Has partners/."),
        click.option("--at", "at_text", help="Instant of the decision, e.g. 2026-11-02T18:00:00Z; default: now."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def _stops_politely(command: Callable[..., None]) -> Callable[..., None]:
    """Turn a wrong configuration or file into one line on stderr and exit status 2."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except ConfigurationError as error:
            click.echo(f"gateway: {error}", err=True)
            sys.exit(2)

    return run


@click.group()
def consent() -> None:
    """Decide by 42 CFR Part 2 whether something may be disclosed."""


consent.add_command(replay_command)


@consent.command("decide")
@_file_options
@click.option(
    "--cases",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Many self-contained cases, one JSON object a line; one record a line comes back, in the same order.",
)
@_stops_politely
def decide_command(cases: Path | None, directory: Path, **files: Any) -> None:
    """Print the decision record as JSON. Exit status 0: PERMIT or PERMIT_REDACTED, 1: DENY or HOLD."""
    if cases is not None:
        if any(files.values()):
            raise click.UsageError(
                "--cases stands alone: each case says its own request, records, consents and instant"
            )
        sys.exit(_decide_cases(cases, _read_world(directory)))
    outcome = _decide_files(directory, "--request, --consents and --records, or --cases", **files).outcome
    click.echo(json.dumps(outcome.record.to_json()))
    sys.exit(0 if isinstance(outcome, Permit) else 1)


@click.command()
@_file_options
@_stops_politely
def redact(directory: Path, **files: Any) -> None:
    """Print the disclosure that would leave, byte for byte; on a refusal nothing, and exit status 1."""
    decided = _decide_files(directory, "--request, --consents and --records", **files)
    disclosure: Permit | Refusal | Disclosure = decided.outcome
    if isinstance(disclosure, Permit):
        disclosure = redact_records(decided.records, disclosure, decided.consents, registry=decided.registry)
    if not isinstance(disclosure, Disclosure):
        record = disclosure.record
        click.echo(f"gateway redact: {record.decision} {record.reason}: nothing may leave ({record.section})", err=True)
        sys.exit(1)
    click.echo(disclosure.body, nl=False)


def _read_world(directory: Path) -> _World:
    entries = read_partner_entries(directory / "partners")
    settings = read_settings(directory) if (directory / FILE_NAME).is_file() else None
    zone = settings.installation.timezone if settings else DEFAULT_ZONE
    law = read_state_law(directory / "law")
    return _World(entries, law, registry_from(entries, law, zone), settings.switches if settings else {})


def _decide_files(
    directory: Path,
    expected: str,
    request_file: Path | None,
    consents_file: Path | None,
    records_file: Path | None,
    facts_file: Path | None,
    at_text: str | None,
) -> _Decided:
    if request_file is None or consents_file is None or records_file is None:
        raise click.UsageError(f"expected {expected}")
    case = {
        "request": _read_json(request_file),
        "consents": _read_json(consents_file),
        "records": _read_json(records_file),
        "facts": _read_json(facts_file) if facts_file else [],
    }
    try:
        at = instant(at_text) if at_text else _now()
    except ValueError as error:
        raise click.UsageError(f"--at: {error}") from error
    world = _read_world(directory)
    try:
        return _decide(checked_parts(case), world, at)
    except _UNREADABLE as error:
        raise ConfigurationError(f"the files cannot be read as a case: {_kind(error)}") from error


def _decide_cases(path: Path, world: _World) -> int:
    status = 0
    for number, line in _lines(path):
        case: Any = None
        identity: Any = None
        try:
            case = read_strictly(line)
            identity = case.get("id") if isinstance(case, dict) else None
            whole = checked_parts(case)
            record = _decide(whole, world, instant(whole.get("at"))).outcome.record.to_json()
            record["at"] = case["at"]
        except _UNREADABLE as error:
            click.echo(f"{path}:{number}: case {identity}: cannot be read: {_kind(error)}", err=True)
            record, status = _unreadable(line, case if isinstance(case, dict) else {}), 1
        click.echo(json.dumps({"id": identity, **record}))
    return status


def _decide(case: dict[str, Any], world: _World, at: datetime) -> _Decided:
    overlay = case.get("organizations")
    registry = world.registry
    if overlay:
        registry = registry_from(overlaid(world.entries, overlay), world.state_law, registry.zone)
    switches: Switches = read_switches({**world.switches, **(case.get("switches") or {})})
    records = label(case["records"], registry, at)
    consents = compile_consents(case["consents"], registry)
    outcome = decide(
        read_request(case["request"]),
        records,
        consents,
        registry=registry,
        at=at,
        facts=read_facts(case.get("facts") or [], registry, at),
        switches=switches,
    )
    return _Decided(outcome, records, consents, registry)


def _unreadable(line: bytes, case: dict[str, Any]) -> dict[str, Any]:
    return {
        "decision": "DENY",
        "reason": "UNPARSEABLE",
        "section": "42 CFR 2.31(c)(2)",
        "obligations": ["AUDIT"],
        "basis": None,
        "withheld": [],
        "policy_version": POLICY_VERSION,
        "at": case.get("at"),
        "input_hash": "sha256:" + hashlib.sha256(line).hexdigest(),
    }


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield each line that is not blank, with its number in the file."""
    with path.open("rb") as file:
        yield from ((number, line) for number, line in enumerate(file, 1) if line.strip())


def _read_json(path: Path) -> Any:
    try:
        return read_strictly(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise ConfigurationError(f"{path}:{error.lineno}:{error.colno}: expected JSON") from error
    except ValueError as error:
        raise ConfigurationError(f"{path}: {error}") from error


def _kind(error: Exception) -> str:
    """Name what was wrong; the text only of our own messages, which never hold a value."""
    if isinstance(error, orjson.JSONDecodeError):
        return f"expected JSON, found a mistake in column {error.colno}"
    return str(error) if type(error) in _OWN_WORDS else type(error).__name__


def _now() -> datetime:
    from gateway.wiring import clock  # here: deciding on files needs nothing else of the house

    return clock()
