"""Slices, fixed values and patterns: which items of a list a profile speaks about, and what it says they equal."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from gateway.validation import extensions
from gateway.validation.definitions import NOTHING, DefinitionError, Node, Structure
from gateway.validation.references import target_types
from gateway.validation.run import Check, Place, Run
from gateway.validation.shapes import Slice

if TYPE_CHECKING:
    from gateway.validation.compiler import Compiler

Fits = Callable[[Any, Run], bool]


def fixed_check(fixed: Any) -> Check:
    """Return the check that a value equals the fixed one in every part."""

    def check(value: Any, place: Place, run: Run) -> None:
        if not is_same(value, fixed):
            run.error("fixed", place, f"expected the profile's fixed value{_shown(fixed)}, found another")

    return check


def pattern_check(pattern: Any) -> Check:
    """Return the check that a value holds everything the pattern holds."""

    def check(value: Any, place: Place, run: Run) -> None:
        if not holds_pattern(value, pattern):
            run.error("pattern", place, f"expected the profile's pattern{_shown(pattern)}, found something else")

    return check


def is_same(value: Any, fixed: Any) -> bool:
    """Compare two JSON values strictly: true is not 1."""
    return type(value) is type(fixed) and value == fixed


def holds_pattern(value: Any, pattern: Any) -> bool:
    """Tell whether a value holds a pattern: objects by their keys, lists by one match for each item of the pattern."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            key in value and holds_pattern(value[key], part) for key, part in pattern.items()
        )
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(holds_pattern(item, part) for item in value) for part in pattern)
    return is_same(value, pattern)


def _shown(expected: Any) -> str:
    """Show a profile's own value when it is short; it comes from the profile, never from the record."""
    if isinstance(expected, dict) and "coding" in expected:
        return f" {'|'.join(str(expected['coding'][0].get(key, '')) for key in ('system', 'code'))}"
    return f" {expected}" if isinstance(expected, str | int) else ""


def slices(structure: Structure, node: Node, stands_on: frozenset[str], compiler: "Compiler") -> Iterator[Slice]:
    """Yield the compiled slices of a repeating element; `stands_on` names the object it belongs to."""
    for name, part in node.slices.items():
        item = part.element.types[0] if part.element.types else None
        check = compiler.item_check(structure, part if part.children or not node.children else _with(part, node), item)
        fits = _fits(structure, node, part, compiler)
        if item and item.code == "Extension" and not part.children:
            check = extensions.dispatch(structure, part, check, stands_on, compiler)
        yield Slice(name, fits, check, part.element.least, part.element.most)


def _with(part: Node, whole: Node) -> Node:
    """Give a slice without children of its own those of the element it is a slice of."""
    return Node(part.element, whole.children, part.slices)


def _fits(structure: Structure, node: Node, part: Node, compiler: "Compiler") -> Fits:
    if any(item.code == "Extension" for item in part.element.types):
        return _has_url(extensions.slice_url(part, compiler))
    slicing = node.element.slicing
    if slicing is None or not slicing.discriminators:
        raise DefinitionError(f"{structure.url}: slice {part.element.id} has no discriminator; expected at least one")
    tests = [_discriminator(structure, part, kind, path, compiler) for kind, path in slicing.discriminators]
    return lambda item, run: all(test(item, run) for test in tests)


def _has_url(url: str | None) -> Fits:
    return lambda item, run: type(item) is dict and item.get("url") == url


def _discriminator(structure: Structure, part: Node, kind: str, path: str, compiler: "Compiler") -> Fits:
    steps = [] if path == "$this" else path.replace("$this.", "").split(".")
    if kind == "exists":
        end = _end(part, steps)
        wanted = end is None or end.element.least > 0 or end.element.most != 0
        return lambda item, run: any(True for _ in values(item, steps)) is wanted
    if kind in ("type", "profile"):
        return _type_test(part, steps, compiler)
    return _value_test(structure, part, steps, compiler)


