"""`gateway doctor`: try whether an installation could work, and say what it would believe or hold.

It sends nothing about a patient: addresses are knocked at, a FHIR server is asked for its capabilities.
"""

import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import click
import requests

from gateway.catalog.mappings import service_codes
from gateway.flow.messages.status_answers import MAPPING as REFERRALS_TO_US
from gateway.model.errors import GatewayError
from gateway.model.partner import Endpoint
from gateway.settings import FILE_NAME, Settings, read_settings
from gateway.storage.database import open_database
from gateway.wiring import clock
from gateway.wiring.installation import Rules, check_configuration, read_rules

_PROBE_S = 5.0


@dataclass(frozen=True, slots=True)
class Found:
    """One line of the doctor's; only what fails makes the command fail."""

    grade: Literal["ok", "warn", "FAIL"]
    line: str


@click.command()
@click.option(
    "--config", "directory", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".",
    show_default=True, help="Configuration directory.",
)  # fmt: skip
def doctor(directory: Path) -> None:
    """Check the configuration and try every partner connection, without sending anything about a patient."""
    try:
        settings = read_settings(directory)
        check_configuration(settings)
        rules = read_rules(settings)
    except GatewayError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    click.echo(f"ok    {directory / FILE_NAME}, partners, routes, mappings and secrets")
    failed = False
    services = service_codes(settings.directory / "mappings")
    warnings = (*_senders(rules), *_programs(settings, rules), *_routes(rules, services))
    for found in (*_database(settings), *_endpoints(rules), *warnings):
        click.echo(f"{found.grade:<5} {found.line}")
        failed = failed or found.grade == "FAIL"
    sys.exit(1 if failed else 0)


def _database(settings: Settings) -> Iterator[Found]:
    try:
        open_database(settings.database_url, clock=clock, role="reader").close()
    except GatewayError as error:
        yield Found("FAIL", f"database: {error}")
    else:
        yield Found("ok", "database: reachable, schema as expected")


def _endpoints(rules: Rules) -> Iterator[Found]:
    """Try every address that something is sent to, and name those that are missing."""
    used = {(one.to, one.transport): "an alert goes there" for one in rules.alerts}
    used |= {(one.to, one.transport): "a route sends there" for one in rules.routes}
    for organization in rules.registry:
        for endpoint in organization.endpoints:
            named = f"{organization.id} {endpoint.transport} {endpoint.address}"
            if endpoint.verified is None:
                why = "nobody has verified that this address is theirs: every disclosure to it is held"
                yield Found("FAIL", f"{named}: {why}")
            elif (organization.id, endpoint.transport) in used:
                answer = _probe(endpoint)
                yield Found("FAIL" if answer else "ok", f"{named}: {answer or 'answers'}")
    there = {(one.id, end.transport) for one in rules.registry for end in one.endpoints}
    for organization_id, transport in sorted(used.keys() - there):
        why = used[organization_id, transport]
        yield Found("FAIL", f"{organization_id}: {why} by {transport}, but partners/ names no such endpoint")


def _routes(rules: Rules, services: frozenset[str]) -> Iterator[Found]:
    """Say which rules wait for what no record can ever have: a service of no code table, a program of no mapping."""
    programs = rules.mappings.keys() | {REFERRALS_TO_US}
    for route in rules.routes:
        for what, named, known in (("service", route.service, services), ("program", route.program, programs)):
            words = ", ".join(sorted(named - known))
            if words:
                why = f"no record has the {what} {words}: that part of the rule matches nothing"
                yield Found("warn", f"{route.rule}: {why} (docs/configuration.md)")


def _programs(settings: Settings, rules: Rules) -> Iterator[Found]:
    """Say of which mappings nobody has said whose records they read."""
    for name in sorted(rules.mappings.keys() - settings.programs.keys()):
        why = f"no [programs.{name}] says whose records these are: what names no registered agency itself is held"
        yield Found("warn", f"mapping {name}: {why} (docs/configuration.md)")


def _senders(rules: Rules) -> Iterator[Found]:
    """Say whose HL7v2 messages would wait for a person, and whose are believed by two words that anybody can write."""
    for organization in rules.registry:
        endpoints = [one for one in organization.endpoints if one.transport == "hl7v2"]
        named = [(one.application, one.facility) for one in endpoints if one.application and one.facility]
        if endpoints and not named and not organization.feeds:
            why = "it takes HL7v2 and has no application and facility: what it answers waits for a person"
            yield Found("warn", f"{organization.id}: {why} (docs/hl7v2.md)")
        bound = {(one.application, one.facility) for one in organization.feeds if one.certificates}
        feeds = [(one.application, one.facility) for one in organization.feeds]
        for application, facility in sorted({*feeds, *named} - bound):
            name = "^".join(part for part in (application, facility) if part)
            why = "whoever may connect can write its MSH-3 and MSH-4, for its feed names no certificates"
            yield Found("warn", f"{organization.id} {name}: {why} (docs/hl7v2.md)")


def _probe(endpoint: Endpoint) -> str | None:
    """Return why an endpoint cannot be reached, or None. A FHIR server is asked for its capabilities only."""
    if endpoint.transport == "fhir":
        try:
            answer = requests.get(f"{endpoint.address}/metadata", timeout=_PROBE_S)
        except requests.RequestException as error:
            return f"no answer ({type(error).__name__})"
        return None if answer.ok else f"metadata answered {answer.status_code}"
    parts = urlsplit(endpoint.address)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=_PROBE_S).close()
    except OSError as error:
        return f"cannot connect ({error.strerror or type(error).__name__})"
    return None
