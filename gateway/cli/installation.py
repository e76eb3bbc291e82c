"""`gateway init` and `gateway doctor`: make an installation, and try whether it could work."""

import secrets
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import click
import requests

from gateway.catalog import STARTER
from gateway.model.errors import GatewayError
from gateway.model.partner import Endpoint
from gateway.settings import FILE_NAME, Settings, read_settings, write_secret
from gateway.storage.database import open_database
from gateway.storage.staff import StaffAccounts
from gateway.wiring import clock
from gateway.wiring.installation import Rules, check_configuration, read_rules

_KEY_BYTES = 32
_PROBE_S = 5.0
_SECRETS = ("id", "token", "session", "audit")


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--staff", default="operator", show_default=True, help="Name of the first staff account.")
def init(directory: Path, staff: str) -> None:
    """Write a commented starter configuration into DIRECTORY, which must be empty or not exist.

    It listens on loopback only, keeps everything in one SQLite file, has one example partner of each kind, and fresh
    keys under secrets/. Prints a one-time link for the first staff account.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        click.echo(f"gateway init: {directory}: expected an empty folder, found one that is not", err=True)
        sys.exit(2)
    shutil.copytree(STARTER, directory, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    (directory / "mappings").mkdir()
    for name in _SECRETS:
        write_secret(directory, name, secrets.token_bytes(_KEY_BYTES))
    settings = read_settings(directory)
    database = open_database(settings.database_url, clock=clock)
    try:
        token = StaffAccounts(database).invite(staff, "admin", clock())
    finally:
        database.close()
    click.echo(f"Written to {directory}. Next: cd {directory} && gateway serve")
    click.echo(f"One-time login for {staff!r}, good for 24 hours once it serves:")
    click.echo(f"{settings.installation.base_url}/console/welcome/{token}")


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
    problems = 0
    for line, good in (*_database(settings), *_endpoints(rules)):
        click.echo(f"{'ok   ' if good else 'FAIL '} {line}")
        problems += not good
    sys.exit(1 if problems else 0)


def _database(settings: Settings) -> Iterator[tuple[str, bool]]:
    try:
        open_database(settings.database_url, clock=clock, role="reader").close()
    except GatewayError as error:
        yield f"database: {error}", False
    else:
        yield "database: reachable, schema as expected", True


def _endpoints(rules: Rules) -> Iterator[tuple[str, bool]]:
    routed = {(route.to, route.transport) for route in rules.routes}
    for organization in rules.registry:
        for endpoint in organization.endpoints:
            named = f"{organization.id} {endpoint.transport} {endpoint.address}"
            if endpoint.verified is None:
                yield f"{named}: nobody has verified that this address is theirs: every disclosure to it is held", False
            elif (organization.id, endpoint.transport) in routed:
                answer = _probe(endpoint)
                yield f"{named}: {answer or 'answers'}", answer is None
    reachable = {(one.id, end.transport) for one in rules.registry for end in one.endpoints}
    for organization_id, transport in sorted(routed - reachable):
        yield f"{organization_id}: a route sends there by {transport}, but partners/ names no such endpoint", False


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
