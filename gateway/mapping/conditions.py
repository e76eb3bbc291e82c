"""Conditions of the read layer: has, is, checked, read, not, every, any."""

from collections.abc import Callable
from typing import Any

from gateway.mapping.answers import compile_marks
from gateway.mapping.codes import fold
from gateway.mapping.compiler import Compiler, Location, kind_of
from gateway.mapping.scope import Scope

Condition = Callable[[Scope], bool]

WORDS = ("read", "has", "is", "checked", "not", "every", "any")
"""`read` first: `is` is an option of it."""


def compile_condition(compiler: Compiler, node: Any, at: Location) -> Condition:
    """Compile a condition; a mistake is noted in the compiler."""
    word = next((word for word in WORDS if isinstance(node, dict) and word in node), None)
    if word is None:
        compiler.problem(at, f"expected a condition ({', '.join(WORDS)}), found {kind_of(node)}")
        return lambda scope: False
    if word == "read":
        return _read(compiler, node, at)
    if len(node) > 1:
        compiler.problem(at, f"expected nothing beside {word!r} in a condition, found {', '.join(set(node) - {word})}")
    return _COMPILERS[word](compiler, node[word], (*at, word))


def _has(compiler: Compiler, node: Any, at: Location) -> Condition:
    nodes = compiler.path(node, at, many=True).nodes
    return lambda scope: bool(nodes(scope))


def _is(compiler: Compiler, node: Any, at: Location) -> Condition:
    if not isinstance(node, list) or len(node) < 2:
        compiler.problem(at, "expected [PATH, VALUE, ...]")
        return lambda scope: False
    path = compiler.path(node[0], (*at, 0), many=True)
    wanted = _folded(compiler, node[1:], at)
    texts = path.texts

    def run(scope: Scope) -> bool:
        found = texts(scope)
        return bool(found) and any(fold(text) in wanted for text in found)

    return run


def _folded(compiler: Compiler, values: list[Any], at: Location) -> frozenset[str]:
    for n, value in enumerate(values):
        if isinstance(value, bool):
            compiler.problem(at, f"value {n + 1}: YAML reads this word as true or false; put it in quotes")
    return frozenset(fold(str(value)) for value in values)


def _checked(compiler: Compiler, node: Any, at: Location) -> Condition:
    return compile_marks([compiler.path(one, at, many=True) for one in (node if isinstance(node, list) else [node])])


def _read(compiler: Compiler, node: dict[str, Any], at: Location) -> Condition:
    value = compile_name(compiler, node["read"], (*at, "read"))
    if "is" not in node:
        return lambda scope: value(scope) is not None
    values = node["is"] if isinstance(node["is"], list) else [node["is"]]
    wanted = _folded(compiler, values, (*at, "is"))
    return lambda scope: fold(str(value(scope))) in wanted


def compile_name(compiler: Compiler, node: Any, at: Location) -> Callable[[Scope], Any]:
    """Compile `read: NAME` or `read: NAME.member`: a value that was read before."""
    name, *members = str(node).split(".")
    if name not in compiler.names:
        known = ", ".join(compiler.names) or "none so far"
        compiler.problem(at, f"expected a name read before this line ({known}), found {name!r}")
    compiler.depends_on(name)

    def run(scope: Scope) -> Any:
        value = scope.names.get(name)
        for member in members:
            value = value[0] if isinstance(value, list) and value else value
            value = value.get(member) if isinstance(value, dict) else None
        return value

    return run


def _not(compiler: Compiler, node: Any, at: Location) -> Condition:
    inner = compile_condition(compiler, node, at)
    return lambda scope: not inner(scope)


def _several(compiler: Compiler, node: Any, at: Location) -> list[Condition]:
    if not isinstance(node, list):
        compiler.problem(at, f"expected a list of conditions, found {kind_of(node)}")
        return []
    return [compile_condition(compiler, one, (*at, n)) for n, one in enumerate(node)]


def _every(compiler: Compiler, node: Any, at: Location) -> Condition:
    inner = _several(compiler, node, at)
    return lambda scope: all(condition(scope) for condition in inner)


def _any(compiler: Compiler, node: Any, at: Location) -> Condition:
    inner = _several(compiler, node, at)
    return lambda scope: any(condition(scope) for condition in inner)


_COMPILERS: dict[str, Callable[[Compiler, Any, Location], Condition]] = {
    "has": _has, "is": _is, "checked": _checked, "not": _not, "every": _every, "any": _any,
}  # fmt: skip
