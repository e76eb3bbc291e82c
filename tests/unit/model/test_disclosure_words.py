"""A disclosure in words for the patient: types counted, codes spelled out, the unknown as it is."""

from gateway.model.disclosure_words import content_words, occasion_words, purpose_words, way_words


def test_what_was_disclosed_is_counted_in_words() -> None:
    assert content_words("1 CarePlan, 2 Goal, 3 Basic") == "1 care plan, 2 goals, 3 Basic"


def test_nothing_is_no_words() -> None:
    assert content_words("") == ""


def test_a_referral_is_told_as_such_and_a_look_by_who_looked() -> None:
    assert occasion_words("update of a referral") == "a change to a referral"
    assert occasion_words("read by demo-ehr") == "read by demo-ehr"


def test_purposes_and_ways_are_spelled_out() -> None:
    assert purpose_words("TREAT X-OTHER") == "treatment, X-OTHER"
    assert (way_words("hl7v2"), way_words("pigeon")) == ("sent to its system", "pigeon")
