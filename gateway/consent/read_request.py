"""Read a request once, at the edge; what cannot be read is an error, never a guess (docs/consent-engine.md)."""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from gateway.model.request import ACT_REASON, BASES, TRANSPORTS, Request


class UnreadableRequest(ValueError):
    """The request is not of the shape of docs/consent-engine.md; the text names the field, never its value."""


def read_request(written: Mapping[str, Any]) -> Request:
    """Read a request of the JSON shape of docs/consent-engine.md. Raises UnreadableRequest."""
    if not isinstance(written, Mapping):
        raise UnreadableRequest("request: expected an object")
    requester = _object(written, "requester") or {}
    person = _object(requester, "person") or {}
    link = _object(requester, "link") or {}
    basis = _object(written, "basis")
    if basis is not None and basis.get("type") not in BASES:
        raise UnreadableRequest("basis.type: expected one of the bases of the contract")
    transport = written.get("transport", "fhir")
    if transport not in TRANSPORTS:
        raise UnreadableRequest("transport: expected fhir, hl7v2, link, file or session")
    recipient = _text(written, "recipient")
    if not recipient:
        raise UnreadableRequest("recipient: expected a registry id or a reference of a person")
    items = written.get("items")
    return Request(
        organization=_text(requester, "organization"),
        authenticated_as=_text(requester, "authenticated_as"),
        person_id=_text(person, "id"),
        person_role=_text(person, "role"),
        link_issued_to=_text(link, "issued_to"),
        recipient=recipient,
        via=_texts(written, "via"),
        copies=_texts(written, "copies"),
        purposes=tuple(_purpose(one) for one in _texts(written, "purpose")),
        patient=_text(written, "patient"),
        basis=basis,
        transport=transport,
        message=_text(written, "message") or "",
        items=None if items is None else frozenset(_texts(written, "items")),
        digest=hashlib.sha256(orjson.dumps(written, option=orjson.OPT_SORT_KEYS)).digest(),
    )


def _purpose(text: str) -> tuple[str, str]:
    system, bar, code = text.rpartition("|")
    return (system, code) if bar else (ACT_REASON, text)


def _object(holder: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    value = holder.get(key)
    if value is not None and not isinstance(value, Mapping):
        raise UnreadableRequest(f"{key}: expected an object or null")
    return value


def _text(holder: Mapping[str, Any], key: str) -> str | None:
    value = holder.get(key)
    if value is not None and not isinstance(value, str):
        raise UnreadableRequest(f"{key}: expected text or null")
    return value


def _texts(holder: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = holder.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise UnreadableRequest(f"{key}: expected a list of texts")
    return tuple(value)
