"""Numbers, people, places and organizations both ways: CX, EI, HD, PLN; XCN, XON and PL as resources of their own."""

import re
from typing import TYPE_CHECKING, Any

from gateway.formats.hl7v2.build import Component, Field
from gateway.formats.hl7v2.maps.concepts import Read, Write
from gateway.formats.hl7v2.maps.naming import OURS, assigner_parts, assigner_system, code_system, lists
from gateway.formats.hl7v2.maps.persons import name_of, name_parts
from gateway.formats.hl7v2.maps.terms import TermTable
from gateway.model.handoff import Resource

if TYPE_CHECKING:
    from gateway.formats.hl7v2.maps.outgoing import Writing
    from gateway.formats.hl7v2.maps.reading import Reading

KINDS = "http://terminology.hl7.org/CodeSystem/v2-0203"
NPI = "http://hl7.org/fhir/sid/us-npi"
SSN = "http://hl7.org/fhir/sid/us-ssn"

_PROTECTED = frozenset(("SS", "DL", "SSN"))
"""Kinds of number that never become FHIR: social security and driver licence."""
_PROTECTED_BY = frozenset(("USSSA", "SSA", "SSN", "2.16.840.1.113883.4.1"))
"""Who assigns such numbers, where their kind is not told."""
_LOOKS_PROTECTED = re.compile(r"[0-9]{3}-[0-9]{2}-[0-9]{4}")
"""A social security number as it is written; where a sender says that it is another kind of number, it is that."""


