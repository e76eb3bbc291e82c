"""Compile a mapping pack and its template once, at start: every mistake is found then, with file, line and column."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.mapping.authors import Author, Finder, compile_authors, compile_organization
from gateway.mapping.blocks import Block, BlockInfo, BlockList
from gateway.mapping.codes import CodeTable, fold
from gateway.mapping.compiler import Compiler, Expression, Location
from gateway.mapping.conditions import Condition, compile_condition
from gateway.mapping.nodes import Node, compile_node
from gateway.mapping.paths import Path, PathKind
from gateway.mapping.readers import compile_expression
from gateway.mapping.scope import Scope
from gateway.mapping.writer import WriteScope
from gateway.model.errors import ConfigurationError
from gateway.model.source_record import SourceFormat, SourceLayout

PATH_KINDS: dict[SourceFormat, PathKind] = {
    "table": "column", "json": "dotted", "eido": "dotted", "fhir": "dotted", "niem": "slashed",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """A YAML document as the catalog hands it in: content, and how to tell a place in it."""

    name: str
    content: dict[str, Any]
    where: Callable[[Location], str]
    """`file:line:column` of a part."""
    line: Callable[[Location], int]


@dataclass(frozen=True, slots=True)
class Fact:
    """One measure fact and the columns without which it is "not available"."""

    name: str
    rule: str
    """What findings and traces call it."""
    value: Expression
    paths: frozenset[str]


@dataclass(frozen=True, slots=True)
class CompiledMapping:
    """A mapping ready to be applied; immutable and shared by every record."""

    name: str
    title: str
    program: dict[str, str]
    layout: SourceLayout
    key: tuple[Path, ...]
    agency: Finder
    authors: tuple[Author, ...]
    reads: tuple[tuple[str, Expression], ...]
    facts: tuple[Fact, ...]
    skips: tuple[tuple[Condition, str], ...]
    withdraw: Condition | None
    items: Mapping[str, CodeTable | None]
    """Names that hold lists: with a table, plain codes in them become items of it."""
    item_members: Mapping[str, str]
    """List name -> member of its objects that holds the plain code (referrals: service)."""
    expected_once: Mapping[str, str]
    """List name -> rule of the finding where it has several elements."""
    lets: tuple[tuple[str, Node], ...]
    blocks: tuple[Block, ...]
    block_infos: tuple[BlockInfo, ...]
    left_out: Mapping[str, str]
    left_out_paths: tuple[tuple[Path, str], ...]
    scalar_columns: frozenset[str]
    known_columns: frozenset[str]
    places: Mapping[str, frozenset[str]]
    """Dotted place of the read layer -> source paths."""
    rules: Mapping[str, str]
    """Dotted place of the read layer -> `file:line`."""
    unknown: dict[frozenset[str], tuple[str, ...]] = field(default_factory=dict)
    """Cache: columns of a file -> those that the mapping knows nothing of."""

    def unknown_columns(self, columns: frozenset[str]) -> tuple[str, ...]:
        """Return the columns of a file that are neither read nor left out."""
        found = self.unknown.get(columns)
        if found is None:
            found = self.unknown[columns] = tuple(sorted(columns - self.known_columns))
        return found


def compile_mapping(pack: Source, templates: Mapping[str, Source], tables: Mapping[str, CodeTable]) -> CompiledMapping:
    """Compile a pack.

    Raises:
        ConfigurationError: one line for each mistake, `file:line:column: what was expected, what was found`.
    """
    content = pack.content
    compiler = Compiler(PATH_KINDS[content["source"]["format"]], tables, _aliases(content["source"]))
    key = tuple(compiler.path(one, ("key", n)) for n, one in enumerate(content["key"]))
    agency = compile_organization(compiler, content["agency"], ("agency",), next(iter(content["authors"]), ""))
    roles = tables.get("responder-roles", CodeTable("responder-roles", {}, {}, {}))
    authors = compile_authors(compiler, content["authors"], ("authors",), agency, roles)
    reads = _reads(compiler, content.get("read") or {})
    facts = _facts(compiler, content.get("facts") or {})
    rules = {place: f"{pack.name}:{pack.line(at)}" for place, at in {**compiler.locations, "key": ("key",)}.items()}
    skips = [
        (compile_condition(compiler, one["when"], ("skip", n, "when")), str(one["reason"]))
        for n, one in enumerate(content.get("skip") or [])
    ]
    withdraw = compile_condition(compiler, content["withdraw"], ("withdraw",)) if "withdraw" in content else None
    left_out = _left_out(compiler, content.get("left_out") or {}, compiler.sources)
    written = _Written(pack, templates, tables, set(compiler.names))
    problems = [f"{pack.where(at)}: {_named(at)}: {message}" for at, message in compiler.problems] + written.problems
    if problems:
        raise ConfigurationError("\n".join(problems))
    return CompiledMapping(
        name=content["mapping"],
        title=content["title"],
        program=content["program"],
        layout=_layout(content, tuple(path.source for path in key), compiler),
        key=key,
        agency=agency,
        authors=tuple(authors),
        reads=reads,
        facts=facts,
        skips=tuple(skips),
        withdraw=withdraw,
        items=written.items,
        item_members=written.item_members,
        expected_once=written.expected_once,
        lets=tuple(written.lets),
        blocks=tuple(written.blocks),
        block_infos=tuple(written.infos),
        left_out={path.source: reason for path, reason in left_out},
        left_out_paths=left_out,
        scalar_columns=frozenset(compiler.scalars),
        known_columns=compiler.sources,
        places={place: frozenset(paths) for place, paths in compiler.members.items()},
        rules=rules,
    )


def _aliases(source: dict[str, Any]) -> dict[str, str]:
    names: dict[str, str] = {}
    for name, others in (source.get("aliases") or {}).items():
        names[fold(name)] = name
        names.update((fold(other), name) for other in others)
    return names


def _named(at: Location) -> str:
    return ".".join(str(part) for part in at)


def _layout(content: dict[str, Any], key: tuple[str, ...], compiler: Compiler) -> SourceLayout:
    source = content["source"]
    record = source.get("record") or []
    is_table = source["format"] == "table"
    recognize = tuple(
        compiler.columns.get(fold(one), one) if is_table else one for one in source.get("recognize") or ()
    )
    return SourceLayout(
        mapping=content["mapping"],
        format=source["format"],
        key=key if is_table else (),
        recognize=recognize or (("nc:Incident",) if source["format"] == "niem" else key),
        record=tuple([record] if isinstance(record, str) else record),
        namespaces={prefix: tuple(uris) for prefix, uris in (source.get("namespaces") or {}).items()},
        blanks=frozenset(source.get("blank") or ()),
        columns=dict(compiler.columns),
    )


def _reads(compiler: Compiler, nodes: dict[str, Any]) -> tuple[tuple[str, Expression], ...]:
    reads: list[tuple[str, Expression]] = []
    for name, node in nodes.items():
        with compiler.uses() as used, compiler.member(name, ("read", name)):
            reads.append((name, compile_expression(compiler, node, ("read", name))))
        compiler.names[name] = frozenset(used)
    return tuple(reads)


def _facts(compiler: Compiler, nodes: dict[str, Any]) -> tuple[Fact, ...]:
    facts = []
    for name, node in nodes.items():
        rule = f"facts.{name}"
        with compiler.uses() as used, compiler.member(rule, ("facts", name)):
            value = compile_expression(compiler, node, ("facts", name))
        is_answer = isinstance(node, dict) and "answer" in node
        facts.append(Fact(name, rule, _spoken(value) if is_answer else value, frozenset(used)))
    return tuple(facts)


def _spoken(answer: Expression) -> Expression:
    """Turn an answer into a fact: yes and no become booleans, the other kinds of "not Yes" stay words."""

    def run(scope: Scope) -> bool | str | None:
        value = answer(scope)
        if value in ("yes", "no"):
            return bool(value == "yes")
        return None if value is None else str(value).replace("-", " ")

    return run


def _left_out(compiler: Compiler, nodes: dict[str, Any], read_already: frozenset[str]) -> tuple[tuple[Path, str], ...]:
    left_out = []
    for source, reason in nodes.items():
        path = compiler.path(source, ("left_out", source), many=True)
        if path.columns & read_already:
            compiler.problem(("left_out", source), "this column is read above; it cannot be left out as well")
        left_out.append((path, str(reason)))
    return tuple(left_out)


class _Written:
    """The write layer of a pack: its template's blocks, then its own."""

    def __init__(
        self, pack: Source, templates: Mapping[str, Source], tables: Mapping[str, CodeTable], read_names: set[str]
    ) -> None:
        self.problems: list[str] = []
        self.items: dict[str, CodeTable | None] = {}
        self.item_members: dict[str, str] = {}
        self.expected_once: dict[str, str] = {}
        self.lets: list[tuple[str, Node]] = []
        self.scope = WriteScope()
        self.list = BlockList(self.scope)
        self.blocks: list[Block] = []
        vocabulary: set[str] = set()
        if "use" in pack.content:
            template = templates.get(pack.content["use"])
            if template is None:
                known = ", ".join(sorted(templates)) or "none"
                self.problems.append(f"{pack.where(('use',))}: use: expected the name of a template ({known})")
            else:
                vocabulary = set(template.content["vocabulary"])
                self._vocabulary(template.content["vocabulary"], tables)
                self._add(template)
        self._add(pack)
        self.infos = self.list.infos
        self._check_names(pack, read_names, vocabulary)

    def _vocabulary(self, names: dict[str, Any], tables: Mapping[str, CodeTable]) -> None:
        for name, how in names.items():
            if how and ("items" in how or how.get("list")):
                self.items[name] = tables.get(how["items"]) if "items" in how else None
                if "by" in how:
                    self.item_members[name] = how["by"]
                if "one" in how:
                    self.expected_once[name] = how["one"]

    def _add(self, source: Source) -> None:
        self.scope.problems = []
        for name, node in (source.content.get("let") or {}).items():
            self.lets.append((name, compile_node(self.scope, node, ("let", name))))
        self.blocks += self.list.compile(source.content.get("write") or [], ("write",))
        self.problems += [f"{source.where(at)}: {_named(at)}: {message}" for at, message in self.scope.problems]

    def _check_names(self, pack: Source, read_names: set[str], vocabulary: set[str]) -> None:
        """A name that nobody uses is most likely a misspelled one: its value would be lost silently."""
        used = self.scope.names_used | vocabulary | _names_read_again(pack.content)
        for name in sorted(read_names - used):
            self.problems.append(
                f"{pack.where(('read', name))}: read.{name}: expected a name of the template or one used below, "
                f"found {name!r}; nothing would be written of it"
            )


def _names_read_again(content: dict[str, Any]) -> set[str]:
    """Collect the names that other readers and facts take up with `read:`."""
    found: set[str] = set()
    waiting: list[Any] = [content.get("read"), content.get("facts"), content.get("authors")]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if isinstance(node.get("read"), str):
                found.add(node["read"].split(".")[0])
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    return found
