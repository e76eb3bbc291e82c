"""Consents that partners write through FHIR: created, changed, filed with their document, taken back.

A partner may write the consents to disclosures of its own, and those it filed; whoever would receive records cannot let
itself have them by writing that it may.
"""

import base64
from typing import Any

import orjson

from gateway.consent import disclosers_of
from gateway.flow.consents.changes import (
    FILED_BY,
    put_revocation,
    reopen_stopped,
    reopen_what_it_stopped,
    replace_consents,
    replaced_by,
)
from gateway.flow.consents.terms import keep_watch, read_directive, waits
from gateway.flow.handed_in import custodian
from gateway.flow.house import House
from gateway.flow.known_patients import keys_of, knows
from gateway.flow.people import key_in, lock_person, person_by_reference
from gateway.formats.consent_paper import scan_shortcomings
from gateway.model.audit import AuditEntry
from gateway.model.caller import Caller
from gateway.model.consent_directive import Directive
from gateway.model.consent_form import Scan
from gateway.model.consent_life import Revoking
from gateway.model.exchange import NOT_FOUND, Answer, Problem
from gateway.model.handoff import Resource
from gateway.ports import StoredResource, Transaction


def file_consent(
    house: House, caller: Caller, body: dict[str, Any], consent_id: str | None, if_match: int | None
) -> Answer | Problem:
    """Create a Consent, or write its next version; committed before it is acknowledged.

    A revocation committed here stops everything that is not yet claimed for sending; a new consent lets what was
    refused be decided again. Refused: a Consent about nobody whom the caller knows here, one that is not valid, one
    that belongs to another organization.
    """
    problem = _invalid(house, body)
    if problem is not None:
        return problem

    def write(tx: Transaction) -> Answer | Problem:
        if not _may_name(house, tx, caller, body.get("patient"), consent_id):
            return _NOBODY
        person = lock_person(tx, lambda: person_by_reference(tx, body.get("patient")))
        if person is None:
            return _NOBODY
        stored = _own(house, tx, caller, consent_id) if consent_id is not None else None
        if consent_id is not None:
            if stored is None:
                return NOT_FOUND
            if stored.version != if_match:
                message = "Read the Consent again: it has another version."
                return Problem(412, "conflict", "Consent", message, stored.version)
            if not _is_about(tx, stored, body.get("patient"), person):
                return _ANOTHER_PATIENT
        if not _may_replace(house, tx, caller, body, person):
            return _ANOTHERS
        return _keep_consent(house, tx, caller, body, consent_id or house.new_id(), stored, person)

    return house.database.write(write)


def file_with_document(house: House, caller: Caller, consent: Resource, document: Resource) -> Answer | Problem:
    """Create a Consent with the paper it stands on (FAST Scalable Consent Management, $file-consent)."""
    problem = _invalid(house, consent) or _invalid(house, document)
    if problem is not None:
        return problem

    def write(tx: Transaction) -> Answer | Problem:
        if not knows(house, tx, caller.organization, consent.get("patient")):
            return _NOBODY
        person = lock_person(tx, lambda: person_by_reference(tx, consent.get("patient")))
        if person is None:
            return _NOBODY
        if not _may_replace(house, tx, caller, consent, person):
            return _ANOTHERS
        papers = _written_on(house, document, consent["patient"])
        if isinstance(papers, Problem):
            return papers
        _keep_all(house, tx, papers, person)
        source = f"{papers[-1]['resourceType']}/{papers[-1]['id']}"
        body = {**consent, "sourceReference": {"reference": source}}
        return _keep_consent(house, tx, caller, body, house.new_id(), None, person)

    return house.database.write(write)


