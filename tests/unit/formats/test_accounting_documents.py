"""The accounting as a table and as a letter."""

import csv
import io
import re
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from gateway.formats.accounting_csv import COLUMNS, accounting_csv
from gateway.formats.accounting_pdf import accounting_pdf
from gateway.model.accounting import Accounted, Accounting
from gateway.reporting.accounting import in_parts

AT = datetime(2026, 11, 2, 18, 0, tzinfo=UTC)
ONE = Accounted(
    part="consent", at=AT, recipient="org:harbor", name="Harbor General Hospital", address="1 Example Way, Olympia",
    occasion="create of a referral", content="2 Observation", purpose="TREAT", consent="c-tpo", transport="fhir",
    is_confirmed=True, decision="d-1",
)  # fmt: skip
OTHER = replace(ONE, part="other", name="Klinik Gdańsk", consent="", is_confirmed=False, decision="d-2")
MADE = Accounting("person-1", AT - timedelta(days=1096), AT, AT, (ONE, OTHER))


def words_of(pdf: bytes) -> str:
    """Return the text that the pages draw, in order, words apart by single blanks."""
    streams = re.findall(rb"stream\n(.*?)\nendstream", pdf, re.DOTALL)
    drawn = b"\n".join(zlib.decompress(stream) for stream in streams).decode("latin-1")
    strings = re.findall(r"\(((?:\\.|[^\\()])*)\) Tj", drawn)
    return " ".join(" ".join(re.sub(r"\\(.)", r"\1", string) for string in strings).split())


def test_the_table_has_a_row_for_each_disclosure() -> None:
    rows = list(csv.DictReader(io.StringIO(accounting_csv(MADE).decode())))

    assert tuple(rows[0]) == COLUMNS
    assert [(row["part"], row["confirmed"], row["decision"]) for row in rows] == [
        ("consent", "yes", "d-1"),
        ("other", "no", "d-2"),
    ]
    assert rows[0]["at"] == "2026-11-02T18:00:00+00:00"


def test_no_cell_of_the_table_is_a_formula() -> None:
    rows = list(
        csv.DictReader(io.StringIO(accounting_csv(replace(MADE, disclosures=(replace(ONE, name="=1+1"),))).decode()))
    )

    assert rows[0]["name"] == "'=1+1"


def test_the_letter_tells_both_parts_in_local_time() -> None:
    words = words_of(accounting_pdf(MADE, in_parts(MADE), "America/Los_Angeles"))

    assert "Disclosures made with your consent (42 CFR 2.25)" in words
    assert "Harbor General Hospital 1 Example Way, Olympia" in words
    assert "2026-11-02 10:00" in words
    assert "treatment Consent c-tpo" in words
    assert "Klinik Gdansk" in words
    assert "sent to its system, not confirmed" in words


def test_the_letter_of_nothing_says_so() -> None:
    nothing = replace(MADE, disclosures=())

    assert words_of(accounting_pdf(nothing, in_parts(nothing), "UTC")).count("None in this period.") == 2


def test_the_letter_of_an_intermediary_says_whose_list_it_is() -> None:
    made = replace(MADE, disclosures=(ONE,), intermediary="org:soundlink")

    words = words_of(accounting_pdf(made, in_parts(made), "UTC"))

    assert "List of the intermediary org:soundlink" in words
    assert "Disclosures under a general designation (42 CFR 2.24)" in words


def test_the_same_accounting_gives_the_same_letter() -> None:
    first, second = (accounting_pdf(MADE, in_parts(MADE), "UTC") for _ in range(2))

    assert first == second


def test_many_disclosures_go_over_several_pages() -> None:
    many = tuple(
        replace(ONE, at=AT + timedelta(minutes=n), recipient=f"org:{n}", decision=f"d-{n}") for n in range(120)
    )
    made = replace(MADE, disclosures=many)

    letter = accounting_pdf(made, in_parts(made), "UTC")

    assert letter.count(b"/Type /Page\n") > 2
    assert words_of(letter).count("To whom") > 2
