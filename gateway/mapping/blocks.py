"""The blocks of `write:`: resources in order, loops around them, and what each element is made from."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from gateway.mapping.compiler import Location, kind_of
from gateway.mapping.nodes import Node, compile_members, compile_node, compile_parts, compile_write_condition
from gateway.mapping.writer import Variables, Writer, WriteScope
from gateway.model.draft import Origin

Block = Callable[[Variables, Writer], None]

_RESOURCE_WORDS = {"name", "resource", "when", "each", "as", "key", "id", "scope", "author", "let", "set"}
_GROUP_WORDS = {"each", "as", "when", "let", "do"}


@dataclass(frozen=True, slots=True)
class BlockInfo:
    """What `mapping explain` has to know of a block."""

    name: str
    resource: str
    at: Location
    leaves: tuple[tuple[str, tuple[str, ...]], ...]
    """(element path without indexes, variables it is made from as dotted text)."""


@dataclass
class BlockList:
    """The blocks of a template or pack while they are compiled."""

    scope: WriteScope
    infos: list[BlockInfo] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    """Loop variable -> the dotted name it runs over, for the trace."""

    def compile(self, nodes: Any, at: Location) -> list[Block]:
        """Compile a list of blocks."""
        if not isinstance(nodes, list):
            self.scope.problem(at, f"expected a list of blocks, found {kind_of(nodes)}")
            return []
        return [self._one(node, (*at, n)) for n, node in enumerate(nodes)]

    def _one(self, node: Any, at: Location) -> Block:
        is_group = isinstance(node, dict) and "do" in node
        words = _GROUP_WORDS if is_group else _RESOURCE_WORDS
        if not isinstance(node, dict) or not (is_group or {"name", "resource", "id", "set"} <= set(node)):
            self.scope.problem(at, "expected a block with name, resource, id and set, or a group with do")
            return lambda v, w: None
        for unknown in sorted(set(node) - words):
            self.scope.problem((*at, unknown), f"expected one of {', '.join(sorted(words))}, found {unknown!r}")
        variable = str(node.get("as", "item"))
        if "each" in node:
            self.aliases[variable] = str(node["each"]).removeprefix("$")
        names = self._names(node, at)
        condition = compile_write_condition(self.scope, node["when"], (*at, "when")) if "when" in node else None
        inner = self._group(node, at) if is_group else self._resource(node, at, variable if "each" in node else None)

        def run(v: Variables, w: Writer) -> None:
            for name, value in names:
                v[name] = value(v, w)
            if condition is None or condition(v, w):
                inner(v, w)

        return self._loop(node, at, variable, run) if "each" in node else run

    def _names(self, node: dict[str, Any], at: Location) -> list[tuple[str, Node]]:
        names = []
        for name, value in (node.get("let") or {}).items():
            names.append((str(name), compile_node(self.scope, value, (*at, "let", name))))
            self.aliases[str(name)] = next(iter(variables_of(value)), "")
        return names

    def _loop(self, node: dict[str, Any], at: Location, variable: str, run: Block) -> Block:
        items = compile_node(self.scope, node["each"], (*at, "each"))

        def loop(v: Variables, w: Writer) -> None:
            for item in items(v, w) or ():
                v[variable] = item
                run(v, w)

        return loop

    def _group(self, node: dict[str, Any], at: Location) -> Block:
        blocks = self.compile(node["do"], (*at, "do"))

        def run(v: Variables, w: Writer) -> None:
            for block in blocks:
                block(v, w)

        return run

    def _resource(self, node: dict[str, Any], at: Location, variable: str | None) -> Block:
        name, kind = str(node["name"]), str(node["resource"])
        parts = compile_parts(self.scope, list(node["id"]), (*at, "id"))
        hangs_on = compile_node(self.scope, node.get("scope", "record"), (*at, "scope"))
        key_of = compile_node(self.scope, node["key"], (*at, "key")) if "key" in node else None
        author_of = compile_node(self.scope, node.get("author", "$default_author"), (*at, "author"))
        body = compile_members(self.scope, {"resourceType": kind, "id": "$self", **node["set"]}, (*at, "set"))
        index = len(self.infos)
        self.infos.append(BlockInfo(name, kind, at, tuple(self._leaves(node["set"], ""))))
        self.scope.blocks.add(name)

        def run(v: Variables, w: Writer) -> None:
            v["self"] = w.id_of(hangs_on(v, w), parts(v, w))
            reference = f"{kind}/{v['self']}"
            w.refs[name] = reference
            if key_of is not None:
                w.refs[name, key_of(v, w)] = reference
            if reference in w.written:  # one organization behind two authors is written once
                return
            item = v.get(variable) if variable is not None else None
            w.lists.setdefault(name, []).append(reference)
            origin = Origin(index, item if type(item) is dict else None)
            w.add(reference, body(v, w), origin, author_of(v, w) or None)

        return run

    def _leaves(self, node: Any, path: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        if isinstance(node, dict) and not any(str(name).startswith("$") for name in node):
            for name, value in node.items():
                yield from self._leaves(value, f"{path}.{name}" if path else str(name))
        elif isinstance(node, list):
            for value in node:
                yield from self._leaves(value, path)
        else:
            yield path, tuple(dict.fromkeys(self._resolved(name) for name in variables_of(node)))

    def _resolved(self, name: str) -> str:
        """Put the list a loop variable runs over in place of the variable."""
        root, _, rest = name.partition(".")
        while root in self.aliases and self.aliases[root] != root:
            root = self.aliases[root]
        return f"{root}.{rest}" if rest else root


def variables_of(node: Any) -> Iterator[str]:
    """Yield the variables that a node names, inner loop variables replaced by what they run over."""
    if isinstance(node, str):
        if node.startswith("$") and not node.startswith("$$"):
            yield node[1:]
    elif isinstance(node, list):
        for value in node:
            yield from variables_of(value)
    elif isinstance(node, dict):
        variable, runs_over = str(node.get("$as", "item")), str(node.get("$each", "")).removeprefix("$")
        for name, value in node.items():
            for found in variables_of(value) if name != "$as" else ():
                root, _, rest = found.partition(".")
                is_item = "$each" in node and root == variable and name != "$each"
                yield (f"{runs_over}.{rest}" if rest else runs_over) if is_item else found
