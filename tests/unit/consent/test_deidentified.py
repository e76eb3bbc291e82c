"""The safe harbor looks at every element: what is not a word of a standard, a year or a wide area identifies."""

from typing import Any

import pytest

from gateway.model.decision import Basis, Verdict
from tests.support.part2_world import answer, ask, world, written_by

Json = dict[str, Any]

BASIS: Json = {"type": "deidentified", "method": "164.514(b)(2)"}


def is_clean(item: Json, **basis: Any) -> bool:
    whole = {"resourceType": "Observation", "id": "o", **item}
    outcome = answer(
        records=(whole, written_by("aspen", whole)), recipient="org:health", purpose=["PUBHLTH"], patient=None,
        basis={**BASIS, **basis},
    )  # fmt: skip
    assert outcome in (("PERMIT", "OK_DEIDENT"), ("DENY", "NOT_DEIDENTIFIED")), outcome
    return outcome[0] == "PERMIT"


@pytest.mark.parametrize(
    ("method", "clean"),
    [("164.514(b)(1)", True), ("164.514(b)(2)", True), ("164.514(a)", False), (None, False), ("by hand", False)],
)
def test_the_method_is_one_of_the_law(method: str | None, clean: bool) -> None:
    assert is_clean({}, method=method) is clean


@pytest.mark.parametrize(
    "key",
    [
        *("name", "telecom", "photo", "contact", "identifier", "link", "text", "note", "contained", "extension"),
        *("attachment", "content", "description", "display", "performer", "author", "serialNumber", "udiCarrier"),
        *("line", "city", "district"),
    ],
)
def test_some_elements_identify_by_being_there(key: str) -> None:
    assert not is_clean({key: 1})
    assert not is_clean({"component": [{"deep": {key: 1}}]})


@pytest.mark.parametrize(
    "key",
    [
        *("type", "status", "intent", "system", "code", "unit", "comparator", "use", "gender", "language"),
        *("state", "country", "profile", "measure"),
    ],
)
def test_a_word_of_a_standard_tells_of_nobody(key: str) -> None:
    assert is_clean({"component": [{key: "final"}]})


@pytest.mark.parametrize(
    ("number", "clean"),
    [
        ("o", True), ("admitted", True), ("x-12", True), ("r3f6x2j74vn572qejm3j3fk4cz", True),
        ("r3f6x2j7777n572qejm3j3fk4c", True), ("r3f6x2j7777n572qejm3j3fk4cz2", False),
        ("19800101", False), ("360-555-0101", False), ("mrn.1.2.3.4", False),
    ],
)  # fmt: skip
def test_an_id_is_no_number_of_a_record(number: str, clean: bool) -> None:
    assert is_clean({"id": number}) is clean
    assert is_clean({"component": [{"id": number}]}) is clean


@pytest.mark.parametrize(
    "key",
    [
        *("birthDate", "deceasedDateTime", "start", "end", "date", "created", "issued", "recordedDate", "authoredOn"),
        *("onsetDateTime", "abatementDateTime", "effectiveDateTime", "performedDateTime", "occurrenceDateTime"),
        *("servicedDate", "assertedDate", "recorded"),
    ],
)
def test_a_date_may_be_a_year_and_no_more(key: str) -> None:
    assert is_clean({"a": [{key: "1999"}]})
    assert is_clean({"a": [{key: 1999}]})
    assert not is_clean({"a": [{key: "1999-05"}]})
    assert not is_clean({"a": [{key: 19990501}]})


@pytest.mark.parametrize(("born", "clean"), [("1937", True), ("1936", False), ("2026", True)])
def test_a_year_of_birth_may_be_told_up_to_eighty_nine_years_back(born: str, clean: bool) -> None:
    assert is_clean({"birthDate": born}) is clean
    assert is_clean({"recorded": born})


@pytest.mark.parametrize(
    ("area", "clean"),
    [("985", True), ("98500", True), ("98501", False), ("9850", False), ("036", False), ("03600", False), (985, True)],
)
def test_of_an_area_the_first_three_digits_may_be_told_where_many_live(area: object, clean: bool) -> None:
    assert is_clean({"address": [{"postalCode": area}]}) is clean


@pytest.mark.parametrize(
    "area",
    [
        *("036", "059", "063", "102", "203", "556", "692", "790", "821", "823", "830", "831", "878", "879", "884"),
        *("890", "893"),
    ],
)
def test_sparse_areas_identify(area: str) -> None:
    assert not is_clean({"address": [{"postalCode": area}]})


@pytest.mark.parametrize(
    ("value", "clean"),
    [("words", False), ("1999", True), ("12345", False), (7, True), (True, True), (None, True), (["words"], False)],
)
def test_a_text_anywhere_else_may_name_anybody(value: object, clean: bool) -> None:
    assert is_clean({"component": [{"whatever": value}]}) is clean


