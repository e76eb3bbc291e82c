"""The list of records, and the page of one.

The list names nobody: names, and what a record says, are on its own page, which is a disclosure to the member of
staff who opens it and is decided and logged as one.
"""

from dataclasses import asdict, replace
from typing import Any, get_args

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from gateway.flow.releases.kinds import KINDS
from gateway.model.exchange import NOT_FOUND, RequestRefused
from gateway.model.handoff import HandoffState
from gateway.storage.view_rows import RecordQuery
from gateway.web.console.headline import subject_matter
from gateway.web.console.session import staff
from gateway.web.console.trace import by_field
from gateway.web.services import Services

_FILTERS = ("id", "program", "agency", "state", "recipient", "before")
_LONGEST_FILTER = 100


def add_record_pages(door: Blueprint, services: Services) -> None:
    """Add the list and the record page to the console."""

    @door.get("/records")
    def records() -> str:
        query = RecordQuery(**{name: request.args.get(name, "").strip()[:_LONGEST_FILTER] for name in _FILTERS})
        page = services.views.records(query)
        return render_template(
            "console/records.html",
            query=query,
            page=page,
            choices=services.views.choices(),
            states=get_args(HandoffState),
            newest=_address_of(replace(query, before="")) if query.before else None,
            older=_address_of(replace(query, before=page.next)) if page.next else None,
        )

    @door.get("/records/<handoff_id>")
    def record(handoff_id: str) -> str:
        owner = staff()
        found = services.house.console_record((owner.id, owner.role), handoff_id)
        if found is None:
            raise RequestRefused(NOT_FOUND)
        return render_template(
            "console/record.html",
            record=found,
            source=_source(found),
            trace=by_field(found["trace"]),
            kinds=KINDS,
            services={
                one["id"]: subject_matter(one) for one in found["resources"] if one["resourceType"] == "ServiceRequest"
            },
        )

    @door.post("/records/<handoff_id>/person")
    def decide_person(handoff_id: str) -> AnyResponse:
        person_id = request.form.get("person") or None
        if not services.house.resolve_match(staff().id, handoff_id, person_id):
            raise RequestRefused(NOT_FOUND)
        flash("Decided: the same person." if person_id else "Decided: another person.")
        return redirect(url_for("console.record", handoff_id=handoff_id), 303)

    @door.post("/records/<handoff_id>/back")
    def back(handoff_id: str) -> AnyResponse:
        if not services.house.give_back(staff().id, handoff_id):
            raise RequestRefused(NOT_FOUND)
        flash(f"Record {handoff_id[:12]} is given back: its source finds the reason in its receipt.")
        return redirect(url_for("console.queues", _anchor="held"), 303)

    @door.post("/records/<handoff_id>/route")
    def route(handoff_id: str) -> AnyResponse:
        if not services.house.route_again(staff().id, handoff_id):
            raise RequestRefused(NOT_FOUND)
        flash(f"Record {handoff_id[:12]} is routed again by the routes of now. Where none covers it, it waits on here.")
        return redirect(url_for("console.queues", _anchor="held"), 303)


def _address_of(query: RecordQuery) -> str:
    given: dict[str, Any] = {name: value for name, value in asdict(query).items() if value}
    return url_for("console.records", **given)


def _source(record: dict[str, Any]) -> str | None:
    """Return the source as text, or None where it may not be shown.

    An input of several records speaks of other people too, whose records were not asked for and not decided on.
    """
    if record["source"] is None or len(record["records"]) > 1:
        return None
    text: str = record["source"].decode("utf-8", errors="replace")
    return text
