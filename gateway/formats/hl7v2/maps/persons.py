"""Names, addresses and telephone numbers both ways: XPN, XAD, XTN (official v2-to-FHIR data type maps)."""

import re
from typing import TYPE_CHECKING, Any

from gateway.formats.hl7v2.build import Component, Field
from gateway.formats.hl7v2.maps.concepts import Read, Write
from gateway.formats.hl7v2.maps.terms import TermTable
from gateway.formats.hl7v2.times import dtm

if TYPE_CHECKING:
    from gateway.formats.hl7v2.maps.outgoing import Writing
    from gateway.formats.hl7v2.maps.reading import Reading

_NAME_USE = {"BAD": "old", "D": "usual", "L": "official", "M": "maiden", "MSK": "anonymous", "N": "nickname",
             "NAV": "temp", "R": "official", "TEMP": "temp", "S": "anonymous", "A": "old"}  # fmt: skip
"""HL7 table 0200. A and S are ours: an alias and a pseudonym are told apart by them on the way out."""
_NAME_TYPE = {
    "old": "A",
    "usual": "D",
    "official": "L",
    "maiden": "M",
    "anonymous": "S",
    "nickname": "N",
    "temp": "TEMP",
}
_ADDRESS_USE = {"BA": "old", "BI": "billing", "C": "temp", "B": "work", "O": "work", "H": "home",
                "N": "old", "BDL": "old", "BR": "old", "F": "old"}  # fmt: skip
"""HL7 table 0190. The last four are ours: where somebody was born or comes from is not where to find them."""
_ADDRESS_TYPE = {"old": "BA", "billing": "BI", "temp": "C", "work": "B", "home": "H"}
_PHONE_USE = {"PRN": "home", "WPN": "work", "PRS": "mobile", "ORN": "home", "VHN": "temp"}
_PHONE_SYSTEM = {"PH": "phone", "FX": "fax", "CP": "phone", "BP": "pager", "INTERNET": "email", "X.400": "email"}
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
"""What many send where a number belongs: an e-mail address without a word of what it is."""
_EQUIPMENT = {"phone": "PH", "fax": "FX", "pager": "BP", "sms": "CP", "url": "Internet", "other": "MD"}


