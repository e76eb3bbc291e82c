"""Releases at the console: breaking the glass and every other basis, the list, one release, and legal review.

The list names nobody. What may be released, and whether, is decided by the stories; these pages only ask and show.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from gateway.flow.releases.kinds import KINDS, KindRule
from gateway.model.exchange import NOT_FOUND, RequestRefused
from gateway.model.partner import Organization
from gateway.model.release import ReleaseKind, ReleaseRequest
from gateway.web.console.release_fields import (
    FIELDS,
    ONLY,
    ORDER_FIELDS,
    FormField,
    court_order,
    read_fields,
    says_why_no_consent,
)
from gateway.web.console.session import member, require_duty
from gateway.web.services import Services

Page = str | tuple[str, int] | AnyResponse

_LONGEST_ID = 64
_SHOWN_OF_ID = 12
"""As many characters of an id as every page of the console shows."""
_NO_REASON = (
    "Nothing was released yet. Tick that the person's written consent cannot be obtained, or state the declared "
    "disaster that closed the program. If the person can be asked, ask them (42 CFR 2.51(a))."
)


def add_release_pages(door: Blueprint, services: Services) -> None:
    """Add the list, the forms, the page of one release and its actions to the console."""
    _add_forms(door, services)
    _add_pages(door, services)
    _add_actions(door, services)


def _add_forms(door: Blueprint, services: Services) -> None:
    @door.get("/releases/new/<kind>")
    def new_release(kind: str) -> Page:
        require_duty(services, "release")
        return _form(services, kind)

    @door.post("/releases/new/<kind>")
    def ask_release(kind: str) -> Page:
        rule = _rule(kind)
        stated = read_fields([FIELDS[name] for name in rule.fields], request.form, ZoneInfo(services.timezone))
        record = request.form.get("record", "").strip()[:_LONGEST_ID]
        recipient = request.form.get("recipient", "").strip()[:200]
        way = request.form.get("way", rule.ways[0])
        types = frozenset(one[:_LONGEST_ID] for one in request.form.getlist("only")[: len(ONLY.options)])
        if kind == "emergency" and not says_why_no_consent(stated):
            return _form(services, kind, _NO_REASON), 422
        try:
            made = services.house.release_desk.request(
                member(services), ReleaseRequest(kind, record, recipient, way, stated, types)
            )
        except RequestRefused as refused:
            fault = "There is no record of this id that you may release." if refused.problem == NOT_FOUND else None
            return _form(services, kind, fault or refused.problem.message), refused.problem.status
        return redirect(url_for("console.release", release_id=made.id), 303)


def _add_pages(door: Blueprint, services: Services) -> None:
    @door.get("/releases")
    def releases() -> str:
        rows = services.house.release_desk.releases(member(services))
        record = request.args.get("record", "")[:_LONGEST_ID] or None
        return render_template("console/releases.html", rows=rows, kinds=KINDS, record=record, me=member(services))

    @door.get("/releases/<release_id>")
    def release(release_id: str) -> str:
        found = services.house.release_desk.page(member(services), release_id)
        organizations = services.house.release_desk.organizations
        return render_template(
            "console/release.html",
            page=found,
            fields=FIELDS,
            order_fields=[_with_options(one, organizations) for one in ORDER_FIELDS],
            now=services.clock(),
            me=member(services),
            names={one.id: one.name for one in services.staff.everyone()},
        )


def _add_actions(door: Blueprint, services: Services) -> None:
    @door.post("/releases/<release_id>/approve")
    def approve_release(release_id: str) -> AnyResponse:
        actor, desk = member(services), services.house.release_desk
        found = desk.page(actor, release_id).release
        evidence: dict[str, Any] = {}
        if found.kind == "court_order":
            stated = read_fields(ORDER_FIELDS, request.form, ZoneInfo(services.timezone))
            evidence = court_order(stated, found.recipient, actor.id)
        after = desk.approve(actor, release_id, evidence, request.form.get("note", ""))
        flash("It stays under legal review." if after.state == "legal" else "Approved and decided again.")
        return _back(release_id)

    @door.post("/releases/<release_id>/refuse")
    def refuse_release(release_id: str) -> AnyResponse:
        services.house.release_desk.refuse(member(services), release_id, request.form.get("note", ""))
        flash("Refused.")
        return _back(release_id)

    @door.post("/releases/<release_id>/again")
    def decide_release_again(release_id: str) -> AnyResponse:
        services.house.release_desk.decide_again(member(services), release_id)
        flash("Decided again.")
        return _back(release_id)

    @door.post("/releases/<release_id>/copy")
    def release_copy(release_id: str) -> Response:
        copy = services.house.release_desk.give_copy(member(services), release_id, request.form.get("form", ""))
        response = Response(copy.content, content_type=copy.media_type)
        response.headers["Content-Disposition"] = f"attachment; filename={copy.name}"
        return response


def _form(services: Services, kind: str, fault: str | None = None) -> str:
    rule, actor, desk = _rule(kind), member(services), services.house.release_desk
    given = request.form if request.method == "POST" else request.args
    zone = ZoneInfo(services.timezone)
    record = given.get("record", "").strip()[:_LONGEST_ID]
    items = desk.items(actor, record) if "content" in rule.fields else []
    return render_template(
        "console/release_form.html",
        kind=kind,
        rule=rule,
        fields=[_with_choices(FIELDS[name], desk.organizations, items) for name in rule.fields],
        only=ONLY if rule.may_narrow else None,
        recipients=_recipients(kind, desk.organizations),
        given=given,
        patient=_patient(services, record) if kind == "patient_access" and record else "",
        now=services.clock().astimezone(zone).strftime("%Y-%m-%dT%H:%M"),
        me=actor,
        fault=fault,
    )


def _patient(services: Services, record: str) -> str:
    """Return the id of whom a record is about, where this person may know it; else ""."""
    return services.house.consent_desk.patient_of_record(member(services), record) or ""


def _rule(kind: str) -> KindRule:
    rule = KINDS.get(cast(ReleaseKind, kind))
    if rule is None:
        raise RequestRefused(NOT_FOUND)
    return rule


_OFFERED: Mapping[str, Callable[[Organization], bool]] = {
    "emergency": lambda one: one.is_treating,
    "crime_on_premises": lambda one: one.is_law_enforcement,
    "hipaa_locate": lambda one: one.is_law_enforcement,
    "child_abuse_report": lambda one: bool(one.roles & {"child_protection", "police"}),
    "lawful_custody": lambda one: "jail_health" in one.roles,
    "criminal_justice": lambda one: bool(one.roles & {"court", "probation", "prosecutor"}),
    "public_health": lambda one: "public_health" in one.roles,
}
"""Kind -> whom its form offers. Under stress nobody should look for the emergency room among landlords; whether a
recipient may have anything is the engine's to say."""


def _recipients(kind: str, organizations: tuple[Organization, ...]) -> list[Organization]:
    offered = _OFFERED.get(kind)
    return [one for one in organizations if offered is None or offered(one)]


def _with_choices(one: FormField, organizations: tuple[Organization, ...], items: list[str]) -> FormField:
    if one.name == "content":
        return replace(one, options=tuple((item, _item_name(item)) for item in items))
    kinds = {"approval": ("research",), "agreement": ("audit", "qsoa")}.get(one.name)
    if kinds is None:
        return one
    options = tuple(
        (each.id, f"{each.id}: {holder.name} ({each.kind}, with {each.organization})")
        for holder in organizations
        for each in holder.agreements
        if each.kind in kinds
    )
    return replace(one, options=options)


def _item_name(reference: str) -> str:
    kind, _, item_id = reference.partition("/")
    return f"{kind} {item_id[:_SHOWN_OF_ID]}"


def _with_options(one: FormField, organizations: tuple[Organization, ...]) -> FormField:
    return replace(one, options=tuple((each.id, each.name) for each in organizations)) if one.name == "holder" else one


def _back(release_id: str) -> AnyResponse:
    return redirect(url_for("console.release", release_id=release_id), 303)
