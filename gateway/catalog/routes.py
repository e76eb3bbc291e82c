"""Read `routes.yaml` into frozen routes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from gateway.catalog.documents import read_document, schema_of
from gateway.model.errors import ConfigurationError
from gateway.model.route import AlertEvent, AlertRoute, Route

_SCHEMA = schema_of("routes")


def read_routes(path: Path, organizations: Mapping[str, object]) -> tuple[Route, ...]:
    """Read the routes of referrals; an absent file means that nothing is sent anywhere.

    Raises:
        ConfigurationError: with file:line:column; also for a recipient that `organizations` does not hold.
    """
    return tuple(_route(entry, rule) for entry, rule in _entries(path, organizations) if "alerts" not in entry)


def read_alert_routes(path: Path, organizations: Mapping[str, object]) -> tuple[AlertRoute, ...]:
    """Read who is alerted; none unless the file says so. Raises as `read_routes`."""
    return tuple(_alert_route(entry, rule) for entry, rule in _entries(path, organizations) if "alerts" in entry)


def _entries(path: Path, organizations: Mapping[str, object]) -> list[tuple[dict[str, Any], str]]:
    """Return the entries of the file, each with the place where it stands."""
    if not path.is_file():
        return []
    document = read_document(path, _SCHEMA)
    problems = [
        f"{document.where((n, name))}: {name}: expected the id of an organization in partners/, found an unknown one"
        for n, entry in enumerate(document.content or [])
        for name in ("to", "via")
        if name in entry and entry[name] not in organizations
    ]
    if problems:
        raise ConfigurationError("\n".join(problems))
    return [(entry, f"{path.name}:{document.line((n,))}") for n, entry in enumerate(document.content or [])]


def _route(entry: dict[str, Any], rule: str) -> Route:
    when = entry["when"]
    return Route(
        rule=rule,
        program=frozenset(_many(when.get("program"))),
        agency=frozenset(_many(when.get("agency"))),
        service=frozenset(_many(when.get("service"))),
        priority=frozenset(_many(when.get("priority"))),
        to=entry["to"],
        transport=entry["transport"],
        purpose=tuple(_many(entry["purpose"])),
        without_agreement=entry["policy"] if entry.get("without_agreement") else None,
        via=entry.get("via"),
    )


def _alert_route(entry: dict[str, Any], rule: str) -> AlertRoute:
    when = entry["when"]
    return AlertRoute(
        rule=rule,
        events=frozenset(cast("list[AlertEvent]", entry["alerts"])),
        program=frozenset(_many(when.get("program"))),
        agency=frozenset(_many(when.get("agency"))),
        to=entry["to"],
        transport=entry["transport"],
        purpose=tuple(_many(entry["purpose"])),
    )


def _many(value: str | list[str] | None) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else value
