"""Read `partners/*.yaml` into the frozen registry: who may be dealt with, and what the law takes them to be.

Entries stay plain mappings until the registry is built, so that an overlay can replace single keys of one
organization before units inherit from their parents.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import orjson

from gateway.catalog.documents import Document, read_document, schema_of
from gateway.catalog.state_law import law_digest, read_state_law, shipped_state_law
from gateway.model.errors import ConfigurationError
from gateway.model.partner import (
    DEFAULT_ZONE,
    Agreement,
    Breaker,
    Endpoint,
    Feed,
    LegalClass,
    Organization,
    Registry,
    RelayRule,
)
from gateway.model.state_law import StateLaw
from gateway.model.zones import zone_named

_SCHEMA = schema_of("partner")

Entry = dict[str, Any]
"""One organization as written in its file."""

_INHERITED = ("roles", "legal_class", "endpoints", "state", "timezone", "address")
"""What a unit has from its parent where it states nothing itself. Identifiers and agreements are never inherited."""


def read_partners(directory: Path, zone: str = DEFAULT_ZONE) -> Registry:
    """Read every `*.yaml` of `directory` (one organization a file) into the registry, with the law of their states.

    `zone` is that of the installation, for the days of whoever states none.

    Raises:
        ConfigurationError: a file is unreadable, differs from partner.schema.json, repeats an id or an identifier
            of another, or names an unknown time zone; one `file:line:column: message` a problem.
    """
    return registry_from(read_partner_entries(directory), read_state_law(directory.parent / "law"), zone)


def read_partner_entries(directory: Path) -> list[Entry]:
    """Read and check the entries without building the registry. Raises as `read_partners`."""
    if not directory.is_dir():
        raise ConfigurationError(f"{directory}: expected a folder of partner files, found none")
    documents = [read_document(path, _SCHEMA) for path in sorted(directory.glob("*.yaml"))]
    problems = [problem for document in documents for problem in _problems_within(document)]
    problems += [*_repetitions(documents), *_lost_relays(documents)]
    if problems:
        raise ConfigurationError("\n".join(problems))
    return [document.content for document in documents]


def overlaid(entries: Sequence[Entry], overlay: Iterable[Mapping[str, Any]]) -> list[Entry]:
    """Return the entries with each overlay entry's keys replaced in the organization or unit of its id, or added.

    Raises ConfigurationError where an overlay entry would not be allowed in a partner file.
    """
    result = [dict(entry) for entry in entries]
    for change in overlay:
        if not _replace(result, change):
            result.append(dict(change))
    problems = [
        problem
        for entry in result
        for problem in Document("overlay", json.dumps(entry, default=str)).problems(_SCHEMA)
        if "'name' is a required property" not in problem
    ]
    if problems:
        raise ConfigurationError("\n".join(problems))
    return result


def registry_from(entries: Iterable[Entry], state_law: StateLaw | None = None, zone: str = DEFAULT_ZONE) -> Registry:
    """Build the registry: units become organizations of their own that inherit what they do not state.

    `state_law` None is that of the states the product ships; `zone` as `read_partners`.
    """
    law = shipped_state_law() if state_law is None else state_law
    flat = list(_flatten(entries))
    canonical = orjson.dumps(sorted(flat, key=lambda one: str(one["id"])), option=orjson.OPT_SORT_KEYS)
    digest = hashlib.sha256(canonical + law_digest(law) + zone.encode()).digest()
    return Registry((_organization(entry) for entry in flat), digest, law, zone)


def _flatten(entries: Iterable[Entry], parent: Entry | None = None) -> Iterable[Entry]:
    for written in entries:
        inherited = {key: parent[key] for key in _INHERITED if key in parent} if parent else {}
        entry = {**inherited, **{key: value for key, value in written.items() if key != "units"}}
        if parent:
            entry["parent"] = parent["id"]
        yield entry
        yield from _flatten(written.get("units", ()), entry)


def _replace(entries: list[Entry], change: Mapping[str, Any]) -> bool:
    for index, entry in enumerate(entries):
        if entry["id"] == change.get("id"):
            entries[index] = {**entry, **change}
            return True
        units = [dict(unit) for unit in entry.get("units", ())]
        if units and _replace(units, change):
            entries[index] = {**entry, "units": units}
            return True
    return False


def _organization(entry: Entry) -> Organization:
    return Organization(
        id=entry["id"],
        name=str(entry.get("name") or entry["id"]),
        identifiers=tuple((one["system"], one["value"]) for one in entry.get("identifiers", ())),
        state=entry.get("state"),
        timezone=entry.get("timezone"),
        roles=frozenset(entry.get("roles", ())),
        legal_classes=tuple(sorted(map(_legal_class, entry.get("legal_class", ())), key=lambda one: one.since)),
        agreements=tuple(map(_agreement, entry.get("agreements", ()))),
        members=frozenset(entry.get("members", ())),
        endpoints=tuple(map(_endpoint, entry.get("endpoints", ()))),
        feeds=tuple(map(_feed, entry.get("feeds", ()))),
        parent=entry.get("parent"),
        address=entry.get("address"),
    )


def _legal_class(entry: Entry) -> LegalClass:
    part2 = entry["part2"]
    return LegalClass(
        since=_day(entry["from"]),
        part2=("yes" if part2 else "no") if isinstance(part2, bool) else part2,
        sud_only=entry.get("sud_only", False),
        covered_entity=entry.get("covered_entity", False),
        business_associate_of=frozenset(entry.get("business_associate_of", ())),
        other_law=entry.get("other_law"),
    )


def _agreement(entry: Entry) -> Agreement:
    undertakings = entry.get("undertakings")
    return Agreement(
        id=entry["id"],
        kind=entry["type"],
        organization=entry["with"],
        since=_day(entry["from"]),
        until=_day(entry["to"]) if entry.get("to") else None,
        protocol=entry.get("protocol"),
        undertakings=None if undertakings is None else frozenset(undertakings),
    )


def _endpoint(entry: Entry) -> Endpoint:
    verified = entry.get("verified")
    return Endpoint(
        transport=entry["transport"],
        address=entry["address"],
        version=entry.get("version"),
        stores_nte=entry.get("stores_nte"),
        verified=_day(verified) if verified else None,
        application=entry.get("application", ""),
        facility=entry.get("facility", ""),
        acknowledgement=entry.get("acknowledgement", "original"),
        message=entry.get("message", "REF"),
        notice_field=entry.get("notice_field", ""),
        mllp_release=entry.get("mllp_release", 1),
        pace_s=_pace_s(entry.get("pace")),
        breaker=_breaker(entry.get("breaker")),
    )


def _pace_s(pace: str | None) -> float:
    """Return the seconds between two messages of "60/minute"; the schema has let nothing else through."""
    if pace is None:
        return 0.0
    count, _, unit = pace.partition("/")
    return (60.0 if unit == "minute" else 1.0) / int(count)


def _breaker(entry: Entry | None) -> Breaker | None:
    return None if entry is None else Breaker(entry["failures"], float(entry["rest_s"]))


def _feed(entry: Entry) -> Feed:
    return Feed(
        application=entry["application"],
        facility=entry.get("facility", ""),
        keeps_unwatched=entry.get("unwatched", "keep") == "keep",
        certificates=frozenset(one.replace(":", "").lower() for one in entry.get("certificates", ())),
        pass_on=tuple(map(_relay_rule, entry.get("pass_on", ()))),
        charset=entry.get("charset", ""),
    )


def _relay_rule(entry: Entry) -> RelayRule:
    purpose = entry["purpose"]
    return RelayRule(
        to=entry["to"],
        purpose=(purpose,) if isinstance(purpose, str) else tuple(purpose),
        types=frozenset(entry["types"]),
    )


def _day(value: str | date) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def _problems_within(document: Document) -> Iterable[str]:
    for location, entry in _places(document.content):
        zone = entry.get("timezone")
        if zone is not None and zone_named(zone) is None:
            yield f"{document.where((*location, 'timezone'))}: timezone: expected an IANA time zone, found another word"
        for key, index, field in _days(entry):
            if not _is_day(entry[key][index][field]):
                yield f"{document.where((*location, key, index, field))}: {field}: expected a calendar day, YYYY-MM-DD"


def _days(entry: Entry) -> Iterable[tuple[str, int, str]]:
    for key, fields in (("legal_class", ("from",)), ("agreements", ("from", "to")), ("endpoints", ("verified",))):
        for index, one in enumerate(entry.get(key, ())):
            yield from ((key, index, field) for field in fields if one.get(field) is not None)


def _repetitions(documents: Iterable[Document]) -> Iterable[str]:
    seen: dict[Any, str] = {}
    for document in documents:
        for location, entry in _places(document.content):
            keys: list[tuple[Any, tuple[str | int, ...]]] = [(entry["id"], (*location, "id"))]
            keys += [
                ((one["system"], one["value"]), (*location, "identifiers", index))
                for index, one in enumerate(entry.get("identifiers", ()))
            ]
            keys += [
                ((one["application"], one.get("facility"), "feed"), (*location, "feeds", index))
                for index, one in enumerate(entry.get("feeds", ()))
            ]
            for key, place in keys:
                where = document.where(place)
                if key in seen:
                    yield f"{where}: expected an id or identifier of its own, found the one of {seen[key]}"
                seen.setdefault(key, where)


def _lost_relays(documents: Sequence[Document]) -> Iterable[str]:
    """Yield each receiver of `pass_on` that takes no HL7v2, is the sender itself or stands at one feed twice."""
    flat = list(_flatten(document.content for document in documents))
    takes = {one["id"] for one in flat if any(each["transport"] == "hl7v2" for each in one.get("endpoints", ()))}
    for document in documents:
        for location, entry in _places(document.content):
            for n, feed in enumerate(entry.get("feeds", ())):
                receivers = [one["to"] for one in feed.get("pass_on", ())]
                for m, to in enumerate(receivers):
                    if to not in takes - {entry["id"]} or to in receivers[:m]:
                        where = document.where((*location, "feeds", n, "pass_on", m, "to"))
                        yield (
                            f"{where}: to: expected another organization of partners/ with an hl7v2 endpoint, once for "
                            "a feed, found something else"
                        )


def _places(entry: Entry, location: tuple[str | int, ...] = ()) -> Iterable[tuple[tuple[str | int, ...], Entry]]:
    yield location, entry
    for index, unit in enumerate(entry.get("units", ())):
        yield from _places(unit, (*location, "units", index))


def _is_day(value: str | date) -> bool:
    try:
        _day(value)
    except ValueError:
        return False
    return True
