"""42 CFR 2.13(a), 2.16(a); HL7 DS4P: what others have said about an item is acted on, goes with it, or stops it."""

from typing import Any

import pytest

from gateway.model.disclosure import Disclosure
from gateway.model.labels import OTHER_LAW, STAYING_ON
from tests.support.part2_world import (
    ACT_CODE,
    EMERGENCY,
    OWN,
    PATIENT_REFERENCE,
    a_condition,
    a_consent,
    a_permit,
    alone,
    answer,
    ask,
    disclosed,
    labels,
    written_by,
)

Json = dict[str, Any]

UNHEARD_OF = {"system": "https://elsewhere.example/labels", "code": "PROTECT-7"}
HELD = ("HOLD", "LABEL_DOWNGRADE")


def marked(*security: Json, **changes: Any) -> Json:
    return a_condition(**{"meta": {"security": list(security)}, **changes})


def by(author: str, *items: Json) -> list[Json]:
    return [*items, written_by(author, *items)]


def condition_of(disclosure: Disclosure) -> Json:
    (found,) = (
        one["resource"] for one in disclosure.content["entry"] if one["resource"]["resourceType"] == "Condition"
    )
    return dict(found)


def codes(item: Json) -> set[str]:
    return {one["code"] for one in item["meta"]["security"]}


@pytest.mark.parametrize(
    "label",
    [
        UNHEARD_OF,
        {"system": ACT_CODE, "code": "NEWER"},
        {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "X"},
        {"code": "SUD"},
        {"system": ACT_CODE},
        {"display": "for the chaplain only"},
    ],
)
def test_a_label_nobody_here_understands_holds_its_item(label: Json) -> None:
    assert answer(a_consent(), records=by("aspen", marked(label))) == HELD


def test_its_neighbours_go() -> None:
    plain = a_condition("other")

    record = ask(a_consent(), records=by("aspen", marked(UNHEARD_OF), plain)).record

    assert (record.decision, record.reason, record.withheld) == (
        "PERMIT_REDACTED",
        "LABEL_DOWNGRADE",
        ("Condition/f1120",),
    )


def test_not_a_trace_of_it_leaves() -> None:
    plain = a_condition("other", note=[{"text": "see the other"}])

    body = disclosed(a_consent(), records=by("aspen", marked(UNHEARD_OF), plain)).body

    assert b"PROTECT-7" not in body
    assert b"f1120" not in body
    assert b"Condition/other" in body


def test_a_label_on_what_it_contains_counts() -> None:
    inner = {"resourceType": "Observation", "id": "in", "meta": {"security": [UNHEARD_OF]}}

    assert answer(a_consent(), records=by("aspen", a_condition(contained=[inner]))) == HELD


def test_a_label_on_one_element_counts_for_the_whole() -> None:
    url = "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-inline-sec-label"
    note = [{"text": "x", "extension": [{"url": url, "valueCoding": UNHEARD_OF}]}]

    assert answer(a_consent(), records=by("aspen", a_condition(note=note))) == HELD


def test_a_refusal_of_what_one_element_is_labeled_with_takes_the_item() -> None:
    url = "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-inline-sec-label"
    note = [{"text": "x", "extension": [{"url": url, "valueCoding": labels("HIV")[0]}]}]
    refusal = a_consent(id="no", provision={"type": "deny", "securityLabel": labels("HIV")})

    assert answer(a_consent(), refusal, records=by("aspen", a_condition(note=note))) == ("DENY", "EXPLICIT_DENY")


def test_a_denial_of_earlier_steps_comes_first() -> None:
    assert answer(records=by("aspen", marked(UNHEARD_OF))) == ("DENY", "NO_CONSENT")


def test_an_emergency_does_not_wait_for_it() -> None:
    """42 CFR 2.51(a): to the extent necessary to meet the emergency."""
    outcome = answer(records=by("aspen", marked(UNHEARD_OF)), basis=EMERGENCY, purpose=["ETREAT"])

    assert outcome == ("PERMIT", "OK_EMERGENCY")