def identifier(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """CX as Identifier. Social security and licence numbers are left out, whoever sends them."""

    def read(raw: str, r: "Reading", number: int) -> Any:
        parts = r.components(raw)
        kind = r.text(parts[4]) if parts[4] else ""
        assigned_by = {*r.subcomponents(parts[3])[:2], r.first_subcomponent(parts[5])}
        is_bare = not kind and _LOOKS_PROTECTED.fullmatch(parts[0])
        if is_bare or kind.upper() in _PROTECTED or not _PROTECTED_BY.isdisjoint(assigned_by):
            r.keep(number, "protected")
            return None
        found = _identifier(parts[0] and r.text(parts[0]), parts[3], kind, r, system)
        if found is not None and parts[6] and (start := r.time(parts[6])):
            found["period"] = {"start": start}
        if found is not None and parts[7] and (end := r.time(parts[7])):
            found.setdefault("period", {})["end"] = end
        return found

    def write(value: Any, w: "Writing") -> Field:
        kind = _kind(value)
        if kind in _PROTECTED or value.get("system") == SSN:
            return ""
        period = value.get("period") or {}
        times = [w.dtm(period.get("start")), w.dtm(period.get("end"))]
        return (str(value.get("value", "")), "", "", _assigner(value, w), kind, "", *times)

    return read, write


def _identifier(value: str, assigner: str, kind: str, r: "Reading", system: str) -> dict[str, Any] | None:
    if not value or (not kind and _LOOKS_PROTECTED.fullmatch(value)):
        return None
    found: dict[str, Any] = {}
    if kind:
        found["type"] = _kind_of(kind)
    namespace, universal, universal_kind = r.subcomponents(assigner)[:3] if assigner else ("", "", "")
    named = assigner_system(namespace, universal, universal_kind, r.names) or system
    if kind == "NPI" and not universal:
        named = NPI
    if named:
        found["system"] = named
    found["value"] = value
    if namespace and universal and not named.startswith(OURS):
        found["assigner"] = {"display": namespace}
    return found


def _kind_of(kind: str) -> dict[str, Any]:
    """Return the type of an identifier: a code of HL7 table 0203, else the sender's own word for it."""
    return {"coding": [{"system": KINDS, "code": kind} if lists(KINDS, kind) else {"code": kind}]}


def _kind(value: dict[str, Any]) -> str:
    codings = (value.get("type") or {}).get("coding", ())
    return str(codings[0].get("code", "")) if codings else ""


def _assigner(value: dict[str, Any], w: "Writing") -> Component:
    display = str((value.get("assigner") or {}).get("display", ""))
    return assigner_parts(str(value.get("system", "")), w.names, display)


def entity(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """EI as Identifier: number, namespace, universal id and its type are components of their own.

    Of a pair (EIP), whose parts are subcomponents, it is the placer's number, else the filler's.
    """

    def read(raw: str, r: "Reading", number: int) -> Any:
        parts = r.components(raw)
        if r.subcomponent and r.subcomponent in (parts[0] or parts[1]):
            value, namespace, universal, kind = r.subcomponents(parts[0] or parts[1])[:4]
        else:
            value, namespace, universal, kind = (part and r.text(part) for part in parts[:4])
        if not value:
            return None
        found: dict[str, Any] = {}
        named = assigner_system(namespace, universal, kind, r.names) or system
        if named:
            found["system"] = named
        found["value"] = value
        if namespace and universal and not named.startswith(OURS):
            found["assigner"] = {"display": namespace}
        return found

    def write(value: Any, w: "Writing") -> Field:
        return (str(value.get("value", "")), *_plain(_assigner(value, w)))

    return read, write


def _plain(component: Component) -> tuple[str, ...]:
    return component if isinstance(component, tuple) else ()


def provider_number(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """PLN as Identifier: number, kind of number (NPI gives its system), who issued it."""

    def read(raw: str, r: "Reading", number: int) -> Any:
        parts = r.components(raw)
        value, kind = parts[0] and r.text(parts[0]), parts[1] and r.text(parts[1])
        if not value or kind.upper() in _PROTECTED:
            return None
        named = _PROVIDER_SYSTEMS.get(kind.upper()) or system
        found: dict[str, Any] = {"type": _kind_of(kind)} if kind else {}
        return {**found, **({"system": named} if named else {}), "value": value}

    def write(value: Any, w: "Writing") -> Field:
        named = str(value.get("system", ""))
        kind = next((kind for kind, known in _PROVIDER_SYSTEMS.items() if known == named), _kind(value))
        return (str(value.get("value", "")), kind)

    return read, write


_PROVIDER_SYSTEMS = {
    "NPI": NPI,
    "ORI": "https://warmhandoff.example/id/ori",
    "TAX": "urn:oid:2.16.840.1.113883.4.4",
}


def practitioner(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """XCN as a reference to a Practitioner."""

    def read(raw: str, r: "Reading", number: int) -> Any:
        return r.party("Practitioner", raw, _practitioner)

    def write(value: Any, w: "Writing") -> Field:
        person = w.resolve(value) or {}
        if person.get("resourceType") == "PractitionerRole" and "practitioner" in person:
            person = w.resolve(person["practitioner"]) or person
        if person.get("resourceType") != "Practitioner":
            is_meant = not person and value.get("type", "Practitioner") in _PEOPLE
            words = _label(person, w) or (str(value.get("display", "")) if is_meant else "")
            return ("", words) if words else ""
        names, numbers = person.get("name") or [{}], person.get("identifier") or [{}]
        head, assigner = numbers[0], _assigner(numbers[0], w)
        return (str(head.get("value", "")), *name_parts(names[0]), "", assigner, "", "", "", _kind(head))

    return read, write


def reader_of_results(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """NDL as a reference to a Practitioner: its first component is the name, in subcomponents; many send an XCN."""
    read_person, write_person = practitioner(table, system)

    def read(raw: str, r: "Reading", number: int) -> Any:
        first = raw.partition(r.component)[0]
        if r.subcomponent and r.subcomponent in first:
            cells = first.split(r.subcomponent)
            raw = r.component.join([*cells[:8], *[""] * (8 - len(cells)), r.subcomponent.join(cells[8:11])])
        return read_person(raw, r, number)

    def write(value: Any, w: "Writing") -> Field:
        person = write_person(value, w)
        return (tuple(str(part) for part in person[:7]),) if isinstance(person, tuple) else ""

    return read, write


_PEOPLE = frozenset(("Practitioner", "PractitionerRole"))


def _label(party: Resource, w: "Writing") -> str:
    """Return role and organization in words ("CIT officer, Sample City Police"); "" for another kind of party."""
    if party.get("resourceType") != "PractitionerRole":
        return ""
    organization = w.resolve(party.get("organization") or {}) or {}
    code: dict[str, Any] = next(iter(party.get("code", ())), {})
    coding: dict[str, Any] = next(iter(code.get("coding", ())), {})
    role = code.get("text") or coding.get("display") or coding.get("code")
    return ", ".join(str(part) for part in (role, organization.get("name")) if part)


def _practitioner(raw: str, r: "Reading") -> tuple[str, Resource] | None:
    parts = r.components(raw)
    number = parts[0] and r.text(parts[0])
    name = name_of(parts, r, 1)
    if not number and name is None:
        return None
    resource: Resource = {}
    kind = parts[12] and r.text(parts[12])
    found = _identifier(number, parts[8], kind, r, "") if kind.upper() not in _PROTECTED else None
    if found is not None:
        resource["identifier"] = [found]
    if name is not None:
        resource["name"] = [name]
    if not resource:
        return None
    key = f"{found.get('system', '')}|{number}" if found else "|".join(str(part) for part in (name or {}).values())
    return key, resource


def organization(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """XON as a reference to an Organization."""

    def read(raw: str, r: "Reading", number: int) -> Any:
        return r.party("Organization", raw, _organization)

    def write(value: Any, w: "Writing") -> Field:
        found = w.resolve(value)
        if found is None or found.get("resourceType") != "Organization":
            is_meant = found is None and value.get("type") == "Organization"
            return (str(value.get("display", "")),) if is_meant else ""
        numbers = found.get("identifier") or [{}]
        assigner = _assigner(numbers[0], w)
        parts = (assigner, _kind(numbers[0]), "", "", str(numbers[0].get("value", "")))
        return (str(found.get("name", "")), "", "", "", "", *parts)

    return read, write


def _organization(raw: str, r: "Reading") -> tuple[str, Resource] | None:
    parts = r.components(raw)
    name, number = parts[0] and r.text(parts[0]), (parts[9] or parts[2]) and r.text(parts[9] or parts[2])
    if not name and not number:
        return None
    resource: Resource = {"active": True}
    found = _identifier(number, parts[5], parts[6] and r.text(parts[6]), r, "")
    if found is not None:
        resource["identifier"] = [found]
    if name:
        resource["name"] = name
    return (f"{found.get('system', '')}|{number}" if found else name), resource


def coded_organization(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """CWE as a reference to an Organization: its number, its name, who gave the number (OBX-15)."""

    def read(raw: str, r: "Reading", number: int) -> Any:
        return r.party("Organization", raw, _coded_organization)

    return read, organization(table, system)[1]


def _coded_organization(raw: str, r: "Reading") -> tuple[str, Resource] | None:
    parts = r.components(raw)
    number, name, given_by, original = (parts[n] and r.text(parts[n]) for n in (0, 1, 2, 8))
    name = name or original
    if not number and not name:
        return None
    resource: Resource = {"active": True}
    named = code_system(given_by, r.names)
    if number:
        resource["identifier"] = [{**({"system": named} if named else {}), "value": number}]
    if name:
        resource["name"] = name
    return (f"{named}|{number}" if number else name), resource


def location(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """PL as a reference to a Location: point of care, room, bed, facility, building and floor as one place."""

    def read(raw: str, r: "Reading", number: int) -> Any:
        return r.party("Location", raw, _location)

    def write(value: Any, w: "Writing") -> Field:
        found = w.resolve(value)
        if found is None or found.get("resourceType") != "Location":
            is_meant = found is None and value.get("type") == "Location"
            return (str(value.get("display", "")),) if is_meant else ""
        numbers = {
            str(one.get("system", "")).rpartition("/")[2]: str(one.get("value", ""))
            for one in found.get("identifier", ())
        }
        if not numbers:
            return ("", "", "", "", "", "", "", "", str(found.get("name", "")))
        cells = [numbers.get(part, "") for part in _PLACE_PARTS]
        return (*cells[:4], "", "", *cells[4:], str(found.get("description", "")))

    return read, write


_PLACE_PARTS = ("point-of-care", "room", "bed", "facility", "building", "floor")
PLACES = "https://warmhandoff.example/id/hl7v2-place/"
"""Identifier systems of the parts of a PL."""


def _location(raw: str, r: "Reading") -> tuple[str, Resource] | None:
    parts = r.components(raw)
    cells = [parts[n] and r.first_subcomponent(parts[n]) for n in (0, 1, 2, 3, 6, 7)]
    description = parts[8] and r.text(parts[8])
    named = [(part, cell) for part, cell in zip(_PLACE_PARTS, cells, strict=True) if cell]
    if not named and not description:
        return None
    resource: Resource = {}
    if named:
        resource["identifier"] = [{"system": PLACES + part, "value": cell} for part, cell in named]
        resource["name"] = " ".join(cell for _, cell in named)
    else:
        resource["name"] = description
    if named and description:
        resource["description"] = description
    resource["mode"] = "instance"
    return "|".join([*cells, description]), resource
