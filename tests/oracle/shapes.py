"""The same consents as other systems write them: FHIR R5, R4 with its `controller` (FAST), literal references (SDOHCC).

What a shape cannot say is left as it is written; a consent means in every shape what it means in ours.
"""

import copy
from collections.abc import Callable
from random import Random

from tests.oracle.reading import OWN, Json

_CONTROLLER = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Consent.controller"
_RENAMED = {"patient": "subject", "dateTime": "date", "performer": "grantor", "organization": "controller"}
_ONLY_R4 = {"scope", "policy", "policyRule", "provision"}
_OPPOSITE = {"deny": "permit", "permit": "deny"}


def in_other_shapes(case: Json, pick: Random) -> Json:
    """Return the case with its consents in other shapes; each is signed on a day, for R5 knows no more of it."""
    written = copy.deepcopy(case)
    entries = written["consents"].get("entry", [])
    for entry in list(entries):
        if entry["resource"]["resourceType"] == "Consent":
            entry["resource"], beside = pick.choice(_SHAPES)(entry["resource"])
            entries += [{"fullUrl": f"{OWN}Organization/{one['id']}", "resource": one} for one in beside]
    return written


def signed_on_a_day(case: Json) -> Json:
    """Return the case with the day for the time at which each of its consents was signed."""
    changed = copy.deepcopy(case)
    for entry in changed["consents"].get("entry", []):
        if "dateTime" in entry["resource"]:
            entry["resource"]["dateTime"] = entry["resource"]["dateTime"][:10]
    return changed


def _as_r5(paper: Json) -> tuple[Json, list[Json]]:
    root = paper.get("provision", {})
    if set(root) - {"type", "period", "provision"} or root.get("type") not in _OPPOSITE or not _alternates(root):
        return paper, []
    written = {_RENAMED.get(key, key): held for key, held in paper.items() if key not in _ONLY_R4}
    written |= {"decision": root["type"], "provision": list(map(_as_r5_provision, root.get("provision", [])))}
    return written | ({"period": root["period"]} if "period" in root else {}), []


def _alternates(node: Json) -> bool:
    """Say whether each level says the opposite of the one around it, as R5 has it."""
    nested = node.get("provision", [])
    return all(one.get("type") == _OPPOSITE[node["type"]] and _alternates(one) for one in nested)


def _as_r5_provision(node: Json) -> Json:
    written = {"resourceType" if key == "class" else key: held for key, held in node.items() if key != "type"}
    return written | {"provision": list(map(_as_r5_provision, node["provision"]))} if "provision" in node else written


def _as_fast(paper: Json) -> tuple[Json, list[Json]]:
    stated = [{"url": _CONTROLLER, "valueReference": one} for one in paper.get("organization", [])]
    rest = {key: held for key, held in paper.items() if key != "organization"}
    return {**rest, "extension": [*paper.get("extension", []), *stated]}, []


def _as_sdohcc(paper: Json) -> tuple[Json, list[Json]]:
    beside = [
        {"resourceType": "Organization", "id": f"{paper['id']}-{place}", "identifier": [one["identifier"]]}
        for place, one in enumerate(paper.get("organization", []))
    ]
    literal = [{"reference": f"Organization/{one['id']}"} for one in beside]
    return {**paper, **({"organization": literal} if literal else {})}, beside


_SHAPES: tuple[Callable[[Json], tuple[Json, list[Json]]], ...] = (_as_r5, _as_r5, _as_fast, _as_sdohcc)
