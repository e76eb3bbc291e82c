"""What is collected while a mapping is compiled: its paths, its tables, its names, and every mistake with its place."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from gateway.mapping.codes import CodeTable, fold
from gateway.mapping.paths import Path, PathError, PathKind, compile_path
from gateway.mapping.scope import Scope

Location = tuple[str | int, ...]
Expression = Callable[[Scope], Any]


class Compiler:
    """Compile-time state shared by all readers of one mapping."""

    def __init__(self, kind: PathKind, tables: Mapping[str, CodeTable], aliases: Mapping[str, str]) -> None:
        """Begin with nothing compiled. `aliases`: folded column name or alias -> name."""
        self.kind = kind
        self.tables = tables
        self.columns: dict[str, str] = dict(aliases)
        self.names: dict[str, frozenset[str]] = {}
        """Read name -> paths it depends on."""
        self.problems: list[tuple[Location, str]] = []
        self.scalars: set[str] = set()
        """Columns read outside of `each: rows`: rows of one record have to agree on them."""
        self.in_rows = 0
        self.members: dict[str, set[str]] = {}
        """Dotted place in the read layer ("persons.family") -> paths it is read from."""
        self.locations: dict[str, Location] = {}
        """Dotted place of the read layer -> where its rule stands in the mapping."""
        self._place: list[str] = []
        self._loops: list[str] = []
        self._used: list[set[str]] = [set()]

    def problem(self, at: Location, message: str) -> None:
        """Remember a mistake of the mapping; compiling goes on, so that one run shows them all."""
        self.problems.append((at, message))

    def path(self, source: Any, at: Location, many: bool = False) -> Path:
        """Compile a path and count it as read. `many`: several rows of a record may say different things there."""
        if not isinstance(source, str):
            self.problem(at, f"expected a path as text, found {kind_of(source)}; quote it if YAML reads it otherwise")
            return compile_path(".", self.kind)
        try:
            path = compile_path(self._canonical(source), self.kind)
        except PathError as error:
            self.problem(at, str(error))
            return compile_path(".", self.kind)
        if path.source not in (".", "rows"):
            self._used[-1].add(path.source)
            self._count_for_place({path.source})
            if not (self.in_rows or many):
                self.scalars |= path.columns
        return path

    @property
    def sources(self) -> frozenset[str]:
        """Return every path compiled so far."""
        return frozenset(self._used[0])

    def path_name(self, source: Any) -> str:
        """Name what a look-up starts from: its path, the list that a loop runs over, or the readers of its text."""
        if source == "." and self._loops:
            return self._loops[-1]
        if isinstance(source, dict):
            return "/".join(str(value) for value in source.values() if isinstance(value, str)) or "a text made of parts"
        return str(source)

    def _canonical(self, source: str) -> str:
        return self.columns.setdefault(fold(source), source) if self.kind == "column" and source != "." else source

    def table(self, name: Any, at: Location) -> CodeTable:
        """Return a code table by name."""
        table = self.tables.get(name) if isinstance(name, str) else None
        if table is None:
            known = ", ".join(sorted(self.tables)) or "none"
            self.problem(at, f"expected the name of a code table ({known}), found {name!r}")
            return CodeTable(str(name), {}, {}, {})
        return table

    def depends_on(self, name: str) -> None:
        """Count what another name was read from as read here too."""
        self._used[-1] |= self.names.get(name, frozenset())
        self._count_for_place(self.names.get(name, frozenset()))

    def _count_for_place(self, sources: Iterable[str]) -> None:
        for length in range(1, len(self._place) + 1):
            self.members.setdefault(".".join(self._place[:length]), set()).update(sources)

    @contextmanager
    def member(self, name: str, at: Location) -> Iterator[None]:
        """Compile the value of a name, or of a member of an object, of the read layer."""
        self._place.append(name)
        self.locations.setdefault(".".join(self._place), at)
        try:
            yield
        finally:
            self._place.pop()

    @contextmanager
    def uses(self) -> Iterator[set[str]]:
        """Collect the paths compiled inside the block, and count them outside as well."""
        self._used.append(set())
        try:
            yield self._used[-1]
        finally:
            inner = self._used.pop()
            self._used[-1] |= inner

    @contextmanager
    def inside_loop(self, source: str, is_row_loop: bool) -> Iterator[None]:
        """Compile the body of a loop over the rows of a record, or over what a path leads to."""
        self.in_rows += is_row_loop
        self._loops.append(source)
        try:
            yield
        finally:
            self.in_rows -= is_row_loop
            self._loops.pop()


def kind_of(value: Any) -> str:
    """Name the kind of a YAML value for a message."""
    if value is None:
        return "nothing"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}
    return names.get(type(value), type(value).__name__)
