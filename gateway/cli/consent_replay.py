"""`gateway consent replay`: a past decision, made again from what was kept of it."""

import sys
from pathlib import Path

import click
import orjson

from gateway.model.errors import ConfigurationError, GatewayError


@click.command("replay")
@click.argument("decision_id")
@click.option(
    "--config",
    "directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    show_default=True,
    help="Configuration directory.",
)
@click.option("--database", "url", metavar="URL", help="Database URL in place of the configured one.")
def replay_command(decision_id: str, directory: Path, url: str | None) -> None:
    """Make the decision DECISION_ID again from its kept inputs and compare hash and outcome.

    Prints both records as JSON. Exit status: 0 they agree, 1 they do not (what differs is said on stderr, and whether
    partners or rules have changed since) or there is no such decision, 2 wrong use.
    """
    # Here, not above: deciding on files needs no database.
    from gateway.catalog.partners import read_partners
    from gateway.flow.staff.proof import replay
    from gateway.settings import read_settings
    from gateway.storage.database import open_database
    from gateway.wiring import clock

    try:
        settings = read_settings(directory)
        registry = read_partners(settings.directory / "partners", settings.installation.timezone)
        database = open_database(url or settings.database_url, clock=clock, role="operator")
        try:
            made = replay(database, registry, clock, "cli", decision_id)
        finally:
            database.close()
    except GatewayError as error:
        click.echo(f"gateway consent replay: {error}", err=True)
        sys.exit(2 if isinstance(error, ConfigurationError) else 1)
    if made is None:
        click.echo("gateway consent replay: there is no decision of this id", err=True)
        sys.exit(1)
    shown = {
        "decision": made.decision,
        "agrees": not made.differences,
        "differences": made.differences,
        "registry_changed": made.registry_changed,
        "policy_changed": made.policy_changed,
        "kept": made.kept,
        "now": made.now,
    }
    click.echo(orjson.dumps(shown).decode())
    for note in _notes(made.differences, made.registry_changed, made.policy_changed):
        click.echo(f"gateway consent replay: {note}", err=True)
    sys.exit(1 if made.differences else 0)


def _notes(differences: tuple[str, ...], registry_changed: bool, policy_changed: bool) -> list[str]:
    notes = []
    if registry_changed:
        notes.append("partners/ has changed since: its digest is part of the hash, so the hash differs by that alone")
    if policy_changed:
        notes.append("the rules are of another version than those of then")
    if differences:
        notes.append(f"these differ: {', '.join(differences)}")
        if not {"decision", "reason", "obligations", "basis", "withheld"}.intersection(differences):
            notes.append("the outcome is the same")
    if differences and not registry_changed and not policy_changed:
        notes.append("neither partners nor rules have changed: what was kept is not what was decided on")
    return notes
