"""A day's worth of invented records in the store, for the console's pages."""

import hashlib
from datetime import timedelta
from typing import Any

from gateway.model.handoff import Handoff, InputRecord, Person, Referral, StoredInput
from gateway.ports import Transaction
from tests.support.web_house import T0, Site

ACTIVE, HELD = "aaaaaaaaaaaaaaaaaaaaaaaaaa", "hhhhhhhhhhhhhhhhhhhhhhhhhh"
LANE = "org:harbor/fhir"
A_CANDIDATE = [{"person_id": "person-1", "name": "Pat Otter-Test", "birth_date": "1980-02-03"}]


def a_handoff(handoff_id: str, **changes: Any) -> Handoff:
    """Make a record of the co-responder program."""
    values: dict[str, Any] = {
        "id": handoff_id,
        "version": 1,
        "program": "co-responder",
        "agency": "org:northpd",
        "content_hash": "0" * 64,
        "person_id": None,
        "state": "active",
        "hold_reason": None,
        "input_id": "in1",
        "mapping": "co-responder-contact",
        "created_at": T0,
        "updated_at": T0,
    }
    return Handoff(**(values | changes))


def a_referral(handoff_id: str, **changes: Any) -> Referral:
    """Make a referral to the hospital by FHIR."""
    values: dict[str, Any] = {
        "id": f"task-{handoff_id[:4]}",
        "handoff_id": handoff_id,
        "service_request_id": f"sr-{handoff_id[:4]}",
        "identifier": f"ref-{handoff_id[:4]}",
        "person_id": "person-1",
        "recipient": "org:harbor",
        "transport": "fhir",
        "purpose": ("TREAT",),
        "status": "requested",
        "business_status": None,
        "reason": None,
        "external_id": None,
        "updated_at": T0,
    }
    return Referral(**(values | changes))


def an_input(input_id: str, **changes: Any) -> StoredInput:
    """Make an input of two lines."""
    payload = f"report,name\n{input_id},Otter-Test\n".encode()
    values: dict[str, Any] = {
        "id": input_id,
        "channel": "http",
        "source": "co-responder-contact",
        "client": "demo-agency",
        "media_type": "text/csv",
        "payload": payload,
        "sha256": hashlib.sha256(payload).hexdigest(),
        "received_at": T0,
        "state": "done",
    }
    return StoredInput(**(values | changes))


def fill(site: Site) -> None:
    """Write the day: converted, quarantined, duplicate, held, delivered and answered, refused, dead."""
    site.house.database.write(_write)
    site.house.console_records[ACTIVE] = a_console_record(ACTIVE)
    site.house.console_records[HELD] = a_console_record(HELD, state="held", hold_reason="possible match with 1 known")


def _write(tx: Transaction) -> None:
    tx.inputs.add(an_input("in1"))
    tx.inputs.add(an_input("in2", received_at=T0 - timedelta(hours=5)))
    tx.inputs.add(an_input("in3", state="quarantined", reason="not UTF-8 at byte 17"))
    tx.inputs.put_records(
        [
            InputRecord("in1", 1, "converted", None, ACTIVE),
            InputRecord("in1", 2, "quarantined", "key-missing: no report number"),
            InputRecord("in2", 1, "converted", None, HELD),
            InputRecord("in2", 2, "duplicate", None, ACTIVE),
            InputRecord("in2", 3, "skipped", "a zero report carries no encounter"),
        ]
    )
    for person_id, given in (("person-1", "Pat"), ("person-2", "Patricia")):
        tx.people.save(Person(person_id, "Otter-Test", given, "1980-02-03", "unknown", None, None, (f"p-{given}",)), T0)
    tx.handoffs.save(a_handoff(ACTIVE, person_id="person-1"), [])
    held = a_handoff(
        HELD,
        person_id="person-2",
        state="held",
        hold_reason="possible match with 1 known",
        program="cit",
        input_id="in2",
    )
    tx.handoffs.save(held, [])
    tx.referrals.save(a_referral(ACTIVE, status="accepted"))
    tx.referrals.save(a_referral(HELD, recipient="org:cedar", transport="hl7v2", person_id="person-2"))
    for n, (subject, lane, state, reason) in enumerate(
        [
            ("task-aaaa", LANE, "delivered", None),
            ("task-hhhh", "org:cedar/hl7v2", "held", "possible match with 1 known"),
            ("task-hhhh", "org:cedar/hl7v2", "refused", "DENY NO_CONSENT"),
            ("task-aaaa", LANE, "dead", "422 from the receiver"),
            ("task-aaaa", LANE, "ready", None),
        ]
    ):
        work = tx.outbox.add(
            lane=lane, kind="deliver", subject=subject, action="create", message_id=f"m{n}", version=1, at=T0
        )
        tx.outbox.set_state(work, state, reason, T0)


def a_console_record(handoff_id: str, **changes: Any) -> dict[str, Any]:
    """Make what the house discloses to staff of one record."""
    handoff = a_handoff(handoff_id, person_id="person-1", **changes)
    return {
        "handoff": handoff,
        "records": [InputRecord("in1", 1, "converted", None, handoff_id)],
        "resources": [
            {
                "resourceType": "Patient",
                "id": "p1",
                "name": [{"family": "Otter-Test", "given": ["Pat"]}],
                "birthDate": "1980-02-03",
            },
            {
                "resourceType": "Encounter",
                "id": "e1",
                "status": "finished",
                "type": [{"text": "Co-responder contact"}],
                "period": {"start": "2026-11-02T09:30:00-08:00"},
            },
            {
                "resourceType": "Observation",
                "id": "o1",
                "status": "final",
                "code": {"text": "<script>alert('Otter')</script>"},
            },
            {
                "resourceType": "Task",
                "id": "task-aaaa",
                "status": "accepted",
                "code": {"coding": [{"code": "fulfill"}]},
                "authoredOn": "2026-11-02T10:00:00-08:00",
            },
        ],
        "decisions": [
            {
                "id": "d1",
                "recipient": "org:harbor",
                "channel": "fhir",
                "decision": "PERMIT_REDACTED",
                "reason": "NO_CONSENT",
                "section": "42 CFR 2.13(a)",
                "obligations": ["NOTICE"],
                "basis": {"type": "Consent", "id": "c-1", "version": "1"},
                "withheld": ["Observation/x"],
                "policy_version": "2026.1",
                "at": "2026-11-02T18:00:00Z",
                "input_hash": "sha256:00",
            }
        ],
        "deliveries": [
            {
                "id": 1, "lane": LANE, "action": "create", "version": 1, "state": "delivered", "tries": 1,
                "reason": None, "message_id": "m0", "updated_at": T0,
            }
        ],
        "referrals": [a_referral(handoff_id, status="accepted", external_id="HB-17")],
        "trace": [
            {"path": "Client Name", "status": "mapped", "rule": "mapping.yaml:14", "target": "Patient.name", "value": "Otter-Test, Pat"},
            {"path": "Narrative", "status": "ignored", "rule": "left-out", "target": "", "value": "..."},
        ],
        "withheld": 1,
        "candidates": A_CANDIDATE if handoff.state == "held" else [],
        "source": b"report,name\n1,<b>Otter-Test</b>\n",
    }  # fmt: skip
