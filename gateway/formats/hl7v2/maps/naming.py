"""How code systems and assigners are called: the names of HL7 table 0396, OIDs, and the sender's own words.

A name that nobody can resolve is kept, as a URI of ours with the name in it, and written as that name again: two
systems are never taken for one, and none is lost.
"""

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gateway.formats.hl7v2.coded import CODE_SYSTEMS, NAMED, quoted, unquoted
from gateway.formats.hl7v2.standard import codes_of

if TYPE_CHECKING:
    from gateway.formats.hl7v2.maps.pack import Names

OURS = "https://warmhandoff.example/"
"""How identifier systems of the gateway's own begin."""

_TABLES = "http://terminology.hl7.org/CodeSystem/v2-"
_OID = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]*)){2,}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_URI = re.compile(r"(?:https?://|urn:)[!-~]+")
_TABLE = re.compile(r"HL7?0*([0-9]{1,4})")

_OTHERS = {
    "I10": "http://hl7.org/fhir/sid/icd-10-cm",
    "ICD10": "http://hl7.org/fhir/sid/icd-10-cm",
    "ICD-10-CM": "http://hl7.org/fhir/sid/icd-10-cm",
    "I9C": "http://hl7.org/fhir/sid/icd-9-cm",
    "I9CDX": "http://hl7.org/fhir/sid/icd-9-cm",
    "ICD9": "http://hl7.org/fhir/sid/icd-9-cm",
    "LOINC": "http://loinc.org",
    "SNOMED": "http://snomed.info/sct",
    "SNOMED-CT": "http://snomed.info/sct",
    "SNOMEDCT": "http://snomed.info/sct",
    "SNM3": "http://snomed.info/sct",
    "C4": "http://www.ama-assn.org/go/cpt",
    "CPT": "http://www.ama-assn.org/go/cpt",
    "RXNORM": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "NDC": "http://hl7.org/fhir/sid/ndc",
    "CVX": "http://hl7.org/fhir/sid/cvx",
    "UCUM": "http://unitsofmeasure.org",
    "NUCC": "http://nucc.org/provider-taxonomy",
    "CDCREC": "urn:oid:2.16.840.1.113883.6.238",
}
_BY_OID = {
    "2.16.840.1.113883.4.6": "http://hl7.org/fhir/sid/us-npi",
    "2.16.840.1.113883.6.1": "http://loinc.org",
    "2.16.840.1.113883.6.8": "http://unitsofmeasure.org",
    "2.16.840.1.113883.6.12": "http://www.ama-assn.org/go/cpt",
    "2.16.840.1.113883.6.69": "http://hl7.org/fhir/sid/ndc",
    "2.16.840.1.113883.6.88": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "2.16.840.1.113883.6.90": "http://hl7.org/fhir/sid/icd-10-cm",
    "2.16.840.1.113883.6.96": "http://snomed.info/sct",
    "2.16.840.1.113883.6.101": "http://nucc.org/provider-taxonomy",
    "2.16.840.1.113883.6.103": "http://hl7.org/fhir/sid/icd-9-cm",
    "2.16.840.1.113883.6.285": "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
    "2.16.840.1.113883.12.292": "http://hl7.org/fhir/sid/cvx",
}
"""What FHIR calls systems that have an OID (FHIR R4 terminologies-systems): both names are one system."""
BY_NAME = {**{name: uri for uri, name in reversed(CODE_SYSTEMS.items())}, **_OTHERS}
BY_URI = {**{uri: name for name, uri in reversed(_OTHERS.items())}, **CODE_SYSTEMS}


def code_system(name: str, names: "Names") -> str:
    """Return the URI of a code system as CWE-3 names it; "" for no name."""
    if not name:
        return ""
    return names.code_systems.get(name) or _usual_system(name)


@lru_cache(maxsize=1024)
def _usual_system(name: str) -> str:
    """Return the URI of a system by its name in table 0396, its table or OID; few names are ever sent."""
    known = BY_NAME.get(name.upper())
    if known:
        return known
    table = _TABLE.fullmatch(name.upper())
    if table:
        return f"{_TABLES}{table[1].zfill(4)}"
    oid = name.removeprefix("urn:oid:")
    if _OID.fullmatch(oid):
        return _BY_OID.get(oid) or f"urn:oid:{oid}"
    return name if _URI.fullmatch(name) else NAMED + quoted(name)


@lru_cache(maxsize=4096)
def lists(system: str, code: str) -> bool:
    """Tell whether the HL7 table that a system is has a code; yes where the standard lists none, or it is no table.

    A code that a site made up for a user-defined table is its own: nobody could look it up in the table.
    """
    number = system.removeprefix(_TABLES)
    if number == system:
        return True
    codes = codes_of(f"HL7{number}", "2.5.1") | codes_of(f"HL7{number}", "2.8.2")
    return not codes or code in codes


def system_name(uri: str, names: "Names") -> str:
    """Return what CWE-3 says for a code system: the partner's name, that of table 0396, an OID, or L for local."""
    own = next((name for name, known in names.code_systems.items() if known == uri), "")
    if own or not uri:
        return own
    if uri in BY_URI:
        return BY_URI[uri]
    if uri.startswith(_TABLES) and uri[-4:].isdigit():
        return f"HL7{uri[-4:]}"
    if uri.startswith(NAMED):
        return unquoted(uri.removeprefix(NAMED))
    return uri.removeprefix("urn:oid:") if uri.startswith("urn:oid:") else "L"


def assigner_system(namespace: str, universal: str, kind: str, names: "Names") -> str:
    """Return the identifier system of an HD; "" for an empty one."""
    if namespace in names.assigners:
        return names.assigners[namespace]
    if universal:
        return _universal(universal, kind.upper())
    return NAMED + quoted(namespace) if namespace else ""


def _universal(universal: str, kind: str) -> str:
    if kind == "URI" or "://" in universal or universal.startswith("urn:"):
        return universal if ":" in universal else NAMED + quoted(universal)
    if kind in ("ISO", "") and _OID.fullmatch(universal):
        return _BY_OID.get(universal) or f"urn:oid:{universal}"
    if kind in ("UUID", "GUID") and _UUID.fullmatch(universal.lower()):
        return f"urn:uuid:{universal.lower()}"
    return NAMED + quoted(universal)


def assigner_parts(system: str, names: "Names", display: str = "") -> tuple[str, ...]:
    """Write an identifier system as an HD; `display` is the namespace that stood beside an OID."""
    own = next((name for name, known in names.assigners.items() if known == system), "")
    if own:
        return (own,)
    if system.startswith(NAMED):
        name = unquoted(system.removeprefix(NAMED))
        return (display, name, "L") if display else (name,)
    for start, kind in (("urn:oid:", "ISO"), ("urn:uuid:", "UUID")):
        if system.startswith(start):
            return (display, system.removeprefix(start), kind)
    if system.startswith(OURS):
        return (display or "WARMHANDOFF", system, "URI")
    return (display, system, "URI") if system else ((display,) if display else ())


def coding_of(code: str, display: str, system: str, names: "Names") -> dict[str, Any]:
    """Return a Coding of what is valued."""
    found: dict[str, Any] = {"system": code_system(system, names)} if system else {}
    if code:
        found["code"] = code
    if display:
        found["display"] = display
    return found
