"""42 CFR 2.34: central registries, by a consent of that kind, and for nothing but to prevent double enrollment."""

from typing import Any

from tests.support.part2_world import ASPEN_RECORD, a_consent, a_permit, answer, ask, handed_to, written_by

Json = dict[str, Any]

PAPER = a_consent(a_permit("registry", purposes=["own:enrollment-check"]), kind="central-registry")
CASE: Json = {
    "recipient": "org:registry",
    "purpose": ["https://warmhandoff.example/fhir/CodeSystem/purpose|enrollment-check"],
}


def test_the_registry_gets_what_the_consent_says() -> None:
    record = ask(PAPER, **CASE).record

    assert (record.decision, record.reason) == ("PERMIT", "OK_REGISTRY")
    assert {"NO_REDISCLOSE", "NOTICE", "PROCEEDINGS_BAR"} <= set(record.obligations)


def test_without_such_a_consent_it_gets_nothing() -> None:
    assert answer(a_consent(), **CASE) == ("DENY", "RECIPIENT_NOT_NAMED")


def test_for_another_purpose_it_gets_nothing() -> None:
    assert answer(PAPER, **{**CASE, "purpose": ["TREAT"]}) == ("DENY", "PURPOSE_NOT_COVERED")


def test_what_it_holds_goes_nowhere_on() -> None:
    """42 CFR 2.34(c)."""
    held = handed_to("registry", ASPEN_RECORD, code="central_registry")
    records = (ASPEN_RECORD, written_by("aspen", ASPEN_RECORD), held)

    assert answer(a_consent(), records=records) == ("DENY", "REGISTRY_USE_BARRED")
