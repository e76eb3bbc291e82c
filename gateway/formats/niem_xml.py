"""NIEM messages: XML of any root and release, read unit by unit; no entities, no DTD, no network, bounded.

What one record is: the element that the mapping names (`record:`), else the child of the root that holds an incident,
else the whole message. Only XML's own oddities live here; the tree that comes out is plain data.
"""

from collections.abc import Iterator
from typing import Any

from lxml import etree

from gateway.formats import json_documents
from gateway.formats.niem_namespaces import NIEM_CORE, Namespaces
from gateway.formats.niem_trees import Unit, json_unit, records_of
from gateway.model.received import Received
from gateway.model.source_record import Skipped, SourceItem, SourceLayout, Unreadable

NODE_LIMIT = 300_000
"""Elements of one unit."""

DEPTH_LIMIT = 100


class Refused(ValueError):
    """A document that may not be read further; the text says what was expected."""


def recognizes(head: bytes, layout: SourceLayout) -> bool:
    """Tell whether a file is XML, or NIEM JSON, that declares a namespace of NIEM core or of the pack."""
    text = head.decode("utf-8", errors="replace")
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = head.decode("utf-16", errors="replace")
    if json_documents.looks_like_json(head):
        return '"nc:Incident"' in text or ('"@context"' in text and NIEM_CORE.search(text) is not None)
    if not text.lstrip("\ufeff \t\r\n").startswith("<"):
        return False
    declared = [uri for uris in layout.namespaces.values() for uri in uris]
    return NIEM_CORE.search(text) is not None or any(uri in text for uri in declared)


def read(received: Received, layout: SourceLayout) -> Iterator[SourceItem]:
    """Yield the records of a message or of a file of messages."""
    if json_documents.looks_like_json(received.head(1 << 10)):
        yield from _read_json(received, layout)
        return
    number = 0
    try:
        for unit in _units(received, layout):
            for item in records_of(unit, number, layout.recognize[0]):
                number = item.number
                yield item
    except (Refused, etree.XMLSyntaxError) as error:
        yield Unreadable(number + 1, f"record {number + 1}", _reason(error))
        return
    if number == 0:
        yield Skipped(1, "the message", f"a message without {layout.recognize[0]} carries no encounter")


def _reason(error: Exception) -> str:
    if isinstance(error, etree.XMLSyntaxError):
        line, column = error.position
        return f"expected well-formed XML, found a mistake at line {line}, column {column}"
    return str(error)


def _read_json(received: Received, layout: SourceLayout) -> Iterator[SourceItem]:
    number = 0
    names = Namespaces(layout.namespaces)
    with received.open() as stream:
        for document in json_documents.documents(stream):
            if document.problem is not None or not isinstance(document.value, dict):
                number += 1
                problem = document.problem or "expected an object, found another kind of value"
                yield Unreadable(number, f"document {number}", problem)
                continue
            before = number
            for item in records_of(json_unit(document.value, names), number, layout.recognize[0]):
                number = item.number
                yield item
            if number == before:
                number += 1
                reason = f"a message without {layout.recognize[0]} carries no encounter"
                yield Skipped(number, f"document {number}", reason)


def _units(received: Received, layout: SourceLayout) -> Iterator[Unit]:
    """Yield the units of an XML document as they are complete, and free the memory of each."""
    builder = _Builder(Namespaces(layout.namespaces))
    wanted = frozenset(layout.record)
    with received.open() as stream:
        events = etree.iterparse(
            stream, events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
            remove_comments=True, remove_pis=True, collect_ids=False,
        )  # fmt: skip
        yield from _Walk(builder, wanted, layout.recognize[0]).units(events)


