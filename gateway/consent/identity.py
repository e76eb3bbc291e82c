"""Who is asking, proven, and about whom, exactly one person (steps 1 and 3 to 5)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from gateway.consent.facts import Facts, identifier_keys, relative, subject_keys
from gateway.consent.reasons import Withhold
from gateway.consent.situation import Person
from gateway.model.fhir_time import last_day
from gateway.model.request import Request

_UNKNOWN = Withhold("PATIENT_UNKNOWN", 400)
_AMBIGUOUS = Withhold("PATIENT_AMBIGUOUS", 400, holds=True)


def check_caller(request: Request, facts: Facts) -> Withhold | None:
    """Check steps 1 and 3: the audit store answers, and the caller is who it claims to be."""
    if "audit_store" in facts.unavailable:
        return Withhold("AUDIT_UNAVAILABLE", 100)
    proven = request.authenticated_as
    claimed = request.organization if request.organization is not None else request.person_id
    is_links_owner = request.link_issued_to in (None, proven, request.person_id)
    if proven is None or proven != claimed or not is_links_owner:
        return Withhold("IDENTITY_MISMATCH", 300)
    return None


def find_person(request: Request, facts: Facts) -> Person | Withhold | None:
    """Find the one person of step 4; None only for a request about nobody (basis deidentified)."""
    if request.patient is None:
        return None if request.basis_type == "deidentified" else _UNKNOWN
    wanted = relative(request.patient)
    found = facts.patients_by_key.get(wanted)
    if not found:
        return _UNKNOWN
    person: Person | Withhold = facts.people.get(wanted) or _person(found, facts)
    facts.people[wanted] = person
    return person


def _person(found: set[str], facts: Facts) -> Person | Withhold:
    same = _same_person(found, facts)
    if same is None or len(_survivors(same, facts)) > 1:
        return _AMBIGUOUS
    patients = [facts.patients[ref] for ref in sorted(same) if ref in facts.patients]
    keys = frozenset(same).union(*(identifier_keys(patient) for patient in patients))
    return Person(keys, next(filter(None, map(_born, patients)), None))


def _born(patient: Mapping[str, Any]) -> date | None:
    """Return the birth date, of a partial one the last day it can be: nobody is taken for older than they are."""
    try:
        return last_day(patient.get("birthDate"))
    except ValueError:
        return None


def _links(facts: Facts) -> dict[frozenset[str], bool]:
    """Return every pair of records said to be one person, and whether somebody verified that."""
    links: dict[frozenset[str], bool] = {}
    for reference, patient in facts.patients.items():
        for link in patient.get("link", ()):
            if link.get("type") in ("replaced-by", "replaces"):
                links[frozenset({reference, *_linked(link["other"], facts)})] = False
    # A merge that one says is verified and another not is not: whatever order they come in.
    verified: dict[frozenset[str], bool] = {}
    for merge in facts.merges:
        pair = frozenset({merge.retired, merge.kept})
        verified[pair] = verified.get(pair, True) and merge.verified
    return links | verified


def _linked(other: Mapping[str, Any], facts: Facts) -> set[str]:
    """Return the records a link points to: by its reference, else those known by its identifier."""
    if "reference" in other:
        return {relative(other["reference"])}
    return set().union(*(facts.patients_by_key.get(key, ()) for key in subject_keys(other)))


def _same_person(found: set[str], facts: Facts) -> set[str] | None:
    """Follow verified merges from the found records; None where a merge nobody verified touches them."""
    same = set(found)
    links = _links(facts)
    while True:
        touching = [pair for pair in links if pair & same]
        if not all(links[pair] for pair in touching):
            return None
        grown = same.union(*touching)
        if grown == same:
            return same
        same = grown


def _survivors(same: set[str], facts: Facts) -> set[str]:
    retired = {merge.retired for merge in facts.merges if merge.verified}
    return {ref for ref in same if ref in facts.patients and ref not in retired}
