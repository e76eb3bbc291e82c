"""Compile a pack once, at start: YAML becomes closures over fields, and every mistake is told with file and line."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from gateway.formats.hl7v2.maps.pack import CompiledPack, Fill, Make, Names, Node, Opening, Row, Way, nodes_of
from gateway.formats.hl7v2.maps.places import compile_constant, parse_target, references_in
from gateway.formats.hl7v2.maps.rows import (
    VARIABLE_CONTENT,
    Place,
    RowError,
    any_of,
    claims,
    compile_row,
    conditions_of,
)
from gateway.formats.hl7v2.maps.terms import TermTable
from gateway.model.errors import ConfigurationError
from gateway.model.zones import zone_named

Location = tuple[str | int, ...]
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class PackSource:
    """A YAML document as the catalog hands it in: content, and how to tell a place in it."""

    name: str
    content: dict[str, Any]
    where: Callable[[Location], str]
    """`file:line:column` of a part."""


def compile_pack(
    pack: PackSource,
    segments: Mapping[str, PackSource],
    tables: Mapping[str, TermTable],
    overlay: PackSource | None = None,
) -> CompiledPack:
    """Compile a pack with the segment maps it names, and the changes of one partner where there are some.

    Raises:
        ConfigurationError: one line for each mistake, `file:line:column: what was expected, what was found`.
    """
    changes = overlay.content if overlay else {}
    compiler = _Compiler(segments, tables, overlay)
    children = [*compiler.nodes(pack, pack.content["structure"], ("structure",))]
    root = Node(segment="", children=(*children, *compiler.unplaced()))
    _connect(root)
    zone = compiler.zone()
    if compiler.problems:
        raise ConfigurationError("\n".join(compiler.problems))
    return CompiledPack(
        name=pack.content["pack"],
        title=pack.content["title"],
        reads=frozenset((code, event) for code, _, event in (one.partition("^") for one in pack.content["reads"])),
        writes=dict(pack.content.get("writes") or {}),
        root=root,
        shown=_shown(root),
        foreign={row.path: (row.rule, row.target) for node in nodes_of(root) for row in node.rows if not row.field},
        names=Names(changes.get("code_systems") or {}, changes.get("assigners") or {}),
        zone=zone,
        charset=str(changes.get("charset", "")),
    )


_COUNT = {"write": "$number"}
_TRAVELS = ("$notice", "$scope", "$labels")
"""What must travel with content (42 CFR 2.32); no partner's file changes a map that writes one of these."""
_OFFSET = re.compile(r"[+-]\d{4}")
_LINKS = ("via", "also")
"""What a place in the structure may say of the resource that its segment opens."""


