"""Which extensions leave: ours, the standard's, and the parts of either."""

import pytest

from gateway.model.extensions import is_understood

OURS = "https://warmhandoff.example/fhir/StructureDefinition/wh-reason"


@pytest.mark.parametrize(
    ("address", "within", "leaves"),
    [
        (OURS, "", True),
        ("http://hl7.org/fhir/StructureDefinition/data-absent-reason", "", True),
        ("https://elsewhere.example/StructureDefinition/x", "", False),
        ("https://elsewhere.example/StructureDefinition/x", OURS, False),
        ("http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-inline-sec-label", "", False),
        ("urn:x", OURS, False),
        ("reason", OURS, True),
        ("reason", "", False),
        ("", OURS, False),
    ],
)
def test_an_extension_leaves_that_is_understood_here(address: str, within: str, leaves: bool) -> None:
    assert is_understood(address, within) is leaves
