"""A file that any reader can open: its table of objects, its words, its pictures; and text that finds its lines."""

import io
import re
import zlib
from datetime import UTC, datetime, timedelta, timezone

from PIL import Image

from gateway.formats.pdf_file import PdfFile, width_of
from gateway.formats.pdf_sheet import INK, NOTICE_GROUND, Sheet

AT = datetime(2026, 11, 2, 10, 15, tzinfo=timezone(timedelta(hours=-8)))


def drawn(pdf: bytes) -> list[str]:
    """What each page draws."""
    streams = re.findall(rb"<<(.*?)>>\nstream\n(.*?)\nendstream", pdf, re.DOTALL)
    return [zlib.decompress(one).decode("latin-1") for entries, one in streams if b"/Image" not in entries]


def lines_of(page: str) -> list[str]:
    return re.findall(r"\(((?:\\.|[^\\()])*)\) Tj", page)


def a_page(text: str) -> bytes:
    file = PdfFile()
    file.add_page()
    file.text(20, 30, text, 10, INK)
    return file.to_bytes("Sample", AT)


def test_the_table_says_where_each_object_begins() -> None:
    pdf = a_page("word")

    start = int(re.findall(rb"startxref\n(\d+)\n%%EOF\n$", pdf)[0])
    entries = re.findall(rb"(\d{10}) \d{5} n \n", pdf[start:])
    assert pdf[start:].startswith(b"xref\n0 %d\n0000000000 65535 f \n" % (len(entries) + 1))
    for number, offset in enumerate(entries, 1):
        assert pdf[int(offset) :].startswith(b"%d 0 obj\n" % number)


def test_every_reference_names_an_object() -> None:
    pdf = a_page("word")

    named = {int(number) for number in re.findall(rb"(\d+) 0 R", pdf)}

    assert named <= {int(number) for number in re.findall(rb"(\d+) 0 obj", pdf)}


def test_text_cannot_end_its_string() -> None:
    (page,) = drawn(a_page(r"1) Tj (2\\"))

    assert lines_of(page) == [r"1\) Tj \(2\\\\"]


def test_the_title_may_hold_any_letter_and_the_date_tells_its_offset() -> None:
    file = PdfFile()
    file.add_page()

    pdf = file.to_bytes("Đơn (a)", AT, "vi")

    assert b"/Title <feff011001a1006e002000280061" in pdf
    assert b"/CreationDate (D:20261102101500-08'00')" in pdf
    assert b"/Lang (vi)" in pdf
    assert b"/CreationDate (D:20261102181500+00'00')" in file.to_bytes("a", AT.astimezone(UTC))


def test_a_picture_keeps_its_shape_and_what_shows_through_it() -> None:
    png = io.BytesIO()
    Image.new("RGBA", (30, 10), (1, 2, 3, 4)).save(png, "PNG")
    file = PdfFile()
    file.add_page()

    file.picture(png.getvalue(), 18, 18, 60, 60)

    pdf = file.to_bytes("Sample", AT)
    images = re.findall(rb"<<([^>]*?/Image.*?)>>\nstream\n(.*?)\nendstream", pdf, re.DOTALL)
    assert [zlib.decompress(one) for _, one in images] == [bytes([4]) * 300, bytes([1, 2, 3]) * 300]
    assert b"/SMask" in images[1][0]
    wide, high = 60 / 25.4 * 72, 20 / 25.4 * 72
    assert f"q {wide:.2f} 0 0 {high:.2f} " in drawn(pdf)[0]


def test_a_line_is_as_wide_as_its_letters() -> None:
    assert round(width_of("iW", 10) * 72 / 25.4, 2) == 2.22 + 9.44
    assert width_of("word", 10, bold=True) > width_of("word", 10)


def test_words_stay_whole_where_a_line_can_hold_them_and_nothing_is_lost_where_none_can() -> None:
    sheet, words = Sheet("Sample", AT), "some words " * 40 + "x" * 300
    sheet.paragraph(words)

    lines = lines_of(drawn(sheet.to_bytes("foot"))[0])[:-2]

    assert " ".join(lines).replace("x x", "xx") == words
    assert all(width_of(line, 9) <= 215.9 - 2 * 18 - 2 for line in lines)


def test_a_box_that_no_page_can_hold_goes_on_over_pages() -> None:
    sheet, lines = Sheet("Sample", AT), [f"line {n}" for n in range(150)]
    sheet.paragraph("before")
    sheet.boxed("Box", "\n".join(lines), NOTICE_GROUND, INK)
    sheet.paragraph("after")

    pages = drawn(sheet.to_bytes("foot"))

    shown = [line for page in pages for line in lines_of(page) if not line.startswith(("foot", "Page "))]
    assert shown == ["before", "Box", *lines, "after"]
    assert len(pages) == 4
    assert "Page 4 of 4" in lines_of(pages[3])


def test_a_box_that_one_page_can_hold_is_not_torn() -> None:
    sheet = Sheet("Sample", AT)
    for _ in range(45):
        sheet.paragraph("before")
    sheet.boxed("Box", "\n".join(["line"] * 20), NOTICE_GROUND, INK)

    first, second = drawn(sheet.to_bytes("foot"))

    assert "line" not in lines_of(first)
    assert lines_of(second)[:21] == ["Box"] + ["line"] * 20