def revoke_by_reference(
    house: House,
    caller: Caller,
    consent: Resource,
    patient: Resource,
    document: Resource | None,
    revoking: Revoking,
) -> Problem | None:
    """Take a consent back for the person (FAST Scalable Consent Management, $revoke-consent); None = committed.

    By whoever may write the consent or discloses on it, and by a recipient that has received on it and was told so by
    the person: its word reaches its own access only. To anybody else the consent does not exist.
    """
    problem = _invalid(house, document) if document is not None else None
    if problem is not None:
        return problem

    def write(tx: Transaction) -> Problem | None:
        consent_id = str(consent.get("reference", "")).rpartition("Consent/")[2]
        if not _may_name(house, tx, caller, patient, consent_id):
            return NOT_FOUND
        person = lock_person(tx, lambda: person_by_reference(tx, patient))
        if person is None:
            return NOT_FOUND
        stored = tx.resources.get("Consent", consent_id)
        reach = _reach(house, tx, caller, consent_id, person, revoking)
        if stored is None or reach is None or not _is_about(tx, stored, patient, person):
            return NOT_FOUND
        papers = _written_on(house, document, stored.body["patient"]) if document is not None else []
        if isinstance(papers, Problem):
            return papers
        problem = put_revocation(house, tx, caller.client, stored, reach, patient)
        if problem is None:
            _keep_all(house, tx, papers, person)
        return problem

    return house.database.write(write)


_NOBODY = Problem(422, "value", "Consent.patient", "Expected a Patient of this gateway, found none.")
_ANOTHER_PATIENT = Problem(
    422, "business-rule", "Consent.patient", "Expected the Patient that stands in the Consent: it moves to no other."
)
_ANOTHERS = Problem(
    422,
    "business-rule",
    "Consent.extension",
    "Expected to replace consents that you filed or disclose on, found others.",
)
_NO_FILE = Problem(
    422, "value", "DocumentReference.content.attachment", "Expected a PDF, JPEG or PNG of at most 10 MiB in base64."
)


def _invalid(house: House, body: Resource) -> Problem | None:
    errors = [finding for finding in house.check_foreign(body) if finding.severity == "error"]
    return Problem(422, "invariant", errors[0].location, errors[0].message) if errors else None


def _may_name(house: House, tx: Transaction, caller: Caller, patient: object, consent_id: str | None) -> bool:
    """Say whether a caller may know of the Patient it names: as its organization knows of it, or by its own Consent.

    Whoever else names one is told that there is none, also where a Part 2 program's record alone has it. As much is
    asked of the store whether there is such a Patient and such a Consent or not.
    """
    named = keys_of(tx, patient)
    own = _own(house, tx, caller, consent_id) if consent_id is not None else None
    is_in_own = own is not None and key_in(own.body.get("patient")) in named
    return is_in_own or knows(house, tx, caller.organization, patient)


def _is_about(tx: Transaction, stored: StoredResource, patient: object, person_id: str) -> bool:
    """Say whether a reference names the Patient that stands in a consent.

    That another Patient is the same person is for us to know: a yes would tell whoever asks that there is such a one.
    """
    return stored.person_id == person_id and key_in(stored.body.get("patient")) in keys_of(tx, patient)


def _may_replace(house: House, tx: Transaction, caller: Caller, body: Resource, person_id: str) -> bool:
    """Say whether all that a Consent replaces is the caller's to end; what is others' and what is not there are alike.

    Whoever has seen the id of a paper could else lift the refusal on it with one of their own. What waits for a person
    replaces nothing before that person has looked.
    """
    if not _is_discloser(house, caller, body):
        return True
    for consent_id in replaced_by(read_directive(house, {"id": "unfiled", **body})):
        is_its = _is_business_of(house, tx, caller, consent_id)
        older = tx.resources.get("Consent", consent_id)
        if older is None or not is_its or not _is_about(tx, older, body.get("patient"), person_id):
            return False
    return True


def _reach(
    house: House, tx: Transaction, caller: Caller, consent_id: str, person_id: str, revoking: Revoking
) -> Revoking | None:
    """Return what of a revocation this caller may cause; None: the consent is not its business, or not there.

    Who received something on a consent may know that there is one.
    """
    has_received = ("Consent", consent_id) in tx.decisions.bases_received(caller.organization, person_id)
    if _is_business_of(house, tx, caller, consent_id):
        return revoking
    return Revoking(revoking.method, (caller.organization,)) if has_received else None


def _is_business_of(house: House, tx: Transaction, caller: Caller, consent_id: str) -> bool:
    """Say whether a Consent is the caller's, or one that it discloses on."""
    if _own(house, tx, caller, consent_id) is not None:
        return True
    stored = tx.resources.get("Consent", consent_id)
    return stored is not None and caller.organization in _disclosing(read_directive(house, stored.body))


