"""42 CFR 2.54, 45 CFR 164.514(b): to a public health authority without consent, and only where nobody can be told."""

from typing import Any

import pytest

from tests.support.part2_world import a_condition, answer, ask, written_by

Json = dict[str, Any]


BASIS: Json = {"type": "deidentified", "method": "164.514(b)(2)"}
CASE: Json = {"recipient": "org:health", "purpose": ["PUBHLTH"], "patient": None, "basis": BASIS}


def outcome(item: Json, **case: Any) -> str:
    return answer(records=(item, written_by("aspen", item)), **{**CASE, **case})[1]


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (
            {"gender": "female", "birthDate": "1980", "address": [{"state": "WA", "postalCode": "985"}]},
            "OK_DEIDENT",
        ),
        ({"birthDate": "1980-01"}, "NOT_DEIDENTIFIED"),
        ({"birthDate": "1930"}, "NOT_DEIDENTIFIED"),
        ({"name": [{"family": "Testperson"}]}, "NOT_DEIDENTIFIED"),
        ({"identifier": [{"value": "1"}]}, "NOT_DEIDENTIFIED"),
        ({"address": [{"postalCode": "98501"}]}, "NOT_DEIDENTIFIED"),
        ({"address": [{"postalCode": "036"}]}, "NOT_DEIDENTIFIED"),
        ({"address": [{"city": "Nowhere"}]}, "NOT_DEIDENTIFIED"),
    ],
)
def test_the_engine_looks_itself(item: Json, reason: str) -> None:
    assert outcome({"resourceType": "Patient", "id": "x", **item}) == reason


@pytest.mark.parametrize(
    ("count", "reason"), [(0, "OK_DEIDENT"), (1, "NOT_DEIDENTIFIED"), (10, "NOT_DEIDENTIFIED"), (11, "OK_DEIDENT")]
)
def test_small_cells_identify(count: int, reason: str) -> None:
    report = {
        "resourceType": "MeasureReport",
        "id": "m",
        "type": "summary",
        "group": [{"population": [{"count": count}]}],
    }

    assert outcome(report) == reason


SEEN: Json = {
    "resourceType": "Observation",
    "id": "o",
    "code": {"coding": [{"system": "http://loinc.org", "code": "1"}]},
}


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({"valueQuantity": {"value": 30, "code": "a"}}, "OK_DEIDENT"),
        ({"valueQuantity": {"value": 93, "code": "a"}}, "NOT_DEIDENTIFIED"),
        ({"valueString": "Tess Testperson of Nowhere"}, "NOT_DEIDENTIFIED"),
        ({"valueDateTime": "2026-10-20"}, "NOT_DEIDENTIFIED"),
        ({"effectiveInstant": "2026-10-20T12:00:00Z"}, "NOT_DEIDENTIFIED"),
        ({"meta": {"lastUpdated": "2026-10-20T12:00:00Z"}}, "NOT_DEIDENTIFIED"),
        ({"conclusion": "Tess was there"}, "NOT_DEIDENTIFIED"),
        ({"payload": [{"contentString": "Call Tess"}]}, "NOT_DEIDENTIFIED"),
        ({"onsetAge": {"value": 93}}, "NOT_DEIDENTIFIED"),
    ],
)
def test_what_somebody_wrote_may_name_anybody(item: Json, reason: str) -> None:
    assert outcome({**SEEN, **item}) == reason


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        ({"date": "2026-11-02", "period": {"start": "2026-07-01", "end": "2026-09-30"}}, "OK_DEIDENT"),
        ({"reporter": {"identifier": {"value": "aspen"}, "display": "Aspen of Nowhere"}}, "OK_DEIDENT"),
        ({"subject": {"reference": "Patient/someone"}}, "NOT_DEIDENTIFIED"),
        ({"contained": [a_condition()]}, "NOT_DEIDENTIFIED"),
        ({"evaluatedResource": [{"reference": "Encounter/one"}]}, "NOT_DEIDENTIFIED"),
        ({"group": [{"population": [{"count": "3"}]}]}, "NOT_DEIDENTIFIED"),
        ({"group": [{"population": [{"count": 3.0}]}]}, "NOT_DEIDENTIFIED"),
        ({"group": [{"stratifier": [{"stratum": [{"value": {"text": "Tess"}}]}]}]}, "NOT_DEIDENTIFIED"),
    ],
)
def test_a_summary_is_about_nobody(report: Json, reason: str) -> None:
    summary = {
        "resourceType": "MeasureReport",
        "id": "m",
        "type": "summary",
        "group": [{"population": [{"count": 50}]}],
    }

    assert outcome({**summary, **report}) == reason


NOBODY: Json = {"resourceType": "Patient", "id": "x", "gender": "female", "birthDate": "1980"}
OF_NOBODY: Json = {**SEEN, "subject": {"reference": "Patient/x"}}


def outcomes(*items: Json, **case: Any) -> dict[str, str]:
    """Decide on records together, and say of each whether it goes."""
    decided = ask(records=(*items, written_by("aspen", *items)), **{**CASE, **case})
    return {one.item: "goes" if one.outcome == "PERMIT" else "withheld" for one in decided.verdicts}


@pytest.mark.parametrize("purpose", [["TREAT"], ["HLEGAL"], ["HRESCH"], ["PUBHLTH", "HPAYMT"]])
def test_it_is_for_public_health_alone(purpose: list[str]) -> None:
    assert outcome(NOBODY, purpose=purpose) == "NOT_DEIDENTIFIED"


def test_an_officer_of_the_authority_is_police_too() -> None:
    assert outcome(NOBODY, role="officer") == "NOT_DEIDENTIFIED"


def test_a_record_leads_to_no_record_elsewhere() -> None:
    """45 CFR 164.514(b)(2)(i)(R): a link that others can follow is a number of the person."""
    assert outcome(OF_NOBODY) == "NOT_DEIDENTIFIED"
    assert outcomes(NOBODY, OF_NOBODY) == {"Patient/x": "goes", "Observation/o": "goes"}


def test_a_record_of_somebody_who_can_be_told_can_be_told_too() -> None:
    somebody = {**NOBODY, "identifier": [{"value": "1"}]}
    further = {**SEEN, "id": "p", "derivedFrom": [{"reference": "Observation/o"}]}

    assert set(outcomes(somebody, OF_NOBODY, further).values()) == {"withheld"}


def test_an_id_that_looks_like_the_number_of_a_record_identifies() -> None:
    assert outcome({**SEEN, "id": "19800101"}) == "NOT_DEIDENTIFIED"


def test_a_person_of_the_index_is_somebody() -> None:
    assert outcome(a_condition(onsetDateTime="2026")) == "NOT_DEIDENTIFIED"
    assert outcomes({**NOBODY, "id": "t1"}) == {"Patient/t1": "withheld"}
