"""What identifies nobody, to a public health authority. 42 CFR 2.54; 45 CFR 164.514(b)(2), the safe harbor.

Everything is looked at, and what is not known to identify nobody may: names, days, places smaller than a state, numbers
of any kind, ages over 89, free text, references to what is not in the same release, counts of a few.
"""

import re
from typing import Any

from tests.oracle import purposes
from tests.oracle.matter import Matter, Word, no, yes
from tests.oracle.reading import NOTES, Item, NotJudged

_HEALTH = (purposes.ACT_REASON, "PUBHLTH")
_CODED = {"resourceType", "id", "system", "code", "status", "gender", "state", "unit", "type", "use", "intent"}
_YEARS = {"birthDate", "onsetDateTime", "recordedDate", "authoredOn", "occurrenceDateTime", "effectiveDateTime"}
_FEW_LIVE_THERE = "036 059 063 102 203 556 692 790 821 823 830 831 878 879 884 890 893"
_WITH_PARTS = {"code", "coding", "subject", "patient", "address", "meta", "security", "valueQuantity", "group"}
_WITH_PARTS |= {"population", "medicationCodeableConcept", "vaccineCode"}


def nobody_is_told(matter: Matter, item: Item, released: list[Item]) -> Word:
    """Let an item go that nobody can be told by, with all it refers to."""
    method = str(matter.basis.get("method") or "")
    to_authority = "public_health" in matter.roles and not matter.law_enforcement
    if not to_authority or not method.startswith("164.514(b)"):
        return no(8, "NOT_DEIDENTIFIED")
    if not all(purposes.is_under(one, _HEALTH) for one in matter.ask.purposes):
        return no(8, "NOT_DEIDENTIFIED")
    if NOTES in item.stated_labels:
        raise NotJudged("counseling notes without a person")
    clean = {one.reference for one in released if _identifies_nobody(one.resource, matter)}
    while lost := {name for one in released if (name := one.reference) in clean and not _references(one) <= clean}:
        clean -= lost
    if item.reference not in clean:
        return no(8, "NOT_DEIDENTIFIED")
    return yes(8, "OK_DEIDENT", "DEID", absent=["ACCOUNT", "NOTICE"])


def _references(item: Item) -> set[str]:
    return {
        item.resource[one]["reference"] for one in ("subject", "patient") if "reference" in item.resource.get(one, {})
    }


def _identifies_nobody(value: Any, matter: Matter, key: str = "") -> bool:
    if isinstance(value, list):
        return all(_identifies_nobody(one, matter, key) for one in value)
    if isinstance(value, dict):
        if key and key not in _WITH_PARTS:
            return False
        if value.get("code") == "a" and float(value.get("value", 0)) > 89:
            return False
        return all(_identifies_nobody(held, matter, name) for name, held in value.items())
    if key == "id":
        return re.search(r"\d{3}", value) is None
    if key == "reference":
        return True  # looked at together with what it points to
    if key == "count":
        return value == 0 or value >= int(matter.ask.switches.get("small_cell", 11))
    if key == "value":
        return isinstance(value, int | float)
    if key == "postalCode":
        return len(value) == 3 and value not in _FEW_LIVE_THERE
    if key in _YEARS:
        is_year = re.fullmatch(r"\d{4}", value) is not None
        return is_year and (key != "birthDate" or matter.ask.at.year - int(value) < 90)
    return key in _CODED
