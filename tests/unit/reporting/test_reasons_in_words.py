"""Every reason that withholds has plain words, and words that no reason uses do not stay."""

from gateway.consent.reasons import SECTIONS
from gateway.reporting.reasons_in_words import WORDS, in_words


def test_every_reason_that_withholds_is_said_in_words_and_no_other() -> None:
    assert set(WORDS) == {reason for reason in SECTIONS if not reason.startswith("OK_")}


def test_words_are_whole_sentences_that_name_no_code() -> None:
    for said in WORDS.values():
        for sentence in said:
            assert sentence[0].isupper()
            assert sentence.endswith(".")
            assert "_" not in sentence


def test_a_reason_nobody_has_words_for_promises_nothing() -> None:
    assert in_words("SOMETHING_NEW").means == "The rules withheld it."
