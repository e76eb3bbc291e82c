"""Random worlds in the shape of a case: an ordinary one of every kind, and up to five small hostile changes of it."""

import copy
import json
from collections.abc import Callable
from random import Random
from typing import Any

from tests.oracle.changed_facts import in_another_registry, merged, of_another_age, with_a_fact, with_other_switches
from tests.oracle.changed_papers import (
    ending_otherwise,
    for_another_recipient,
    for_other_purposes,
    in_a_later_version,
    in_another_status,
    of_a_minor,
    of_another_discloser,
    of_another_kind,
    of_another_period,
    of_another_system,
    of_notes_too,
    of_somebody_else,
    on_an_old_form,
    revocable_later,
    signed_another_day,
    signed_by_another,
    taken_back,
    unreadable,
    with_a_refusal,
    with_another_paper,
    with_another_provision,
    without_an_element,
)
from tests.oracle.changed_requests import (
    at_a_boundary,
    at_another_time,
    by_another,
    by_another_author,
    by_another_role,
    by_hl7v2,
    described_more,
    for_another_purpose,
    in_a_disaster,
    in_other_hands,
    labeled,
    of_another_patient,
    of_some_items,
    sent_to_another,
    through_hands,
    to_another,
    with_a_summary,
    with_basis,
    with_copies,
    with_less_evidence,
    with_more_items,
)
from tests.oracle.reading import Json
from tests.oracle.scene import Scene
from tests.support.part2_world import (
    ASPEN_RECORDS,
    EMERGENCY,
    EXTENSION,
    OWN,
    PARTNERS,
    T0,
    a_class,
    a_condition,
    a_consent,
    a_patient,
    a_permit,
    a_request,
    a_tpo_consent,
    alone,
    an_open_visit,
    bundle,
    handed_to,
    labels,
    organization,
    recipient,
    written_by,
)

_WEIGHTED: tuple[tuple[int, tuple[Callable[[Scene], None], ...]], ...] = (
    (3, (without_an_element, with_another_provision, with_a_fact)),
    (2, (for_another_purpose, at_another_time, with_more_items, in_other_hands, for_another_recipient)),
    (2, (for_other_purposes, of_another_period, taken_back, with_another_paper, with_a_refusal, in_another_registry)),
    (1, (to_another, sent_to_another, by_another, by_another_role, through_hands, by_hl7v2, of_another_patient)),
    (2, (described_more, at_a_boundary, of_a_minor)),
    (1, (with_basis, with_less_evidence, in_a_disaster, by_another_author, labeled, in_another_status)),
    (1, (of_another_discloser, of_another_kind, signed_another_day, ending_otherwise, in_a_later_version)),
    (1, (of_somebody_else, signed_by_another, unreadable, of_another_system, on_an_old_form, revocable_later)),
    (1, (of_another_age, merged, with_other_switches, of_some_items, of_notes_too, with_copies, with_a_summary)),
)
CHANGES = tuple(change for weight, changes in _WEIGHTED for change in changes for _ in range(weight))

PARTIES = [(one["id"], {"type": "Organization", "identifier": one["identifiers"][0]}) for one in PARTNERS]


def a_case(*consents: Json, records: Any = ASPEN_RECORDS, facts: Any = (), **request: Any) -> Json:
    """Return one case in the small invented world of the rule tests."""
    return {
        "at": T0,
        "request": a_request(**request),
        "records": bundle(*records),
        "consents": bundle(*consents),
        "facts": [a_patient(), *facts],
    }


_CLAIM = {"resourceType": "Claim", "id": "bill", "status": "active", "patient": {"reference": "Patient/t1"}}
_BILL = (_CLAIM, written_by("aspen", _CLAIM))
_VISIT = {"resourceType": "Encounter", "id": "v1", "status": "finished", "subject": {"reference": "Patient/t1"}}
_ATTENDANCE = (_VISIT, written_by("aspen", _VISIT))
_NOTE = a_condition("note", meta={"security": [{"system": OWN + "security-label", "code": "SUDNOTES"}]})
_COVERAGE = {
    "resourceType": "Coverage",
    "id": "card",
    "status": "active",
    "beneficiary": {"reference": "Patient/t1"},
    "payor": [organization("plan")],
}
_NOBODY: Json = {"resourceType": "Patient", "id": "x", "gender": "female", "birthDate": "1984"}
_OF_NOBODY = a_condition("x", subject={"reference": "Patient/x"})
_COUNTED = {"resourceType": "MeasureReport", "id": "year", "status": "complete", "type": "summary"}
_COUNTED |= {"group": [{"population": [{"count": 40}]}]}
_TO_HEALTH: Json = {"recipient": "org:health", "purpose": ["PUBHLTH"], "patient": None}
_TO_HEALTH |= {"basis": {"type": "deidentified", "method": "164.514(b)(2)"}}
_MONITORING = OWN + "purpose|monitoring"