def test_the_patient_does_not_wait_for_it() -> None:
    """42 CFR 2.23: own access needs no leave."""
    outcome = answer(
        records=by("aspen", marked(UNHEARD_OF)),
        recipient="Patient/t1",
        purpose=["PATRQT"],
        requester=alone(),
        basis={"type": "patient_access", "account": "Patient/t1"},
    )

    assert outcome == ("PERMIT", "OK_PATIENT")


@pytest.mark.parametrize("code", sorted(code for system, code in STAYING_ON - OTHER_LAW if system == ACT_CODE))
def test_what_others_asked_of_whoever_gets_it_goes_with_it(code: str) -> None:
    item = condition_of(disclosed(a_consent(), records=by("aspen", marked(*labels(code)))))

    assert code in codes(item)


@pytest.mark.parametrize("code", ["Title38Section7332", "HIPAAPsyNotes"])
def test_what_another_law_protects_waits_for_a_person(code: str) -> None:
    item = a_condition(meta={"security": labels(code)})

    assert answer(a_consent(), records=(item, written_by("aspen", item))) == ("HOLD", "LABEL_DOWNGRADE")


def test_who_says_so_goes_with_it() -> None:
    reported = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "PATRPT"}

    item = condition_of(disclosed(a_consent(), records=by("aspen", marked(reported))))

    assert "PATRPT" in codes(item)


def test_a_level_is_stated_anew_and_never_lowered() -> None:
    low = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "L"}

    item = condition_of(disclosed(a_consent(), records=by("aspen", marked(low))))

    assert {"R"} == codes(item) & {"L", "M", "N", "R", "V"}


@pytest.mark.parametrize("code", ["NODSCLCD", "NODSCLCDS", "NOAUTH"])
def test_what_goes_with_consent_only_does_not_go_for_treatment_alone(code: str) -> None:
    item = marked(*labels(code), code={"coding": []})

    assert answer(records=by("quarry", item)) == HELD
    assert answer(records=by("quarry", marked(code={"coding": []}))) == ("PERMIT", "OK_NOT_PART2")
    assert answer(a_consent(), records=by("aspen", marked(*labels(code)))) == ("PERMIT", "OK_CONSENT")


def test_a_record_labeled_as_of_part_2_whose_program_nobody_knows_waits() -> None:
    """42 CFR 2.12(d): the label came from a lawful holder, and the bar came with it."""
    assert answer(records=by("quarry", marked(*labels("42CFRPart2")))) == ("HOLD", "ORIGIN_UNKNOWN")


def test_labels_left_off_by_whoever_sent_it_are_put_on_again() -> None:
    """42 CFR 2.12(a): the origin makes it a Part 2 record, not the label."""
    assert answer(records=by("aspen", a_condition())) == ("DENY", "NO_CONSENT")
    item = condition_of(disclosed(a_consent(), records=by("aspen", a_condition())))
    assert {"R", "42CFRPart2", "SUD"} <= codes(item)


def test_one_more_label_never_opens_a_consent() -> None:
    only_hiv = a_consent(a_permit(securityLabel=labels("HIV")))
    records = by("aspen", marked(*labels("SUD")))

    assert answer(only_hiv, records=records) == ("DENY", "SCOPE_NOT_COVERED")


def test_our_own_notes_label_makes_it_very_restricted() -> None:
    notes = marked({"system": OWN + "security-label", "code": "SUDNOTES"}, subject=PATIENT_REFERENCE)
    for_notes = a_consent(
        a_permit(securityLabel=[{"system": OWN + "security-label", "code": "SUDNOTES"}]), kind="sud-counseling-notes"
    )

    item = condition_of(disclosed(for_notes, records=by("aspen", notes)))

    assert {"V", "SUDNOTES"} <= codes(item)
