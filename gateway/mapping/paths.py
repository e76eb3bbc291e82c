"""The path languages: a column of a table, dotted members of JSON, element steps of NIEM; compiled to functions.

All work on plain data (dict, list, text, numbers), whatever the file was: `formats` has read it before. An XML element
is a dict of its children by `prefix:name`, attributes by `@prefix:name`, text as `#` where it has attributes too.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from gateway.mapping.scope import Scope

PathKind = Literal["column", "dotted", "slashed"]

Nodes = Callable[[Scope], list[Any]]
Step = Callable[[Scope, list[Any]], list[Any]]

TEXT = "#"
"""Member that holds an XML element's text where the element has attributes."""

_FILTER = re.compile(r"\[([^\]]*)\]")
_CONDITION = re.compile(r"(?P<path>.+?)\s*(?P<operator>!?=)\s*(?P<quote>['\"])(?P<value>.*)(?P=quote)")


class PathError(ValueError):
    """A path that cannot be read; the text says what was expected."""


@dataclass(frozen=True, slots=True)
class Path:
    """A compiled path."""

    source: str
    """As the pack writes it."""
    last: str
    """Name of its last step."""
    columns: frozenset[str]
    """Columns it needs (tables only)."""
    text: Callable[[Scope], str | None]
    """The first text, trimmed; None when there is none or it is blank."""
    nodes: Nodes
    """Everything the path leads to."""

    def texts(self, scope: Scope) -> list[str]:
        """Return every text it leads to, without the blank ones."""
        if self.columns:  # rows hold nothing but texts that are not blank
            return self.nodes(scope)
        return [text for node in self.nodes(scope) if (text := leaf_text(scope, node)) is not None]


def compile_path(source: str, kind: PathKind) -> Path:
    """Compile a path of the given language.

    Raises:
        PathError: it is empty, or a filter in it cannot be read.
    """
    if source.strip() == "":
        raise PathError("expected a path, found an empty text")
    if source == ".":
        return Path(source, ".", frozenset(), lambda scope: leaf_text(scope, scope.node), lambda scope: [scope.node])
    if kind == "column":
        return _column(source)
    steps, last, absolute = _steps(source, kind)

    def nodes(scope: Scope) -> list[Any]:
        current = [scope.root if absolute else scope.node]
        for step in steps:
            current = step(scope, current)
            if not current:
                break
        return current

    def text(scope: Scope) -> str | None:
        return next((found for node in nodes(scope) if (found := leaf_text(scope, node)) is not None), None)

    return Path(source, last, frozenset(), text, nodes)


def _column(name: str) -> Path:
    """A column of the current row, or of the record: then every row's value counts, and `text` is the first of them."""

    def text(scope: Scope) -> str | None:
        node = scope.node
        value: str | None = node.get(name) if type(node) is dict else None
        return value

    def nodes(scope: Scope) -> list[Any]:
        if scope.node is scope.root and len(scope.rows) > 1:
            return [row[name] for row in scope.rows if name in row]
        value = text(scope)
        return [] if value is None else [value]

    return Path(name, name, frozenset({name}), text, nodes)


def leaf_text(scope: Scope, node: Any) -> str | None:
    """Return the text of a leaf as a person would write it, or None for blanks, objects and null."""
    if type(node) is dict:
        node = scope.follow(node).get(TEXT)
    if isinstance(node, str):
        return node.strip() or None
    if isinstance(node, bool):
        return "true" if node else "false"
    if isinstance(node, int | Decimal):
        return str(node)
    return None


def split_path(source: str, kind: PathKind) -> list[tuple[str, bool]]:
    """Split a path into (step with its filters, whether it is looked for at any depth)."""
    mark = "." if kind == "dotted" else "/"
    parts: list[tuple[str, bool]] = []
    current, depth, anywhere = "", 0, False
    for character in source:
        depth += (character in "[{") - (character in "]}")
        if character != mark or depth:
            current += character
        elif current:
            parts.append((current, anywhere))
            current, anywhere = "", False
        else:
            anywhere = True
    if depth:
        raise PathError(f"expected every '[' and '{{' to be closed in {source!r}")
    return [*parts, (current, anywhere)] if current else parts


def _steps(source: str, kind: PathKind) -> tuple[list[Step], str, bool]:
    absolute = source.startswith("$.") if kind == "dotted" else source.startswith("/") and not source.startswith("//")
    body = source.removeprefix("$.") if kind == "dotted" else source.removeprefix("/") if absolute else source
    steps: list[Step] = []
    name = ""
    for part, anywhere in split_path(body, kind):
        name, *_ = part.split("[", 1)
        if not name and not steps:
            raise PathError(f"expected a name before '[' in {source!r}")
        steps.append(_descend(name) if anywhere else _child(name))
        steps.extend(_filter(text, kind) for text in _FILTER.findall(part))
    if not steps:
        raise PathError(f"expected at least one name in {source!r}")
    return steps, name, absolute


def _child(name: str) -> Step:
    def step(scope: Scope, nodes: list[Any]) -> list[Any]:
        found: list[Any] = []
        for node in nodes:
            owner = scope.follow(node)
            value = owner.get(name) if type(owner) is dict else None
            if value is None and type(owner) is dict and "$same" in owner:
                owner, value = _described_elsewhere(scope, owner, name)
            if value is None:
                continue
            scope.seen.append((id(owner), name, scope.rule))
            if type(value) is list:
                found += value
            else:
                found.append(value)
        return found

    return step


def _described_elsewhere(scope: Scope, owner: dict[str, Any], name: str) -> tuple[dict[str, Any], Any]:
    """Look for a member in the other places of a message that describe the same object (NIEM `structures:uri`)."""
    for other in scope.references.get(("same", owner["$same"]), ()):
        if name in other:
            return other, other[name]
    return owner, None


def _descend(name: str) -> Step:
    child = _child(name)

    def step(scope: Scope, nodes: list[Any]) -> list[Any]:
        found: list[Any] = []
        waiting = list(reversed(nodes))
        while waiting:
            node = waiting.pop()
            if type(node) is list:
                waiting.extend(reversed(node))
            elif type(node) is dict:
                found += child(scope, [node]) if name in node else []
                waiting.extend(value for value in reversed(node.values()) if type(value) in (dict, list))
        return found

    return step


def _filter(text: str, kind: PathKind) -> Step:
    if text.isdecimal():
        position = int(text)
        return lambda scope, nodes: nodes[position - 1 : position]
    condition = _CONDITION.fullmatch(text)
    if condition is None:
        if re.search(r"[='\"<>()]", text):
            raise PathError(f"expected [2], [name] or [name='value'], found [{text}]")
        inner = compile_path(text, kind)
        return lambda scope, nodes: [node for node in nodes if _at(scope, node, inner.nodes)]
    path, wanted, equal = compile_path(condition["path"], kind), condition["value"], condition["operator"] == "="
    return lambda scope, nodes: [node for node in nodes if (wanted in _at(scope, node, path.texts)) is equal]


def _at(scope: Scope, node: Any, run: Nodes | Callable[[Scope], list[str]]) -> list[Any]:
    """Run a path with `node` as the place to start from."""
    before, scope.node = scope.node, node
    try:
        return run(scope)
    finally:
        scope.node = before