def _consented() -> list[Json]:
    """Return cases that a consent lets go."""
    group, participants = a_class("treating-participants")
    through = {"type": "permit", "actor": [recipient("mercy")]}
    for_a_study = a_permit("campus", purposes=["HRESCH"])
    until_it_ends = {"url": EXTENSION + "expiry", "valueCode": "end-of-research-study"}
    to_court = a_permit("court", purposes=["own:monitoring"])
    since = [
        {"url": EXTENSION + "condition-of", "valueCode": "disposition"},
        {"url": EXTENSION + "revocable-from", "valueDateTime": "2027-01-01"},
    ]
    for_notes = a_permit(securityLabel=[{"system": OWN + "security-label", "code": "SUDNOTES"}])
    in_emergencies = {"type": "permit", "actor": [recipient("mercy")], "purpose": [a_permit()["purpose"][0]]}
    in_emergencies["purpose"] = [{**in_emergencies["purpose"][0], "code": "ETREAT"}]
    exception = {"type": "deny", "actor": [recipient("mercy")], "provision": [in_emergencies]}
    at_the_root = {**a_permit("mercy", "quarry"), "period": {"start": "2026-09-01", "end": "2026-12-31"}}
    return [
        a_case(a_consent()),
        a_case(a_consent(), purpose=["COC"], transport="hl7v2"),
        a_case(a_consent(a_permit("shelter", purposes=["PATRQT"])), recipient="org:shelter", purpose=["PATRQT"]),
        a_case(
            a_consent(provision={"type": "deny", "provision": [for_a_study]}, extensions=[until_it_ends]),
            facts=[{"resourceType": "ResearchStudy", "id": "study", "status": "active"}],
            recipient="org:campus",
            purpose=["HRESCH"],
        ),
        a_case(a_tpo_consent(), facts=[an_open_visit("mercy")]),
        a_case(a_tpo_consent(), facts=[an_open_visit("mercy")], via=["org:exchange"]),
        a_case(a_tpo_consent(), records=_BILL, facts=[_COVERAGE], recipient="org:plan", purpose=["HPAYMT"]),
        a_case(a_consent(a_permit("relay", provision=[through])), via=["org:relay"]),
        a_case(
            a_consent(a_permit("relay", provision=[{**through, "actor": [participants]}]), contained=[group]),
            facts=[an_open_visit("mercy")],
            via=["org:relay"],
        ),
        a_case(
            a_consent(to_court, kind="criminal-justice-referral", extensions=since),
            records=_ATTENDANCE,
            recipient="org:court",
            purpose=[_MONITORING],
            role="probation_officer",
        ),
        a_case(
            a_consent(for_notes, kind="sud-counseling-notes", id="notes"),
            a_consent(),
            records=(a_condition(), _NOTE, written_by("aspen", a_condition(), _NOTE)),
        ),
        a_case(
            a_consent(a_permit("attorneys", purposes=["HLEGAL"]), kind="proceedings"),
            recipient="org:attorneys",
            purpose=["HLEGAL"],
            role="attorney",
        ),
        a_case(a_consent(provision={**at_the_root, "provision": [exception]}), purpose=["ETREAT"]),
        a_case(
            a_consent(
                provision={**at_the_root, "provision": [{"type": "deny", "securityLabel": labels("HIV")}]},
            )
        ),
    ]


