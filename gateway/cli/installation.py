"""`gateway init`: make an installation."""

import secrets
import shutil
import sys
from pathlib import Path

import click

from gateway.catalog import STARTER
from gateway.cli.staff import account_name
from gateway.settings import read_settings, write_secret
from gateway.storage.database import open_database
from gateway.storage.staff import StaffAccounts
from gateway.wiring import clock

_KEY_BYTES = 32
_SECRETS = ("id", "token", "session", "audit")


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--staff", default="operator", show_default=True, callback=account_name, help="Name of the first staff account."
)
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
