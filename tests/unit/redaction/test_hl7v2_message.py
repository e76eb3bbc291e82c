"""What of a message stays under a permit: whole parts, nothing that hangs on what goes, and never an empty shell."""

from typing import Any

import pytest

from gateway.consent import compile_consents
from gateway.labeling import label
from gateway.model.decision import Permit, Refusal
from gateway.model.fhir_time import instant
from gateway.model.hl7_parts import KeptParts, MessagePart
from gateway.model.notice import STATEMENT_2
from gateway.redaction.hl7v2_message import redact_message
from tests.support.part2_world import (
    OWN,
    T0,
    a_consent,
    a_patient,
    a_permit,
    ask,
    bundle,
    labels,
    world,
    written_by,
)

PATIENT = a_patient()
NO_SUD = a_consent(a_permit(provision=[{"type": "deny", "securityLabel": labels("SUD")}]))
ENDPOINTS = [
    {"transport": "fhir", "address": "https://mercy.example/fhir", "verified": "2026-01-01"},
]


def part(line: int, text: str = "", kind: str = "item", parent: int | None = None, **changes: Any) -> MessagePart:
    """One part of one line; line 1 is the person."""
    reference = "Patient/t1" if line == 1 else f"Observation/p{line}"
    resource: dict[str, Any] = {"resourceType": reference.partition("/")[0], "id": reference.partition("/")[2]}
    resource |= {"note": [{"text": text}]} if text else {}
    resource |= {} if line == 1 else {"subject": {"reference": "Patient/t1"}}
    values = {
        "reference": reference, "kind": kind, "lines": (line,), "parent": f"Observation/p{parent}" if parent else None,
        "is_core": False, "needs_child": False, "resource": {**resource, **changes.pop("more", {})},
        "fields": ((line, 3, 1, text),) if text else (),
    }  # fmt: skip
    return MessagePart(**{**values, **changes})


HEADER = MessagePart("Basic/p0", "envelope", (0,), None, False, False, None, ())
PERSON = part(1)


def redacted(*parts: MessagePart, consent: Any = NO_SUD, author: str = "aspen", **case: Any) -> KeptParts | Refusal:
    registry = world(mercy={"endpoints": ENDPOINTS})
    resources = [one.resource for one in parts if one.resource is not None]
    records = [*resources, written_by(author, *resources)]
    papers = consent if isinstance(consent, tuple) else (consent,)
    permit = ask(*papers, records=records, registry=registry, by=f"org:{author}", **case)
    assert isinstance(permit, Permit), permit.record
    labeled = label(bundle(*records), registry, instant(T0))
    consents = compile_consents(bundle(*papers), registry)
    return redact_message((HEADER, *parts), labeled, permit, consents, registry=registry)


def kept(*parts: MessagePart, **case: Any) -> list[int]:
    outcome = redacted(*parts, **case)
    assert isinstance(outcome, KeptParts), outcome.record
    return sorted(outcome.lines)


def test_what_is_permitted_whole_stays_whole_with_notice_scope_and_level() -> None:
    outcome = redacted(PERSON, part(2, "fasting"), part(3, "anything", kind="opaque"))

    assert isinstance(outcome, KeptParts)
    assert (sorted(outcome.lines), outcome.is_whole, outcome.blank) == ([0, 1, 2, 3], True, frozenset())
    assert (outcome.notice, outcome.level) == (STATEMENT_2, "R")
    assert "Disclosed to: Mercy of Nowhere." in outcome.scope
    assert outcome.record.decision == "PERMIT"


def test_every_consent_it_goes_under_is_explained_in_turn() -> None:
    notes = {"meta": {"security": [{"system": OWN + "security-label", "code": "SUDNOTES"}]}}
    special = a_consent(
        a_permit(securityLabel=[{"system": OWN + "security-label", "code": "SUDNOTES"}]),
        id="notes",
        kind="sud-counseling-notes",
    )
    unnumbered = a_consent(id="a-paper", meta=None)

    outcome = redacted(PERSON, part(2, "fasting"), part(3, "a note", more=notes), consent=(special, unnumbered))

    assert isinstance(outcome, KeptParts)
    first = [line for line in outcome.scope.splitlines() if line.startswith("Made with")]
    assert first == [
        "Made with the patient's written consent a-paper, version 1.",
        "Made with the patient's written consent notes, version 1.",
    ]
    assert len(outcome.scope.splitlines()) == 16


