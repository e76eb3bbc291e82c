"""Joined, the R4B models say what they say each by itself."""

from typing import Any

import pytest
from fhir.resources.R4B import fhirtypes, get_fhir_model_class
from pydantic_core import ValidationError

from gateway.validation.r4b_models import ANY_RESOURCE
from tests.unit.validation import examples
from tests.unit.validation.damage import damaged

_EXTENSION = {"url": "https://x.example", "valueString": "x"}


def _is_taken(resource: Any) -> bool:
    try:
        ANY_RESOURCE.validate_python(resource)
    except ValidationError:
        return False
    return True


def _takes_itself(resource: dict[str, Any]) -> bool:
    """Ask the model of the library, by its own way; it stumbles where text stands for an object."""
    try:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    except (AttributeError, KeyError, TypeError, ValueError):
        return False
    return True


def _has_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(part is None or _has_null(part) for part in value.values())
    return isinstance(value, list) and any(map(_has_null, value))


def test_they_refuse_what_the_models_refuse_and_nothing_else() -> None:
    resources = [one for one in damaged(count=1500, seed=20261122) if not _has_null(one)]

    verdicts = [(_is_taken(one), _takes_itself(one)) for one in resources]

    assert {ours for ours, _ in verdicts} == {True, False}
    assert [one for one, (ours, theirs) in zip(resources, verdicts, strict=True) if ours is not theirs] == []


def test_every_resource_type_of_r4b_is_known() -> None:
    names = [name.removesuffix("Type") for name in vars(fhirtypes) if name.endswith("Type")]
    models = [get_fhir_model_class(name) for name in names if hasattr(vars(fhirtypes)[f"{name}Type"], "_model_klass")]
    types = [one.get_resource_type() for one in models if one.has_resource_base()]

    strangers = [one for one in types if _is_taken({"resourceType": one, "stranger": "x"})]

    assert len(types) > 140
    assert strangers == []


@pytest.mark.parametrize(
    "part",
    [
        {"name": None},
        {"name": [{"family": "Sample"}]},
        {"_birthDate": {"extension": [_EXTENSION]}},
        {"name": [{"given": [None, "Ari"], "_given": [{"extension": [_EXTENSION]}, None]}]},
        {"multipleBirthInteger": 2},
        {"contained": [{"resourceType": "Organization", "name": "Sample", "contained": []}]},
    ],
)  # fmt: skip
def test_good_parts_are_taken(part: dict[str, Any]) -> None:
    assert _is_taken(examples.patient() | part)


@pytest.mark.parametrize(
    ("part", "place", "kind"),
    [
        pytest.param({"name": [None]}, ("name", 0), "model_type", id="null in a list of objects"),
        pytest.param({"name": ['{"family": "Sample"}']}, ("name", 0), "model_type", id="an object in quotes"),
        pytest.param({"name": [{"resourceType": "HumanName"}]}, ("name", 0, "resourceType"), "extra_forbidden",
                     id="a datatype that says it is a resource"),
        pytest.param({"contained": [{"resourceType": "HumanName"}]}, ("contained", 0), "resource_type_unknown",
                     id="a datatype for a resource"),
        pytest.param({"contained": ["{}"]}, ("contained", 0), "resource_expected", id="text for a resource"),
        pytest.param({"_birthDate": "2026"}, ("_birthDate",), "dict_type", id="text beside a primitive"),
        pytest.param({"_birthDate": {}}, ("_birthDate",), "model_validation_format", id="nothing beside a primitive"),
        pytest.param({"link": [{"other": {"display": "x"}}]}, ("link", 0, "type"), "model_field_validation.missing",
                     id="a required code that is missing"),
        pytest.param({"multipleBirthInteger": 2, "multipleBirthBoolean": True}, (), "value_error",
                     id="two of a choice"),
        pytest.param({"extension": [{"url": "https://x.example", "valueUrl": 5}]}, (), "value_unreadable",
                     id="a number for an address"),
    ],
)  # fmt: skip
def test_a_refusal_says_where_and_why(part: dict[str, Any], place: tuple[str | int, ...], kind: str) -> None:
    with pytest.raises(ValidationError) as refused:
        ANY_RESOURCE.validate_python(examples.patient() | part)

    assert [(one["loc"], one["type"]) for one in refused.value.errors()] == [(place, kind)]
