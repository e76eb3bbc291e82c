"""What each acknowledgement code means for a delivery."""

import pytest

from gateway.model.hl7_header import AckCode, Acknowledgement
from gateway.tracking.acknowledgement import judge


@pytest.mark.parametrize(
    ("code", "errors", "kind"),
    [
        ("AA", (), "accepted"),
        ("CA", (), "accepted"),
        ("AE", (), "refused-park"),
        ("AE", ("207",), "refused-park"),
        ("CE", ("101",), "refused-park"),
        ("AR", ("200",), "refused-park"),
        ("AR", ("201",), "refused-park"),
        ("CR", ("202",), "refused-park"),
        ("AR", ("207", "203"), "refused-park"),
        ("AR", ("207",), "try-later"),
        ("AR", (), "try-later"),
        ("CR", ("206",), "try-later"),
    ],
)
def test_a_code_and_its_errors_decide(code: AckCode, errors: tuple[str, ...], kind: str) -> None:
    assert judge(Acknowledgement(code, "C1", errors)).kind == kind


def test_the_reason_names_codes_and_never_the_receivers_words() -> None:
    outcome = judge(Acknowledgement("AE", "C1", ("204",), text="no such patient Ann Sample"))

    assert outcome.reason == "the receiver answered AE 204"
