"""What the R4B models say, and what they keep to themselves."""

import pytest

from gateway.validation.second_opinion import first_fault, second_opinion
from tests.unit.validation import examples


@pytest.mark.parametrize("name", examples.PROFILED)
def test_the_models_take_our_good_resources(name: str) -> None:
    assert second_opinion(examples.PROFILED[name]()).items == ()


def test_the_models_take_a_whole_handoff() -> None:
    assert second_opinion(examples.bundle()).items == ()


def test_a_refusal_has_place_and_kind_and_never_the_value() -> None:
    resource = examples.patient() | {"nickname": "MARKED", "birthDate": "MARKED"}

    found = second_opinion(resource)

    assert {finding.location for finding in found} == {"Patient.nickname", "Patient.birthDate"}
    assert "MARKED" not in repr(found)


def test_what_the_models_do_not_know_is_one_finding() -> None:
    nested = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"resourceType": "Wish"}}]}

    for resource in (None, {}, {"resourceType": "Wish"}, nested):
        assert [finding.rule for finding in second_opinion(resource)] == ["r4b"]


def test_a_refusal_inside_a_bundle_says_in_which_entry() -> None:
    bundle = examples.bundle()
    bundle["entry"][0]["resource"]["birthDate"] = "MARKED"
    bundle["entry"][1] |= {"resource": examples.bundle(), "extra": "MARKED"}
    bundle["entry"][1]["resource"]["entry"][2]["resource"]["status"] = 5

    found = second_opinion(bundle)

    assert {finding.location for finding in found} == {
        "Bundle.entry[0].resource.birthDate",
        "Bundle.entry[1].extra",
        "Bundle.entry[1].resource.entry[2].resource.status",
    }
    assert "MARKED" not in repr(found)


def test_an_entry_without_anything_but_its_resource_is_fine() -> None:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": examples.patient()}]}

    assert second_opinion(bundle).items == ()


def test_a_resource_type_that_is_no_text_is_a_finding_wherever_it_stands() -> None:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"resourceType": 5}}]}
    patient = examples.patient() | {"contained": [{"resourceType": 5}]}

    assert [[finding.rule for finding in second_opinion(one)] for one in (bundle, patient)] == [["r4b"], ["r4b"]]


def test_text_that_is_json_in_the_place_of_an_object_breaks_nothing() -> None:
    assert len(second_opinion(examples.patient() | {"_gender": "2026"})) == 1


def test_null_is_no_value_of_an_element_and_stands_for_one_in_a_list_of_primitives() -> None:
    named = {"given": [None, "Ari"], "_given": [{"extension": [{"url": "https://x.example", "valueCode": "x"}]}, None]}

    assert first_fault(examples.patient() | {"name": [named]}) is None
    fault = first_fault(examples.patient() | {"name": None})
    assert fault is not None
    assert fault.message == "expected an element to have a value, found null"


def test_an_object_in_quotes_is_told_from_text_that_only_looks_like_one() -> None:
    text = '{"family": "Sample"}'

    assert first_fault(examples.patient() | {"name": [{"family": text}]}) is None
    fault = first_fault(examples.patient() | {"name": [text]})
    assert fault is not None
    assert (fault.location, fault.message) == ("Patient.name[0]", "R4B refuses this: model_type")
