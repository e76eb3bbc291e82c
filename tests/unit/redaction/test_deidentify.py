"""45 CFR 164.514(b)(2): of a record of a person only what is known to be safe is left."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.redaction.deidentify import deidentify

Json = dict[str, Any]

GENDER = "http://hl7.org/fhir/administrative-gender"
NATURE = "https://warmhandoff.example/fhir/CodeSystem/crisis-nature"
UCUM = "http://unitsofmeasure.org"
KNOWN = {
    GENDER: frozenset({"female", "male"}),
    NATURE: frozenset({"overdose"}),
    "http://hl7.org/fhir/observation-status": frozenset({"final"}),
    "http://hl7.org/fhir/encounter-status": frozenset({"finished"}),
    "http://hl7.org/fhir/quantity-comparator": frozenset({"<", ">"}),
}
ARI: Json = {
    "resourceType": "Patient", "id": "ari", "gender": "female", "birthDate": "1990-01-02",
    "name": [{"family": "Sample", "given": ["Ari"]}], "telecom": [{"system": "phone", "value": "360-555-0101"}],
    "identifier": [{"system": "urn:oid:2.999", "value": "K-1"}], "photo": [{"url": "https://x.example/ari.png"}],
    "address": [{"line": ["1 Invented Way"], "city": "Exampleville", "state": "WA", "postalCode": "98501"}],
    "maritalStatus": {"text": "S"}, "text": {"status": "generated", "div": "<div>Ari</div>"},
}  # fmt: skip


def of(*resources: Json) -> list[Json]:
    """Return what is left of these resources, in their order, with ids by their number."""
    return list(deidentify(resources, year=2026, known=KNOWN, fresh=lambda n: f"new-{n}").values())


def observed(**elements: Any) -> Json | None:
    """Return what is left of an Observation of these elements, but type and id."""
    built = of({"resourceType": "Observation", "id": "o", **elements})
    return {name: one for name, one in built[0].items() if name not in ("resourceType", "id")} if built else None


def a_coding(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code, "display": "of Ari"}], "text": "what Ari said"}


def test_of_a_person_are_left_sex_year_of_birth_and_state() -> None:
    assert of(ARI) == [
        {
            "resourceType": "Patient",
            "id": "new-0",
            "gender": "female",
            "birthDate": "1990",
            "address": [{"state": "WA"}],
        }
    ]


@pytest.mark.parametrize(
    ("born", "told"), [("1937-12-31", "1937"), ("1936-01-01", None), ("1911", None), ("2026", "2026"), ("2027", None)]
)
def test_who_is_older_than_89_is_of_no_year(born: str, told: str | None) -> None:
    (built,) = of({**ARI, "birthDate": born})

    assert built.get("birthDate") == told


def test_a_date_of_long_ago_tells_an_age_too() -> None:
    assert observed(status="final", effectiveDateTime="1936-05-01") == {"status": "final"}


def test_dates_become_years() -> None:
    period = {"start": "2026-10-20T09:00:00-07:00", "end": "2026"}
    (built,) = of({"resourceType": "Encounter", "id": "e", "period": period})

    assert built["period"] == {"start": "2026", "end": "2026"}


@pytest.mark.parametrize(
    ("system", "code", "is_told"),
    [
        (NATURE, "overdose", True),
        (NATURE, "ari-sample", False),
        ("https://partner.example/codes", "overdose", False),
        ("http://snomed.info/sct", "3457005", True),
        ("http://snomed.info/sct", "Ari Sample", False),
        ("http://loinc.org", "44249-1", True),
        ("http://loinc.org", "360-555-0101", False),
        ("http://hl7.org/fhir/sid/icd-10-cm", "F11.20", True),
        ("http://hl7.org/fhir/sid/icd-10-cm", "F11.20 Ari", False),
    ],
)
def test_a_code_is_told_where_its_system_has_it_and_never_its_words(system: str, code: str, is_told: bool) -> None:
    assert observed(code=a_coding(system, code)) == (
        {"code": {"coding": [{"system": system, "code": code}]}} if is_told else None
    )


@pytest.mark.parametrize(("system", "code"), [(NATURE, ["overdose"]), (NATURE, {}), ([NATURE], "overdose"), ({}, [])])
def test_a_code_or_a_system_that_is_no_word_is_left_out(system: Any, code: Any) -> None:
    assert observed(code={"coding": [{"system": system, "code": code}]}) is None


@pytest.mark.parametrize(
    ("quantity", "told"),
    [
        ({"value": 7.2, "code": "mg/dL"}, {"value": 7.2, "code": "mg/dL"}),
        ({"value": 7, "comparator": "<", "code": "%"}, {"value": 7, "comparator": "<", "code": "%"}),
        ({"value": 7, "comparator": "Ari", "code": "%"}, {"value": 7, "code": "%"}),
        ({"value": 7, "code": "{Ari Sample}"}, None),
        ({"value": 3605550101, "code": "kg"}, None),
        ({"value": True, "code": "kg"}, None),
        ({"value": 89, "code": "a"}, {"value": 89, "code": "a"}),
        ({"value": 90, "code": "a"}, {"value": 89, "comparator": ">", "code": "a"}),
        ({"value": 1068, "code": "mo"}, {"value": 1068, "code": "mo"}),
        ({"value": 1069, "code": "mo"}, {"value": 89, "comparator": ">", "code": "a"}),
        ({"value": -1, "code": "a"}, None),
        ({"value": 7}, None),
    ],
)
def test_a_measured_value_is_told_with_a_unit_that_is_known(quantity: Json, told: Json | None) -> None:
    left = observed(valueQuantity={"system": UCUM, "unit": "as Ari says", **quantity})

    assert left == ({"valueQuantity": {"system": UCUM, **told}} if told else None)


@pytest.mark.parametrize(("number", "is_told"), [(0, True), (89, True), (90, False), (-1, False), (True, False)])
def test_a_whole_number_is_told_where_it_can_be_no_age_that_may_not(number: int, is_told: bool) -> None:
    assert observed(valueInteger=number) == ({"valueInteger": number} if is_told else None)


def test_what_comes_along_is_named_by_its_new_id_and_nobody_else_is() -> None:
    seen = {
        "resourceType": "Observation", "id": "o", "status": "final", "subject": {"reference": "Patient/ari"},
        "encounter": {"reference": "Encounter/elsewhere"}, "performer": [{"display": "Dr Voe"}],
    }  # fmt: skip

    _, built = of(ARI, seen)

    assert built == {
        "resourceType": "Observation", "id": "new-1", "status": "final", "subject": {"reference": "Patient/new-0"}
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["DocumentReference", "CarePlan", "Goal", "Consent", "Task", "Device", "Binary"])
def test_what_is_mostly_words_or_names_a_thing_is_left_out(kind: str) -> None:
    assert of({"resourceType": kind, "id": "x", "status": "final", "description": "Ari"}) == []


def test_a_resource_of_which_nothing_is_left_is_left_out() -> None:
    assert of({"resourceType": "Condition", "id": "c", "note": [{"text": "Ari"}]}) == []


@pytest.mark.parametrize("odd", [None, 1, "Ari", ["Ari"], {"Ari": "Ari"}, [["Ari"]], [None], {"coding": "Ari"}])
def test_what_has_not_the_shape_of_its_element_is_left_out(odd: Any) -> None:
    elements = ("status", "category", "code", "effectiveDateTime", "effectivePeriod", "valueQuantity", "component")

    assert [observed(**{name: odd}) for name in elements] == [None] * len(elements)


_SECRET = "ari sample 360-555-0101"
_KEYS = st.sampled_from(
    sorted(
        {
            "resourceType", "id", "gender", "birthDate", "name", "address", "state", "city", "line", "telecom", "value",
            "system", "code", "coding", "display", "text", "status", "category", "subject", "reference", "encounter",
            "period", "start", "end", "effectiveDateTime", "valueQuantity", "valueString", "valueInteger", "unit",
            "component", "extension", "url", "contained", "note", "performer", "identifier", "valueBoolean", "class",
            "type", "interpretation", "onsetDateTime",
        }
    )
)  # fmt: skip
_LEAVES = st.one_of(
    st.sampled_from([_SECRET, f"Patient/{_SECRET}", f"{{{_SECRET}}}", f"2026-{_SECRET}", "360-555-0101", "98501"]),
    st.sampled_from([GENDER, NATURE, UCUM, "http://snomed.info/sct", "http://loinc.org"]),
    st.just(f"F11.20{_SECRET}"), st.integers(), st.booleans(), st.none(),
)  # fmt: skip
_TREES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5), max_leaves=25
)


@given(
    st.sampled_from(["Patient", "Encounter", "Condition", "Observation", "Procedure", "MedicationStatement"]),
    st.dictionaries(_KEYS, _TREES, max_size=8),
)
def test_no_word_of_the_source_survives_but_codes(kind: str, elements: Json) -> None:
    """Whatever a source says wherever, no text of it is left: not in a value, not in a key, not in an id."""
    built = of({**elements, "resourceType": kind, "id": _SECRET})

    assert _words_in(built) <= ALLOWED
    assert _SECRET not in json.dumps(built)


ALLOWED = {
    "Patient", "Encounter", "Condition", "Observation", "Procedure", "MedicationStatement", "new-0", "2026",
    "Patient/new-0", "female", "male", "final", "finished", "overdose", *KNOWN, UCUM,
}  # fmt: skip


def _words_in(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set().union(*map(_words_in, value.values())) if value else set()
    if isinstance(value, list):
        return set().union(*map(_words_in, value)) if value else set()
    return {value} if isinstance(value, str) else set()


class TestBorders:
    AGE = {"system": UCUM, "code": "d"}

    def test_an_age_of_less_than_a_day_is_one(self) -> None:
        assert observed(valueQuantity={**self.AGE, "value": 0}) == {"valueQuantity": {**self.AGE, "value": 0}}
        assert observed(valueQuantity={**self.AGE, "value": 0.5}) == {"valueQuantity": {**self.AGE, "value": 0.5}}
        assert observed(valueQuantity={**self.AGE, "value": -1}) is None

    def test_a_number_of_a_million_may_be_the_number_of_something(self) -> None:
        weight = {"system": UCUM, "code": "kg"}

        assert observed(valueQuantity={**weight, "value": 999_999}) is not None
        assert observed(valueQuantity={**weight, "value": 1_000_000}) is None

    def test_yes_and_no_are_words_of_nothing_else(self) -> None:
        assert observed(valueBoolean=True) == {"valueBoolean": True}
        assert observed(valueBoolean=False) == {"valueBoolean": False}
        assert observed(valueBoolean="Ari said yes") is None

    @pytest.mark.parametrize("written", ["Ari", {"coding": []}, None, 7])
    def test_what_is_no_list_is_none(self, written: Any) -> None:
        assert observed(category=written) is None

    @pytest.mark.parametrize("written", ["Patient/ari", ["Patient/ari"], {"reference": 7}, {"reference": []}, None])
    def test_what_is_no_reference_leads_nowhere(self, written: Any) -> None:
        assert observed(subject=written) is None

    @pytest.mark.parametrize("state", ["Exampleville", "wa", 53, None])
    def test_what_is_no_state_is_none(self, state: Any) -> None:
        assert of({**ARI, "address": [{"state": state}]}) == [
            {"resourceType": "Patient", "id": "new-0", "gender": "female", "birthDate": "1990"}
        ]

    def test_a_word_of_a_standard_nobody_knows_is_none(self) -> None:
        assert deidentify([{"resourceType": "Patient", "id": "p", "gender": "female"}], year=2026, known={},
                          fresh=lambda number: f"new-{number}") == {}  # fmt: skip
