"""Build a resource anew from what may be seen: no reference, display, text or extension that points at more.

Nothing is blanked out. An element that names something not disclosed goes with the list entry it stands in, so that
no role, date or flag is left of it; the same happens whether the thing named exists or not.
"""

import base64
from collections.abc import Mapping, Set
from enum import Enum
from typing import Any

import orjson

from gateway.model.extensions import is_understood
from gateway.redaction.visible import OWN_BASE, Visible

Json = Mapping[str, Any]

_NEVER = frozenset({"text", "contained", "meta", "implicitRules", "language", "modifierExtension"})
_ATTACHMENT = frozenset({"contentType", "language", "data", "creation"})
_REFERENCE = frozenset({"reference", "identifier", "type", "display", "id", "extension"})
_REFERRING = frozenset({"reference", "identifier"})
_PERSON_TYPES = frozenset({"Practitioner", "RelatedPerson"})
_MODIFYING = ("modifierExtension", "implicitRules")
_WRITTEN_MODIFIERS = tuple(f'"{key}":'.encode() for key in _MODIFYING)


class _Lost(Enum):
    GONE = "nothing is left of it"
    TELLING = "it names what is not disclosed: the entry it stands in goes too"


_GONE, _TELLING = _Lost.GONE, _Lost.TELLING

Built = Any


def rebuild(resource: Json, visible: Visible) -> dict[str, Any]:
    """Return the resource rebuilt from what may be seen, without meta; its labels are put on afterwards."""
    built: dict[str, Any] = {}
    for key, value in resource.items():
        if key in _NEVER:
            continue
        if key == "extension":
            new = _extensions(value, visible, within="")
        elif isinstance(value, str) and not visible.needles:
            new = value
        else:
            new = _build(value, visible)
        if new is not _GONE and new is not _TELLING:
            built[key] = new
    return built


def modified_among(resources: Mapping[str, Json]) -> Set[str]:
    """Return which of these, by their names, hold something that changes their meaning in a way unknown here."""
    written = orjson.dumps([*resources.values()])
    if not any(key in written for key in _WRITTEN_MODIFIERS):
        return frozenset()  # nearly always: not worth a walk
    return {name for name, resource in resources.items() if _is_modified(resource)}


def _is_modified(resource: Json) -> bool:
    open_values: list[Any] = [resource]
    while open_values:
        value = open_values.pop()
        if isinstance(value, dict):
            if any(value.get(key) for key in _MODIFYING):
                return True
            open_values.extend(value.values())
        elif isinstance(value, list):
            open_values.extend(value)
    return False


def points_to(written: bytes, reference: str) -> bool:
    """Say whether JSON text holds this literal reference; in a string of the text the quotes would be escaped."""
    return b'"reference":' + orjson.dumps(reference) in written


def _build(value: Any, visible: Visible) -> Built:
    if isinstance(value, str):
        return _TELLING if visible.needles and visible.tells(value) else value
    if isinstance(value, dict):
        return _object(value, visible)
    return _list(value, visible) if isinstance(value, list) else value


def _list(value: list[Any], visible: Visible) -> Built:
    kept = []
    for one in value:
        new = _build(one, visible)
        if new is not _GONE and new is not _TELLING:
            kept.append(new)
    return kept or _GONE


def _object(value: dict[str, Any], visible: Visible) -> Built:
    if not _REFERRING.isdisjoint(value) and _is_reference(value):
        return _reference(value, visible)
    if "contentType" in value:
        value = {key: one for key, one in value.items() if key in _ATTACHMENT}
        if _is_telling(value, visible):
            return _TELLING
    built: dict[str, Any] = {}
    for key, one in value.items():
        if key == "extension":
            new = _extensions(one, visible, value.get("url", ""))
        elif isinstance(one, str) and not visible.needles:
            new = one  # as `_build` has it: the most of a record, with nobody to hide
        elif key == "text" and isinstance(one, dict):
            continue  # narrative; the text of a coded concept is a string
        else:
            new = _build(one, visible)
        if new is _TELLING:
            return new
        if new is not _GONE:
            built[key] = new
    return built or _GONE


def _is_reference(value: dict[str, Any]) -> bool:
    if isinstance(value.get("reference"), str):
        return True
    return isinstance(value.get("identifier"), dict) and value.keys() <= _REFERENCE


def _reference(value: dict[str, Any], visible: Visible) -> Built:
    """Keep a reference that resolves inside the disclosure, or names somebody who may be named; displays are ours."""
    target = value.get("reference", "")
    if target not in visible.references:
        target = target.removeprefix(OWN_BASE).partition("/_history/")[0]
    if target in visible.references or target in visible.subjects:
        return {"reference": target}
    identifier = value.get("identifier")
    organization = visible.organization(identifier)
    if organization is not None and isinstance(identifier, dict):
        named = {"system": identifier["system"], "value": identifier["value"]}
        return {"type": "Organization", "identifier": named, "display": organization.name}
    if isinstance(identifier, dict) and (
        value.get("type") in _PERSON_TYPES
        or f"{identifier.get('system', '')}|{identifier.get('value', '')}" in visible.subjects
    ):
        built = _build(identifier, visible)
        return built if isinstance(built, _Lost) else {"type": value.get("type", "Patient"), "identifier": built}
    return _TELLING


def _extensions(value: Any, visible: Visible, within: str) -> Built:
    """Keep extensions understood here, and the parts of a complex one, whose addresses are bare names.

    `within` is the address of the extension they stand in, "" where they stand in an element.
    """
    return _list([one for one in value if is_understood(one.get("url", ""), within)], visible)


def _is_telling(attachment: Json, visible: Visible) -> bool:
    """Say whether a text inside names a hidden organization; what is no text, nobody here can read."""
    if not str(attachment["contentType"]).startswith("text/"):
        return False
    try:
        text = base64.b64decode(attachment.get("data", "")).decode(errors="replace")
    except ValueError:
        return False
    return visible.tells(text)
