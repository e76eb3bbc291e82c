"""FHIRPath for invariants: fhirpathpy with what it lacks, and with its manners mended.

It prints traces to stdout, quotes values in its errors, and refuses what FHIRPath lets stand for true: all three end
here.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import fhirpathpy
from fhirpathpy.engine.nodes import ResourceNode
from fhirpathpy.models import models

Holds = Callable[[Any, Any, Any], bool]
"""Tells whether a rule holds for (value, resource around it, root resource: the container of a contained one)."""

_NAMES_ONLY = re.compile(r"[a-z]\w*( or [a-z]\w*)+")


class CannotEvaluate(ValueError):
    """An expression needs something this engine does not have."""


def compile_expression(expression: str, path: str) -> Holds:
    """Return the rule that an expression states for elements at `path`: a type's name, or a backbone's path.

    The rule raises `CannotEvaluate` where the engine fails.
    """
    evaluate = _compiled(_as_booleans(expression))

    def holds(value: Any, resource: Any, root: Any) -> bool:
        environment = {"resource": resource, "rootResource": root}
        try:
            result = evaluate(ResourceNode.create_node(value, path), environment)
        except Exception as problem:
            # The engine raises bare Exception, for one on a path where a boolean belongs. Its text quotes the value,
            # so only its kind goes on.
            raise CannotEvaluate(type(problem).__name__) from None
        # An invariant must come out true (FHIR R4 ElementDefinition.constraint.expression); one item that is no
        # boolean counts as true, nothing at all does not, as in HL7's validator.
        return result not in ([False], [])

    return holds


def _as_booleans(expression: str) -> str:
    """Write `a or b` as `a.exists() or b.exists()`: where a boolean belongs, one item is true (FHIRPath 4.5).

    The engine refuses it, and guides use it (US Core us-core-13).
    """
    if _NAMES_ONLY.fullmatch(expression) is None:
        return expression
    return " or ".join(f"{name}.exists()" for name in expression.split(" or "))


@lru_cache(maxsize=4096)
def _compiled(expression: str) -> Callable[[Any, Any], list[Any]]:
    return fhirpathpy.compile(expression, models["r4"], OPTIONS)  # type: ignore[no-any-return]  # untyped library


def _has_value(nodes: list[Any]) -> list[bool]:
    return [len(nodes) == 1 and nodes[0] is not None and not isinstance(nodes[0], dict | list)]


def _nothing(nodes: list[Any]) -> list[Any]:
    """Resolve no reference: what lies outside the resource is not ours to fetch, and empty breaks no rule."""
    return []


def _always(nodes: list[Any], *arguments: Any) -> list[bool]:
    """Leave to the binding and narrative checks what they tell better."""
    return [True]


OPTIONS = {
    "userInvocationTable": {
        "hasValue": {"fn": _has_value, "arity": {0: []}},
        "resolve": {"fn": _nothing, "arity": {0: []}},
        "memberOf": {"fn": _always, "arity": {1: ["String"]}},
        "htmlChecks": {"fn": _always, "arity": {0: []}},
    },
    "traceFn": lambda *arguments: None,
}
