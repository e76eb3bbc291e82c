"""Restrictions agreed with a person, on the page of the person's consents, and the report that a consent is false."""

from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from gateway.model.caveat import Wish
from gateway.model.exchange import NOT_FOUND, Problem, RequestRefused
from gateway.web.console.session import member
from gateway.web.services import Services

_LONGEST_NOTE = 300
_MOST = 200


def add_restriction_pages(door: Blueprint, services: Services) -> None:
    """Add the agreeing and ending of restrictions, and the report of a false consent and its taking back."""

    @door.post("/restrictions/<record>")
    def agree_restriction(record: str) -> AnyResponse:
        items = _several("items")
        wish = Wish(
            request.form.get("kind", ""), _text("organization"), _several("against"), items or None, _text("reason")
        )
        _insist(services.house.consent_desk.agree_restriction(member(services), record, wish))
        flash("Kept. What waits to be sent is decided on it; what was sent before cannot be undone.")
        return redirect(url_for("console.consents", record=record), 303)

    @door.post("/restrictions/<record>/<caveat_id>/end")
    def end_restriction(record: str, caveat_id: str) -> AnyResponse:
        _insist(services.house.consent_desk.end_restriction(member(services), caveat_id, _text("how")))
        flash("Ended. What it stopped is decided again.")
        return redirect(url_for("console.consents", record=record), 303)

    @door.post("/consents/<consent_id>/false")
    def report_false_consent(consent_id: str) -> AnyResponse:
        _insist(services.house.consent_desk.report_false(member(services), consent_id, _text("why")))
        flash("Reported. Nothing leaves on it any more.")
        return redirect(url_for("console.consent", consent_id=consent_id), 303)

    @door.post("/consents/<consent_id>/not-false")
    def take_report_back(consent_id: str) -> AnyResponse:
        _insist(services.house.consent_desk.take_report_back(member(services), consent_id, _text("why")))
        flash("The report is taken back: the consent counts again as far as it is in force.")
        return redirect(url_for("console.consent", consent_id=consent_id), 303)


def restrictions_section(services: Services, record: str) -> dict[str, Any]:
    """Return what the page of a person's consents shows of restrictions, and what its form offers."""
    actor = member(services)
    found = services.house.consent_desk.restrictions(actor, record)
    if found is None:
        raise RequestRefused(NOT_FOUND)
    return {
        "restrictions": found,
        "names": {one.id: one.name for one in found.organizations},
        "items": services.house.release_desk.items(actor, record),
    }


def _text(name: str) -> str:
    return request.form.get(name, "").strip()[:_LONGEST_NOTE]


def _several(name: str) -> tuple[str, ...]:
    return tuple(value[:_LONGEST_NOTE] for value in request.form.getlist(name)[:_MOST])


def _insist(problem: Problem | None) -> None:
    if problem is not None:
        raise RequestRefused(problem)