def _value_test(structure: Structure, part: Node, steps: list[str], compiler: "Compiler") -> Fits:
    """Tell slices apart by value: a fixed value or pattern on the way, else by trying the element's own check."""
    expected = _expected(part, steps)
    if expected is not NOTHING:
        return lambda item, run: any(holds_pattern(value, expected) for value in values(item, steps))
    end = _end(part, steps)
    if end is None:
        raise DefinitionError(f"{structure.url}: slice {part.element.id} says nothing about {'.'.join(steps)}")
    check = compiler.item_check(structure, end, end.element.types[0] if end.element.types else None)

    def test(item: Any, run: Run) -> bool:
        return any(_passes(check, value, run) for value in values(item, steps))

    return test


def _passes(check: Check, value: Any, run: Run) -> bool:
    trial = run.trial()
    check(value, (None, "item", None), trial)
    return not any(finding.severity == "error" for finding in trial.found)


def _expected(part: Node, steps: list[str]) -> Any:
    """Follow a path through a slice and return the fixed value or pattern that decides it, if one does."""
    node: Node | None = part
    expected: Any = NOTHING
    for step in [None, *steps]:
        if step is not None:
            expected = _drill(expected, step)
            node = _child(node, step) if node else None
        if node is not None and node.element.fixed is not NOTHING:
            expected = node.element.fixed
        elif node is not None and node.element.pattern is not NOTHING:
            expected = node.element.pattern
    return expected


def _drill(expected: Any, step: str) -> Any:
    if isinstance(expected, list) and len(expected) == 1:
        expected = expected[0]
    return expected.get(step, NOTHING) if isinstance(expected, dict) else NOTHING


def _child(node: Node, step: str) -> Node | None:
    return node.children.get(step) or node.children.get(f"{step}[x]")


def _end(part: Node, steps: list[str]) -> Node | None:
    node: Node | None = part
    for step in steps:
        node = _child(node, step) if node else None
    return node


def _type_test(part: Node, steps: list[str], compiler: "Compiler") -> Fits:
    """Tell slices apart by the type of a choice, of an embedded resource or of what a reference leads to."""
    is_reference = bool(steps) and steps[-1] == "resolve()"
    way = steps[:-1] if is_reference else steps
    end = _end(part, way) or part
    types = _wanted_types(end, is_reference, compiler)

    def test(item: Any, run: Run) -> bool:
        return any(types is None or _type_of(value, is_reference, run) in types for value in values(item, way))

    return test


def _wanted_types(end: Node, is_reference: bool, compiler: "Compiler") -> frozenset[str] | None:
    if is_reference:
        return target_types(tuple(url for item in end.element.types for url in item.targets), compiler)
    profiled = target_types(tuple(url for item in end.element.types for url in item.profiles), compiler)
    return profiled or frozenset(item.code for item in end.element.types)


def _type_of(value: Any, is_reference: bool, run: Run) -> str | None:
    if type(value) is not dict:
        return None
    found = run.target_type(value) if is_reference else value.get("resourceType")
    return found if isinstance(found, str) else None


def values(item: Any, steps: list[str]) -> Iterator[Any]:
    """Yield what a discriminator path leads to, through lists and choice elements."""
    if isinstance(item, list):
        for part in item:
            yield from values(part, steps)
    elif not steps:
        yield item
    elif isinstance(item, dict):
        yield from _step(item, steps[0], steps[1:])


def _step(item: dict[str, Any], step: str, rest: list[str]) -> Iterator[Any]:
    if step.startswith("extension("):
        url = step.removeprefix("extension(").removesuffix(")").strip("'\"")
        held = item.get("extension")
        parts = held if isinstance(held, list) else []
        yield from values([part for part in parts if isinstance(part, dict) and part.get("url") == url], rest)
    elif step.startswith("ofType("):
        yield from values(item, rest)
    elif step in item:
        yield from values(item[step], rest)
    else:
        yield from (
            found
            for key in item
            if key.startswith(step) and key[len(step) : len(step) + 1].isupper()
            for found in values(item[key], rest)
        )
