"""FHIR transaction Bundles: all entries are filed or none, references between them hold, nothing is filed twice.

FHIR R4 http.html#transaction: conditional create (If-None-Exist), conditional update, references by fullUrl.
"""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from gateway.demo.receiving_ehr.r4_rules import Issue, check, takes
from gateway.demo.receiving_ehr.records import Records, Resource

CONDITIONS = ("identifier", "_tag")
"""Search parameters that a condition may use."""

_RELATIVE = re.compile(r"^([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(/_history/[^/]+)?$")


class Refused(Exception):
    """The request cannot be done: an HTTP status and the issues of the OperationOutcome that says why."""

    def __init__(self, status: int, *issues: Issue) -> None:
        super().__init__(status)
        self.status = status
        self.issues = issues


@dataclass(frozen=True, slots=True)
class Filed:
    """One resource a transaction touched."""

    resource: Resource
    status: str
    """201 Created, or 200 OK for what was there already or was updated."""
    changed: bool


@dataclass(frozen=True, slots=True)
class _Entry:
    where: str
    full_url: str
    resource: Resource
    method: str
    url: str
    if_none_exist: str


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an entry will be filed: its id, and whether something lies there already."""

    id: str
    exists: bool


def file_transaction(records: Records, bundle: object, new_id: Iterator[str]) -> list[Filed]:
    """File every resource of a transaction Bundle, or raise `Refused` and file none."""
    entries = _read_entries(bundle)
    with records.transaction():
        places = [_find_place(records, entry, new_id) for entry in entries]
        targets = {
            entry.full_url: f"{entry.resource['resourceType']}/{place.id}"
            for entry, place in zip(entries, places, strict=True)
            if entry.full_url
        }
        _refuse_dangling_references(records, entries, targets)
        return [_file(records, entry, place, targets) for entry, place in zip(entries, places, strict=True)]


def transaction_response(filed: list[Filed]) -> Resource:
    """Tell for each entry, in order, what became of it and where it lies (FHIR R4 bundle.html#transaction-response)."""
    return {
        "resourceType": "Bundle",
        "type": "transaction-response",
        "entry": [
            {"response": {"status": done.status, "location": _location(done.resource), "etag": etag(done.resource)}}
            for done in filed
        ],
    }


def etag(resource: Resource) -> str:
    """Return the weak ETag of a filed resource's version (FHIR R4 http.html#versioning)."""
    return f'W/"{resource["meta"]["versionId"]}"'


def _location(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource['id']}/_history/{resource['meta']['versionId']}"


def _read_entries(bundle: object) -> list[_Entry]:
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise Refused(422, Issue("structure", "Bundle", "expected a Bundle"))
    if bundle.get("type") != "transaction":
        raise Refused(422, Issue("not-supported", "Bundle.type", "only a transaction is taken here"))
    stated = bundle.get("entry")
    if not isinstance(stated, list) or not stated:
        raise Refused(422, Issue("required", "Bundle.entry", "a transaction has at least one entry"))
    issues: list[Issue] = []
    entries: list[_Entry] = []
    for n, entry in enumerate(stated):
        read = _read_entry(entry, f"Bundle.entry[{n}]")
        if isinstance(read, _Entry):
            entries.append(read)
        else:
            issues.extend(read)
    full_urls = [entry.full_url for entry in entries if entry.full_url]
    if len(full_urls) != len(set(full_urls)):
        issues.append(Issue("duplicate", "Bundle.entry.fullUrl", "each fullUrl occurs once"))
    if issues:
        raise Refused(422, *issues)
    return entries


def _read_entry(entry: object, where: str) -> _Entry | list[Issue]:
    if not isinstance(entry, dict) or not isinstance(entry.get("request"), dict):
        return [Issue("required", f"{where}.request", "an entry of a transaction says what to do")]
    request = entry["request"]
    issues = check(entry.get("resource"), f"{where}.resource")
    if issues:
        return issues
    read = _Entry(
        where=where,
        full_url=str(entry.get("fullUrl", "")),
        resource=entry["resource"],
        method=str(request.get("method", "")),
        url=str(request.get("url", "")),
        if_none_exist=str(request.get("ifNoneExist", "")),
    )
    if read.method not in ("POST", "PUT"):
        return [Issue("not-supported", f"{where}.request.method", "only POST and PUT are taken here")]
    kind = read.resource["resourceType"]
    if re.split(r"[/?]", read.url)[0] != kind or (read.method == "POST" and read.url != kind):
        return [Issue("invalid", f"{where}.request.url", "the url does not fit the resource's type and the method")]
    return read


def _find_place(records: Records, entry: _Entry, new_id: Iterator[str]) -> _Place:
    kind = entry.resource["resourceType"]
    if entry.method == "POST":
        found = _search(records, kind, entry.if_none_exist, entry.where) if entry.if_none_exist else []
    elif "?" in entry.url:
        found = _search(records, kind, entry.url.partition("?")[2], entry.where)
    else:
        wanted = entry.url.partition("/")[2]
        return _Place(wanted, records.resource(kind, wanted) is not None)
    if len(found) > 1:
        raise Refused(412, Issue("multiple-matches", f"{entry.where}.request", "the condition fits several resources"))
    return _Place(found[0], True) if found else _Place(next(new_id), False)


def _search(records: Records, kind: str, query: str, where: str) -> list[str]:
    """Find ids by `identifier=system|value`, or by `_tag` for types without identifier (FHIR R4 search.html#token)."""
    stated = parse_qs(query, keep_blank_values=True)
    name, values = next(iter(stated.items()), ("", []))
    if len(stated) != 1 or name not in CONDITIONS or len(values) != 1 or "|" not in values[0]:
        raise Refused(412, Issue("not-supported", f"{where}.request", "expected identifier=system|value or _tag"))
    system, _, value = values[0].partition("|")
    return records.ids_by_token(kind, name, system, value)


def _refuse_dangling_references(records: Records, entries: list[_Entry], targets: dict[str, str]) -> None:
    issues = [
        Issue("not-found", entry.where, "a reference points to nothing in the transaction and nothing filed here")
        for entry in entries
        for node in _reference_nodes(entry.resource)
        if _resolve(records, node["reference"], entry, targets) is None
    ]
    if issues:
        raise Refused(422, *issues)


def _resolve(records: Records, reference: str, entry: _Entry, targets: dict[str, str]) -> str | None:
    """Return what a reference becomes here, or None when it leads nowhere (FHIR R4 bundle.html#references)."""
    if reference.startswith("#"):
        contained = {f"#{inner.get('id')}" for inner in entry.resource.get("contained", [])}
        return reference if reference == "#" or reference in contained else None
    if reference in targets:
        return targets[reference]
    relative = _RELATIVE.match(reference)
    if relative is None:
        # An absolute address elsewhere is its server's business; an unresolved urn is a hole in this transaction.
        return reference if reference.startswith(("http://", "https://")) else None
    kind, logical_id = relative.group(1), relative.group(2)
    inside = targets.get(f"{_service_base(entry)}{kind}/{logical_id}")
    if inside is not None:
        return inside
    return f"{kind}/{logical_id}" if takes(kind) and records.resource(kind, logical_id) is not None else None


def _service_base(entry: _Entry) -> str:
    """Return the part of the entry's fullUrl before Type/id, against which its relative references are read."""
    kind = entry.resource["resourceType"]
    base, found, _ = entry.full_url.rpartition(f"{kind}/")
    return base if found else ""


def _reference_nodes(node: object) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if isinstance(node.get("reference"), str):
            yield node
        for inner in node.values():
            yield from _reference_nodes(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _reference_nodes(inner)


def _file(records: Records, entry: _Entry, place: _Place, targets: dict[str, str]) -> Filed:
    kind = entry.resource["resourceType"]
    if entry.method == "POST" and place.exists:
        there = records.resource(kind, place.id)
        assert there is not None
        return Filed(there, "200 OK", changed=False)
    body = copy.deepcopy(entry.resource)
    for node in _reference_nodes(body):
        resolved = _resolve(records, node["reference"], entry, targets)
        assert resolved is not None
        node["reference"] = resolved
    body["id"] = place.id
    records.put_resource(body)
    filed = records.resource(kind, place.id)
    assert filed is not None
    return Filed(filed, "200 OK" if place.exists else "201 Created", changed=True)
