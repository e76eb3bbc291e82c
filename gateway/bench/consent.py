"""Consent decisions: from the parsed request and records to the decision record with its input hash.

Consents, facts and registry are compiled and in memory, as in a running gateway where a person is asked about again;
nothing of one decision is kept for the next. Floor of the first rows: the same request and records written by orjson
and hashed, which any engine that can replay its decisions has to do at least. The other rows stand beside the same work
at another size: how much more a decision costs among a million consents, per item of a large bundle, per consent of a
person who has thousands.
"""

import gc
import hashlib
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import cycle
from typing import Any

import orjson

from gateway.bench.turns import rates
from gateway.catalog.partners import registry_from
from gateway.consent import compile_consents, decide, read_facts, read_request
from gateway.consent.compile import collected, compile_consent
from gateway.labeling import label
from gateway.model.consent_directive import Consents
from gateway.model.decision import DecisionRecord
from gateway.model.fhir_time import instant
from gateway.model.partner import Registry

GOAL_PER_SECOND = 25_000
_AT = instant("2026-11-02T18:00:00Z")
_PARTNER = "https://warmhandoff.example/id/partner"
_PERSON = "urn:oid:2.999.7"
_ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
_OWN = "https://warmhandoff.example/fhir/StructureDefinition/part2-"

Json = dict[str, Any]


_FEW = 10_000
_MANY = 1_000_000
_MANY_AT_LEAST = 100_000
"""Enough to tell growth where the run is short: a million take some seconds to set up."""
_ALL_AT_ONCE_S = 10
_SMALL, _LARGE = 1_000, 10_000
_MOST_PER_ITEM = 12
"""How much longer ten times as much may take (10 would be exactly linear)."""


def rows(seconds: float) -> Iterator[Json]:
    """Yield a row for a decision on two items, and one for the labeling and decision of twelve; then how it grows.

    With less than ten seconds the largest store has 100,000 consents, otherwise a million.
    """
    each = seconds / 5
    yield _row("consent decision, 2 items", each, _decision(2), _floor(2), GOAL_PER_SECOND)
    yield _row("label + consent decision, 12 items", each, _labeled_decision(12), _floor(12), None)
    yield from _among_many(each, _MANY if seconds >= _ALL_AT_ONCE_S else _MANY_AT_LEAST)
    yield _growth("label + decision, items of a bundle", "items", _labeled_decision)
    yield _growth("decision, consents of one person", "consents", _decision_among_own)


def decision_of(items: int) -> DecisionRecord:
    """Return what the first row decides on that many items."""
    return _decision(items)()


def sample(items: int) -> tuple[Registry, Json, list[Json], Json, Json]:
    """Return partners, request, records (`items` of them), consents and patient that are decided as a permit."""
    return registry_from(_partners()), _request(), _records(items - 1), _bundle(_consent()), _patient()


def _row(name: str, seconds: float, ours: Callable[[], Any], floor: Callable[[], Any], goal: int | None) -> Json:
    per_second, floor_per_second = rates(ours, floor, seconds)
    return {
        "row": name,
        "per_second": per_second,
        "floor": "orjson + SHA-256 of the same input",
        "floor_per_second": floor_per_second,
        "ratio": per_second / floor_per_second,
        "goal": f">= {goal} per second and core" if goal else "",
    }


def _among_many(seconds: float, many: int) -> Iterator[Json]:
    """Yield the rows of decisions for one person after another in a store of that many active consents."""
    crowd, few = _decision_among(many), _decision_among(_FEW)
    gc.collect()
    # The crowd is made for this row alone: what the collector would make of it is not what a decision costs.
    gc.freeze()
    try:
        per_second, floor_per_second = rates(crowd, few, seconds)
        yield _sized(f"consent decision among {many:,} consents", f"among {_FEW:,}", per_second, floor_per_second, 1.5)
        times = sorted(_timed(crowd) for _ in range(max(1000, int(seconds * per_second))))
        p99, median = times[int(len(times) * 0.99)], statistics.median(times)
        yield {
            "row": f"slowest 1 % of decisions among {many:,} consents",
            "per_second": 1 / p99,
            "floor": "the median of the same decisions",
            "floor_per_second": 1 / median,
            "ratio": median / p99,
            "goal": ">= 1000 per second: p99 below 1 ms",
        }
    finally:
        gc.unfreeze()


def _growth(name: str, counted: str, of_size: Callable[[int], Callable[[], Any]]) -> Json:
    """Return the row of work ten times as large, each counted thing by itself beside that of the smaller work."""
    small, large = of_size(_SMALL), of_size(_LARGE)
    pairs = [(_timed(small) / _SMALL, _timed(large) / _LARGE) for _ in range(5)]
    per_small, per_large = (min(one) for one in zip(*pairs, strict=True))
    return _sized(
        f"{name}: {_LARGE:,}", f"each of {_SMALL:,} {counted}", 1 / per_large, 1 / per_small, _MOST_PER_ITEM / 10
    )


def _sized(name: str, floor: str, per_second: float, floor_per_second: float, most: float) -> Json:
    return {
        "row": name,
        "per_second": per_second,
        "floor": floor,
        "floor_per_second": floor_per_second,
        "ratio": per_second / floor_per_second,
        "goal": f"ratio >= {1 / most:.2f}: at most {most:g} times the cost",
    }


def _timed(work: Callable[[], Any]) -> float:
    begin = time.thread_time()
    work()
    return time.thread_time() - begin


def _decision(items: int) -> Callable[[], DecisionRecord]:
    registry = registry_from(_partners())
    return _deciding(items, compile_consents(_bundle(_consent()), registry))