@pytest.mark.parametrize(
    ("quantity", "clean"),
    [
        ({"valueQuantity": {"value": 89, "code": "a"}}, True),
        ({"valueQuantity": {"value": 90, "code": "a"}}, False),
        ({"valueQuantity": {"value": 89.5, "unit": "years"}}, False),
        ({"valueQuantity": {"value": 90, "unit": "year"}}, False),
        ({"valueQuantity": {"value": 90, "unit": "yr"}}, False),
        ({"valueQuantity": {"value": 90, "unit": "yrs"}}, False),
        ({"valueQuantity": {"value": 90, "unit": "Years"}}, False),
        ({"valueQuantity": {"value": 90, "code": "mm[Hg]"}}, True),
        ({"valueQuantity": {"value": 90, "code": "kg", "unit": "a"}}, False),
        ({"onsetAge": {"value": 90}}, False),
        ({"onsetAge": {"value": 89}}, True),
        ({"onsetAge": [{"value": 90}]}, False),
        ({"onsetAge": {"code": "a"}}, True),
    ],
)
def test_an_age_may_be_told_up_to_eighty_nine(quantity: Json, clean: bool) -> None:
    assert is_clean(quantity) is clean


class TestASummary:
    def clean(self, **report: Any) -> bool:
        return is_clean({"resourceType": "MeasureReport", "type": "summary", **report})

    @pytest.mark.parametrize(
        ("count", "clean"),
        [(0, True), (1, False), (10, False), (11, True), ("50", False), (50.0, False), (None, False)],
    )
    def test_tells_no_small_count_at_any_depth(self, count: object, clean: bool) -> None:
        assert self.clean(count=count) is clean
        assert self.clean(group=[{"population": [{"x": {"count": 50}}, {"count": count}]}]) is clean

    @pytest.mark.parametrize(
        ("report", "clean"),
        [
            ({"type": "individual"}, False),
            ({"type": None}, False),
            ({"subject": {"type": "Group"}}, False),
            ({"evaluatedResource": []}, False),
            ({"date": "2026-11-02"}, True),
            ({"period": {"start": "2026-07-01"}}, True),
            ({"reporter": {"display": "Aspen of Nowhere"}}, True),
            ({"group": [{"display": "x"}]}, False),
        ],
    )
    def test_tells_of_itself_when_and_by_whom_it_was_made(self, report: Json, clean: bool) -> None:
        assert self.clean(**report) is clean

    def test_only_a_summary_may_tell_more_of_itself(self) -> None:
        assert not is_clean({"reporter": {"display": "Aspen of Nowhere"}})
        assert is_clean({"count": 3})


class TestWhatIsDecided:
    CASE: Json = {"recipient": "org:health", "purpose": ["PUBHLTH"], "patient": None}
    NOBODY: Json = {"resourceType": "Patient", "id": "x", "gender": "female"}

    def verdict(self, item: Json = NOBODY, basis: Json | None = None, **case: Any) -> Verdict:
        stated = {**self.CASE, "basis": basis or BASIS, **case}
        (found,) = ask(records=(item, written_by("aspen", item)), **stated).verdicts
        return found

    def test_it_goes_as_what_it_is_wherever_the_authority_takes_it(self) -> None:
        released = Verdict(
            "Patient/x", "PERMIT", "OK_DEIDENT", 800, frozenset({"DEID"}), Basis("deidentified"), "deidentified"
        )

        assert self.verdict() == released
        assert self.verdict(registry=world(health={"endpoints": []})) == released

    def test_to_nobody_else_and_by_no_other_method(self) -> None:
        stays = ("DENY", "NOT_DEIDENTIFIED", 800)

        for found in (
            self.verdict(recipient="org:mercy"),
            self.verdict(basis={"type": "deidentified"}),
            self.verdict(basis={"type": "deidentified", "method": "by hand"}),
        ):
            assert (found.outcome, found.reason, found.step) == stays

    def test_a_record_that_leads_to_itself_alone_leads_nowhere(self) -> None:
        turning = {"resourceType": "Observation", "id": "o", "derivedFrom": [{"reference": "Observation/o"}]}

        assert self.verdict(turning).reason == "OK_DEIDENT"

    def test_who_made_a_summary_is_nobody_in_it(self) -> None:
        reporter = {"reference": "Organization/aspen"}
        summary = {"resourceType": "MeasureReport", "id": "m", "type": "summary", "reporter": reporter}

        assert self.verdict(summary).reason == "OK_DEIDENT"
        assert self.verdict({"resourceType": "Observation", "id": "o", "reporter": reporter}).outcome == "DENY"