class _Walk:
    """One pass over a document's events."""

    def __init__(self, builder: "_Builder", wanted: frozenset[str], incident: str) -> None:
        self._builder = builder
        self._wanted = wanted
        self._incident = incident
        self._depth = 0
        self._nodes = 0
        """Elements read since a unit was given away, and those kept for sharing."""
        self._kept = 0
        self._inside: Any = None
        """The element that the mapping names as a record, while it is open."""
        self._shared: list[tuple[str, Any]] = []
        self._held: tuple[str, Any] | None = None
        self._has_several = False
        self._root = ""

    def units(self, events: Any) -> Iterator[Unit]:
        for event, element in events:
            if event == "start":
                self._start(element)
            else:
                yield from self._end(element)
        if self._held is not None:
            yield from self._last()

    def _start(self, element: Any) -> None:
        self._depth += 1
        self._nodes += 1
        if self._depth == 1:
            if element.getroottree().docinfo.doctype or element.getroottree().docinfo.internalDTD is not None:
                raise Refused("expected a document without a DTD, found one")
            self._root = self._builder.name(element.tag)
        if self._depth > DEPTH_LIMIT:
            raise Refused(f"expected at most {DEPTH_LIMIT} levels, found more")
        if self._nodes > NODE_LIMIT:
            raise Refused(f"expected records of at most {NODE_LIMIT} elements, found a larger one")
        if self._inside is None and self._builder.name(element.tag) in self._wanted:
            self._inside = element

    def _end(self, element: Any) -> Iterator[Unit]:
        self._depth -= 1
        name = self._builder.name(element.tag)
        if element is self._inside:
            tree = self._builder.tree(element)
            yield Unit(name, tree if isinstance(tree, dict) else {}, dict(self._shared), is_named=True)
            self._inside = None
            self._nodes = self._kept
            self._free(element)
        elif self._depth == 1 and self._inside is None:
            tree = self._builder.tree(element)
            self._free(element)
            if tree is not None:
                yield from self._child(name, tree)

    def _child(self, name: str, tree: Any) -> Iterator[Unit]:
        """Take a child of the root. One with an incident waits until it is known to be the only one."""
        if not (name == self._incident or _holds(tree, self._incident)):
            self._shared.append((name, tree))
            self._kept = self._nodes
            return
        if self._held is not None:
            self._has_several = True
            yield Unit(self._root, {self._held[0]: self._held[1]}, dict(self._shared))
        self._held = (name, tree)
        if self._has_several:
            self._nodes = self._kept

    def _last(self) -> Iterator[Unit]:
        assert self._held is not None
        if self._has_several:
            yield Unit(self._root, {self._held[0]: self._held[1]}, dict(self._shared))
        else:
            whole: dict[str, Any] = {}
            for name, tree in [*self._shared, self._held]:
                add_child(whole, name, tree)
            yield Unit(self._root, whole, {})

    @staticmethod
    def _free(element: Any) -> None:
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]


def _holds(tree: Any, name: str) -> bool:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            if name in node:
                return True
            waiting.extend(value for value in node.values() if isinstance(value, dict | list))
    return False


def add_child(node: dict[str, Any], name: str, value: Any) -> None:
    """Put a child into a tree; a second one of the name makes a list."""
    existing = node.get(name)
    if existing is None:
        node[name] = value
    elif isinstance(existing, list):
        existing.append(value)
    else:
        node[name] = [existing, value]


class _Builder:
    """Elements to plain data."""

    def __init__(self, names: Namespaces) -> None:
        self.name = names.name

    def tree(self, element: Any) -> Any:
        """Return an element as a dict, or its text where it has nothing else, or None where it is empty."""
        node: dict[str, Any] = {}
        for tag, value in element.attrib.items():
            node[f"@{self.name(tag)}"] = value
        for child in element:
            if isinstance(child.tag, str) and (value := self.tree(child)) is not None:
                add_child(node, self.name(child.tag), value)
        text = " ".join((element.text or "").split())
        _set_identity(node, has_content=bool(text) or any(not name.startswith("@") for name in node))
        if not node:
            return text or None
        if text:
            node["#"] = text
        return node


def _set_identity(node: dict[str, Any], has_content: bool) -> None:
    """Turn NIEM's ids and references into `$id`, `$ref` and `$same` (an object described in several places)."""
    if node.pop("@xsi:nil", None) in ("true", "1") and not node:
        return
    if (name := node.pop("@structures:id", None)) is not None:
        node["$id"] = name
    if (name := node.pop("@structures:ref", None)) is not None:
        node["$ref"] = name
    if (name := node.pop("@structures:uri", None)) is not None:
        node["$same" if has_content else "$ref"] = name.removeprefix("#")
