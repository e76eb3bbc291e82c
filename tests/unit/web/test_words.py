"""Codes in words: a reason with its section, a business status, and what has no words."""

import pytest

from gateway.web.console.words import reason_words, visit_step


@pytest.mark.parametrize("reason", ["CONSENT_REVOKED", "CONSENT_REVOKED (42 CFR 2.31(c)(3))"])
def test_a_reason_is_found_with_and_without_its_section(reason: str) -> None:
    told = reason_words(reason)

    assert told is not None
    assert told.means == "The person took the consent back."


@pytest.mark.parametrize("reason", [None, "", "OK_CONSENT", "422 from the receiver", "possible match (of two)"])
def test_a_permit_and_what_is_words_already_stays_as_it_is(reason: str | None) -> None:
    assert reason_words(reason) is None


@pytest.mark.parametrize(
    ("code", "words"), [("5.1.1", "appointment made"), ("5.1.2", "did not come"), ("3.0", ""), (None, "")]
)
def test_a_business_status_speaks_where_it_adds_something(code: str | None, words: str) -> None:
    assert visit_step(code) == words
