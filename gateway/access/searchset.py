"""The Bundle of a search: what was found, and by which parameters, as they were understood (FHIR R4 search.html)."""

from collections.abc import Sequence
from urllib.parse import urlencode

import orjson

from gateway.model.exchange import Found

_NAMES = "https://warmhandoff.example/fhir"
"""Where the resources of this product have their names (Bundle.entry.fullUrl)."""


def searchset(base_url: str, resource_type: str, parameters: Sequence[tuple[str, str]], found: Found) -> bytes:
    """Write a searchset of what was found. Its self link names what was asked for and nothing of what is kept.

    `total` counts the entries, and so is only there where they are all that match: what is withheld is counted nowhere.
    """
    address = f"{base_url}/{resource_type}"
    links = [{"relation": "self", "url": _with_query(address, parameters)}]
    if found.after is not None:
        others = [(name, value) for name, value in parameters if name != "after"]
        links.append({"relation": "next", "url": _with_query(address, [*others, ("after", found.after)])})
    entries = [
        {"fullUrl": f"{_NAMES}/{resource_type}/{one['id']}", "resource": one, "search": {"mode": "match"}}
        for one in found.resources
    ]
    is_all = found.after is None and all(name != "after" for name, _ in parameters)
    return orjson.dumps(
        {
            "resourceType": "Bundle",
            "type": "searchset",
            **({"total": len(entries)} if is_all else {}),
            "link": links,
            **({"entry": entries} if entries else {}),
        }
    )


def _with_query(address: str, parameters: Sequence[tuple[str, str]]) -> str:
    return f"{address}?{urlencode(parameters)}" if parameters else address
