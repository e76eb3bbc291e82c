"""Invented things to store: the least that is complete, and open for each test to vary."""

from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.model.handoff import Handoff, Person, Referral, Resource, StoredInput
from gateway.ports import Database, Transaction

AT = datetime(2026, 11, 2, 18, 0, tzinfo=UTC)
LATER = AT + timedelta(hours=1)


def an_input(input_id: str = "input-1", **changes: Any) -> StoredInput:
    """Return an input of one small CSV file."""
    values = {
        "id": input_id,
        "channel": "http",
        "source": "seattle-rms-crisis",
        "client": "demo-agency",
        "media_type": "text/csv",
        "payload": b"name\r\nZztest\r\n",
        "sha256": "a" * 64,
        "received_at": AT,
    }
    return StoredInput(**{**values, **changes})


def a_handoff(handoff_id: str = "handoff-1", **changes: Any) -> Handoff:
    """Return a handoff made of `an_input`, about person-1."""
    values = {
        "id": handoff_id,
        "version": 1,
        "program": "seattle-rms-crisis",
        "agency": "org:police",
        "content_hash": "b" * 64,
        "person_id": "person-1",
        "state": "active",
        "hold_reason": None,
        "input_id": "input-1",
        "mapping": "seattle-rms-crisis",
        "created_at": AT,
        "updated_at": AT,
    }
    return Handoff(**{**values, **changes})


def a_person(person_id: str = "person-1", **changes: Any) -> Person:
    """Return a person who cannot exist."""
    values = {
        "id": person_id,
        "family": "Zztest",
        "given": "Aaron",
        "birth_date": "1980-02-30",
        "gender": "male",
        "phone": "206-555-0101",
        "address": "1 Invented Way",
        "patient_ids": ("patient-1",),
        "identifiers": (("https://warmhandoff.example/id/person", "P-1"),),
    }
    return Person(**{**values, **changes})


def a_referral(referral_id: str = "task-1", **changes: Any) -> Referral:
    """Return a referral of handoff-1 to the clinic."""
    values = {
        "id": referral_id,
        "handoff_id": "handoff-1",
        "service_request_id": "request-1",
        "identifier": "R-1",
        "person_id": "person-1",
        "recipient": "org:clinic",
        "transport": "fhir",
        "purpose": ("TREAT", "COORDINATION"),
        "status": "requested",
        "business_status": None,
        "reason": None,
        "external_id": None,
        "updated_at": AT,
    }
    return Referral(**{**values, **changes})


def an_observation(resource_id: str = "observation-1", value: str = "calm") -> Resource:
    """Return an Observation of behaviour."""
    return {"resourceType": "Observation", "id": resource_id, "status": "final", "valueString": value}


def an_organization(resource_id: str = "org-1", identifier: str = "WA0171100") -> Resource:
    """Return an agency, the kind of resource that many handoffs share."""
    return {
        "resourceType": "Organization",
        "id": resource_id,
        "identifier": [{"system": "https://warmhandoff.example/id/ori", "value": identifier}],
        "name": "Invented Police",
    }


def keep(database: Database, *, handoff_id: str = "handoff-1") -> None:
    """Store input-1 and a handoff with one observation."""

    def work(transaction: Transaction) -> None:
        if transaction.inputs.get("input-1") is None:
            transaction.inputs.add(an_input())
        transaction.handoffs.save(a_handoff(handoff_id), [an_observation()])

    database.write(work)