def test_what_hangs_on_what_goes_goes_at_any_depth() -> None:
    parts = (part(2, "heroin"), part(3, "a", parent=2), part(4, "b", parent=3), part(5, "c"))

    assert kept(PERSON, *parts) == [0, 1, 5]


def test_what_loses_its_last_child_goes_and_takes_its_own_parent_along() -> None:
    parts = (
        part(2, "problem", needs_child=True), part(3, "order", parent=2, needs_child=True),
        part(4, "heroin", parent=3), part(5, "c"),
    )  # fmt: skip

    assert kept(PERSON, *parts) == [0, 1, 5]


def test_what_never_had_a_child_and_what_keeps_one_stays() -> None:
    parts = (
        part(2, "order", needs_child=True), part(3, "heroin", parent=2), part(4, "sugar", parent=2),
        part(5, "bare order", needs_child=True),
    )  # fmt: skip

    assert kept(PERSON, *parts) == [0, 1, 2, 4, 5]


def test_opaque_parts_and_sealed_files_go_as_soon_as_anything_goes() -> None:
    sealed = {"content": [{"attachment": {"contentType": "application/pdf", "data": ""}}]}
    readable = {"content": [{"attachment": {"contentType": "text/plain", "data": ""}}]}
    parts = (part(2, "z", kind="opaque"), part(3, "scan", more=sealed), part(4, "text", more=readable))

    assert kept(PERSON, *parts, part(5, "heroin")) == [0, 1, 4]
    assert kept(PERSON, *parts) == [0, 1, 2, 3, 4]


def test_every_withheld_part_is_in_the_record() -> None:
    outcome = redacted(PERSON, part(2, "heroin"), part(3, "note", parent=2), part(4, "sugar"))

    assert isinstance(outcome, KeptParts)
    assert outcome.record.decision == "PERMIT_REDACTED"
    assert outcome.record.withheld == ("Observation/p2", "Observation/p3")


@pytest.mark.parametrize(
    "parts",
    [
        (part(2, "heroin", is_core=True), part(3, "sugar")),
        (part(2, "order", is_core=True, needs_child=True), part(3, "heroin", parent=2), part(4, "sugar")),
    ],
)
def test_a_message_without_its_point_is_refused(parts: tuple[MessagePart, ...]) -> None:
    outcome = redacted(PERSON, *parts)

    assert isinstance(outcome, Refusal)
    assert (outcome.record.decision, outcome.record.reason) == ("DENY", "UNSEGMENTABLE")
    assert (outcome.record.basis, outcome.record.obligations) == (None, ("AUDIT",))
    assert outcome.record.section == "42 CFR 2.13(a)"
    assert "PERMIT" in {one.outcome for one in outcome.verdicts}


def test_one_point_of_several_is_enough() -> None:
    assert kept(PERSON, part(2, "heroin", is_core=True), part(3, "sugar", is_core=True)) == [0, 1, 3]


def test_a_message_whose_person_may_not_go_is_refused() -> None:
    outcome = redacted(part(1, "heroin"), part(2, "sugar"))

    assert isinstance(outcome, Refusal)


def test_what_names_or_numbers_a_hidden_program_is_blanked_and_counts_as_something_gone() -> None:
    parts = (part(2, "seen at Aspen of Nowhere"), part(3, "aspen"), part(4, "z", kind="opaque"), part(5, "aspens"))

    outcome = redacted(PERSON, *parts, author="quarry", consent=a_consent())

    assert isinstance(outcome, KeptParts)
    assert outcome.blank == {(2, 3, 1), (3, 3, 1)}
    assert sorted(outcome.lines) == [0, 1, 2, 3, 5]
    assert (outcome.is_whole, outcome.notice) == (False, "")


def test_an_opaque_part_that_names_a_hidden_program_goes_even_alone() -> None:
    outcome = redacted(PERSON, part(2, "Aspen of Nowhere", kind="opaque"), author="quarry", consent=a_consent())

    assert isinstance(outcome, KeptParts)
    assert sorted(outcome.lines) == [0, 1]


def test_what_police_wrote_is_not_passed_on_because_no_segment_can_be_stripped() -> None:
    outcome = redacted(PERSON, part(2, "welfare check"), author="police", consent=a_consent())

    assert isinstance(outcome, Refusal)
    assert outcome.record.reason == "UNSEGMENTABLE"
