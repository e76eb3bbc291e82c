"""What a record holds that no rule reads and nobody left out on purpose: reported, never dropped silently."""

from collections.abc import Iterator
from typing import Any

from gateway.mapping.compile import CompiledMapping
from gateway.mapping.paths import TEXT
from gateway.mapping.scope import Scope

UNKNOWN = "unknown-field"

_STRUCTURE = ("@structures:", "@xsi:", "$id", "$ref", "$same", "@id", "@context", "@type")
"""Members that hold a document together and say nothing themselves."""


def note_unread(scope: Scope, mapping: CompiledMapping) -> None:
    """Leave a finding for each source field that has a value and that the mapping does not know."""
    if scope.record.columns is not None:
        for column in mapping.unknown_columns(scope.record.columns):
            if column in scope.root:
                scope.note(UNKNOWN, column, "this column is neither read nor left out by the mapping")
        return
    for path in dict.fromkeys(path for path, status, _ in tree_fields(scope, mapping) if status == "unknown"):
        scope.note(UNKNOWN, path, "this element is neither read nor left out by the mapping")


def tree_fields(scope: Scope, mapping: CompiledMapping) -> Iterator[tuple[str, str, str]]:
    """Yield (path, status, rule or reason) of every leaf with a value: read, ignored or unknown."""
    read: dict[tuple[int, str], str] = {(owner, member): rule for owner, member, rule in scope.seen}
    ignored = _left_out(scope, mapping)
    mark = "/" if mapping.layout.format == "niem" else "."
    for path, owner, member, above in _leaves(scope.root, mark):
        reason = next((ignored[place] for place in above if place in ignored), None)
        if (id(owner), member) in read:
            yield path, "read", read[id(owner), member]
        elif reason is not None:
            yield path, "ignored", reason
        else:
            yield path, "unknown", ""


def _left_out(scope: Scope, mapping: CompiledMapping) -> dict[tuple[int, str], str]:
    """Walk the paths that are left out; the last step of each marks a whole branch."""
    ignored: dict[tuple[int, str], str] = {}
    scope.node = scope.root
    for path, reason in mapping.left_out_paths:
        before = len(scope.seen)
        path.nodes(scope)
        last = path.source.replace("//", "/").rsplit("/", 1)[-1].rsplit(".", 1)[-1].split("[", 1)[0]
        ignored.update({(owner, member): reason for owner, member, _ in scope.seen[before:] if member == last})
        del scope.seen[before:]
    return ignored


Place = tuple[int, str]


def _leaves(root: dict[str, Any], mark: str) -> Iterator[tuple[str, dict[str, Any], str, tuple[Place, ...]]]:
    """Yield (path, owner, member, places on the way) of every leaf that has a value."""
    waiting: list[tuple[str, dict[str, Any], tuple[Place, ...]]] = [("", root, ())]
    while waiting:
        prefix, owner, above = waiting.pop()
        for member, value in owner.items():
            if member == TEXT or member.startswith(_STRUCTURE):  # an element's text was the leaf of its owner
                continue
            path = f"{prefix}{mark}{member}" if prefix else member
            here = (*above, (id(owner), member))
            for one in value if type(value) is list else (value,):
                if type(one) is dict:
                    waiting.append((path, one, here))
                    one = one.get(TEXT)
                if one is not None and one != "":
                    yield path, owner, member, here
