"""The staff console: today's flow, the records, what waits for a person. Server-rendered; works without script."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from flask import Blueprint, g, request
from flask_wtf.csrf import CSRFProtect

from gateway.web.console.accounting import add_accounting_page
from gateway.web.console.consents import add_consent_pages
from gateway.web.console.headline import headline
from gateway.web.console.login import add_login_pages
from gateway.web.console.messages import add_message_pages
from gateway.web.console.queues import add_queue_pages
from gateway.web.console.records import add_record_pages
from gateway.web.console.releases import add_release_pages
from gateway.web.console.restrictions import add_restriction_pages
from gateway.web.console.reviews import add_review_pages
from gateway.web.console.session import PARTNER_PAGES, is_partner, member, require_login
from gateway.web.console.today import add_today_page
from gateway.web.console.withheld import add_withheld_page
from gateway.web.console.words import add_words
from gateway.web.services import Services


def console(services: Services, csrf: CSRFProtect) -> Blueprint:
    """Build the console's blueprint."""
    door = Blueprint("console", __name__, url_prefix="/console")
    require_login(door, services, csrf)
    add_login_pages(door, services)
    add_today_page(door, services)
    add_record_pages(door, services)
    add_queue_pages(door, services)
    add_message_pages(door, services)
    add_accounting_page(door, services)
    add_consent_pages(door, services)
    add_restriction_pages(door, services)
    add_release_pages(door, services)
    add_review_pages(door, services)
    add_withheld_page(door, services)
    _add_words(door, services)
    return door


_PAGES = (
    ("console.today", "Today"),
    ("console.records", "Records"),
    ("console.queues", "Waiting"),
    ("console.messages", "Messages"),
    ("console.consents", "Consents"),
    ("console.releases", "Releases"),
    ("console.reviews", "To look at"),
    ("console.accounting", "Accounting"),
)


def _pages(services: Services) -> list[tuple[str, str]]:
    """Return what the head of each page leads to: only where who is logged in may go."""
    actor, partner = member(services), is_partner(services)
    return [
        (endpoint, label)
        for endpoint, label in _PAGES
        if (endpoint in PARTNER_PAGES or not partner) and (endpoint != "console.accounting" or actor.may("account"))
    ]


def _section(path: str) -> str | None:
    """Return the page of the head under which a page stands: that of the first step of its path."""
    return f"console.{path.split('/')[2]}" if path.startswith("/console/") else None


def _add_words(door: Blueprint, services: Services) -> None:
    """Give the templates what every page says: who is logged in, local times, JSON a person can read."""
    zone = ZoneInfo(services.timezone)

    @door.app_context_processor
    def everywhere() -> dict[str, Any]:
        owner = g.get("staff")
        partner = owner is not None and is_partner(services)
        pages = _pages(services) if owner is not None else []
        return {
            "installation": services.installation,
            "timezone": services.timezone,
            "staff": owner,
            "is_partner": partner,
            "pages": pages,
            "section": _section(request.path),
        }

    @door.app_template_filter("local")
    def local(at: datetime | str) -> str:
        moment = datetime.fromisoformat(at) if isinstance(at, str) else at
        return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")

    @door.app_template_filter("iso")
    def iso(at: datetime | str) -> str:
        return at if isinstance(at, str) else at.isoformat()

    door.add_app_template_filter(headline)
    add_words(door)

    @door.app_template_filter("pretty")
    def pretty(value: Any) -> str:
        return orjson.dumps(value, default=str, option=orjson.OPT_INDENT_2).decode()
