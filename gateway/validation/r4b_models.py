"""The R4B models of fhir.resources, those of a type of resource joined into one validator.

That library hands every object of a resource to its model through Python: finds the model, looks for nulls, constructs,
and looks at the result twice. Yet a model has a schema of its fields (`__pydantic_core_schema__`), and pydantic can
follow those from model to model by itself. Here they are joined as they are, with the constraints of every field and
with what a model looks at afterwards (required elements, choices), each once: the same rules in a fraction of the time.

Left out is what the constructors did, and with it their leniency: text that is JSON is no object, no datatype has a
resourceType, a required object is not null; and null in a list of objects is refused by the model of the object instead
of by the one around it.
"""

from functools import cache
from typing import Any, get_args

from fhir.resources.R4B import fhirtypes, get_fhir_model_class
from pydantic_core import PydanticCustomError, SchemaValidator, core_schema

Schema = dict[str, Any]
Model = Any
"""A class of that library, which has no types a checker could read."""

_LOOK_FOR_NULLS = "reject_null_complex_elements"


def _check(resource: Any) -> None:
    """Check what stands where any resource may, by the models of its type; nothing of it is kept."""
    name = resource.get("resourceType") if isinstance(resource, dict) else None
    if not isinstance(name, str):
        raise PydanticCustomError("resource_expected", "expected an object with a resourceType")
    try:
        model = get_fhir_model_class(name)
    except ValueError:
        model = None
    if model is None or not model.has_resource_base():
        raise PydanticCustomError("resource_type_unknown", "expected a resource type of R4B")
    try:
        _validator(model).validate_python({part: value for part, value in resource.items() if part != "resourceType"})
    except (ArithmeticError, AttributeError, TypeError):  # as by the models of url and decimal, of what is no text
        raise PydanticCustomError("value_unreadable", "expected values of the types of R4B") from None


_ANY_RESOURCE = core_schema.no_info_plain_validator_function(_check)

ANY_RESOURCE = SchemaValidator(_ANY_RESOURCE)
"""Checks a resource (parsed JSON) of whatever type it names; raises `pydantic_core.ValidationError`."""


@cache
def _validator(model: Model) -> SchemaValidator:
    """Compile the validator of one type of resource: its model and every one that can be met in it.

    What stands for any resource in it (contained, in a Bundle or Parameters) is checked by itself, so the many objects
    of one resource are given back before those of the next are made.
    """
    joined: dict[Model, Schema] = {}
    waiting = [model]
    while waiting:
        one = waiting.pop()
        if one not in joined:
            kinds = _kinds_of_objects(one)
            joined[one] = _leading_on(one.__pydantic_core_schema__, kinds)
            waiting += [kind.get_model_klass() for kind in kinds.values() if kind is not fhirtypes.ResourceType]
    definitions: Any = [*joined.values()]
    return SchemaValidator(core_schema.definitions_schema(_reference(model), definitions))


def _kinds_of_objects(model: Model) -> dict[str, Any]:
    """Return the fields of a model that hold objects, each with the class that finds their model."""
    return {
        name: kind
        for name, field in model.model_fields.items()
        for kind in _kinds(field.annotation)
        if hasattr(kind, "get_model_klass")
    }


def _kinds(annotation: Any) -> list[Any]:
    """Return what an annotation such as `List[HumanNameType] | None` is made of."""
    parts = get_args(annotation)
    return [kind for part in parts for kind in _kinds(part)] if parts else [annotation]


def _leading_on(schema: Schema, kinds: dict[str, Any]) -> Schema:
    """Return the schema of a model whose fields lead on to other models' schemas and which needs no constructor."""
    if schema["type"] == "model-fields":
        fields = {
            name: _with_objects(field, kinds[name]) if name in kinds else field
            for name, field in schema["fields"].items()
        }
        return {**schema, "fields": fields}
    inner = _leading_on(schema["schema"], kinds)
    led_on = {**schema, "schema": inner}
    if schema["type"] == "model":
        return {**led_on, "custom_init": False}
    if schema["type"] != "function-before":
        return led_on
    if schema["function"]["function"].__name__ == _LOOK_FOR_NULLS:
        return inner
    # What looks at an object before it is read takes it for one.
    return {"type": "chain", "steps": [core_schema.dict_schema(), led_on]}


def _with_objects(schema: Schema, kind: Any) -> Schema:
    """Return the schema of a field in which the schema of what it holds takes the place of the way through Python."""
    if schema["type"] == "function-wrap":
        held: Any = _ANY_RESOURCE if kind is fhirtypes.ResourceType else _reference(kind.get_model_klass())
        return dict(held)
    inner = "items_schema" if schema["type"] == "list" else "schema"
    return {**schema, inner: _with_objects(schema[inner], kind)}


def _reference(model: Model) -> Any:
    return core_schema.definition_reference_schema(model.__pydantic_core_schema__["ref"])
