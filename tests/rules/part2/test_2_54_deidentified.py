"""42 CFR 2.54, 45 CFR 164.514(b): to a public health authority without consent, and only where nobody can be told."""

from typing import Any

import pytest

from tests.support.part2_world import a_condition, answer, written_by

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


def test_a_person_of_the_index_is_somebody() -> None:
    assert outcome(a_condition(onsetDateTime="2026")) == "NOT_DEIDENTIFIED"
