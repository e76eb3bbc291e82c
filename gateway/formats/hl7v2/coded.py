"""How code systems and identifier systems of FHIR are called in HL7v2 (HL7 tables 0396, 0203, 0363)."""

import re
from collections.abc import Mapping
from typing import Any

from gateway.formats.hl7v2.build import Component, Repetition

_OURS = "https://warmhandoff.example/fhir/CodeSystem/"

CODE_SYSTEMS: dict[str, str] = {
    "http://loinc.org": "LN",
    "http://snomed.info/sct": "SCT",
    "http://hl7.org/fhir/sid/icd-10-cm": "I10C",
    "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets": "HCPCS",
    "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets": "HCPCS",
    f"{_OURS}behavior": "99WHBEH",
    f"{_OURS}crisis-nature": "99WHNAT",
    f"{_OURS}disposition": "99WHDSP",
    f"{_OURS}program": "99WHPRG",
    f"{_OURS}responder-role": "99WHROL",
    f"{_OURS}safety": "99WHSAF",
    f"{_OURS}service": "99WHSVC",
}
"""FHIR code system to its name in HL7 table 0396; ours are local (99...)."""

LOCAL_NOTES = "99WHNTE"
"""The local code system of NTE-4: CONSENT, NOTICE, PLAN, GOAL."""

NAMED = "https://warmhandoff.example/id/hl7v2/"
"""Before the name of a system that only its sender can resolve: it is written as that name again."""

_PLAIN = re.compile(r"[A-Za-z0-9._-]+")
_SAFE = re.compile(r"[A-Za-z0-9._-]")
_HEX = re.compile(r"%([0-9A-F]{2})")

_IDENTIFIER_KINDS = {
    "http://hl7.org/fhir/sid/us-npi": "NPI",
    "https://warmhandoff.example/id/ori": "ORI",
    "urn:oid:2.16.840.1.113883.4.4": "TAX",
}


def coded(concept: Mapping[str, Any] | None) -> Repetition:
    """Write a CodeableConcept as CE: two codings at most (identifier, text, system; twice), the text kept.

    A concept without code is text alone; an unknown code system is named L, local.
    """
    if not concept:
        return ""
    codings = [coding for coding in concept.get("coding", ()) if coding.get("code")]
    if not codings:
        return ("", str(concept.get("text", "")))
    text = str(concept.get("text") or codings[0].get("display") or "")
    parts: list[Component] = [str(codings[0]["code"]), text, _system(codings[0])]
    if len(codings) > 1:
        parts += [str(codings[1]["code"]), str(codings[1].get("display") or ""), _system(codings[1])]
    return tuple(parts)


def assigner(system: str) -> tuple[str, ...]:
    """Write an identifier system as the parts of an HD: namespace, universal id, its type."""
    if system.startswith("urn:oid:"):
        return ("", system.removeprefix("urn:oid:"), "ISO")
    if system.startswith(NAMED):
        return (unquoted(system.removeprefix(NAMED)),)
    if system.startswith("https://warmhandoff.example/"):
        return ("WARMHANDOFF", system, "URI")
    return ("", system, "URI") if system else ()


def identifier_kind(system: str) -> str:
    """Name the kind of an organization's identifier as PRD-7.2 does; "" where there is no name for it."""
    return _IDENTIFIER_KINDS.get(system, "")


def quoted(name: str) -> str:
    """Write a name so that it can stand in a URI."""
    if _PLAIN.fullmatch(name):
        return name
    return "".join(c if _SAFE.fullmatch(c) else "".join(f"%{byte:02X}" for byte in c.encode()) for c in name)


def unquoted(text: str) -> str:
    """Read what `quoted` wrote."""
    if "%" not in text:
        return text
    return bytes(
        byte
        for piece in re.split(r"(%[0-9A-F]{2})", text)
        for byte in (bytes([int(piece[1:], 16)]) if _HEX.fullmatch(piece) else piece.encode())
    ).decode("utf-8", "replace")


def _system(coding: Mapping[str, Any]) -> str:
    system = str(coding.get("system", ""))
    return unquoted(system.removeprefix(NAMED)) if system.startswith(NAMED) else CODE_SYSTEMS.get(system, "L")
