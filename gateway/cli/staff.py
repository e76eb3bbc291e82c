"""`gateway staff`: who may use the console, in which role, and whose staff they are."""

import sys
from pathlib import Path

import click

from gateway.catalog.partners import read_partners
from gateway.model.audit import AuditEntry
from gateway.model.errors import ConfigurationError, GatewayError
from gateway.model.staff import ROLES
from gateway.settings import Settings, read_settings
from gateway.storage.database import SqlDatabase, open_database
from gateway.storage.staff import StaffAccounts
from gateway.wiring import clock

_CONFIG = click.option(
    "--config",
    "directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    show_default=True,
    help="Configuration directory.",
)


def account_name(_: click.Context, parameter: click.Parameter, written: str) -> str:
    """Refuse a name of nothing: nobody could log in by it, and every list would show an empty place."""
    if not written.strip():
        raise click.BadParameter("expected the name of an account, found none", param=parameter)
    return written


@click.group()
def staff() -> None:
    """Look after the accounts of the console."""


@staff.command()
@click.argument("name", callback=account_name)
@click.option("--role", type=click.Choice(ROLES), help="Default for a new account: staff.")
@click.option("--organization", metavar="ORG", help="Registry id of whose staff it is. Default: the operator.")
@_CONFIG
def invite(name: str, role: str | None, organization: str | None, directory: Path) -> None:
    """Print a one-time login link for NAME, and make the account if there is none.

    For an account that exists, --role gives it that role and organization and ends its sessions; without --role only
    the password can be set anew.
    """
    try:
        settings = read_settings(directory)
        whose = _organization(settings, organization)
        database = open_database(settings.database_url, clock=clock, role="operator")
        try:
            token = _invited(database, name, role, whose)
        finally:
            database.close()
    except GatewayError as error:
        click.echo(f"gateway staff invite: {error}", err=True)
        sys.exit(2 if isinstance(error, ConfigurationError) else 1)
    click.echo(f"{settings.installation.base_url}/console/welcome/{token}")


@staff.command("list")
@_CONFIG
def list_accounts(directory: Path) -> None:
    """Print every account: name, role, organization, and whether it has a password yet."""
    try:
        settings = read_settings(directory)
        database = open_database(settings.database_url, clock=clock, role="reader")
        try:
            accounts = StaffAccounts(database).everyone()
        finally:
            database.close()
    except GatewayError as error:
        click.echo(f"gateway staff list: {error}", err=True)
        sys.exit(2 if isinstance(error, ConfigurationError) else 1)
    for one in accounts:
        whose = one.organization or settings.installation.operator
        click.echo(f"{one.name}  {one.role}  {whose}  {'active' if one.password_hash else 'invited'}")


def _invited(database: SqlDatabase, name: str, role: str | None, organization: str | None) -> str:
    accounts, now = StaffAccounts(database), clock()
    known = accounts.by_name(name)
    if known is not None and role is not None:
        accounts.assign(name, role, organization)
    token = accounts.invite(name, role or "staff", now, organization)
    made = accounts.by_name(name)
    assert made is not None, "it was there or has just been made"
    told = {"account": made.id, "role": made.role, "organization": made.organization}
    database.write(lambda tx: tx.audit.append(AuditEntry(now, "staff.invited", "cli", told)))
    return token


def _organization(settings: Settings, organization: str | None) -> str | None:
    """Return whose staff an account is; None for the operator's. Raises `ConfigurationError` for nobody registered."""
    if organization in (None, settings.installation.operator):
        return None
    if read_partners(settings.directory / "partners").get(organization) is None:
        raise ConfigurationError("--organization: expected an organization of partners/, found none of that id")
    return organization
