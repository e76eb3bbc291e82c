"""The printable referral: the same bytes for the same content, and nothing of it lost for want of a glyph."""

import base64
import re
import zlib
from datetime import datetime, timedelta, timezone

import pytest

from gateway.formats.referral_content import referral_content
from gateway.formats.referral_pdf import referral_pdf
from gateway.model.notice import STATEMENT_1, STATEMENT_2
from tests.support.referrals import referral_bundle, referral_resources

AT = datetime(2026, 11, 2, 10, 15, tzinfo=timezone(timedelta(hours=-8)))


def shown(pdf: bytes) -> str:
    """The text that the pages draw, in order, words apart by single blanks."""
    streams = re.findall(rb"stream\n(.*?)\nendstream", pdf, re.DOTALL)
    drawn = b"\n".join(zlib.decompress(stream) for stream in streams).decode("latin-1")
    strings = re.findall(r"\(((?:\\.|[^\\()])*)\) Tj", drawn)
    return " ".join(" ".join(re.sub(r"\\(.)", r"\1", string) for string in strings).split())


def test_the_page_says_who_is_sent_where_and_why() -> None:
    page = shown(referral_pdf(referral_content(referral_bundle()), STATEMENT_2, AT))

    for words in (
        "Referral number wh-ref-1",
        "From CIT officer, Sample City Police Department 206-555-0110",
        "To Rivercare Crisis Clinic",
        "Name Alma Rae Testperson",
        "Born 1990-02",
        "Address No fixed address, often at Example Park (temporary)",
        "Service Crisis clinic Priority asap Why Suicidal crisis, agreed to be seen Answer by 2026-11-05",
        "Safety Knife was present, taken by officers",
        "Reported by Clinician, Rivercare Crisis Clinic - Oriented to person and place",
        "Goal A place to sleep before winter",
        f"Notice to the recipient {STATEMENT_2}",
        "Page 1 of",
    ):
        assert words in page


@pytest.mark.parametrize("notice", [STATEMENT_1, STATEMENT_2])
def test_the_notice_is_printed_word_for_word(notice: str) -> None:
    page = shown(referral_pdf(referral_content(referral_bundle()), notice, AT))

    assert " ".join(notice.split()) in page


def test_the_full_statement_is_printed_where_the_disclosure_has_it() -> None:
    data = base64.b64encode(STATEMENT_1.encode()).decode()
    statement = {"resourceType": "DocumentReference", "id": "part2-notice", "content": [{"attachment": {"data": data}}]}

    page = shown(referral_pdf(referral_content(referral_bundle(statement=statement)), STATEMENT_2, AT))

    assert " ".join(STATEMENT_1.split()) in page


def test_without_a_notice_or_consent_none_is_printed() -> None:
    page = shown(referral_pdf(referral_content(referral_bundle(consent=None)), "", AT))

    assert "Notice" not in page
    assert "consent" not in page


def test_the_same_content_gives_the_same_bytes() -> None:
    content = referral_content(referral_bundle())

    assert referral_pdf(content, STATEMENT_1, AT) == referral_pdf(content, STATEMENT_1, AT)


def test_a_name_that_the_typeface_lacks_is_printed_as_near_as_it_can_be_and_the_page_says_so() -> None:
    patient = {**referral_resources()["patient"], "name": [{"family": "Nguyễn", "given": ["Ánh", "許"]}]}

    page = shown(referral_pdf(referral_content(referral_bundle(patient=patient)), "", AT))

    assert "Name Ánh ? Nguyen" in page
    assert "appear as ?" in page


def test_very_long_content_flows_over_pages_with_the_notice_whole() -> None:
    request = {**referral_resources()["request"], "note": [{"text": "word " * 4000}]}

    pdf = referral_pdf(referral_content(referral_bundle(request=request)), STATEMENT_1, AT)

    assert pdf.count(b"/Type /Page\n") > 4
    assert " ".join(STATEMENT_1.split()) in shown(pdf)
