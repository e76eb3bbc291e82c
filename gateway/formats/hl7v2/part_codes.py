"""The codes of a segment as FHIR codings, for tables of sensitive codes: by place, by HL7 table 0396, by look.

A code whose system is missing or unknown is read as one of every system: this is for labels, and a label that is too
much only keeps something back.
"""

import re
from collections.abc import Iterable, Iterator

from gateway.formats.hl7v2.coded import CODE_SYSTEMS
from gateway.formats.hl7v2.message import Segment

_ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
_ICD9 = "http://hl7.org/fhir/sid/icd-9-cm"
_LOINC = "http://loinc.org"
_SNOMED = "http://snomed.info/sct"
_RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
_CPT = "http://www.ama-assn.org/go/cpt"
_HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"

_SYSTEMS: dict[str, str] = {
    **{name: system for system, name in CODE_SYSTEMS.items()},
    **dict.fromkeys(("I10", "I10C", "I10P", "ICD10", "ICD10CM", "ICD-10", "ICD-10-CM"), _ICD10),
    **dict.fromkeys(("I9", "I9C", "I9CDX", "ICD9", "ICD9CM", "ICD-9", "ICD-9-CM"), _ICD9),
    **dict.fromkeys(("LN", "LOINC"), _LOINC),
    **dict.fromkeys(("SCT", "SNM", "SNOMED", "SNOMEDCT", "SNOMED-CT"), _SNOMED),
    **dict.fromkeys(("RXNORM", "RXN", "RXCUI"), _RXNORM),
    **dict.fromkeys(("C4", "CPT", "CPT4", "CPT-4"), _CPT),
    **dict.fromkeys(("HCPCS", "HPC"), _HCPCS),
}
_EVERY = (_ICD10, _ICD9, _LOINC, _SNOMED, _RXNORM, _CPT, _HCPCS)

_CODED: dict[str, frozenset[int]] = {
    "DG1": frozenset({3}),
    "DRG": frozenset({1}),
    "OBX": frozenset({3}),
    "OBR": frozenset({4, 31, 44}),
    "ORC": frozenset({16}),
    "PR1": frozenset({3}),
    "AL1": frozenset({3}),
    "IAM": frozenset({3}),
    "PRB": frozenset({3}),
    "GOL": frozenset({3}),
    "PTH": frozenset({2}),
    "FT1": frozenset({7, 19, 25}),
    "RXO": frozenset({1}),
    "RXE": frozenset({2}),
    "RXD": frozenset({2}),
    "RXA": frozenset({5}),
    "RXG": frozenset({4}),
    "RXC": frozenset({2}),
    "PV2": frozenset({3}),
    "SPM": frozenset({4}),
    "TXA": frozenset({2}),
    "SCH": frozenset({6, 7}),
    "AIS": frozenset({3}),
}
"""Fields that hold a code, also where the sender names no system."""

_CODED_VALUES = frozenset({"CE", "CWE", "CNE", "CF", "IS", "ID"})


_DIAGNOSIS = re.compile(r"\b[A-TV-Z][0-9]{2}\.[0-9][0-9A-Z]{0,3}\b")


def codings_in(texts: Iterable[str]) -> Iterator[dict[str, str]]:
    """Yield what looks like a diagnosis of ICD-10-CM in text: people write codes where no code belongs."""
    for text in texts:
        for code in sorted(set(_DIAGNOSIS.findall(text.upper()))):
            yield {"system": _ICD10, "code": code}


def codings_of(segment: Segment) -> Iterator[dict[str, str]]:
    """Yield every coding of a segment: both triples of each repetition."""
    coded = _CODED.get(segment.id, frozenset())
    for place in range(1, len(segment.fields)):
        is_coded = place in coded or (
            segment.id == "OBX" and place == 5 and segment.text(2).strip().upper() in _CODED_VALUES
        )
        for repetition in range(1, segment.repetitions(place) + 1):
            for first in (1, 4):
                yield from _triple(segment, place, repetition, first, is_coded)


def _triple(segment: Segment, place: int, repetition: int, first: int, is_coded: bool) -> Iterator[dict[str, str]]:
    code = segment.text(place, first, repetition=repetition).strip()
    name = segment.text(place, first + 2, repetition=repetition).strip().upper()
    if not code or not (is_coded or name in _SYSTEMS):
        return
    if name in _SYSTEMS:
        systems: tuple[str, ...] = (_SYSTEMS[name],)
    else:
        systems = () if name == "L" or name.startswith("99") else _EVERY
    for system in systems:
        yield {"system": system, "code": code}
