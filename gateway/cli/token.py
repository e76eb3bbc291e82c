"""`gateway token`: a short-lived bearer token for a registered client; works while `serve` is stopped."""

import sys
from pathlib import Path

import click

from gateway.model.errors import ConfigurationError
from gateway.settings import read_settings
from gateway.web.tokens import issue
from gateway.wiring import clock, new_id


@click.command()
@click.argument("client")
@click.option(
    "--config",
    "directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    show_default=True,
    help="Configuration directory.",
)
def token(client: str, directory: Path) -> None:
    """Print a bearer token for CLIENT, good for five minutes.

    CLIENT is the id of a [[clients]] entry of gateway.toml. Nothing but the token goes to stdout:

        curl -H "Authorization: Bearer $(gateway token demo-ehr)" http://127.0.0.1:8080/fhir/R4/Task
    """
    try:
        settings = read_settings(directory)
        if settings.client(client) is None:
            known = ", ".join(registered.id for registered in settings.clients) or "none"
            click.echo(f"gateway token: no client of this id in gateway.toml; registered: {known}", err=True)
            sys.exit(2)
        key = settings.secret("token")
    except ConfigurationError as error:
        click.echo(f"gateway token: {error}", err=True)
        sys.exit(2)
    click.echo(issue(client, key, token_id=new_id(), at=clock()))
