"""Say where each element came from, and what became of each source field: for people who write or check a mapping."""

from collections.abc import Container, Iterable, Iterator
from typing import Any

from gateway.mapping.apply import reread
from gateway.mapping.compile import CompiledMapping
from gateway.mapping.leftovers import Field, tree_fields
from gateway.mapping.paths import PathKind, split_path
from gateway.mapping.scope import Context, Scope
from gateway.model.draft import Draft, FieldStatus, Origin, TraceLine
from gateway.model.source_record import SourceRecord

_KEPT = ("unmapped-code", "unmapped-value")


def explain(record: SourceRecord, draft: Draft, mapping: CompiledMapping, context: Context) -> list[TraceLine]:
    """Return a line for each pair of element and source field, then one for each field that filled no element.

    Every source field that holds a value occurs. Status: `mapped`; `kept` = as text, because its code is not in the
    table; `ignored` = left out on purpose, and the rule says why; `unknown` = the mapping does not know the field.
    """
    scope = reread(record, mapping, context)
    fields = list(tree_fields(scope, mapping)) if record.columns is None else list(_columns(scope, mapping))
    kept = {_last(finding.location, mapping) for finding in draft.findings if finding.rule in _KEPT}
    trace = _Trace(mapping, fields, kept)
    lines: list[TraceLine] = []
    for entry, origin in zip(draft.bundle["entry"], draft.origins, strict=True):
        lines += _each_once(trace.entry(entry, origin))  # an element with several parts is one element
    lines += trace.facts()
    return [*lines, *trace.rest({line.path for line in lines})]


def _each_once(lines: Iterable[TraceLine]) -> Iterator[TraceLine]:
    seen: set[tuple[str, str, str]] = set()
    for line in lines:
        key = (line.path, line.rule, line.target)
        if key not in seen:
            seen.add(key)
            yield line


def _columns(scope: Scope, mapping: CompiledMapping) -> Iterator[Field]:
    readers: dict[str, list[str]] = {}
    for place, paths in mapping.places.items():
        name = place if place.startswith("facts.") else place.split(".")[0]
        for path in paths:
            readers.setdefault(path, []).append(name)
    for key in mapping.key:
        readers.setdefault(key.source, []).append("key")
    for row in scope.rows:
        for column, value in row.items():
            rules = tuple(dict.fromkeys(readers.get(column, ()))) or (("",) if _is_read(column, mapping) else ())
            yield Field(column, value, rules, mapping.left_out.get(column, ""))


def _is_read(column: str, mapping: CompiledMapping) -> bool:
    """Columns of conditions, authors and the agency fill no name of their own."""
    return column in mapping.known_columns and column not in mapping.left_out


def _last(path: str, mapping: CompiledMapping) -> str:
    """Return the name of the last step of a path as the mapping writes it."""
    kind: PathKind = "slashed" if mapping.layout.format == "niem" else "dotted"
    if mapping.layout.format == "table":
        return path
    steps = split_path(path.removeprefix("$."), kind)
    return steps[-1][0].split("[", 1)[0] if steps else path


class _Trace:
    """Finds the fields behind an element through the places of the read layer."""

    def __init__(self, mapping: CompiledMapping, fields: list[Field], kept: set[str]) -> None:
        self._mapping = mapping
        self._fields = fields
        self._kept = kept

    def entry(self, entry: dict[str, Any], origin: Origin) -> Iterator[TraceLine]:
        """Yield the lines of one resource."""
        info = self._mapping.block_infos[origin.block]
        chosen = (origin.item or {}).get("@from")
        behind: dict[str, list[str]] = {}
        for path, variables in info.leaves:
            behind.setdefault(path, []).extend(variables)
        for path, names in behind.items():
            if not _has(entry["resource"], path.split(".")):
                continue
            stated = [one for one in names if self._is_stated(one)]
            for variable in stated or names:
                yield from self._lines(variable, f"{info.resource}.{path}", chosen)

    def facts(self) -> Iterator[TraceLine]:
        """Yield the lines of the facts."""
        for fact in self._mapping.facts:
            yield from self._lines(fact.rule, fact.rule, None)

    def rest(self, used: set[str]) -> Iterator[TraceLine]:
        """Yield a line for each field that filled no element."""
        for field in self._fields:
            if field.path in used:
                continue
            used.add(field.path)
            if field.rules:
                yield TraceLine(field.path, "mapped", self._rule(field.rules[0]), "", field.value)
            elif field.reason:
                yield TraceLine(field.path, "ignored", field.reason, "", field.value)
            else:
                yield TraceLine(field.path, "unknown", "", "", field.value)

    def _lines(self, variable: str, target: str, chosen: str | None) -> Iterator[TraceLine]:
        name = variable if variable.startswith("facts.") else variable.split(".")[0]
        paths = self._paths(variable)
        if chosen is not None and chosen in paths:
            paths = frozenset({chosen})
        wanted = {_last(path, self._mapping) for path in paths}
        for field in self._fields:
            is_meant = field.path in paths if self._is_table else _last(field.path, self._mapping) in wanted
            if is_meant and (self._is_table or name in field.rules):
                yield TraceLine(field.path, self._status(field), self._rule(variable), target, field.value)

    @property
    def _is_table(self) -> bool:
        return self._mapping.layout.format == "table"

    def _paths(self, variable: str) -> frozenset[str]:
        """Return the source paths of a dotted place, or of the nearest place around it."""
        return self._mapping.places.get(_nearest(variable, self._mapping.places), frozenset())

    def _is_stated(self, variable: str) -> bool:
        """Tell whether the mapping says where this very place comes from, or fills the one around it as a whole.

        Of an element with several parts (the phones and the e-mail addresses of a telecom) those that it does not state
        came from nowhere, and would else be told to come from everything about the person.
        """
        places = self._mapping.places
        nearest = _nearest(variable, places)
        return nearest == variable or not any(place.startswith(f"{nearest}.") for place in places)

    def _status(self, field: Field) -> FieldStatus:
        return "kept" if _last(field.path, self._mapping) in self._kept else "mapped"

    def _rule(self, place: str) -> str:
        known = _nearest(place, self._mapping.rules)
        return self._mapping.rules.get(known, f"{self._mapping.name}/mapping.yaml")


def _nearest(place: str, known: Container[str]) -> str:
    """Return the place itself, or the nearest one around it that is known."""
    while place not in known and "." in place:
        place = place.rpartition(".")[0]
    return place


def _has(value: Any, path: Iterable[str]) -> bool:
    """Tell whether a resource has an element at a path without indexes."""
    found = [value]
    for name in path:
        inner = [one[name] for one in found if isinstance(one, dict) and name in one]
        found = [one for part in inner for one in (part if isinstance(part, list) else [part])]
    return bool(found)