class _Compiler:
    """The segment maps and tables at hand, what a partner changes, and the mistakes found so far."""

    def __init__(
        self, segments: Mapping[str, PackSource], tables: Mapping[str, TermTable], overlay: PackSource | None
    ) -> None:
        self.problems: list[str] = []
        self._segments = segments
        self._tables = tables
        self._overlay = overlay
        self._changed: dict[str, Any] = (overlay.content.get("rows") or {}) if overlay else {}
        self._placed: set[str] = set()

    def nodes(self, source: PackSource, items: Any, at: Location) -> Iterator[Node]:
        """Compile a list: `PID`, `{PID: [children]}` or `{OBX: {map: ..., when: ..., then: [...]}}`."""
        for n, item in enumerate(items or ()):
            for segment, body in [(item, {})] if isinstance(item, str) else item.items():
                here: Location = (*at, n) if isinstance(item, str) else (*at, n, segment)
                yield self._node(source, str(segment), body if isinstance(body, dict) else {"then": body}, here)

    def _node(self, source: PackSource, segment: str, told: Mapping[str, Any], at: Location) -> Node:
        name = str(told.get("map", segment))
        found = self._segments.get(name)
        self._placed.add(segment)
        if found is None:
            self._problem(source, at, f"expected a segment map, found {name!r}")
            return Node(segment)
        node = self._compiled(segment, name, found, told)
        node.children = tuple(self.nodes(source, told.get("then"), (*at, "then") if "then" in told else at))
        return node

    def unplaced(self) -> Iterator[Node]:
        """Compile the segments that only a partner has (Z segments): they fill what is open."""
        for segment in sorted({str(path)[:3] for path in self._changed} - self._placed):
            assert self._overlay is not None
            empty = PackSource(self._overlay.name, {"rows": {}}, self._overlay.where)
            yield self._compiled(segment, "", empty, {})

    def zone(self) -> str:
        """Return the offset or zone of a partner's clocks, "" for none."""
        told = str(self._overlay.content.get("zone", "")) if self._overlay else ""
        if self._overlay and told and not _OFFSET.fullmatch(told) and zone_named(told) is None:
            self._problem(self._overlay, ("zone",), "expected an offset (-0800) or a zone (America/Los_Angeles)")
        return told

    def _compiled(self, segment: str, name: str, source: PackSource, told: Mapping[str, Any]) -> Node:
        content = source.content
        resources = dict(content.get("resources") or {})
        if resources:
            first = next(iter(resources))
            opened = resources[first] or {}
            links = {word: told[word] for word in _LINKS if word in told}
            resources[first] = {
                **opened,
                **links,
                "default": {**(opened.get("default") or {}), **(told.get("default") or {})},
            }
        openings = tuple(self._opening(source, one, resources) for one in resources)
        rows = tuple(self._rows(segment, name, source))
        left_out = {**(content.get("left_out") or {}), **self._also_left_out(segment)}
        conditions = {**(content.get("when") or {}), **(told.get("when") or {})}
        return Node(
            segment,
            openings=openings,
            closing=tuple(sorted(openings, key=lambda one: one.joins)),
            rows=rows,
            left_out={self._field(source, path): str(why) for path, why in left_out.items()},
            only_with=self._only_with(source),
            kept={self._field(source, path): str(why) for path, why in (content.get("kept") or {}).items()},
            elsewhere={self._field(source, path): str(what) for path, what in (content.get("elsewhere") or {}).items()},
            numbers=frozenset(Place.of(path).field for path, one in source.content["rows"].items() if one == _COUNT),
            when=self._try(source, ("when",), lambda: conditions_of(conditions)) or (),
            once=content.get("once") or "",
            fills=tuple(_fills(rows)),
        )

    def _also_left_out(self, segment: str) -> dict[str, Any]:
        told = (self._overlay.content.get("left_out") or {}) if self._overlay else {}
        return {path: why for path, why in told.items() if str(path).startswith(f"{segment}-")}

    def _only_with(self, source: PackSource) -> frozenset[int]:
        told = source.content.get("only_with")
        return frozenset(self._field(source, path) for path in told) if told else frozenset(range(1, 1000))

    def _field(self, source: PackSource, path: Any) -> int:
        place = self._try(source, ("left_out", path), lambda: Place.of(str(path)))
        return place.field if place else 0

    def _opening(self, source: PackSource, name: str, resources: Mapping[str, Any]) -> Opening:
        told = resources[name] or {}
        at: Location = ("resources", name)
        inside = None
        if "in" in told:
            owner, steps = self._way(source, str(told["in"]), at)
            if len(steps) != 1:
                self._problem(source, at, "expected a part to stand in an element of an open resource, like X.note[]")
            inside = (owner, *steps[0]) if len(steps) == 1 else None
        constants = dict(told.get("set") or {})
        filled = {**constants, **(told.get("default") or {})}
        return Opening(
            name=name,
            resource_type="" if "in" in told else str(told.get("type", name)),
            inside=inside,
            keys=tuple(tuple(self._key_part(source, part, at) for part in one) for one in told.get("key") or ()),
            constants=tuple((element, compile_constant(value)) for element, value in filled.items()),
            pattern=constants,
            others=tuple(told.get("not") or ()),
            via=self._way(source, str(told["via"]), at) if "via" in told else None,
            also=tuple(self._also(source, one, at) for one in told.get("also") or ()),
            each=bool(told.get("each")),
            shares=tuple((str(element), str(other)) for element, other in (told.get("shares") or {}).items()),
            joins=bool(told.get("joins")),
            implied=_implied(name, resources),
            needs=frozenset(told.get("needs") or ()),
            unfilled=frozenset(told.get("needs") or ()) - filled.keys(),
            late=tuple((element, compile_constant(value)) for element, value in (told.get("late") or {}).items()),
        )

    def _rows(self, segment: str, name: str, source: PackSource) -> Iterator[Row]:
        rows = dict(source.content.get("rows") or {})
        sources = dict.fromkeys(rows, source)
        is_fixed = any(one.get("write") in _TRAVELS for told in rows.values() for one in _specs(told))
        for path, told in self._changed.items():
            if self._overlay is None or not str(path).startswith(f"{segment}-") or not _is_meant(told, name):
                continue
            if not is_fixed:
                rows[path], sources[path] = told, self._overlay
            elif any("map" in one for one in _specs(told)):
                message = f"expected a map that a partner may change, found {name}: it writes what must travel"
                self._problem(self._overlay, ("rows", path), message)
        for path, told in rows.items():
            for n, one in enumerate(told if isinstance(told, list) else [told]):
                at: Location = ("rows", path, n) if isinstance(told, list) else ("rows", path)
                spec = {"to": one} if isinstance(one, str) else dict(one or {})
                # B023: `_try` calls the lambda at once, before the loop goes on.
                row = self._try(sources[path], at, lambda: self._row(segment, str(path), spec, rows, sources, at))  # noqa: B023
                if row is not None:
                    yield row

    def _row(
        self,
        segment: str,
        path: str,
        told: Mapping[str, Any],
        rows: Mapping[str, Any],
        sources: Mapping[str, PackSource],
        at: Location,
    ) -> Row:
        place = Place.of(path)
        table = self._table(told)
        alone = "if" not in told and _rows_of_field(rows, path) == 1
        claimed = claims(rows, path, str(told.get("to", "")))
        fill, take = compile_row(place, segment, told, table, claimed, alone=alone)
        content = str(told.get("to", "")) or (told["write"] if told["write"] in VARIABLE_CONTENT else "")
        where = sources[path].where(at)
        field = place.field if place.segment == segment else 0
        return Row(path, field, place.component, content, where.rpartition(":")[0], where, fill, take, alone)

    def _table(self, told: Mapping[str, Any]) -> TermTable | None:
        if "table" not in told:
            return None
        found = self._tables.get(str(told["table"]))
        if found is None:
            raise RowError(f"expected a table of mappings/hl7v2/tables, found {told['table']!r}")
        return found

    def _way(self, source: PackSource, target: str, at: Location) -> Way:
        try:
            return parse_target(target)
        except ValueError as error:
            self._problem(source, at, str(error))
            return "", ()

    def _key_part(self, source: PackSource, part: Any, at: Location) -> tuple[str, int, int]:
        place = self._try(source, at, lambda: Place.of(str(part))) if "-" in str(part) else None
        return (place.path, place.field, place.component) if place else (str(part), 0, 0)

    def _also(self, source: PackSource, told: Any, at: Location) -> tuple[Way, Make | None]:
        if isinstance(told, str):
            return self._way(source, told, at), None
        return self._way(source, str(told["to"]), at), compile_constant(told["with"])

    def _try(self, source: PackSource, at: Location, make: Callable[[], Made]) -> Made | None:
        try:
            return make()
        except RowError as error:
            self._problem(source, at, str(error))
            return None

    def _problem(self, source: PackSource, at: Location, message: str) -> None:
        self.problems.append(f"{source.where(at)}: {'.'.join(map(str, at))}: {message}")