def human_name(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """XPN as HumanName."""

    def read(raw: str, r: "Reading", number: int) -> Any:
        return name_of(r.components(raw), r, 0)

    def write(value: Any, w: "Writing") -> Field:
        use = _NAME_TYPE.get(str(value.get("use")), "")
        return (*name_parts(value), use, *_written_validity(value, 4))

    return read, write


def name_of(parts: list[str], r: "Reading", first: int) -> dict[str, Any] | None:
    """Read a name whose family part is component `first`: family, given, further, suffix, prefix, degree, type."""
    family, given, further, suffix, prefix, degree = parts[first : first + 6]
    name: dict[str, Any] = {}
    use = parts[first + 6] if first == 0 else ""
    if use and (known := _NAME_USE.get(r.text(use).upper())):
        name["use"] = known
    if family and (surname := r.first_subcomponent(family)):
        name["family"] = surname
    if givens := [text for one in (given, further) if one and (text := r.text(one))]:
        name["given"] = givens
    if prefix and (text := r.text(prefix)):
        name["prefix"] = [text]
    if suffixes := [text for one in (suffix, degree) if one and (text := r.text(one))]:
        name["suffix"] = suffixes
    if len(name) == ("use" in name):
        return None
    if first == 0 and (parts[9] or parts[11] or parts[12]) and (period := _validity(parts[9], parts[11], parts[12], r)):
        name["period"] = period
    return name


def _validity(span: str, start: str, end: str, r: "Reading") -> dict[str, str]:
    """Read from when to when a name, an address or a number counts: two times, or before them one range (DR)."""
    if span and not start and not end:
        start, end = r.subcomponents(span)[:2]
    told = {"start": r.time(start) if start else None, "end": r.time(end) if end else None}
    return {name: time for name, time in told.items() if time}


def _written_validity(value: dict[str, Any], blanks: int) -> tuple[str, ...]:
    """Write a period as the two times that stand so many components behind the last; () for none."""
    period = value.get("period") or {}
    return (*[""] * blanks, dtm(str(period.get("start", ""))), dtm(str(period.get("end", "")))) if period else ()


def name_parts(name: dict[str, Any]) -> tuple[Component, ...]:
    """Write a HumanName as the six parts from family on; one known only as text is the family name."""
    given = [str(part) for part in name.get("given", ())]
    family = str(name.get("family") or ("" if given else name.get("text", "")))
    suffix = [str(part) for part in name.get("suffix", ())]
    prefix = " ".join(str(part) for part in name.get("prefix", ()))
    degree = " ".join(suffix[1:])
    return (family, given[0] if given else "", " ".join(given[1:]), suffix[0] if suffix else "", prefix, degree)


def address(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """XAD as Address."""

    def read(raw: str, r: "Reading", number: int) -> Any:
        parts = r.components(raw)
        entry: dict[str, Any] = {}
        use = r.text(parts[6]).upper() if parts[6] else ""
        if use in _ADDRESS_USE:
            entry["use"] = _ADDRESS_USE[use]
        if use in ("M", "SH"):
            entry["type"] = "postal"
        street, other = parts[0], parts[1]
        lines = [street and r.first_subcomponent(street), other and r.text(other)]
        if lines[0] or lines[1]:
            entry["line"] = [line for line in lines if line]
        for element, position in _ADDRESS_PARTS:
            if parts[position] and (text := next(filter(None, r.subcomponents(parts[position])), "")):
                entry[element] = text
        if len(entry) == ("use" in entry) + ("type" in entry):
            return None
        if (parts[11] or parts[12] or parts[13]) and (period := _validity(parts[11], parts[12], parts[13], r)):
            entry["period"] = period
        return entry

    return read, lambda value, w: written_address(value)


_ADDRESS_PARTS = (("city", 2), ("district", 8), ("state", 3), ("postalCode", 4), ("country", 5))


def written_address(entry: dict[str, Any]) -> tuple[Component, ...]:
    """Write an Address as XAD; where only its text is known, that is the street."""
    lines = [str(line) for line in entry.get("line", ())] or [str(entry.get("text", ""))]
    kind = _ADDRESS_TYPE.get(str(entry.get("use")), "M" if entry.get("type") == "postal" else "")
    cells = [str(entry.get(element, "")) for element in ("city", "state", "postalCode", "country")]
    found = (lines[0], ", ".join(lines[1:]), *cells, kind, "", str(entry.get("district", "")))
    return (*found, *_written_validity(entry, 3))


def contact_point(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """XTN as ContactPoint: from component 12, else the parts 5 to 8, else component 1 as it was before 2.3."""

    def read(raw: str, r: "Reading", number: int) -> Any:
        parts = r.components(raw)
        kind = r.text(parts[2]).upper() if parts[2] else ""
        use = r.text(parts[1]).upper() if parts[1] else ""
        contact: dict[str, Any] = {
            "system": "email" if use == "NET" else _PHONE_SYSTEM.get(kind, "phone" if not kind else "other")
        }
        email = parts[3] and r.text(parts[3])
        if email and (contact["system"] == "email" or not (parts[0] or parts[11] or parts[6])):
            contact["system"], contact["value"] = "email", email
        else:
            contact["value"] = _number(parts, r)
        if contact["system"] == "email" and "@" not in contact["value"]:
            contact["system"] = "phone" if not email else "email"
        elif not kind and not use and _MAIL.fullmatch(contact["value"]):
            contact["system"] = "email"
        if kind == "CP":
            contact["use"] = "mobile"
        elif use in _PHONE_USE:
            contact["use"] = _PHONE_USE[use]
        if (parts[12] or parts[13]) and (period := _validity("", parts[12], parts[13], r)):
            contact["period"] = period
        return contact if contact["value"] else None

    return read, lambda value, w: written_contact(value)


def home_contact_point(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """XTN of a field that is for numbers at home (PID-13): one whose use is not told is such a number."""
    read_any, write = contact_point(table, system)

    def read(raw: str, r: "Reading", number: int) -> Any:
        found = read_any(raw, r, number)
        if found is not None and "use" not in found and not r.components(raw)[1]:
            found["use"] = "home"
        return found

    return read, write


def _number(parts: list[str], r: "Reading") -> str:
    whole = parts[11] or parts[0]
    if whole:
        text = r.text(whole)
        extension = r.text(parts[7]) if parts[7] and not parts[11] else ""
        return f"{text} ext. {extension}" if extension else text
    country, area, local, extension = (r.text(part) if part else "" for part in parts[4:8])
    number = "-".join(part for part in (area, local) if part)
    number = f"+{country.lstrip('+')} {number}" if country and number else number
    return f"{number} ext. {extension}" if extension and number else number


def written_contact(contact: dict[str, Any]) -> tuple[Component, ...]:
    """Write a ContactPoint as XTN: a number in the first component, an e-mail address in the fourth."""
    value, kind, use = str(contact.get("value", "")), str(contact.get("system", "phone")), contact.get("use")
    if kind == "email":
        return ("", "NET", "Internet", value)
    code = {"work": "WPN", "temp": "VHN", "mobile": "PRS"}.get(str(use), "PRN" if use else "")
    return (value, code, "CP" if use == "mobile" else _EQUIPMENT.get(kind, "PH"))


def business(pair: tuple[Read, Write]) -> tuple[Read, Write]:
    """Read as the pair does, the use `home` left out: an organization has none (FHIR R4 org-2, org-3)."""
    read_any, write = pair

    def read(raw: str, r: "Reading", number: int) -> Any:
        found = read_any(raw, r, number)
        if found is not None and found.get("use") == "home":
            del found["use"]
        return found

    return read, write
