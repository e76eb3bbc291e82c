"""Who is at the console: the session cookie, and the door that lets nobody else past the login pages."""

from typing import cast

from flask import Blueprint, flash, g, redirect, request, url_for
from flask_wtf.csrf import CSRFProtect
from werkzeug.wrappers import Response

from gateway.model.audit import AuditEntry
from gateway.model.exchange import NOT_FOUND, Problem, RequestRefused
from gateway.model.staff import Duty, Member
from gateway.storage.staff import Staff
from gateway.web.services import Services

COOKIE = "wh_session"
MAX_FORM_BYTES = 16 * 1024
LARGE_FORMS = {
    "console.sign_consent": 256 * 1024,  # a drawn signature
    "console.file_consent_scan": 11 * 1024 * 1024,  # a scanned paper
}
"""Endpoints whose forms may be larger, for who is logged in."""
PARTNER_PAGES = frozenset(
    {"console.releases", "console.new_release", "console.ask_release", "console.release", "console.release_copy"}
    | {"console.approve_release", "console.refuse_release", "console.decide_release_again"}
    | {"console.reviews", "console.close_review", "console.withheld", "console.logout"}
    | {"console.consents", "console.consent", "console.consent_paper", "console.new_consent", "console.change_consent"}
    | {"console.find_to_ask"}
    | {"console.agree_restriction", "console.end_restriction"}
    | {"console.report_false_consent", "console.take_report_back"}
    | {"console.consent_text", "console.consent_blank", "console.sign_consent", "console.consent_scan"}
    | {"console.file_consent_scan", "console.revoke_consent", "console.verify_consent", "console.reject_consent"}
)
"""Endpoints for staff of another organization than the operator; no other page exists for them."""
OPEN_PAGES = frozenset({"console.login", "console.check_login", "console.welcome", "console.set_password"})
"""Endpoints that need no session."""

_SESSION_OVER = "Your session has ended: log in again."
_TOO_LARGE = Problem(
    413, "too-long", None, "Larger than this page takes. A scan may have 10 MiB: scan it in gray, at 200 dpi."
)


def staff() -> Staff:
    """Return who is logged in; only for pages behind the login."""
    return cast(Staff, g.staff)


def member(services: Services) -> Member:
    """Return who is logged in, as the stories know them."""
    owner = staff()
    return Member(owner.id, owner.name, owner.role, owner.organization or services.house.release_desk.operator)


def require_login(door: Blueprint, services: Services, csrf: CSRFProtect) -> None:
    """Check the form token of every form, and the session of every page but the login pages."""

    @door.before_request
    def check() -> Response | None:
        token = request.cookies.get(COOKIE)
        g.staff = services.staff.in_session(token, services.clock()) if token else None
        if g.staff is None and request.endpoint not in OPEN_PAGES:  # a form of nobody is not even read
            if token:
                flash(_SESSION_OVER if request.method == "GET" else f"{_SESSION_OVER} What you sent was not kept.")
            return redirect(url_for("console.login"), 303)
        limit = LARGE_FORMS.get(request.endpoint or "", MAX_FORM_BYTES) if g.staff else MAX_FORM_BYTES
        request.max_content_length = limit
        if (request.content_length or 0) > limit:
            raise RequestRefused(_TOO_LARGE)
        csrf.protect()
        if g.staff is not None:
            g.client = f"staff:{g.staff.id}"
            if is_partner(services) and request.endpoint not in PARTNER_PAGES | OPEN_PAGES:
                return _beside_the_point()
        return None


def require_duty(services: Services, duty: Duty) -> Member:
    """Return who is logged in; raises `RequestRefused` where their role does not have the duty."""
    actor = member(services)
    if not actor.may(duty):
        raise RequestRefused(Problem(403, "forbidden", None, "Your role does not cover this."))
    return actor


def is_partner(services: Services) -> bool:
    """Say whether who is logged in works for another organization than the operator."""
    return member(services).organization != services.house.release_desk.operator


def _beside_the_point() -> Response:
    """Send staff of a partner from the first page to theirs; any other page is not there."""
    if request.endpoint == "console.today":
        return redirect(url_for("console.releases"), 303)
    raise RequestRefused(NOT_FOUND)


def start_session(response: Response, owner: Staff, services: Services) -> None:
    """Open a session on the server and give the browser its token."""
    token = services.staff.open_session(owner.id, services.clock())
    response.set_cookie(COOKIE, token, path="/console", httponly=True, samesite="Lax", secure=services.secure)


def end_session(response: Response, services: Services) -> None:
    """End the session on the server and in the browser."""
    services.staff.close_session(request.cookies.get(COOKIE, ""))
    response.delete_cookie(COOKIE, path="/console", httponly=True, samesite="Lax", secure=services.secure)


def record(services: Services, kind: str, actor: str) -> None:
    """Write a login event into the audit trail."""
    entry = AuditEntry(services.clock(), kind, actor, {})
    services.house.database.write(lambda transaction: transaction.audit.append(entry))
