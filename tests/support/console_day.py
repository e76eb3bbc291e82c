"""A day's worth of invented records in the store, for the console's pages."""

from datetime import timedelta
from typing import Any

from gateway.model.handoff import InputRecord
from gateway.ports import Transaction
from tests.support.stored import AT, a_handoff, a_person, a_referral, an_input
from tests.support.web_house import Site

ACTIVE, HELD = "aaaaaaaaaaaaaaaaaaaaaaaaaa", "hhhhhhhhhhhhhhhhhhhhhhhhhh"
A_DOUBT = "possible match: it may be about somebody who is known already"
LANE = "org:clinic/fhir"
A_CANDIDATE = [{"person_id": "person-1", "name": "Pat Otter-Test", "birth_date": "1980-02-03"}]


def fill(site: Site) -> None:
    """Write the day: converted, quarantined, duplicate, held, delivered and answered, refused, dead."""
    site.house.database.write(_write)
    site.house.console_records[ACTIVE] = a_console_record(ACTIVE)
    site.house.console_records[HELD] = a_console_record(HELD, state="held", hold_reason=A_DOUBT)


def _write(tx: Transaction) -> None:
    tx.inputs.add(an_input("in1", state="done"))
    tx.inputs.add(an_input("in2", state="done", received_at=AT - timedelta(hours=5)))
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
    tx.people.save(a_person("person-1"), AT)
    tx.handoffs.save(a_handoff(ACTIVE, input_id="in1"), [])
    tx.handoffs.save(a_handoff(HELD, input_id="in2", state="held", hold_reason=A_DOUBT, program="cit"), [])
    tx.referrals.save(a_referral("task-aaaa", handoff_id=ACTIVE, status="accepted"))
    tx.referrals.save(a_referral("task-hhhh", handoff_id=HELD, identifier="R-2", recipient="org:cedar"))
    for n, (subject, lane, state, reason) in enumerate(
        [
            ("task-aaaa", LANE, "delivered", None),
            ("task-hhhh", "org:cedar/hl7v2", "held", A_DOUBT),
            ("task-hhhh", "org:cedar/hl7v2", "refused", "DENY NO_CONSENT"),
            ("task-aaaa", LANE, "dead", "422 from the receiver"),
            ("task-aaaa", LANE, "ready", None),
        ]
    ):
        work = tx.outbox.add(
            lane=lane, kind="deliver", subject=subject, action="create", message_id=f"m{n}", version=1, at=AT
        )
        tx.outbox.set_state(work, state, reason, AT)


def a_console_record(handoff_id: str, **changes: Any) -> dict[str, Any]:
    """Make what the house discloses to staff of one record."""
    handoff = a_handoff(handoff_id, **changes)
    return {
        "handoff": handoff,
        "records": [InputRecord("in1", 1, "converted", None, handoff_id)],
        "releases": [],
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
                "period": {"start": "2026-11-02AT9:30:00-08:00"},
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
                "reason": None, "message_id": "m0", "updated_at": AT,
            }
        ],
        "referrals": [a_referral(handoff_id=handoff_id, status="accepted", external_id="HB-17")],
        "trace": [
            {
                "path": "Client Name", "status": "mapped", "rule": "mapping.yaml:14", "target": "Patient.name",
                "value": "Otter-Test, Pat",
            },
            {"path": "Narrative", "status": "ignored", "rule": "left-out", "target": "", "value": "..."},
        ],
        "withheld": 1,
        "candidates": A_CANDIDATE if handoff.state == "held" else [],
        "source": b"report,name\n1,<b>Otter-Test</b>\n",
    }  # fmt: skip
