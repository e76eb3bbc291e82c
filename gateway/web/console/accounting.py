"""The accounting of disclosures about one person, as a page, a table and a letter (42 CFR 2.25); or the list that an
intermediary owes (42 CFR 2.24).

Found by the number of a person or by a record about the person; the number by the whole name and the birth date, in the
body of a form, so that no name stands in an address or a log. Every look, downloads too, is a row of the audit trail.
"""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, render_template, request, url_for

from gateway.formats.accounting_csv import accounting_csv
from gateway.formats.accounting_pdf import accounting_pdf
from gateway.model.accounting import Accounting, Wanted
from gateway.model.exchange import NOT_FOUND, Problem, RequestRefused
from gateway.model.partner import Organization
from gateway.reporting.accounting import KEPT_YEARS, in_parts, years_before
from gateway.web.console.session import require_duty
from gateway.web.services import Services

_FIELDS = ("person", "record", "from", "to", "intermediary")
_WHO = ("family", "given", "birth_date")
_LONGEST = 64


def add_accounting_page(door: Blueprint, services: Services) -> None:
    """Add the page and its two downloads to the console."""

    @door.get("/accounting")
    def accounting() -> str:
        require_duty(services, "account")
        asked = _asked()
        found = _found(services, asked) if asked.get("person") or asked.get("record") else None
        return render_template(
            "console/accounting.html",
            asked=asked,
            accounting=found,
            intermediaries=[one for one in _organizations(services) if "intermediary" in one.roles],
            parts=in_parts(found) if found else [],
            downloads={kind: url_for(f"console.accounting_as_{kind}", **asked) for kind in ("csv", "pdf")},
        )

    @door.post("/accounting/find")
    def find_people() -> str:
        actor = require_duty(services, "account")
        stated = {name: request.form.get(name, "").strip()[:_LONGEST] for name in _WHO}
        if not all(stated.values()):
            raise RequestRefused(Problem(400, "required", None, "Expected both names and the birth date."))
        found = services.house.find_people(actor.id, **stated)
        return render_template("console/people.html", stated=stated, found=found)

    @door.get("/accounting.csv")
    def accounting_as_csv() -> Response:
        return _file(accounting_csv(_found(services, _asked())), "text/csv; charset=utf-8", "csv")

    @door.get("/accounting.pdf")
    def accounting_as_pdf() -> Response:
        found = _found(services, _asked())
        return _file(accounting_pdf(found, in_parts(found), services.timezone), "application/pdf", "pdf")


def _organizations(services: Services) -> tuple[Organization, ...]:
    return services.house.release_desk.organizations


def _asked() -> dict[str, Any]:
    given = {name: request.args.get(name, "").strip()[:_LONGEST] for name in _FIELDS}
    return {name: value for name, value in given.items() if value}


def _found(services: Services, asked: dict[str, Any]) -> Accounting:
    """Return the accounting asked for; raises `RequestRefused` for nobody known and for what is no day."""
    zone, now = ZoneInfo(services.timezone), services.clock()
    since, until = years_before(now, KEPT_YEARS), now + timedelta(seconds=1)
    try:
        if "from" in asked:
            since = datetime.combine(date.fromisoformat(asked["from"]), time(), zone)
        if "to" in asked:
            until = datetime.combine(date.fromisoformat(asked["to"]) + timedelta(days=1), time(), zone)
    except (ValueError, OverflowError):
        raise RequestRefused(Problem(400, "value", None, "Expected days as YYYY-MM-DD.")) from None
    intermediary = asked.get("intermediary", "")
    if intermediary and intermediary not in {one.id for one in _organizations(services)}:
        raise RequestRefused(Problem(400, "value", None, "Expected an intermediary of the registry."))
    wanted = Wanted(person=asked.get("person", ""), handoff=asked.get("record", ""), intermediary=intermediary)
    found = services.house.accounting(require_duty(services, "account").id, wanted, since, until)
    if found is None:
        raise RequestRefused(NOT_FOUND)
    return found


def _file(content: bytes, media_type: str, ending: str) -> Response:
    """Send a file under a name that tells of nobody."""
    response = Response(content, content_type=media_type)
    response.headers["Content-Disposition"] = f"attachment; filename=accounting-of-disclosures.{ending}"
    return response
