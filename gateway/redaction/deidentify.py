"""Make records of a person into records of nobody, by the safe harbor of 45 CFR 164.514(b)(2).

It stands in the room that builds what may leave, for it is the same knowledge: what of a resource is left when only
what is allowed is copied. Unlike `redact` it comes before the decision, which looks for itself whether anybody can
still be told (`gateway.consent`, step 8).

Everything is built from lists of what is known to be safe; nothing is struck out. So what survives of a source is: the
codes of systems whose codes are known one by one, codes of large public systems that have their form, the year of a
date, the state of an address, a measured number with a unit of the list, true and false. Left out on purpose, besides
the eighteen identifiers of the rule: ZIP codes (the first three digits may be told of some areas only, and the areas
change with each census), marital status, language and race (few share them in a small place), every text, and every
type of resource that is mostly text.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]
CodeSystems = Mapping[str, frozenset[str]]
"""Canonical URL of a code system -> all of its codes."""

OLDEST_AGE = 89
"""Ages above are told as this: older (45 CFR 164.514(b)(2)(i)(C))."""

_LARGE_SYSTEMS: Mapping[str, re.Pattern[str]] = {
    "http://snomed.info/sct": re.compile(r"[1-9][0-9]{5,17}"),
    "http://loinc.org": re.compile(r"(LA|LP)?[0-9]{1,7}-[0-9]"),
    "http://hl7.org/fhir/sid/icd-10-cm": re.compile(r"[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?"),
    "http://hl7.org/fhir/sid/cvx": re.compile(r"[0-9]{2,3}"),
    "http://www.nlm.nih.gov/research/umls/rxnorm": re.compile(r"[1-9][0-9]{1,6}"),
}
"""Systems too large to list: a code has at least the form its system gives it."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_UNITS = _words(
    """
    % /min 10*3/uL 10*6/uL [IU]/L [degF] [lb_av] [in_i] Cel U/L cm g g/dL g/L kg kg/m2 m mL mg mg/dL mg/L mm mm[Hg]
    mmol/L meq/L ng/mL ug ug/mL h min s
    """
)
"""UCUM codes that measure and cannot be an age. A unit can carry any words in braces, so only these pass."""
_UNITS_OF_AGE = {"a": 1.0, "mo": 12.0, "wk": 365.25 / 7, "d": 365.25}
"""UCUM code -> how many make a year."""
_LARGEST = 1_000_000
_STATES = _words(
    """
    AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA
    RI SC SD TN TX UT VT VA WA WV WI WY AS GU MP PR VI
    """
)
_YEAR = re.compile(r"([12][0-9]{3})(-.*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Setting:
    """What an element is read with. `fresh` gives the new reference of a resource that comes along, else None."""

    year: int
    known: CodeSystems
    fresh: Callable[[str], str | None]


_Read = Callable[[Any, Setting], Any]
"""Reads an element into what may leave of it; None where nothing may."""


def deidentify(
    resources: Sequence[Json], *, year: int, known: CodeSystems, fresh: Callable[[int], str]
) -> dict[str, dict[str, Any]]:
    """Return what may be told of these resources, by the reference (`Type/id`) of each one's source.

    `year` is the present one; `known` the systems whose codes are known one by one; `fresh` makes an id of a number,
    and must not make it of anything about the person (45 CFR 164.514(c)). Types that are not known are left out, and
    so is a resource of which nothing but its type is left.
    """
    kept = [one for one in resources if one["resourceType"] in _TYPES]
    names = {f"{one['resourceType']}/{one['id']}": f"{one['resourceType']}/{fresh(n)}" for n, one in enumerate(kept)}
    setting = Setting(year, known, names.get)
    built = {}
    for one in kept:
        source = f"{one['resourceType']}/{one['id']}"
        content = _object(_TYPES[one["resourceType"]])(one, setting)
        if content is not None:
            built[source] = {"resourceType": one["resourceType"], "id": names[source].partition("/")[2], **content}
    return built


def _object(elements: Mapping[str, _Read]) -> _Read:
    """Read an object by the elements that are allowed in it."""

    def read(value: Any, setting: Setting) -> dict[str, Any] | None:
        if not isinstance(value, Mapping):
            return None
        parts = {name: reads(value[name], setting) for name, reads in elements.items() if name in value}
        return {name: part for name, part in parts.items() if part is not None} or None

    return read


def _each(read_one: _Read) -> _Read:
    """Read a list, without the entries of which nothing is left."""

    def read(value: Any, setting: Setting) -> list[Any] | None:
        found = [read_one(one, setting) for one in value] if isinstance(value, list) else []
        return [one for one in found if one is not None] or None

    return read


def _word(system: str) -> _Read:
    """Read a word of a standard."""

    def read(value: Any, setting: Setting) -> str | None:
        return value if isinstance(value, str) and value in setting.known.get(system, frozenset()) else None

    return read


def _coding(value: Any, setting: Setting) -> dict[str, Any] | None:
    """Read a code without its display, which anybody can have written."""
    if not isinstance(value, Mapping):
        return None
    system, code = value.get("system"), value.get("code")
    if not isinstance(system, str) or not isinstance(code, str):
        return None
    form = _LARGE_SYSTEMS.get(system)
    is_code = code in setting.known.get(system, frozenset()) if form is None else form.fullmatch(code) is not None
    return {"system": system, "code": code} if is_code else None


def _year(value: Any, setting: Setting) -> str | None:
    """Read the year of a date, unless it tells of itself that somebody is older than may be told."""
    found = _YEAR.fullmatch(value) if isinstance(value, str) else None
    return found[1] if found and 0 <= setting.year - int(found[1]) <= OLDEST_AGE else None


def _yes_or_no(value: Any, setting: Setting) -> bool | None:
    return value if isinstance(value, bool) else None


def _state(value: Any, setting: Setting) -> str | None:
    return value if isinstance(value, str) and value in _STATES else None


def _number(value: Any) -> int | float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and abs(value) < _LARGEST else None


def _score(value: Any, setting: Setting) -> int | None:
    """Read a whole number without a unit, where it cannot be an age that may not be told, nor a number of anything."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= OLDEST_AGE else None


def _quantity(value: Any, setting: Setting) -> dict[str, Any] | None:
    """Read a measured value. What is counted in time is an age, or may be one."""
    if not isinstance(value, Mapping) or value.get("system") != "http://unitsofmeasure.org":
        return None
    number, code = _number(value.get("value")), value.get("code")
    if number is None or not isinstance(code, str):
        return None
    unit = {"system": "http://unitsofmeasure.org", "code": code}
    if code in _UNITS:
        comparator = _word("http://hl7.org/fhir/quantity-comparator")(value.get("comparator"), setting)
        return {"value": number, **({"comparator": comparator} if comparator else {}), **unit}
    if code not in _UNITS_OF_AGE or number < 0:
        return None
    if number / _UNITS_OF_AGE[code] > OLDEST_AGE:
        return {"value": OLDEST_AGE, "comparator": ">", **unit, "code": "a"}
    return {"value": number, **unit}


def _reference(value: Any, setting: Setting) -> dict[str, Any] | None:
    """Read a reference to what comes along; nobody else is named."""
    named = value.get("reference") if isinstance(value, Mapping) else None
    fresh = setting.fresh(named) if isinstance(named, str) else None
    return {"reference": fresh} if fresh is not None else None


_CONCEPT = _object({"coding": _each(_coding)})
_CONCEPTS = _each(_CONCEPT)
_PERIOD = _object({"start": _year, "end": _year})
_HL7 = "http://hl7.org/fhir/"
_VALUES: Mapping[str, _Read] = {
    "valueBoolean": _yes_or_no,
    "valueCodeableConcept": _CONCEPT,
    "valueQuantity": _quantity,
    "valueInteger": _score,
    "interpretation": _CONCEPTS,
    "dataAbsentReason": _CONCEPT,
}
_TYPES: Mapping[str, Mapping[str, _Read]] = {
    "Patient": {
        "gender": _word(_HL7 + "administrative-gender"),
        "birthDate": _year,
        "deceasedBoolean": _yes_or_no,
        "address": _each(_object({"state": _state})),
    },
    "Encounter": {
        "status": _word(_HL7 + "encounter-status"),
        "class": _coding,
        "type": _CONCEPTS,
        "serviceType": _CONCEPT,
        "reasonCode": _CONCEPTS,
        "period": _PERIOD,
        "subject": _reference,
    },
    "Condition": {
        "clinicalStatus": _CONCEPT,
        "verificationStatus": _CONCEPT,
        "category": _CONCEPTS,
        "severity": _CONCEPT,
        "code": _CONCEPT,
        "onsetDateTime": _year,
        "abatementDateTime": _year,
        "recordedDate": _year,
        "subject": _reference,
        "encounter": _reference,
    },
    "Observation": {
        "status": _word(_HL7 + "observation-status"),
        "category": _CONCEPTS,
        "code": _CONCEPT,
        "effectiveDateTime": _year,
        "effectivePeriod": _PERIOD,
        **_VALUES,
        "component": _each(_object({"code": _CONCEPT, **_VALUES})),
        "subject": _reference,
        "encounter": _reference,
    },
    "Procedure": {
        "status": _word(_HL7 + "event-status"),
        "category": _CONCEPT,
        "code": _CONCEPT,
        "reasonCode": _CONCEPTS,
        "performedDateTime": _year,
        "performedPeriod": _PERIOD,
        "subject": _reference,
        "encounter": _reference,
    },
    "MedicationStatement": {
        "status": _word(_HL7 + "CodeSystem/medication-statement-status"),
        "medicationCodeableConcept": _CONCEPT,
        "effectiveDateTime": _year,
        "effectivePeriod": _PERIOD,
        "subject": _reference,
        "context": _reference,
    },
}
"""Type -> the elements that may leave of it, each with its reader (FHIR R4)."""
