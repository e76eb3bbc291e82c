"""One world before both: what the oracle expects, what the engine answers, and in what they differ."""

import json
from collections.abc import Sequence
from functools import cache

from gateway.catalog.partners import registry_from
from gateway.consent import compile_consents, decide, read_facts, read_request, read_switches
from gateway.labeling import label
from gateway.model.decision import DecisionRecord
from gateway.model.fhir_time import instant
from gateway.model.partner import Registry
from tests.oracle.reading import Json
from tests.oracle.verdict import Verdict, judge


@cache
def _registry(entries: str) -> Registry:
    return registry_from(json.loads(entries))


def _overlaid(entries: Sequence[Json], overlay: Sequence[Json]) -> list[Json]:
    """Replace the keys that an overlay states of partners and their units."""
    stated: Json = {}
    for one in overlay:
        stated[one["id"]] = {**stated.get(one["id"], {}), **one}
    found = []
    for entry in entries:
        units = [{**unit, **stated.pop(unit["id"], {})} for unit in entry.get("units", [])]
        found.append({**entry, **({"units": units} if units else {}), **stated.pop(entry["id"], {})})
    return [*found, *stated.values()]


def answered(case: Json, entries: Sequence[Json]) -> DecisionRecord:
    """Let the engine decide a case."""
    registry = _registry(json.dumps(_overlaid(entries, case.get("organizations") or []), default=str))
    at = instant(case["at"])
    return decide(
        read_request(case["request"]),
        label(case["records"], registry, at),
        compile_consents(case["consents"], registry),
        registry=registry,
        at=at,
        facts=read_facts(case["facts"], registry, at),
        switches=read_switches(case.get("switches") or {}),
    ).record


def difference(case: Json, entries: Sequence[Json], written: Json | None = None) -> str | None:
    """Say in what the engine differs from the oracle, or None. Raises NotJudged where the oracle says nothing.

    `written` is the same case in the words of other systems, for the engine alone.
    """
    expected = judge(case, entries)
    found = answered(written or case, entries)
    said = f"{expected.decision} {'|'.join(sorted(expected.reasons))}"
    if found.decision != expected.decision or (expected.reasons and found.reason not in expected.reasons):
        return f"expected {said}, found {found.decision} {found.reason}"
    if expected.decision == "PERMIT_REDACTED" and set(found.withheld) != expected.withheld:
        return f"expected {said} without {sorted(expected.withheld)}, found it without {sorted(found.withheld)}"
    return _owed(expected, found) if found.decision.startswith("PERMIT") else None


def _owed(expected: Verdict, found: DecisionRecord) -> str | None:
    missing, wrong = expected.obligations - set(found.obligations), expected.absent & set(found.obligations)
    if missing or wrong:
        return f"{found.reason}: expected {sorted(missing)} besides, and no {sorted(wrong)}"
    return None