def _disclosing(directive: Directive) -> set[str | None]:
    stated = [*directive.disclosers, *(one for grant in directive.grants for one in grant.disclosers)]
    return {one.organization for one in stated}


def _keep_consent(
    house: House,
    tx: Transaction,
    caller: Caller,
    body: Resource,
    consent_id: str,
    stored: StoredResource | None,
    person: str,
) -> Answer:
    now = house.clock()
    tags = [tag for tag in body.get("meta", {}).get("tag", []) if tag.get("system") != FILED_BY]
    meta = {**body.get("meta", {}), "tag": [*tags, {"system": FILED_BY, "code": caller.organization}]}
    kept = {**body, "id": consent_id, "meta": meta}
    if not _is_discloser(house, caller, body):
        kept = _as_external(kept, caller)
    handoff_id = stored.handoff_id if stored else None
    version = tx.resources.put(kept, handoff_id=handoff_id, person_id=person, at=now)
    keep_watch(house, tx, kept)
    directive = read_directive(house, kept)
    if kept.get("status") == "active" and not waits(house, directive):
        replace_consents(house, tx, caller.client, person, consent_id, replaced_by(directive))
    if kept.get("status") == "active":
        reopen_stopped(house, tx, person)
    elif stored is not None:
        reopen_what_it_stopped(house, tx, stored)
    tx.audit.append(
        AuditEntry(
            now,
            "consent.filed",
            caller.client,
            {"consent": consent_id, "version": version, "status": kept.get("status")},
        )
    )
    return Answer(orjson.dumps(kept), version, now)


def _written_on(house: House, document: Resource, patient: Resource) -> list[Resource] | Problem:
    """Return what a consent or its end was written on, under ids of ours: the document last, its files before it.

    The files of a DocumentReference become Binaries, so that no decision carries them.
    """
    kept = {**document, "id": house.new_id(), "subject": patient}
    if document["resourceType"] != "DocumentReference":
        return [kept]
    kept["content"], files = [], []
    for content in document.get("content", ()):
        attachment = dict(content.get("attachment", {}))
        data = attachment.pop("data", None)
        if data is not None:
            media_type = str(attachment.get("contentType", ""))
            file = _file_of(data, media_type)
            if file is None:
                return _NO_FILE
            binary = {"resourceType": "Binary", "id": house.new_id(), "contentType": media_type, "data": data}
            files.append(binary)
            attachment |= {"url": f"Binary/{binary['id']}", "size": len(file)}
        kept["content"].append({**content, "attachment": attachment})
    return [*files, kept]


def _keep_all(house: House, tx: Transaction, resources: list[Resource], person: str) -> None:
    for one in resources:
        tx.resources.put(one, handoff_id=None, person_id=person, at=house.clock())


def _file_of(data: str, media_type: str) -> bytes | None:
    """Return the file of an attachment; None where it is none that a paper may be."""
    try:
        file = base64.b64decode(data, validate=True)
    except ValueError:
        return None
    return None if scan_shortcomings(Scan(media_type, file)) else file


def _is_discloser(house: House, caller: Caller, body: Resource) -> bool:
    """Say whether the caller files a consent to disclosures by itself, and by nobody else."""
    return disclosers_of(body, house.registry) == {caller.organization}


def _as_external(consent: Resource, caller: Caller) -> Resource:
    """Mark a consent that the discloser did not file: a person has to verify it before anything leaves on it.

    Who would receive the records must not be able to let itself have them by writing that it may.
    """
    unverified = {name: value for name, value in consent.items() if name != "verification"}
    source = f"urn:warm-handoff:filed-by:{caller.organization}"
    return {**unverified, "meta": {**consent["meta"], "source": source}}


def _own(house: House, tx: Transaction, caller: Caller, consent_id: str) -> StoredResource | None:
    """Return a Consent that is the caller's: filed by its organization, or part of a record that speaks through it."""
    stored = tx.resources.get("Consent", consent_id)
    records = tx.handoffs.holding("Consent", [consent_id])
    if stored is None:
        return None
    tags = stored.body.get("meta", {}).get("tag", [])
    filed_by = {tag.get("code") for tag in tags if tag.get("system") == FILED_BY}
    keepers = filed_by or {custodian(house, one) for one in records}
    return stored if caller.organization in keepers else None