def _decision_among(count: int) -> Callable[[], DecisionRecord]:
    """Return a decision for somebody else each time, in a store of one active consent a person."""
    consents = _copies(count, lambda n: f"P{n}")
    decisions = [_deciding(2, consents, f"P{count * n // 97}") for n in range(97)]
    turn = cycle(decisions)
    return lambda: next(turn)()


def _decision_among_own(count: int) -> Callable[[], DecisionRecord]:
    """Return a decision for a person who has that many consents, every one of them good."""
    return _deciding(2, _copies(count, lambda n: "P"))


def _copies(count: int, signer: Callable[[int], str]) -> Consents:
    """Return that many active consents on one printed form: each of its own person, hash and reference."""
    paper = compile_consent(_consent(), registry_from(_partners()))
    versions = {}
    for n in range(count):
        keys, name = frozenset({f"{_PERSON}|{signer(n)}"}), f"paper-{n}"
        signed = tuple(replace(each, keys=keys) for each in paper.performers)
        digest = hashlib.sha256(name.encode()).digest()
        one = replace(paper, reference=f"Consent/{name}", id=name, patient=keys, digest=digest, performers=signed)
        versions[one.reference] = [one]
    return collected(versions, {})


def _deciding(items: int, consents: Consents, person: str = "P") -> Callable[[], DecisionRecord]:
    registry = registry_from(_partners())
    facts = read_facts([_patient(person)], registry, _AT)
    records = label(_bundle(*_records(items)), registry, _AT)
    request = read_request(_request())
    return lambda: decide(request, records, consents, registry=registry, at=_AT, facts=facts).record


def _labeled_decision(items: int) -> Callable[[], DecisionRecord]:
    registry = registry_from(_partners())
    consents = compile_consents(_bundle(_consent()), registry)
    facts = read_facts([_patient()], registry, _AT)
    records, request = _bundle(*_records(items)), _request()

    def decided() -> DecisionRecord:
        labeled = label(records, registry, _AT)
        return decide(read_request(request), labeled, consents, registry=registry, at=_AT, facts=facts).record

    return decided


def _floor(items: int) -> Callable[[], str]:
    written = {"request": _request(), "records": _bundle(*_records(items))}
    return lambda: hashlib.sha256(orjson.dumps(written, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _partners() -> list[Json]:
    endpoint = {"transport": "fhir", "address": "https://b.example/fhir", "verified": "2026-01-01"}
    return [
        {
            "id": f"org:{name}",
            "name": name.title(),
            "identifiers": [{"system": _PARTNER, "value": name}],
            "timezone": "America/Los_Angeles",
            "roles": ["provider"],
            "legal_class": [{"from": "2020-01-01", "part2": part2, "covered_entity": True}],
            "endpoints": [endpoint],
        }
        for name, part2 in (("program", "yes"), ("hospital", "no"))
    ]


def _organization(name: str) -> Json:
    return {"type": "Organization", "identifier": {"system": _PARTNER, "value": name}}


def _patient(value: str = "P") -> Json:
    return {
        "resourceType": "Patient",
        "id": "p",
        "identifier": [{"system": _PERSON, "value": value}],
        "birthDate": "1980-01-31",
    }


def _bundle(*resources: Json) -> Json:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


def _records(items: int) -> list[Json]:
    conditions = [
        {
            "resourceType": "Condition",
            "id": f"c{n}",
            "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "F11.20"}]},
            "subject": {"reference": "Patient/p"},
            "recordedDate": "2026-10-20",
        }
        for n in range(items)
    ]
    provenance = {
        "resourceType": "Provenance",
        "id": "by",
        "target": [{"reference": f"Condition/{one['id']}"} for one in conditions],
        "recorded": "2026-10-20T12:00:00Z",
        "activity": {"coding": [{"code": "originate"}]},
        "agent": [{"type": {"coding": [{"code": "author"}]}, "who": _organization("program")}],
    }
    return [*conditions, provenance]


def _request() -> Json:
    hospital = "org:hospital"
    person = {"id": "clinician", "role": "clinician"}
    return {
        "requester": {"organization": hospital, "authenticated_as": hospital, "person": person},
        "recipient": hospital,
        "purpose": ["TREAT"],
        "patient": "Patient/p",
        "basis": None,
        "transport": "fhir",
    }


def _consent() -> Json:
    patient = {"type": "Patient", "identifier": {"system": _PERSON, "value": "P"}}
    statements = ("revocation-right", "ce-redisclosure-statement", "tpo-redisclosure-warning", "refusal-consequences")
    permit = {
        "type": "permit",
        "actor": [{"role": {"coding": [{"code": "IRCP"}]}, "reference": _organization("hospital")}],
        "purpose": [{"system": _ACT_REASON, "code": "TREAT"}],
        "securityLabel": [{"system": _ACT_CODE, "code": "42CFRPart2"}],
    }
    return {
        "resourceType": "Consent",
        "id": "paper",
        "meta": {"versionId": "1", "lastUpdated": "2026-09-01T17:00:00Z"},
        "extension": [{"url": _OWN + name, "valueBoolean": True} for name in statements],
        "status": "active",
        "category": [{"coding": [{"system": _ACT_CODE, "code": "42CFRPart2CD"}]}],
        "patient": patient,
        "dateTime": "2026-09-01T09:00:00-07:00",
        "performer": [patient],
        "organization": [_organization("program")],
        "sourceReference": {"reference": "DocumentReference/form"},
        "provision": {"type": "deny", "period": {"start": "2026-09-01", "end": "2026-12-31"}, "provision": [permit]},
    }