def _rows_of_field(rows: Mapping[str, Any], path: str) -> int:
    """Count the rows that take some part of the field of a path."""
    field = path.partition(".")[0]
    return sum(
        len(told) if isinstance(told, list) else 1 for one, told in rows.items() if one.partition(".")[0] == field
    )


def _fills(rows: Iterable[Row]) -> Iterator[tuple[int, Fill]]:
    """Yield what to do with each field; of one with several rows it is told together whether any took it."""
    shared: dict[int, list[tuple[Fill, str]]] = {}
    for row in rows:
        if row.fill is not None and row.field and not row.alone:
            shared.setdefault(row.field, []).append((row.fill, row.target))
    for row in rows:
        if row.fill is not None and (row.alone or not row.field):
            yield row.field, row.fill
        elif row.fill is not None and row.field in shared:
            yield row.field, any_of(row.field, shared.pop(row.field))


def _shown(root: Node) -> dict[str, str]:
    """Return target -> FHIR element of every row of the structure."""
    openings = {opening.name: opening for node in nodes_of(root) for opening in node.openings}

    def element(name: str) -> str:
        opening = openings.get(name)
        if opening is None or opening.inside is None:
            return opening.resource_type if opening else name
        owner, inner, is_list = opening.inside
        return f"{element(owner)}.{inner}{'[]' if is_list else ''}"

    targets = {row.target for node in nodes_of(root) for row in node.rows if row.target}
    return {target: ".".join((element(name), *rest)) for target in targets for name, *rest in [target.split(".")]}


def _specs(told: Any) -> list[dict[str, Any]]:
    """Return the rows of one field that are more than a target."""
    return [one for one in (told if isinstance(told, list) else [told]) if isinstance(one, dict)]


def _is_meant(told: Any, name: str) -> bool:
    """A partner's row may say which of several maps of its segment it belongs to."""
    first = told[0] if isinstance(told, list) and told else told
    return not isinstance(first, dict) or first.get("map") in (None, name)


def _implied(name: str, resources: Mapping[str, Any]) -> Way | None:
    """Return where another resource of the same segment refers to this one; the first one of all leads the others."""
    if name == next(iter(resources)):
        return None
    for other, told in resources.items():
        for found, steps in references_in((told or {}).get("set") or {}):
            if found == name and other != name:
                return other, steps
    return None


def _connect(root: Node) -> None:
    """Give every node the segments that may follow it: its children, its siblings, its parents', then any at all."""
    anywhere: dict[str, list[Node]] = {}
    for node in nodes_of(root):
        anywhere.setdefault(node.segment, []).append(node)

    def connect(node: Node, above: dict[str, tuple[Node, ...]]) -> None:
        own: dict[str, list[Node]] = {}
        for child in node.children:
            own.setdefault(child.segment, []).append(child)
        # Where no node here is meant (`when`), one further up may be.
        node.next = {**above, **{segment: (*nodes, *above.get(segment, ())) for segment, nodes in own.items()}}
        below = {opening.name for child in node.children for one in nodes_of(child) for opening in one.openings}
        node.closes = tuple(sorted(below - {opening.name for opening in node.openings}))
        for child in node.children:
            connect(child, node.next)

    connect(root, {segment: tuple(nodes) for segment, nodes in anywhere.items() if segment})
