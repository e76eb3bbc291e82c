"""What a filled form lacks: every element of 42 CFR 2.31(a) by itself, and all of them at once."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from gateway.formats.consent_paper import Reader, shortcomings
from gateway.model.consent_form import (
    STATEMENTS,
    ConsentForm,
    CriminalJustice,
    Expiry,
    Recipients,
    Signer,
)
from tests.support.consent_forms import A_PNG, a_court_form, a_form, a_png, a_reader, a_tpo_form, signed_by

TOMORROW = datetime(2026, 11, 3, 18, 0, tzinfo=UTC)


def lacks(form: ConsentForm, reader: Reader | None = None) -> list[tuple[str, str]]:
    return [(one.element, one.rule.removeprefix("42 CFR ")) for one in shortcomings(form, reader or a_reader())]


@pytest.mark.parametrize("form", [a_form(), a_tpo_form(), a_court_form()], ids=["named", "class", "court"])
def test_a_complete_form_lacks_nothing(form: ConsentForm) -> None:
    assert lacks(form) == []


def test_an_empty_form_is_told_everything_at_once_in_the_order_of_the_rule() -> None:
    assert lacks(ConsentForm(patient_id="")) == [
        ("EL_PATIENT", "2.31(a)(1)"),
        ("EL_DISCLOSER", "2.31(a)(2)"),
        ("EL_INFO", "2.31(a)(3)"),
        ("EL_RECIPIENT", "2.31(a)(4)"),
        ("EL_PURPOSE", "2.31(a)(5)"),
        ("EL_EXPIRY", "2.31(a)(7)"),
        ("EL_SIGNATURE", "2.31(a)(8)"),
    ]


@pytest.mark.parametrize(
    ("changes", "lack"),
    [
        ({"disclosers": ("org:nobody",)}, ("EL_DISCLOSER", "2.31(a)(2)")),
        ({"information": ("everything", "plans")}, ("EL_INFO", "2.31(a)(3)")),
        ({"information": ("horoscopes",)}, ("EL_INFO", "2.31(a)(3)")),
        ({"recipients": Recipients(named=("org:nobody",))}, ("EL_RECIPIENT", "2.31(a)(4)")),
        ({"recipients": Recipients(named=("org:aspen",))}, ("EL_RECIPIENT", "2.31(a)(4)")),
        ({"recipients": Recipients(treating_class=True), "purposes": ("housing",)}, ("EL_RECIPIENT", "2.31(a)(4)(i)")),
        ({"recipients": Recipients(intermediary="org:exchange")}, ("EL_INTERMEDIARY", "2.31(a)(4)(ii)")),
        (
            {"recipients": Recipients(intermediary="org:relay", participants=("org:quarry",))},
            ("EL_INTERMEDIARY", "2.31(a)(4)(ii)"),
        ),
        (
            {"recipients": Recipients(named=("org:plan",), participants=("org:mercy",))},
            ("EL_INTERMEDIARY", "2.31(a)(4)(ii)"),
        ),
        ({"purposes": ("gossip",)}, ("EL_PURPOSE", "2.31(a)(5)")),
        ({"purposes": ("treatment", "proceeding")}, ("COMBINED_PROCEEDING", "2.31(d)")),
        ({"purposes": ("treatment", "monitoring")}, ("COMBINED_PROCEEDING", "2.31(d)")),
        ({"recipients": Recipients(named=("org:donors",))}, ("EL_PURPOSE", "2.31(a)(5)(iii)")),
        (
            {"recipients": Recipients(named=("org:donors",)), "wants_fundraising": False},
            ("EL_PURPOSE", "2.31(a)(5)(iii)"),
        ),
        ({"expiry": Expiry(on=date(2026, 11, 1))}, ("EL_EXPIRY", "2.31(a)(7)")),
        ({"expiry": Expiry(on=date(2026, 12, 31), event="none")}, ("EL_EXPIRY", "2.31(a)(7)")),
        ({"expiry": Expiry(event="none"), "purposes": ("housing",)}, ("EL_EXPIRY", "2.31(a)(7)")),
        ({"expiry": Expiry(event="end-of-research-study")}, ("EL_EXPIRY", "2.31(a)(7)")),
        ({"criminal_justice": CriminalJustice("parole", date(2026, 12, 1))}, ("CJ_NOT_ELIGIBLE", "2.35")),
        ({"kind": "counseling-notes"}, ("COMBINED_NOTES", "2.31(b)")),
        ({"kind": "proceedings", "purposes": ("proceeding",)}, ("EL_PURPOSE", "2.31(d)")),
        ({"kind": "proceedings", "proceeding": "Case 1"}, ("EL_PURPOSE", "2.31(a)(5)")),
        ({"proceeding": "x" * 501}, ("TOO_LONG", "2.31(a)")),
    ],
)
def test_what_one_element_lacks_is_told_with_its_rule(changes: dict[str, Any], lack: tuple[str, str]) -> None:
    assert lack in lacks(a_form(**changes))


@pytest.mark.parametrize(
    ("changes", "lack"),
    [
        ({"criminal_justice": None}, ("CJ_NOT_ELIGIBLE", "2.35(a)")),
        ({"criminal_justice": CriminalJustice("release", None)}, ("EL_REVOCATION", "2.35(c)")),
        ({"criminal_justice": CriminalJustice("release", date(2027, 1, 1))}, ("EL_REVOCATION", "2.35(c)")),
        ({"expiry": Expiry(event="end-of-treatment")}, ("EL_EXPIRY", "2.35(b)")),
        ({"recipients": Recipients(named=("org:mercy",))}, ("CJ_NOT_ELIGIBLE", "2.35(a)")),
        ({"purposes": ("treatment",)}, ("EL_PURPOSE", "2.31(a)(5)")),
    ],
)
def test_the_form_of_2_35_says_more(changes: dict[str, Any], lack: tuple[str, str]) -> None:
    assert lacks(a_court_form(**changes)) == [lack]


@pytest.mark.parametrize(
    ("signature", "lack"),
    [
        (signed_by(" "), ("EL_SIGNATURE", "2.31(a)(8)")),
        (signed_by("Otto Outside"), ("EL_SIGNATURE", "2.31(a)(8)")),
        (signed_by("Otto Outside", method="drawn", strokes=A_PNG), ("EL_SIGNATURE", "2.31(a)(8)")),
        (signed_by(signer=Signer("mother", "guardian", "letters")), ("EL_SIGNATURE", "2.31(a)(8)")),
        (signed_by(at=TOMORROW), ("EL_DATE", "2.31(a)(9)")),
        (signed_by(method="drawn"), ("EL_SIGNATURE", "2.31(a)(8)")),
        (signed_by(method="drawn", strokes=A_PNG[:-1]), ("EL_SIGNATURE", "2.31(a)(8)")),
        (signed_by(method="drawn", strokes=A_PNG.replace(b"IDAT", b"IDAS")), ("EL_SIGNATURE", "2.31(a)(8)")),
        (signed_by(method="drawn", strokes=a_png(2000, 1001)), ("EL_SIGNATURE", "2.31(a)(8)")),
        (signed_by(method="paper"), ("EL_SIGNATURE", "2.31(a)(8)")),
        (signed_by(signer=Signer("Gus Guardian", "guardian")), ("EL_SIGNATURE", "2.15")),
        (signed_by(signer=Signer("Gus Guardian", "guardian", "letters", date(2026, 11, 3))), ("EL_SIGNATURE", "2.15")),
        (
            signed_by(signer=Signer("Gus Guardian", "guardian", "letters", None, date(2026, 11, 1))),
            ("EL_SIGNATURE", "2.15"),
        ),
        (signed_by(signer=Signer("Pat Testperson", "parental")), ("EL_SIGNATURE", "2.14")),
        (signed_by(signer=Signer("Dee Director", "director-determination")), ("EL_SIGNATURE", "2.15(a)(2)")),
    ],
)
def test_a_signature_is_whole_and_of_who_may_give_it(signature: Any, lack: tuple[str, str]) -> None:
    assert lacks(a_form(signatures=(signature,))) == [lack]


def test_a_drawn_signature_is_a_signature() -> None:
    assert lacks(a_form(signatures=(signed_by(method="drawn", strokes=A_PNG),))) == []


@pytest.mark.parametrize(
    ("born", "rule", "capacities", "is_complete"),
    [
        (date(2012, 11, 2), 13, ["patient"], True),
        (date(2013, 11, 3), 13, ["patient"], False),
        (date(2013, 11, 3), 13, ["patient", "parental"], True),
        (date(2013, 11, 3), 13, ["parental"], False),
        (date(2009, 1, 1), "parental", ["patient"], False),
        (date(2009, 1, 1), "parental", ["patient", "parental"], True),
        (None, "parental", ["patient"], True),
    ],
)
def test_a_minor_signs_alone_from_the_age_of_the_state(
    born: date | None, rule: Any, capacities: list[Any], is_complete: bool
) -> None:
    signatures = tuple(signed_by(signer=Signer("Tess Testperson", one)) for one in capacities)

    assert (lacks(a_form(signatures=signatures), a_reader(born=born, minor_consent=rule)) == []) is is_complete


@pytest.mark.parametrize(
    ("missing", "lack"),
    [
        ("revocation-right", ("EL_REVOCATION", "2.31(a)(6)")),
        ("ce-redisclosure-statement", ("EL_CE_STATEMENT", "2.31(a)(4)(iii)")),
        ("tpo-redisclosure-warning", ("EL_TPO_STATEMENTS", "2.31(a)(10)(i)")),
        ("refusal-consequences", ("EL_TPO_STATEMENTS", "2.31(a)(10)(ii)")),
    ],
)
def test_a_paper_tells_what_the_rule_asks(missing: str, lack: tuple[str, str]) -> None:
    paper = a_form(statements=frozenset(STATEMENTS) - {missing}, signatures=(signed_by(method="paper"),))

    assert lacks(paper) == [lack]
    assert lacks(replace(paper, statements=frozenset(STATEMENTS))) == []


def test_a_paper_to_nobody_covered_need_not_tell_of_covered_entities() -> None:
    stated = frozenset(STATEMENTS) - {"ce-redisclosure-statement"}
    to = Recipients(named=("org:squad",))

    assert lacks(a_form(statements=stated, recipients=to, signatures=(signed_by(method="paper"),))) == []


def test_a_no_says_of_whose_records_and_which_program_and_nothing_else() -> None:
    assert lacks(ConsentForm("t1", outcome="refused", disclosers=("org:aspen",))) == []
    assert lacks(ConsentForm("", outcome="refused")) == [
        ("EL_PATIENT", "2.31(a)(1)"),
        ("EL_DISCLOSER", "2.31(a)(2)"),
    ]
    nobody = Recipients(named=("org:nobody",))
    assert lacks(ConsentForm("t1", outcome="refused", disclosers=("org:aspen",), recipients=nobody)) == [
        ("EL_RECIPIENT", "2.31(a)(4)")
    ]
