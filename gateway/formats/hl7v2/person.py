"""A Patient or RelatedPerson of FHIR as PID and NK1 (official v2-to-FHIR maps, read backwards)."""

from typing import Any

from gateway.formats.hl7v2.build import Field, Repetition
from gateway.formats.hl7v2.coded import assigner, coded
from gateway.formats.hl7v2.times import dtm
from gateway.model.handoff import Resource

_GENDER = {"male": "M", "female": "F", "other": "O", "unknown": "U"}
_NAME_USE = {"old": "A", "anonymous": "S", "nickname": "N", "maiden": "M"}
_ADDRESS_USE = {"home": "H", "work": "B", "temp": "C", "old": "BA"}


def person_fields(patient: Resource) -> dict[int, Field]:
    """Return PID from field 3 on. Race, SSN, licence and religion are never written."""
    contacts = patient.get("telecom", ())
    languages = [entry.get("language") for entry in patient.get("communication", ())]
    return {
        3: [_identifier(identifier) for identifier in patient.get("identifier", ()) if "value" in identifier],
        5: [_name(name) for name in patient.get("name", ())],
        7: dtm(str(patient.get("birthDate", ""))),
        8: _GENDER.get(str(patient.get("gender")), "U"),
        11: [address(entry) for entry in patient.get("address", ())],
        13: [telecom(contact) for contact in contacts if contact.get("use") != "work"],
        14: [telecom(contact) for contact in contacts if contact.get("use") == "work"],
        15: coded(languages[0]) if languages else "",
    }


def relative_fields(relative: Resource) -> dict[int, Field]:
    """Return NK1 from field 2 on."""
    relationships = relative.get("relationship", ())
    return {
        2: [_name(name) for name in relative.get("name", ())],
        3: coded(relationships[0]) if relationships else "",
        4: [address(entry) for entry in relative.get("address", ())],
        5: [telecom(contact) for contact in relative.get("telecom", ())],
    }


def address(entry: Resource) -> Repetition:
    """Write an Address as XAD; where only its text is known, that is the street."""
    lines = [str(line) for line in entry.get("line", ())] or [str(entry.get("text", ""))]
    return (
        lines[0],
        ", ".join(lines[1:]),
        str(entry.get("city", "")),
        str(entry.get("state", "")),
        str(entry.get("postalCode", "")),
        str(entry.get("country", "")),
        _ADDRESS_USE.get(str(entry.get("use")), ""),
    )


def telecom(contact: Resource, *, of_provider: bool = False) -> Repetition:
    """Write a ContactPoint as XTN: a number in the first component, an e-mail address in the fourth.

    Who provides care has no residence: every number of theirs is one at work (HL7 table 0201).
    """
    value, system, use = (str(contact.get(part, "")) for part in ("value", "system", "use"))
    if system == "email":
        return ("", "NET", "Internet", value)
    equipment = "CP" if use == "mobile" else _EQUIPMENT.get(system, "PH")
    return (value, "WPN" if of_provider or use == "work" else "PRN", equipment)


_EQUIPMENT = {"fax": "FX", "pager": "BP"}
"""HL7 table 0202."""


def _name(name: dict[str, Any]) -> Repetition:
    given = [str(part) for part in name.get("given", ())] or [""]
    family = str(name.get("family") or ("" if name.get("given") else name.get("text", "")))
    suffix, prefix = " ".join(name.get("suffix", ())), " ".join(name.get("prefix", ()))
    return (family, given[0], " ".join(given[1:]), suffix, prefix, "", _NAME_USE.get(str(name.get("use")), "L"))


def _identifier(identifier: Resource) -> Repetition:
    codings = (identifier.get("type") or {}).get("coding", ())
    kind = str(codings[0].get("code", "")) if codings else "PI"
    return (str(identifier["value"]), "", "", assigner(str(identifier.get("system", ""))), kind)
