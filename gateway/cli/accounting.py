"""`gateway accounting`: the accounting of disclosures for a patient, and the list of an intermediary."""

import sys
from dataclasses import asdict
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import orjson

from gateway.catalog.partners import read_partners
from gateway.flow.staff.proof import accounting
from gateway.formats.accounting_csv import accounting_csv
from gateway.formats.accounting_pdf import accounting_pdf
from gateway.model.accounting import Accounting, Wanted
from gateway.model.errors import ConfigurationError, GatewayError
from gateway.reporting.accounting import KEPT_YEARS, in_parts, years_before
from gateway.settings import Settings, read_settings
from gateway.storage.database import open_database
from gateway.wiring import clock

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command("accounting")
@click.argument("person", required=False)
@click.option("--patient", help="Id of a Patient resource, in place of PERSON.")
@click.option("--from", "first", type=_DAY, help="First day, local; default: three years ago.")
@click.option("--to", "last", type=_DAY, help="Last day, local; default: until now.")
@click.option("--intermediary", metavar="ORG", help="The list this intermediary owes (42 CFR 2.24), in its place.")
@click.option("--csv", "as_csv", is_flag=True, help="One row for each disclosure.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each disclosure.")
@click.option("--pdf", "pdf", type=click.Path(dir_okay=False, path_type=Path), help="Write a letter to this file.")
@click.option(
    "--config",
    "directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    show_default=True,
    help="Configuration directory.",
)
@click.option("--database", "url", metavar="URL", help="Database URL in place of the configured one.")
def accounting_command(
    person: str | None,
    patient: str | None,
    first: datetime | None,
    last: datetime | None,
    intermediary: str | None,
    as_csv: bool,
    as_json: bool,
    pdf: Path | None,
    directory: Path,
    url: str | None,
) -> None:
    """Tell to whom records of PERSON were disclosed (42 CFR 2.25; 45 CFR 164.528).

    PERSON is an id of the index, as decisions and the console show it. Each look is a row of the audit trail. Exit
    status: 0 also where nothing was disclosed, 1 nobody of this id, 2 wrong use.
    """
    if (person is None) == (patient is None) or as_csv + as_json + (pdf is not None) > 1:
        raise click.UsageError("name PERSON or --patient, and at most one of --csv, --json and --pdf")
    try:
        settings = read_settings(directory)
        zone = ZoneInfo(settings.installation.timezone)
        since = _start(first, zone) if first else years_before(clock(), KEPT_YEARS)
        until = _start(last + timedelta(days=1), zone) if last else clock() + timedelta(seconds=1)
        wanted = Wanted(person or "", patient or "", intermediary=intermediary or "")
        made = _made(settings, url, wanted, since, until)
    except GatewayError as error:
        click.echo(f"gateway accounting: {error}", err=True)
        sys.exit(2 if isinstance(error, ConfigurationError) else 1)
    if made is None:
        click.echo("gateway accounting: nobody of this id is known here", err=True)
        sys.exit(1)
    if pdf is not None:
        pdf.write_bytes(accounting_pdf(made, in_parts(made), settings.installation.timezone))
    elif as_csv:
        click.echo(accounting_csv(made), nl=False)
    else:
        _print(made, as_json, zone)
    click.echo(f"consent={len(made.of_part('consent'))} other={len(made.of_part('other'))}", err=True)


def _start(day: datetime, zone: ZoneInfo) -> datetime:
    return datetime.combine(day.date(), time(), zone)


def _made(settings: Settings, url: str | None, wanted: Wanted, since: datetime, until: datetime) -> Accounting | None:
    registry = read_partners(settings.directory / "partners")
    if wanted.intermediary and wanted.intermediary not in registry:
        raise ConfigurationError(
            "--intermediary: expected the id of an organization in partners/, found an unknown one"
        )
    database = open_database(url or settings.database_url, clock=clock, role="operator")
    try:
        return accounting(database, registry, clock, "cli", wanted, since, until)
    finally:
        database.close()


def _print(made: Accounting, as_json: bool, zone: ZoneInfo) -> None:
    for one in made.disclosures:
        if as_json:
            click.echo(orjson.dumps(asdict(one)))
            continue
        when = f"{one.at.astimezone(zone):%Y-%m-%d %H:%M}"
        whom = f"{one.name or one.recipient} ({one.address or '-'})"
        how = one.transport if one.is_confirmed else f"{one.transport}, not confirmed"
        words = (when, one.part, whom, f"{one.occasion}: {one.content}", one.purpose, one.consent or "-", how)
        click.echo("  ".join(words))
