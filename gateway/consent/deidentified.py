"""Step 8: is an item de-identified? The engine looks itself, by the safe harbor of 45 CFR 164.514(b)(2)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.consent import obligations
from gateway.consent.facts import relative
from gateway.consent.purposes import is_public_health
from gateway.consent.reasons import Release, Withhold
from gateway.consent.situation import Situation
from gateway.model.decision import Basis
from gateway.model.labeled import Item

STEP = 800

_OF_NOBODY = "of_nobody"
"""What a situation remembers: the items that tell of nobody."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


OLDEST_STATED_AGE = 89
_IDENTIFYING_KEYS = _words(
    """
        name telecom photo contact identifier link text note contained extension attachment content
        description display performer author serialNumber udiCarrier line city district
        """
)
_CODED_KEYS = _words(
    """
        resourceType reference type status intent system code unit comparator use gender language state country
        profile measure
        """
)
"""Where a text is a word of a standard. A text anywhere else is one that somebody wrote, and may name anybody."""
_DATES = _words(
    """
        birthDate deceasedDateTime start end date created issued recordedDate authoredOn onsetDateTime
        abatementDateTime effectiveDateTime performedDateTime occurrenceDateTime servicedDate assertedDate
        recorded
        """
)
_OF_THE_REPORT = frozenset({"date", "period", "reporter"})
"""What a summary says of itself: when and by whom it was made, of nobody in it."""
_OF_ONE_PERSON = frozenset({"subject", "evaluatedResource"})
_MADE_ID = re.compile(r"[a-z2-7]{26}")
"""An id as a keyed hash makes it: of nothing that anybody knows (45 CFR 164.514(c))."""
_NUMBER = re.compile(r"\d[-.]?\d[-.]?\d[-.]?\d")
"""In any other id: a number long enough to be that of a record, a telephone or a day."""
_YEARS = frozenset({"a", "year", "years", "yr", "yrs"})
_YEAR = re.compile(r"\d{4}")
_AREA = re.compile(r"\d{3}(00)?")
_SPARSE_AREAS = _words(
    """
        036 059 063 102 203 556 692 790 821 823 830 831 878 879 884 890 893
        """
)
"""First three digits of zip codes with at most 20,000 people: stated as 000 (45 CFR 164.514(b)(2)(i)(B))."""


def deidentified(item: Item, situation: Situation) -> Release | Withhold:
    """Decide an item released as de-identified: to a public health authority, for public health (42 CFR 2.54).

    Counts below the site's smallest cell identify too.
    """
    recipient = situation.recipient
    is_authority = recipient.organization is not None and "public_health" in recipient.organization.roles
    is_theirs = is_authority and not recipient.is_law_enforcement and is_public_health(situation.request.purposes)
    method = str((situation.request.basis or {}).get("method"))
    is_clean = method.startswith("164.514(b)") and item.reference in _of_nobody(situation)
    if not is_theirs or not is_clean:
        return Withhold("NOT_DEIDENTIFIED", STEP)
    return Release("OK_DEIDENT", STEP, obligations.DEIDENTIFIED, Basis("deidentified"), "deidentified", exempt=True)


def _of_nobody(situation: Situation) -> frozenset[str]:
    """Return the items that tell of nobody: neither by themselves nor by another record they lead to."""
    if _OF_NOBODY not in situation.memory:
        known = situation.facts.patients_by_key.keys()
        clean = {one.reference: one for one in situation.items if known.isdisjoint(one.subjects)}
        clean = {name: one for name, one in clean.items() if _is_clean(one, situation)}
        led_to = {name: set(_references(one.resource)) for name, one in clean.items()}
        while leading_away := [name for name, others in led_to.items() if not others <= led_to.keys()]:
            for name in leading_away:
                del led_to[name]
        situation.memory[_OF_NOBODY] = frozenset(led_to)
    found: frozenset[str] = situation.memory[_OF_NOBODY]
    return found


def _references(value: Any) -> Iterator[str]:
    """Yield every literal reference to a record; who made a summary is no record of anybody."""
    if isinstance(value, list):
        for one in value:
            yield from _references(one)
    elif isinstance(value, Mapping):
        if isinstance(value.get("reference"), str):
            yield relative(value["reference"])
        is_summary = value.get("resourceType") == "MeasureReport"
        for name, one in value.items():
            if not (is_summary and name in _OF_THE_REPORT):
                yield from _references(one)


def _is_clean(item: Item, situation: Situation) -> bool:
    told = item.resource
    if item.type == "MeasureReport":
        told = {key: value for key, value in item.resource.items() if key not in _OF_THE_REPORT}
        is_summary = told.get("type") == "summary" and _OF_ONE_PERSON.isdisjoint(told)
        if not is_summary or _has_small_cell(told, situation.switches.small_cell):
            return False
    return not _identifies(told, situation.at.year)


def _has_small_cell(value: Any, smallest: int) -> bool:
    if isinstance(value, list):
        return any(_has_small_cell(one, smallest) for one in value)
    if not isinstance(value, Mapping):
        return False
    count = value.get("count", 0)
    if not isinstance(count, int) or 0 < count < smallest:
        return True  # a count that is no whole number is none that anybody could have checked
    return any(_has_small_cell(one, smallest) for one in value.values())


def _identifies(value: Any, year: int, key: str = "") -> bool:
    if isinstance(value, list):
        return any(_identifies(one, year, key) for one in value)
    if isinstance(value, Mapping):
        identifies = any(name in _IDENTIFYING_KEYS or _identifies(one, year, name) for name, one in value.items())
        return identifies or _is_old_age(value, key)
    if key in _DATES:
        return not _YEAR.fullmatch(str(value)) or (key == "birthDate" and year - int(value) > OLDEST_STATED_AGE)
    if key == "id":
        return not _MADE_ID.fullmatch(str(value)) and _NUMBER.search(str(value)) is not None
    if key == "postalCode":
        return not _AREA.fullmatch(str(value)) or str(value)[:3] in _SPARSE_AREAS
    return isinstance(value, str) and key not in _CODED_KEYS and not _YEAR.fullmatch(value)


def _is_old_age(quantity: Mapping[str, Any], key: str) -> bool:
    """Say whether it is more years than may be told of a person (45 CFR 164.514(b)(2)(i)(C))."""
    value = quantity.get("value")
    is_age = key.endswith("Age") or any(str(quantity.get(unit)).lower() in _YEARS for unit in ("code", "unit"))
    return is_age and isinstance(value, int | float) and value > OLDEST_STATED_AGE
