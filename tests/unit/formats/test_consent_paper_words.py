"""The text a person signs, in both languages, and the page it is printed on."""

import re
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.formats.consent_paper import consent_pdf
from gateway.model.consent_form import ConsentForm, Interpreter, Recipients, Signer
from gateway.model.notice import STATEMENT_1
from tests.support.consent_forms import A_PNG, a_court_form, a_form, a_tpo_form, signed_by, text_of, wordings

AT = datetime(2026, 11, 2, 18, 0, tzinfo=UTC)
ZONE = ZoneInfo("America/Los_Angeles")
FORMS = {
    "named": a_form(),
    "class": a_tpo_form(),
    "court": a_court_form(),
    "notes": a_form(kind="counseling-notes", information=()),
    "proceeding": a_form(kind="proceedings", purposes=("proceeding",), proceeding="Case 99-1-00001-1"),
    "relay": a_form(recipients=Recipients(intermediary="org:relay")),
    "no": a_form(outcome="refused", signatures=()),
}


def printed(form: ConsentForm, language: str = "en", at: datetime = AT) -> bytes:
    form = replace(form, language=language)  # type: ignore[arg-type]
    return consent_pdf(form, text_of(form, language), wordings()[language], at, ZONE)


def words_of(pdf: bytes) -> str:
    """The text of a PDF of ours, its line breaks as blanks."""
    streams = (zlib.decompress(one) for one in re.findall(rb"stream\n(.*?)\nendstream", pdf, re.S) if one[:1] == b"x")
    shown = b" ".join(part for stream in streams for part in re.findall(rb"\((.*?)(?<!\\)\) Tj", stream, re.S))
    return re.sub(r"\s+", " ", re.sub(rb"\\(.)", rb"\1", shown).decode("latin-1"))


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_has_its_words_in_every_language(form: ConsentForm, language: str) -> None:
    text = text_of(form, language)

    assert all(line.heading and line.paragraphs and all(line.paragraphs) for line in text.lines)
    assert "{" not in "".join("".join(line.paragraphs) for line in text.lines)
    assert (text.language, len(text.digest)) == (language, 64)


@pytest.mark.parametrize(
    ("form", "keys"),
    [
        (a_form(), {"ce-redisclosure-statement", "tpo-redisclosure-warning", "refusal-consequences"}),
        (a_form(purposes=("housing",)), set()),
        (a_court_form(), {"condition"}),
        (
            a_form(recipients=Recipients(named=("org:donors",)), purposes=("operations",), wants_fundraising=True),
            {"fundraising-opt-out"},
        ),
    ],
)
def test_the_text_tells_what_the_rule_asks_for_what_was_chosen(form: ConsentForm, keys: set[str]) -> None:
    always = {"about", "patient", "disclosers", "information", "recipients", "purposes", "revocation-right", "expiry"}

    assert {line.key for line in text_of(form).lines} >= always | keys


@pytest.mark.parametrize(
    "changes",
    [
        {"purposes": ("treatment", "payment")},
        {"information": ("plans",)},
        {"recipients": Recipients(named=("org:quarry",))},
        {"supersedes": ("older",)},
    ],
)
def test_another_choice_is_another_text_with_another_hash(changes: dict[str, Any]) -> None:
    assert text_of(a_form(**changes)).digest != text_of(a_form()).digest


def test_the_signature_is_no_part_of_the_text_that_is_signed() -> None:
    assert text_of(a_form(signatures=())).digest == text_of(a_form()).digest


def test_what_a_person_typed_is_printed_and_never_filled_in() -> None:
    form = a_form(kind="proceedings", purposes=("proceeding",), proceeding="{name} {digest}")

    assert "{name} {digest}" in [paragraph for line in text_of(form).lines for paragraph in line.paragraphs]
    assert "{name} {digest}" in words_of(printed(form))


def test_the_print_holds_the_whole_text_the_evidence_and_the_notice() -> None:
    form = a_form(interpreter=Interpreter("Ina Interpreter", "Vietnamese"))
    shown = words_of(printed(form))

    for line in text_of(form).lines:
        for paragraph in (line.heading, *line.paragraphs):
            assert paragraph in shown
    assert "Tess Testperson, the person themselves" in shown
    assert "Signed 2026-11-02 09:00 PST" in shown
    assert "Seen by staff member Kim Sample" in shown
    assert "Interpreted into Vietnamese by Ina Interpreter" in shown
    assert f"SHA-256 of the text above: {text_of(form).digest}" in shown
    assert re.sub(r"\s+", " ", STATEMENT_1) in shown


def test_the_spanish_print_adds_the_sense_of_the_notice_to_its_legal_text() -> None:
    shown = words_of(printed(a_form(), "es"))

    assert re.sub(r"\s+", " ", STATEMENT_1) in shown
    assert "Una autorización general para divulgar información médica no basta." in shown
    assert "Firmado escribiendo el nombre" in shown


@pytest.mark.parametrize(
    ("language", "note", "line"),
    [
        ("en", "This paper cannot show every letter", "My name, written by hand"),
        ("es", "Este papel no puede mostrar todas las letras", "Mi nombre, escrito a mano"),
    ],
)
def test_a_name_the_print_cannot_show_has_a_line_to_write_it_by_hand(language: str, note: str, line: str) -> None:
    shown = words_of(printed(a_form(signatures=(signed_by("Тесс Testperson"),)), language))
    plain = words_of(printed(a_form(signatures=(signed_by("José Nguyễn-Testperson"),)), language))

    assert "???? Testperson" in shown
    assert note in shown
    assert line in shown
    assert line not in plain


def test_the_same_form_prints_to_the_same_bytes() -> None:
    form = a_form(signatures=(signed_by(method="drawn", strokes=A_PNG),))

    assert printed(form) == printed(form)


def test_a_drawn_signature_is_on_the_page_and_a_blank_form_has_lines_to_sign_on() -> None:
    drawn = printed(a_form(signatures=(signed_by(method="drawn", strokes=A_PNG),)))
    blank = words_of(printed(a_form(signatures=())))

    assert b"/Subtype /Image" in drawn
    assert "Name, signature and date" in blank
    assert "Signed by" not in blank


def test_a_guardian_is_printed_with_the_document() -> None:
    signer = Signer("Gus Guardian", "guardian", "letters 99-4-00001-1")

    assert "Right to sign: letters 99-4-00001-1" in words_of(printed(a_form(signatures=(signed_by(signer=signer),))))
