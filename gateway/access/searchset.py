"""The Bundle of a search: what was found, and by which parameters, as they were understood (FHIR R4 search.html)."""

from collections.abc import Sequence
from urllib.parse import urlencode

import orjson

from gateway.model.handoff import Resource

_NAMES = "https://warmhandoff.example/fhir"
"""Where the resources of this product have their names (Bundle.entry.fullUrl)."""


def searchset(
    base_url: str, resource_type: str, parameters: Sequence[tuple[str, str]], found: Sequence[Resource]
) -> bytes:
    """Write a searchset of what was found. Its self link names what was asked for and nothing of what is kept.

    `total` counts the entries: what is withheld is counted nowhere.
    """
    query = f"?{urlencode(parameters)}" if parameters else ""
    entries = [
        {"fullUrl": f"{_NAMES}/{resource_type}/{one['id']}", "resource": one, "search": {"mode": "match"}}
        for one in found
    ]
    return orjson.dumps(
        {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": len(entries),
            "link": [{"relation": "self", "url": f"{base_url}/{resource_type}{query}"}],
            **({"entry": entries} if entries else {}),
        }
    )
