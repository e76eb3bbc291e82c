"""What was observed, both ways: OBX-5 as value[x] by the data type in OBX-2, with the unit of OBX-6."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gateway.formats.hl7v2.build import Field, Formatted, Repetition
from gateway.formats.hl7v2.maps.concepts import Read, Write, concept, written_concept
from gateway.formats.hl7v2.maps.terms import TermTable
from gateway.formats.hl7v2.maps.values import decimal

if TYPE_CHECKING:
    from gateway.formats.hl7v2.maps.outgoing import Writing
    from gateway.formats.hl7v2.maps.reading import Reading


def result(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """OBX-5 as value[x] of an Observation, by the data type in OBX-2; the unit is OBX-6.

    Several values of one question are components (v2-to-FHIR OBX[Observation-Component]); lines of text are one text. A
    type that has no element of its own, and a value that is not of its type, becomes text: nothing is dropped.
    """
    of_type: dict[str, Callable[[str, Reading, int], dict[str, Any] | None]] = {
        "NM": _number,
        "SN": _structured_number,
        "NR": _number_range,
        "DR": _time_range,
        "DT": _time_value,
        "TS": _time_value,
        "DTM": _time_value,
        "TM": _time_of_day,
        **dict.fromkeys(("CE", "CWE", "CF", "CNE", "IS", "ID"), _coded_value),
    }

    def read(raw: str, r: "Reading", number: int) -> Any:
        value_of = of_type.get(r.fields[2].partition(r.component)[0])
        is_one = not r.repetition or r.repetition not in raw
        if value_of is not None:
            found = value_of(raw, r, number) if is_one else _several(raw, r, value_of)
            if found is not None:
                return found
        words = r.text(raw) if is_one else "\n".join(r.text(line) for line in raw.split(r.repetition)).strip()
        return {"valueString": words} if words else None

    return read, _written_result


def _several(raw: str, r: "Reading", value_of: Callable[[str, "Reading", int], dict[str, Any] | None]) -> Any:
    """Return several values of one question as components; None where one of them is not of its type."""
    code = _read_concept(r.fields[3], r, 3)
    values = [value_of(one, r, 5) for one in raw.split(r.repetition) if one]
    if not code or None in values:
        return None
    return {"component": [{"code": code, **value} for value in values if value]}


_read_concept, _ = concept(None, "")


def _coded_value(raw: str, r: "Reading", number: int) -> dict[str, Any] | None:
    found = _read_concept(raw, r, number)
    return {"valueCodeableConcept": found} if found else None


def _number(raw: str, r: "Reading", number: int) -> dict[str, Any] | None:
    value = decimal(r.text(raw.partition(r.component)[0]))
    return None if value is None else {"valueQuantity": {"value": value, **_unit(r)}}


def _structured_number(raw: str, r: "Reading", number: int) -> dict[str, Any] | None:
    """Read SN: a comparator with a number, a range, or a ratio such as a titer of 1:128."""
    parts = r.components(raw)
    comparator, separator = r.text(parts[0]), r.text(parts[2])
    first, second = decimal(r.text(parts[1])), decimal(r.text(parts[3]))
    if first is None or comparator not in _COMPARATORS:
        return None
    exact = {} if comparator in ("", "=") else {"comparator": comparator}
    if second is not None and separator in (":", "/"):
        return {"valueRatio": {"numerator": {"value": first, **exact, **_unit(r)}, "denominator": {"value": second}}}
    if second is not None and separator == "-" and not exact:
        return _range(first, second, r)
    return None if separator else {"valueQuantity": {"value": first, **exact, **_unit(r)}}


_COMPARATORS = frozenset(("", "<", "<=", ">", ">=", "="))


def _number_range(raw: str, r: "Reading", number: int) -> dict[str, Any] | None:
    parts = r.components(raw)
    low, high = decimal(r.text(parts[0])), decimal(r.text(parts[1]))
    return None if low is None or high is None else _range(low, high, r)


def _range(low: Decimal | int, high: Decimal | int, r: "Reading") -> dict[str, Any]:
    return {"valueRange": {"low": {"value": low, **_unit(r)}, "high": {"value": high, **_unit(r)}}}


def _time_range(raw: str, r: "Reading", number: int) -> dict[str, Any] | None:
    parts = r.components(raw)
    start, end = r.time(parts[0]), r.time(parts[1])
    found = {"start": start, "end": end}
    return {"valuePeriod": {name: time for name, time in found.items() if time}} if start or end else None


def _time_value(raw: str, r: "Reading", number: int) -> dict[str, Any] | None:
    found = r.time(raw)
    return {"valueDateTime": found} if found else None


def _time_of_day(raw: str, r: "Reading", number: int) -> dict[str, Any] | None:
    """Read TM; one with an offset, or of a whole hour alone, has no place in a FHIR time and stays text."""
    match = _TIME_OF_DAY.fullmatch(r.text(raw))
    return {"valueTime": f"{match[1]}:{match[2]}:{match[3] or '00'}{match[4] or ''}"} if match else None


_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3])([0-5]\d)(?:([0-5]\d)(\.\d{1,4})?)?")


def _unit(r: "Reading") -> dict[str, str]:
    if len(r.fields) <= 6 or not r.fields[6]:
        return {}
    parts = r.components(r.fields[6])
    code, words = r.text(parts[0]), parts[1] and r.text(parts[1])
    unit = {"unit": words or code} if words or code else {}
    if code and r.text(parts[2]).upper() == "UCUM":
        unit |= {"system": "http://unitsofmeasure.org", "code": code}
    return unit


Typed = tuple[str, Field, Field]
"""OBX-2, OBX-5 and OBX-6."""


def _written_result(resource: Any, w: "Writing") -> Field:
    """Write OBX-5 and with it OBX-2 and OBX-6; a missing value leaves all three out."""
    same = [part for part in resource.get("component", ()) if part.get("code") == resource.get("code")]
    written = [_typed(part, w) for part in (same or [resource])]
    kind, first, unit = written[0]
    if kind:
        w.fields[2] = kind
    if unit:
        w.fields[6] = unit
    # One OBX has one type and one unit: of several values those that share them with the first.
    alike = [value for other, value, of in written if (other, of) == (kind, unit) and not isinstance(value, list)]
    return alike if len(alike) > 1 else first


def _typed(holder: Any, w: "Writing") -> Typed:
    element = next((name for name in holder if name.startswith("value")), "")
    write = _WRITERS.get(element)
    return write(holder[element], w) if write is not None else ("", "", "")


def _written_quantity(value: Any, w: "Writing") -> Typed:
    number, unit = str(value.get("value", "")), _written_unit(value)
    comparator = str(value.get("comparator", ""))
    return ("SN", (comparator, number), unit) if comparator else ("NM", number, unit)


def _written_range(value: Any, w: "Writing") -> Typed:
    low, high = value.get("low", {}), value.get("high", {})
    return "SN", ("", str(low.get("value", "")), "-", str(high.get("value", ""))), _written_unit(low or high)


def _written_ratio(value: Any, w: "Writing") -> Typed:
    over, under = value.get("numerator", {}), value.get("denominator", {})
    comparator = str(over.get("comparator", ""))
    cells = (comparator, str(over.get("value", "")), ":", str(under.get("value", "")))
    return "SN", cells, _written_unit(over)


def _written_time_of_day(value: Any, w: "Writing") -> Typed:
    return "TM", str(value).replace(":", ""), ""


def _written_time(value: Any, w: "Writing") -> Typed:
    return "DTM", w.dtm(value), ""


_YES: Repetition = ("Y", "Yes", "HL70136")
_NO: Repetition = ("N", "No", "HL70136")
_WRITERS: dict[str, Callable[[Any, "Writing"], Typed]] = {
    "valueQuantity": _written_quantity,
    "valueRange": _written_range,
    "valueRatio": _written_ratio,
    "valuePeriod": lambda value, w: ("DR", (w.dtm(value.get("start")), w.dtm(value.get("end"))), ""),
    "valueCodeableConcept": lambda value, w: ("CWE", written_concept(value, w), ""),
    "valueBoolean": lambda value, w: ("CWE", _YES if value else _NO, ""),
    "valueInteger": lambda value, w: ("NM", str(value), ""),
    "valueDateTime": _written_time,
    "valueDate": _written_time,
    "valueInstant": _written_time,
    "valueTime": _written_time_of_day,
    "valueString": lambda value, w: ("TX", Formatted(str(value)), ""),
}


def _written_unit(value: dict[str, Any]) -> Field:
    if value.get("system") == "http://unitsofmeasure.org" and value.get("code"):
        return (str(value["code"]), str(value.get("unit", "")), "UCUM")
    return str(value.get("unit") or value.get("code") or "")