def _without_consent() -> list[Json]:
    """Return cases that go on another basis, or are no Part 2 record."""
    of_mercy = (a_condition("flu", "J10.1"), written_by("mercy", a_condition("flu", "J10.1")))
    of_police = (a_condition("flu", "J10.1"), written_by("police", a_condition("flu", "J10.1")))
    of_minds = (_VISIT, a_condition("flu", "J10.1"), written_by("minds", _VISIT, a_condition("flu", "J10.1")))
    this_year = {"id": "a1", "with": "org:aspen", "from": "2026-01-01", "to": "2026-12-31"}

    def agreed(holder: str, kind: str, basis: Json, purpose: str) -> Json:
        case = a_case(recipient=f"org:{holder}", purpose=[purpose], basis=basis, records=_BILL)
        return {**case, "organizations": [{"id": f"org:{holder}", "agreements": [{**this_year, "type": kind}]}]}

    crime = {
        "type": "crime_on_premises",
        "on_premises": True,
        "against_personnel": False,
        "incident": "a theft",
    }
    report = {"type": "child_abuse_report", "report": "initial", "state_law": "RCW 26.44.030"}
    history = a_condition("flu", "J10.1", meta={"security": [{"system": OWN + "security-label", "code": "CJI"}]})
    order: Json = {"id": "o1", "kind": "2.64", "status": "in_force", "verified_by": "legal", "holder": "org:aspen"}
    order |= {"issued": "2026-10-01", "expires": "2026-12-01", "recipients": ["org:attorneys"]}
    order |= {"findings": ["no-other-way", "interest-outweighs"], "scope": [{"resource_type": "Condition"}]}
    process = {"kind": "subpoena", "issued": "2026-10-20", "verified_by": "legal"}
    ordered: Json = {"recipient": "org:attorneys", "purpose": ["LEGAL"], "role": "attorney"}
    return [
        a_case(basis={"type": "court_order", "order": order, "process": process}, **ordered),
        a_case(basis={"type": "court_order", "order": order, "process": None}, **ordered),
        a_case(a_consent(), records=(history, *of_mercy, written_by("police", history))),
        a_case(basis=dict(EMERGENCY), purpose=["ETREAT"], role="physician"),
        agreed("campus", "research", {"type": "research", "approval": "a1"}, "HRESCH"),
        agreed("auditors", "audit", {"type": "audit", "agreement": "a1"}, "HCOMPL"),
        agreed("clerks", "qsoa", {"type": "qso", "agreement": "a1"}, "HPAYMT"),
        a_case(
            records=(a_patient(), a_condition(), written_by("aspen", a_patient(), a_condition())),
            basis=crime,
            recipient="org:police",
            by="org:aspen",
            role="staff",
            purpose=[OWN + "purpose|crime-report"],
        ),
        a_case(
            basis={**report, "content": ["Condition/f1120"]},
            recipient="org:children",
            by="org:aspen",
            purpose=[OWN + "purpose|child-abuse-report"],
        ),
        a_case(records=(_NOBODY, _OF_NOBODY, written_by("aspen", _NOBODY, _OF_NOBODY)), **_TO_HEALTH),
        a_case(records=(_COUNTED, written_by("aspen", _COUNTED)), **_TO_HEALTH),
        a_case(recipient="org:aspen", role="nurse"),
        a_case(records=of_mercy, recipient="org:quarry"),
        a_case(records=of_police),
        a_case(records=(*of_mercy, *ASPEN_RECORDS)),
        a_case(a_consent(), records=(*of_police, handed_to("aspen", of_police[0]))),
        a_case(records=of_minds),
        {
            **a_case(records=of_minds, recipient="org:police", role="officer", purpose=[OWN + "purpose|duty"]),
            "facts": [a_patient(birthDate="2012-05-05")],
        },
        a_case(recipient="org:police", purpose=["HLEGAL"], role="detective"),
        a_case(recipient="org:police", purpose=["COC"], role="officer"),
        {
            **a_case(basis={"type": "patient_access", "account": "Patient/t1"}, purpose=["PATRQT"]),
            "request": a_request(
                recipient="Patient/t1",
                requester=alone(),
                purpose=["PATRQT"],
                basis={"type": "patient_access", "account": "Patient/t1"},
            ),
        },
    ]


def _onward() -> list[Json]:
    """Return cases of copies in other hands."""
    tpo = a_tpo_consent()
    to_payer = a_consent(a_permit("payco", purposes=["HPAYMT"]))
    to_shelter = a_consent(a_permit("shelter", purposes=["PATRQT"]), organization=[organization("mercy")], id="onward")

    def held(by: str, under: Json, **changes: Any) -> tuple[Json, ...]:
        record = changes.pop("record", a_condition())
        return record, written_by("aspen", record), handed_to(by, record, under=f"Consent/{under['id']}", **changes)

    contract = {"id": "a1", "type": "contract", "with": "org:payco", "from": "2026-01-01", "to": "2026-12-31"}
    bill = held("payco", to_payer, record=_CLAIM, purpose="HPAYMT")
    return [
        a_case(tpo, records=held("mercy", tpo), recipient="org:quarry"),
        a_case(tpo, records=held("birch", tpo), facts=[an_open_visit("mercy")]),
        a_case(tpo, to_shelter, records=held("mercy", tpo), recipient="org:shelter", purpose=["PATRQT"]),
        {
            **a_case(to_payer, records=bill, recipient="org:clerks", purpose=["HPAYMT"]),
            "organizations": [{"id": "org:clerks", "agreements": [contract]}],
        },
    ]


ORDINARY = (*_consented(), *_without_consent(), *_onward())
"""One complete case of every kind."""

DRAWER = [a_consent(), a_tpo_consent(), a_consent(a_permit("shelter", purposes=["PATRQT"]), id="shelter")]
"""Consents that may lie beside those of a case."""


def a_world(seed: str, cases: Any = ORDINARY, parties: Any = PARTIES, drawer: Any = DRAWER) -> Json:
    """Return the world of a seed: one of the cases, and one to five changes of it."""
    pick = Random(seed)
    case = json.loads(json.dumps(pick.choice(cases)))
    scene = Scene(case, parties, copy.deepcopy(drawer), pick)
    for _ in range(pick.choice([1, 1, 2, 2, 3, 4, 5])):
        pick.choice(CHANGES)(scene)
    world: Json = json.loads(json.dumps(case))
    return world
