"""Text, times, numbers and the value of an observation both ways: ST, FT, DTM, NM, CQ, ED, and OBX-5 by OBX-2."""

import base64
import binascii
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from gateway.formats.hl7v2.build import Field, Formatted, Repetition
from gateway.formats.hl7v2.maps.concepts import Read, Write, concept, written_concept
from gateway.formats.hl7v2.maps.persons import human_name
from gateway.formats.hl7v2.maps.terms import TermTable

if TYPE_CHECKING:
    from gateway.formats.hl7v2.maps.outgoing import Writing
    from gateway.formats.hl7v2.maps.reading import Reading

_DECIMAL = re.compile(r"[+-]?[0-9]*\.?[0-9]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")


def text(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """ST as string: the repetition as it stands, separators a sender forgot to escape included."""

    def read(raw: str, r: "Reading", number: int) -> Any:
        return r.text(raw) or None

    return read, lambda value, w: str(value)


def formatted(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """FT, TX: text whose line breaks are kept; repetitions are lines (whole field)."""

    def read(raw: str, r: "Reading", number: int) -> Any:
        if r.repetition not in raw:
            return r.text(raw).strip() or None
        return "\n".join(r.text(line) for line in raw.split(r.repetition)).strip() or None

    return read, lambda value, w: Formatted(str(value))


def name_text(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """XPN as the words of a name."""
    read_name, _ = human_name(None, "")

    def read(raw: str, r: "Reading", number: int) -> Any:
        found = read_name(raw, r, number) or {}
        return " ".join([*found.get("given", ()), found.get("family", "")]).strip() or None

    return read, lambda value, w: (str(value),)


def text_concept(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """ST as a CodeableConcept that is text alone."""

    def read(raw: str, r: "Reading", number: int) -> Any:
        found = r.text(raw)
        return {"text": found} if found else None

    return read, lambda value, w: str(value.get("text", ""))


def date_time(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """TS, DTM as dateTime: precision and zone as they are; a time without any zone is its date."""
    return (lambda raw, r, number: r.time(raw)), (lambda value, w: w.dtm(value))


def date(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """DT, or the day of a DTM, as date."""

    def read(raw: str, r: "Reading", number: int) -> Any:
        found = r.time(raw[:8])
        return found and found[:10]

    return read, lambda value, w: w.dtm(value)[:8]


def instant(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """DTM as instant: only what has a time and an offset."""

    def read(raw: str, r: "Reading", number: int) -> Any:
        found = r.time(raw)
        return found if found and "T" in found else None

    return read, lambda value, w: w.dtm(value)


def whole_number(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """NM, SI as a positive whole number."""

    def read(raw: str, r: "Reading", number: int) -> Any:
        sent = r.text(raw.partition(r.component)[0]).strip()
        return int(sent) if sent.isdecimal() and sent.isascii() and len(sent) < 10 and int(sent) else None

    return read, lambda value, w: str(value)


def quantity(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """CQ, NM as Quantity."""

    def read(raw: str, r: "Reading", number: int) -> Any:
        parts = r.components(raw)
        value = _decimal(r.text(parts[0]))
        unit = parts[1] and r.first_subcomponent(parts[1])
        return None if value is None else {"value": value, **({"unit": unit} if unit else {})}

    return read, lambda value, w: (str(value.get("value", "")), str(value.get("unit", "")))


def _decimal(sent: str) -> Decimal | int | None:
    sent = sent.strip()
    if not _DECIMAL.fullmatch(sent) or len(sent) > 30:
        return None
    try:
        value = Decimal(sent)
    except InvalidOperation:
        return None
    return int(value) if sent.lstrip("+-").isdigit() else value


def attachment(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """ED, or text, as Attachment. Text is kept as base64 of UTF-8, what is not base64 is not a document."""

    def read(raw: str, r: "Reading", number: int) -> Any:
        if r.fields[0] == "OBX" and r.fields[2] != "ED":
            return _text_attachment(raw, r)
        parts = r.components(raw.partition(r.repetition)[0])
        kind, subtype, encoding = (parts[n] and r.text(parts[n]) for n in (1, 2, 3))
        data = _data(r.text(parts[4]), encoding)
        if not data:
            r.keep(number)
            return None
        return {"contentType": _media_type(kind, subtype), "data": data}

    def write(value: Any, w: "Writing") -> Field:
        media_type = str(value.get("contentType", "application/octet-stream")).partition(";")[0]
        data = str(value.get("data", ""))
        if media_type == "text/plain" and data:
            w.fields[2] = "TX"
            return Formatted(base64.b64decode(data).decode("utf-8", "replace"))
        w.fields[2] = "ED"
        kind, _, subtype = media_type.partition("/")
        return ("", kind, subtype, "Base64", data)

    return read, write


def _text_attachment(raw: str, r: "Reading") -> dict[str, Any] | None:
    """Gather the text of a document: every further line of it goes to the attachment that the first began."""
    words = [r.text(line) for line in raw.split(r.repetition)] if r.repetition else [r.text(raw)]
    document = r.open.get("Document")
    if document is None:
        return None
    if r.lines and r.lines[-1][0] is document:
        r.lines[-1][2].extend(words)
        return None
    begun: dict[str, Any] = {"contentType": "text/plain; charset=utf-8", "data": ""}
    r.lines.append((document, begun, words))
    return begun


def _media_type(kind: str, subtype: str) -> str:
    if "/" in subtype:
        return subtype.lower()
    if kind.lower() in ("", "ap", "im", "multipart") or not subtype:
        return {"pdf": "application/pdf"}.get(subtype.lower(), "application/octet-stream")
    return f"{kind}/{subtype}".lower()


def _data(sent: str, encoding: str) -> str:
    """Return base64 of what was sent: base64 as it is, hex and plain text (A) turned into it."""
    compact = "".join(sent.split())
    if encoding.lower() == "hex":
        try:
            return base64.b64encode(bytes.fromhex(compact)).decode("ascii")
        except ValueError:
            return ""
    if encoding.lower() == "base64" or (not encoding and _BASE64.fullmatch(sent)):
        try:
            base64.b64decode(compact, validate=True)
        except (binascii.Error, ValueError):
            return ""
        return compact
    return _encoded(sent)


def _encoded(words: str) -> str:
    return base64.b64encode(words.encode("utf-8")).decode("ascii")


def result(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """OBX-5 as value[x] of an Observation, by the data type in OBX-2; the unit is OBX-6.

    A type that has no element of its own, and a value that is not of its type, becomes text: nothing is dropped.
    """
    of_type: dict[str, Callable[[str, Reading, int], dict[str, Any] | None]] = {
        "NM": _number,
        "SN": _structured_number,
        "DT": _time_value,
        "TS": _time_value,
        "DTM": _time_value,
        **dict.fromkeys(("CE", "CWE", "CF", "CNE", "IS", "ID"), _coded_value),
    }

    def read(raw: str, r: "Reading", number: int) -> Any:
        kind = r.fields[2].partition(r.component)[0]
        first = raw.partition(r.repetition)[0] if r.repetition else raw
        found = of_type[kind](first, r, number) if kind in of_type and first == raw else None
        if found is None:
            words = "\n".join(r.text(line) for line in raw.split(r.repetition)).strip()
            found = {"valueString": words} if words else None
        return found

    return read, _written_result


_read_concept, _ = concept(None, "")


def _coded_value(raw: str, r: "Reading", number: int) -> dict[str, Any] | None:
    found = _read_concept(raw, r, number)
    return {"valueCodeableConcept": found} if found else None


def _number(raw: str, r: "Reading", number: int) -> dict[str, Any] | None:
    value = _decimal(r.text(raw.partition(r.component)[0]))
    return None if value is None else {"valueQuantity": {"value": value, **_unit(r)}}


def _structured_number(raw: str, r: "Reading", number: int) -> dict[str, Any] | None:
    """Read SN: a comparator with a number, or a range."""
    parts = r.components(raw)
    comparator, separator = r.text(parts[0]), r.text(parts[2])
    low, high = _decimal(r.text(parts[1])), _decimal(r.text(parts[3]))
    if low is not None and high is not None and separator == "-":
        return {"valueRange": {"low": {"value": low, **_unit(r)}, "high": {"value": high, **_unit(r)}}}
    if low is None or separator or comparator not in ("", "<", "<=", ">", ">=", "="):
        return None
    exact = {} if comparator in ("", "=") else {"comparator": comparator}
    return {"valueQuantity": {"value": low, **exact, **_unit(r)}}


def _time_value(raw: str, r: "Reading", number: int) -> dict[str, Any] | None:
    found = r.time(raw)
    return {"valueDateTime": found} if found else None


def _unit(r: "Reading") -> dict[str, str]:
    if len(r.fields) <= 6 or not r.fields[6]:
        return {}
    parts = r.components(r.fields[6])
    code, words = r.text(parts[0]), parts[1] and r.text(parts[1])
    unit = {"unit": words or code} if words or code else {}
    if code and r.text(parts[2]).upper() == "UCUM":
        unit |= {"system": "http://unitsofmeasure.org", "code": code}
    return unit


def _written_result(resource: Any, w: "Writing") -> Field:
    """Write OBX-5 and with it OBX-2 and OBX-6; a missing value leaves all three out."""
    element = next((name for name in resource if name.startswith("value")), "")
    kind, value, unit = _typed(element, resource.get(element), w)
    if kind:
        w.fields[2] = kind
    if unit:
        w.fields[6] = unit
    return value


def _typed(element: str, value: Any, w: "Writing") -> tuple[str, Field, Field]:
    if element == "valueQuantity":
        return _written_quantity(value)
    if element == "valueRange":
        low, high = value.get("low", {}), value.get("high", {})
        return "SN", ("", str(low.get("value", "")), "-", str(high.get("value", ""))), _written_unit(low or high)
    if element == "valueCodeableConcept":
        return "CWE", written_concept(value, w), ""
    if element == "valueBoolean":
        return "CWE", _YES if value else _NO, ""
    if element == "valueInteger":
        return "NM", str(value), ""
    if element in ("valueDateTime", "valueDate", "valueInstant"):
        return "DTM", w.dtm(value), ""
    if element == "valueString":
        return "TX", Formatted(str(value)), ""
    return "", "", ""


_YES: Repetition = ("Y", "Yes", "HL70136")
_NO: Repetition = ("N", "No", "HL70136")


def _written_quantity(value: dict[str, Any]) -> tuple[str, Field, Field]:
    number, unit = str(value.get("value", "")), _written_unit(value)
    comparator = str(value.get("comparator", ""))
    return ("SN", (comparator, number), unit) if comparator else ("NM", number, unit)


def _written_unit(value: dict[str, Any]) -> Field:
    if value.get("system") == "http://unitsofmeasure.org" and value.get("code"):
        return (str(value["code"]), str(value.get("unit", "")), "UCUM")
    return str(value.get("unit") or value.get("code") or "")
