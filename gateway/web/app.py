"""The application object: which doors there are, and what holds for every request through any of them."""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import structlog
from flask import Flask, Response, abort, g, request
from flask_wtf.csrf import CSRFProtect

from gateway.access.consent_consult import consent_consult
from gateway.access.even_answers import Places, goes_in_step, wait_of
from gateway.access.fhir_reads import fhir_reads
from gateway.access.officer_lookup import officer_lookup
from gateway.access.receipts import receipts
from gateway.intake.consent_operations import consent_operations
from gateway.intake.fhir_writes import fhir_writes
from gateway.intake.json_body import json_body
from gateway.intake.uploads import uploads
from gateway.model.caller import Caller
from gateway.web.auth import bearer
from gateway.web.console import console
from gateway.web.errors import register_error_handlers
from gateway.web.operations import RequestMetrics, known_method, operations
from gateway.web.proxies import caller
from gateway.web.services import Services

_log = structlog.get_logger("gateway.http")

MAX_HEADER_BYTES = 16 * 1024
MAX_QUERY_BYTES = 4 * 1024
MAX_FORM_BYTES = 64 * 1024

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not "no-referrer": the form check of Flask-WTF wants the Referer of our own pages under TLS.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

_FOR_PARTNERS = frozenset(
    {"fhir_reads", "fhir_writes", "consent_consult", "consent_operations", "officer_lookup", "receipts"}
)
"""The doors whose answers may leave out what a partner may not know of."""

_WRITTEN_BY_PARTNERS = frozenset({"fhir_writes", "consent_operations"})
"""The doors after which all that waits about a person is looked at again, what a partner may not know of too."""

_BEFORE_LOGIN = frozenset({"console.check_login", "console.set_password"})
"""The only doors that read the body of somebody who is not proven yet; they have their places together."""

_SCRIPTED = frozenset({"console.consent_text", "console.sign_consent"})
"""The only pages with a script, our own: the field to sign in. They work without it too."""


def create_app(services: Services) -> Flask:
    """Build the Flask application: intake, receipts, FHIR, operations and the console."""
    app = Flask("gateway.web", root_path=str(Path(__file__).parent))
    app.config.update(
        SECRET_KEY=services.session_key,
        MAX_CONTENT_LENGTH=services.max_body_bytes,
        MAX_FORM_MEMORY_SIZE=MAX_FORM_BYTES,
        MAX_FORM_PARTS=100,
        SESSION_COOKIE_NAME="wh_form",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=services.secure,
        SESSION_COOKIE_PATH="/console",
        SEND_FILE_MAX_AGE_DEFAULT=3600,
        WTF_CSRF_CHECK_DEFAULT=False,  # the console's blueprint checks; the other doors take bearer tokens
        WTF_CSRF_TIME_LIMIT=None,  # the session that a form belongs to ends first
        PROPAGATE_EXCEPTIONS=False,
    )
    csrf = CSRFProtect(app)
    metrics = RequestMetrics()
    places = Places(services.places)
    app.teardown_request(lambda _: places.give_back())
    authenticate = _admitting(bearer(services.registered, services.token_key, services.clock), places)
    register_error_handlers(app)
    _guard_requests(app, services, metrics, places)
    app.register_blueprint(receipts(services.house, authenticate))
    app.register_blueprint(uploads(services.house, authenticate))
    app.register_blueprint(fhir_reads(services.house, authenticate, services.base_url))
    app.register_blueprint(consent_consult(services.house, authenticate, json_body, services.base_url))
    app.register_blueprint(officer_lookup(services.house, authenticate, json_body))
    app.register_blueprint(fhir_writes(services.house, authenticate))
    app.register_blueprint(consent_operations(services.house, authenticate))
    app.register_blueprint(operations(services, metrics))
    app.register_blueprint(console(services, csrf))
    return app


def _admitting(authenticate: Callable[[], Caller], places: Places) -> Callable[[], Caller]:
    """Let a client that is proven on, at a door whose answers may wait, only where there is a place for it."""

    def admitted() -> Caller:
        caller = authenticate()
        if request.blueprint in _FOR_PARTNERS:
            places.take(caller.client)
        if request.blueprint in _WRITTEN_BY_PARTNERS:
            goes_in_step()
        return caller

    return admitted


def _guard_requests(app: Flask, services: Services, metrics: RequestMetrics, places: Places) -> None:
    """Bound what comes in; mark, harden, count and log what goes out."""

    @app.before_request
    def bound() -> None:
        g.started = perf_counter()
        g.correlation = services.new_id()
        forwarded_for = request.headers.get("X-Forwarded-For", "")
        request.remote_addr = caller(request.remote_addr or "", forwarded_for, services.proxies)
        if sum(len(name) + len(value) for name, value in request.headers) > MAX_HEADER_BYTES:
            abort(431)
        if len(request.query_string) > MAX_QUERY_BYTES:
            abort(414)
        if request.endpoint in _BEFORE_LOGIN:
            places.take("")  # the id of no client

    @app.after_request
    def finish(response: Response) -> Response:
        response.headers.update(_HEADERS)
        if request.endpoint in _SCRIPTED:
            response.headers["Content-Security-Policy"] += "; script-src 'self'"
        response.headers["X-Correlation-Id"] = g.correlation
        if services.secure:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        if request.blueprint in _FOR_PARTNERS and (wait_s := wait_of(response, perf_counter() - g.started)):
            services.pause(wait_s)
        seconds = perf_counter() - g.started
        # The rule ("/fhir/R4/<resource_type>/<resource_id>"), never the address: search values may be in that.
        route = request.url_rule.rule if request.url_rule else "none"
        metrics.observe(route, request.method, response.status_code, seconds)
        _log.info(
            "request",
            correlation=g.correlation,
            client=g.get("client"),
            method=known_method(request.method),
            route=route,
            status=response.status_code,
            ms=round(seconds * 1000, 1),
        )
        return response
