"""What a record holds that no rule reads and nobody left out on purpose: reported, never dropped silently."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gateway.mapping.compile import CompiledMapping
from gateway.mapping.paths import TEXT
from gateway.mapping.scope import Scope

UNKNOWN = "unknown-field"

Place = tuple[int, str]
"""A member of one object of the tree: (identity of the object, name)."""


@dataclass(frozen=True, slots=True)
class Field:
    """A source field that holds a value."""

    path: str
    value: Any
    rules: tuple[str, ...]
    """Names (or `facts.<name>`, `key`) whose rules read it."""
    reason: str
    """Why it is left out on purpose; with neither rules nor reason nobody knows it."""


_STRUCTURE = ("@structures:", "@xsi:", "$id", "$ref", "$same", "@id", "@context", "@type")
"""Members that hold a document together and say nothing themselves."""


def note_unread(scope: Scope, mapping: CompiledMapping) -> None:
    """Leave a finding for each source field that has a value and that the mapping does not know."""
    if scope.record.columns is not None:
        for column in mapping.unknown_columns(scope.record.columns):
            if column in scope.root:
                scope.note(UNKNOWN, column, "this column is neither read nor left out by the mapping")
        return
    unread = [field.path for field in tree_fields(scope, mapping) if not field.rules and not field.reason]
    for path in dict.fromkeys(unread):
        scope.note(UNKNOWN, path, "this element is neither read nor left out by the mapping")


def tree_fields(scope: Scope, mapping: CompiledMapping) -> Iterator[Field]:
    """Yield every leaf of a tree that has a value, with the rules that read it or the reason why nobody does."""
    read: dict[Place, list[str]] = {}
    for owner, member, rule in scope.seen:
        read.setdefault((owner, member), []).append(rule)
    ignored = _left_out(scope, mapping)
    mark = "/" if mapping.layout.format == "niem" else "."
    for path, value, above in _leaves(scope.root, mark):
        rules = tuple(dict.fromkeys(read.get(above[-1], ())))
        reason = next((ignored[place] for place in above if place in ignored), "")
        yield Field(path, value, rules, "" if rules else reason)


def _left_out(scope: Scope, mapping: CompiledMapping) -> dict[Place, str]:
    """Walk the paths that are left out; the last step of each marks a whole branch."""
    ignored: dict[Place, str] = {}
    scope.node = scope.root
    for path, reason in mapping.left_out_paths:
        before = len(scope.seen)
        path.nodes(scope)
        ignored.update({(owner, member): reason for owner, member, _ in scope.seen[before:] if member == path.last})
        del scope.seen[before:]
    return ignored


def _leaves(root: dict[str, Any], mark: str) -> Iterator[tuple[str, Any, tuple[Place, ...]]]:
    """Yield (path, value, places on the way) of every leaf that has a value."""
    waiting: list[tuple[str, dict[str, Any], tuple[Place, ...]]] = [("", root, ())]
    while waiting:
        prefix, owner, above = waiting.pop()
        for member, value in owner.items():
            if member == TEXT or member.startswith(_STRUCTURE):  # an element's text was the leaf of its owner
                continue
            path = f"{prefix}{mark}{member}" if prefix else member
            here = (*above, (id(owner), member))
            for one in value if type(value) is list else (value,):
                leaf = one.get(TEXT) if type(one) is dict else one
                if type(one) is dict:
                    waiting.append((path, one, here))
                if leaf is not None and leaf != "":
                    yield path, leaf, here
