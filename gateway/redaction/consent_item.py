"""A Consent that is itself part of a record, cut to what concerns the recipient (42 CFR 2.32(b), 2.13(a)).

What it grants to others, and every exception the person made, would tell of things that are not disclosed.
"""

from collections.abc import Mapping
from typing import Any

from gateway.model.labels import PART2

Json = Mapping[str, Any]

_ELEMENTS = frozenset(
    {"resourceType", "id", "identifier", "status", "scope", "category", "patient", "dateTime"}
    | {"performer", "organization", "policy", "policyRule"}
)
"""Not the paper it was signed on, nor who verified it: a scan shows every recipient and every exception."""

_KEPT = ("type", "period", "purpose", "action")
_REVOCATION = "part2-revocation"


def cut_consent(consent: Json, recipient_keys: frozenset[str]) -> dict[str, Any]:
    """Return the Consent with the parts of its provisions that name the recipient, and nothing else of them."""
    cut = {key: one for key, one in consent.items() if key in _ELEMENTS}
    extensions = [one for one in consent.get("extension", ()) if not str(one.get("url")).endswith(_REVOCATION)]
    if extensions:
        cut["extension"] = extensions
    provision = consent.get("provision")
    if provision:
        cut["provision"] = _cut(provision, recipient_keys)
    return cut


def _cut(provision: Json, keys: frozenset[str]) -> dict[str, Any]:
    cut: dict[str, Any] = {key: provision[key] for key in _KEPT if key in provision}
    actors = [actor for actor in provision.get("actor", ()) if _is_named(actor, keys)]
    if actors:
        cut["actor"] = actors
    labels = [one for one in provision.get("securityLabel", ()) if (one.get("system"), one.get("code")) == PART2]
    if labels:
        cut["securityLabel"] = labels
    nested = [
        _cut(one, keys)
        for one in provision.get("provision", ())
        if one.get("type") == "permit" and any(_is_named(actor, keys) for actor in one.get("actor", ()))
    ]
    return {**cut, "provision": nested} if nested else cut


def _is_named(actor: Json, keys: frozenset[str]) -> bool:
    identifier = actor.get("reference", {}).get("identifier", {})
    return f"{identifier.get('system')}|{identifier.get('value')}" in keys
