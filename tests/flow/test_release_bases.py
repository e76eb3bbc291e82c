"""Every other basis at the console: what it needs, whom it opens records to, and what stays closed."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import orjson
import pytest

from gateway.flow.gateway import Gateway
from gateway.flow.judgement import read_matter, verdicts_of
from gateway.flow.releases.copy import give_copy
from gateway.flow.releases.release import approve_release, refuse_release, request_release
from gateway.flow.staff.proof import replay
from gateway.model.exchange import RequestRefused
from gateway.model.partner import Agreement, Endpoint, LegalClass, Organization, Registry
from gateway.model.release import Release, ReleaseRequest
from gateway.model.staff import Member
from gateway.web.console.release_fields import court_order
from tests.support.flow_house import CONTACT, World, a_world
from tests.support.released import CASE_WORKER, ED, LAWYER, NURSE, OFFICER, POLICE_DEPARTMENT, PROGRAM, take_case

AUDITOR, UNIVERSITY, COURT, CHILD_PROTECTION = "org:auditor", "org:uni", "org:court", "org:cps"
ADMIN = Member("staff-admin", "Ada Admin", "admin", "org:operator")


def partner(name: str, role: str, *agreements: Agreement) -> Organization:
    verified = date(2026, 1, 1)
    return Organization(
        id=name, name=name, identifiers=(("https://warmhandoff.example/id/partner", name),), state="WA",
        timezone="America/Los_Angeles", roles=frozenset({role}), legal_classes=(LegalClass(date(2020, 1, 1), "no"),),
        agreements=agreements,
        endpoints=(
            Endpoint("fhir", f"https://{name[4:]}.example/fhir", verified=verified),
            Endpoint("file", "records desk", verified=verified),
        ),
    )  # fmt: skip


PARTNERS = (
    partner(AUDITOR, "auditor", Agreement("audit-1", "audit", PROGRAM, date(2026, 1, 1))),
    partner(UNIVERSITY, "research", Agreement("irb-1", "research", PROGRAM, date(2026, 1, 1), date(2026, 12, 31))),
    partner(COURT, "court"),
    partner(CHILD_PROTECTION, "child_protection"),
)


@pytest.fixture
def world() -> World:
    base = a_world()
    house = replace(base.house, registry=Registry([*base.house.registry, *PARTNERS], b"with more partners"))
    return World(house, Gateway(house), base.clock, base.database, base.transport)


def ask(world: World, kind: str, recipient: str, actor: Member = NURSE, way: str = "send", **evidence: Any) -> Release:
    """Ask for a release of a fresh case."""
    return request_release(world.house, actor, ReleaseRequest(kind, take_case(world), recipient, way, evidence))


def take_contact(world: World) -> str:
    """Hand in a contact that is no program's, and return the record's id."""
    receipt = world.take({**CONTACT, "clinician_org": ""}).input_id
    (record,) = world.database.read(lambda tx: tx.inputs.records(receipt))
    assert record.handoff_id is not None
    return record.handoff_id


def sent_types(world: World) -> set[str]:
    """Return the types of what was sent, without what only supports it."""
    world.work()
    ((disclosure, _, _),) = [one for one in world.transport.sent if one[0].recipient not in (ED, "org:demo-clinic")]
    supporting = {"Provenance", "Organization", "Practitioner", "PractitionerRole"}
    return {entry["resource"]["resourceType"] for entry in disclosure.content["entry"]} - supporting


@pytest.mark.parametrize(
    ("kind", "recipient", "evidence", "reason"),
    [
        ("research", UNIVERSITY, {"approval": "irb-1"}, "OK_RESEARCH"),
        ("audit", AUDITOR, {"agreement": "audit-1"}, "OK_AUDIT"),
    ],
)
def test_a_registered_agreement_opens_the_programs_items(
    world: World, kind: str, recipient: str, evidence: dict[str, Any], reason: str
) -> None:
    release = ask(world, kind, recipient, **evidence)

    decision = world.database.state.decisions[release.decision_id or ""]
    assert release.state == "queued"
    assert decision.record["basis"]["id"] == next(iter(evidence.values()))
    assert {"NO_REDISCLOSE", "LABEL"} <= set(decision.record["obligations"])
    assert {"CarePlan", "Goal"} <= sent_types(world)


@pytest.mark.parametrize(
    ("kind", "recipient", "evidence", "reason"),
    [
        ("research", UNIVERSITY, {"approval": "irb-2"}, "RESEARCH_NO_APPROVAL"),
        ("research", AUDITOR, {"approval": "irb-1"}, "RESEARCH_NO_APPROVAL"),
        ("audit", AUDITOR, {}, "AUDIT_NO_AGREEMENT"),
        ("qso", UNIVERSITY, {"agreement": "irb-1"}, "QSOA_NOT_IN_FORCE"),
    ],
)
def test_without_the_agreement_nothing_goes_and_the_reason_is_said(
    world: World, kind: str, recipient: str, evidence: dict[str, Any], reason: str
) -> None:
    release = ask(world, kind, recipient, **evidence)

    assert (release.state, release.reason) == ("refused", reason)


def test_an_approval_that_ends_before_the_sending_stops_it(world: World) -> None:
    release = ask(world, "research", UNIVERSITY, approval="irb-1")
    world.clock.advance(timedelta(days=90))

    world.work()

    (work,) = [one for one in world.database.state.work.values() if one.kind == "release"]
    assert (release.state, work.state, work.reason) == ("queued", "refused", "RESEARCH_NO_APPROVAL")


def an_order(**changes: Any) -> dict[str, Any]:
    stated = {
        "court": "26-2-00001-1", "kind": "2.64", "issued": "2026-10-01", "expires": "2026-12-31", "status": "in_force",
        "holder": PROGRAM, "findings": ["no-other-way", "interest-outweighs"], "scope": ["Goal"],
        "process": "subpoena", **changes,
    }  # fmt: skip
    return court_order(stated, COURT, LAWYER.id)


def test_an_order_is_never_taken_from_who_asks(world: World) -> None:
    release = ask(world, "court_order", COURT, order=an_order()["order"], asked_by="x", asked_for="y")

    assert (release.state, release.reason) == ("legal", "SUBPOENA_ALONE")
    assert release.evidence["order"] is None


def test_an_order_opens_the_types_it_lists_to_the_recipients_it_names(world: World) -> None:
    release = ask(world, "court_order", COURT, asked_by="x", asked_for="y")

    after = approve_release(world.house, LAWYER, release.id, an_order(), "read the order")

    assert (after.state, after.approved_by) == ("queued", LAWYER.id)
    assert sent_types(world) == {"Goal"}
    assert [one.closed_by for one in world.database.state.reviews.values()] == [LAWYER.id]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"process": None}, "ORDER_NOT_COMPULSORY"),
        ({"expires": "2026-10-31"}, "ORDER_DEFICIENT"),
        ({"status": "vacated"}, "ORDER_DEFICIENT"),
        ({"findings": []}, "ORDER_DEFICIENT"),
        ({"kind": "2.65"}, "ORDER_DEFICIENT"),
    ],
    ids=["no process", "expired", "vacated", "no findings", "findings of another kind of order"],
)
def test_an_order_that_does_not_do_stays_under_review(world: World, changes: dict[str, Any], reason: str) -> None:
    release = ask(world, "court_order", COURT, asked_by="x", asked_for="y")

    after = approve_release(world.house, LAWYER, release.id, an_order(**changes), "read the order")

    assert (after.state, after.reason, after.approved_by) == ("legal", reason, None)
    assert [one.kind for one in world.database.state.reviews.values() if one.closed_at is None] == ["legal"]


@pytest.mark.parametrize("actor", [NURSE, OFFICER, CASE_WORKER], ids=["clinician", "privacy officer", "partner"])
def test_only_legal_review_approves(world: World, actor: Member) -> None:
    release = ask(world, "court_order", COURT, asked_by="x", asked_for="y")

    with pytest.raises(RequestRefused):
        approve_release(world.house, actor, release.id, an_order(), "fine")

    assert world.database.state.releases[release.id].state == "legal"


def test_who_asked_approves_nothing_even_with_every_role(world: World) -> None:
    release = ask(world, "court_order", COURT, actor=ADMIN, asked_by="x", asked_for="y")

    with pytest.raises(RequestRefused):
        approve_release(world.house, ADMIN, release.id, an_order(), "fine")


def test_legal_review_refuses_for_good(world: World) -> None:
    release = ask(world, "court_order", COURT, asked_by="x", asked_for="y")

    refuse_release(world.house, LAWYER, release.id, "not for us")

    with pytest.raises(RequestRefused):
        approve_release(world.house, LAWYER, release.id, an_order(), "after all")
    assert world.database.state.releases[release.id].state == "refused"


CRIME = {
    "on_premises": True, "incident": "a window was broken", "occurred": "2026-11-02T09:00:00-08:00",
    "last_whereabouts": "left on foot",
}  # fmt: skip


def test_only_the_programs_own_staff_report_a_crime_on_its_premises(world: World) -> None:
    operators = ask(world, "crime_on_premises", POLICE_DEPARTMENT, actor=NURSE, way="copy", **CRIME)

    assert operators.state == "refused"


def test_a_report_of_a_crime_says_who_and_what_happened_and_nothing_of_treatment(world: World) -> None:
    release = ask(world, "crime_on_premises", POLICE_DEPARTMENT, actor=CASE_WORKER, way="copy", **CRIME)

    letter = give_copy(world.house, CASE_WORKER, release.id, "pdf")

    (disclosed,) = [one for one in world.database.state.disclosures.values() if "copy handed over" in one.description]
    decision = world.database.state.decisions[disclosed.decision_id]
    permitted = {
        one.item.partition("/")[0]
        for one in verdicts_of(read_matter(decision.inputs)[0], world.house.registry)
        if one.outcome == "PERMIT"
    }
    assert letter.content.startswith(b"%PDF")
    assert permitted == {"Patient"}


def test_the_circumstances_of_a_crime_stand_in_a_letter_only(world: World) -> None:
    release = ask(world, "crime_on_premises", POLICE_DEPARTMENT, actor=CASE_WORKER, way="copy", **CRIME)

    with pytest.raises(RequestRefused):
        give_copy(world.house, CASE_WORKER, release.id, "fhir")


def test_what_a_child_protection_report_does_not_name_stays_here(world: World) -> None:
    handoff_id = take_case(world)
    goal = next(
        f"Goal/{one['id']}"
        for one in world.database.read(lambda tx: tx.handoffs.resources(handoff_id))
        if one["resourceType"] == "Goal"
    )
    wanted = ReleaseRequest(
        "child_abuse_report", handoff_id, CHILD_PROTECTION, "copy", {"state_law": "RCW 26.44.030", "content": [goal]}
    )

    release = request_release(world.house, CASE_WORKER, wanted)
    copy = give_copy(world.house, CASE_WORKER, release.id, "fhir")

    assert release.state == "ready"
    assert goal.encode() in copy.content
    assert b'"CarePlan"' not in copy.content


def test_a_drug_court_gets_nothing_without_a_consent_of_its_kind(world: World) -> None:
    assert ask(world, "criminal_justice", COURT).state == "refused"


def test_patients_get_their_own_copy_through_staff_who_checked_who_they_are(world: World) -> None:
    handoff_id = take_case(world)
    resources = world.database.read(lambda tx: tx.handoffs.resources(handoff_id))
    patient = next(f"Patient/{one['id']}" for one in resources if one["resourceType"] == "Patient")
    wanted = ReleaseRequest("patient_access", handoff_id, patient, "copy", {"identity": "driver's licence"})

    release = request_release(world.house, NURSE, wanted)
    copy = give_copy(world.house, NURSE, release.id, "fhir")

    decision = world.database.state.decisions[release.decision_id or ""]
    assert (release.reason, decision.record["basis"]["type"]) == ("OK_PATIENT", "patient_access")
    assert "PROCEEDINGS_BAR" in decision.record["obligations"]
    assert b'"Goal"' in copy.content
    assert release.evidence["identity_checked_by"] == NURSE.id


def test_nobody_gets_a_patients_copy_of_another(world: World) -> None:
    wanted = ReleaseRequest("patient_access", take_case(world), "Patient/somebody-else", "copy", {"identity": "x"})

    assert request_release(world.house, NURSE, wanted).state == "refused"


def test_to_locate_somebody_takes_legal_review_and_opens_no_program(world: World) -> None:
    release = ask(world, "hipaa_locate", POLICE_DEPARTMENT, way="copy", subject="missing person", asked_by="Sgt X")

    assert (release.state, release.reason) == ("refused", "LE_NO_BASIS")


def test_to_locate_somebody_of_no_program_waits_for_legal_review_and_tells_who_and_when(world: World) -> None:
    wanted = ReleaseRequest(
        "hipaa_locate", take_contact(world), POLICE_DEPARTMENT, "copy", {"subject": "missing", "asked_by": "Sgt X"}
    )
    release = request_release(world.house, NURSE, wanted)
    assert release.state == "legal"

    approve_release(world.house, LAWYER, release.id, {}, "a missing person, seen the request")
    copy = give_copy(world.house, NURSE, release.id, "fhir")

    types = {entry["resource"]["resourceType"] for entry in orjson.loads(copy.content)["entry"]}
    assert types - {"Provenance", "Organization"} <= {"Patient", "Encounter"}


def test_a_replay_reads_the_evidence_and_gives_the_same_decision(world: World) -> None:
    release = ask(world, "audit", AUDITOR, agreement="audit-1")

    again = replay(world.database, world.house.registry, world.clock, "test", release.decision_id or "")

    assert again is not None
    assert again.differences == ()


@pytest.mark.parametrize(
    "wanted",
    [
        {"kind": "no such kind"},
        {"way": "by pigeon"},
        {"recipient": "org:nobody"},
        {"kind": "crime_on_premises", "way": "send"},
        {"handoff_id": "nothing"},
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_kept(world: World, wanted: dict[str, Any]) -> None:
    request: dict[str, Any] = {
        "kind": "audit", "handoff_id": take_case(world), "recipient": AUDITOR, "way": "send", **wanted,
    }  # fmt: skip

    with pytest.raises(RequestRefused):
        request_release(world.house, NURSE, ReleaseRequest(**request, evidence={}))

    assert world.database.state.releases == {}
