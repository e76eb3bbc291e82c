"""What a resource says in one line."""

from typing import Any

import pytest

from gateway.web.console.headline import headline


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        ({"resourceType": "Patient", "name": [{"family": "Otter", "given": ["Pat"]}]}, "Pat Otter"),
        ({"resourceType": "Patient", "name": [{"text": "Pat Otter"}], "birthDate": "1980"}, "Pat Otter · 1980"),
        ({"resourceType": "Organization", "name": "Invented Police"}, "Invented Police"),
        ({"resourceType": "Observation", "code": {"coding": [{"code": "calm"}]}, "status": "final"}, "calm · final"),
        ({"resourceType": "PractitionerRole", "code": [{"coding": [{"display": "Officer"}]}]}, "Officer"),
        ({"resourceType": "Goal", "description": {"text": "Find housing"}}, "Find housing"),
        ({"resourceType": "Encounter", "type": [{"text": "Visit"}], "period": {"start": "2026-11"}}, "Visit · 2026-11"),
        ({"resourceType": "Consent", "category": [{"coding": [{"code": "59284-0"}]}]}, "Patient consent"),
        ({"resourceType": "Patient", "name": []}, ""),
        ({"resourceType": "Provenance"}, ""),
    ],
)  # fmt: skip
def test_a_resource_says(resource: dict[str, Any], words: str) -> None:
    assert headline(resource) == words
