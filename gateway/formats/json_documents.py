"""JSON: one document, a list of them, or one a line; strict, bounded, and read item by item.

Strict: no NaN, no member twice, no half of a surrogate pair; decimals, and whole numbers beyond 64 bits, as they were
written (`Decimal`). Where a list is too large for memory only one item at a time is held.
"""

import codecs
import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, BinaryIO

from gateway.formats.csv_rows_header import fold_name
from gateway.formats.row_groups import Spill, put_row, put_unreadable, records
from gateway.model.received import Received
from gateway.model.source_record import Row, Skipped, SourceItem, SourceLayout, SourceRecord, Unreadable

DOCUMENT_LIMIT = 1 << 26
"""Characters of one document or list item."""

DEPTH_LIMIT = 60

_CHUNK = 1 << 18
_BLANKS = " \t\r\n"
_DIGITS_OF_64_BITS = 19


class NotStrictJson(ValueError):
    """A document that strict JSON does not allow; the text names the kind of mistake, never a value."""


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotStrictJson("expected each member once in an object, found one twice")
    return members


def _refuse_constant(name: str) -> Any:
    raise NotStrictJson(f"expected a number, found {name}")


def _whole(text: str) -> int | Decimal:
    """Return a whole number; one that may be beyond 64 bits as a Decimal, since few can write such an integer."""
    return int(text) if len(text) < _DIGITS_OF_64_BITS else _decimal(text)


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise NotStrictJson("expected a number, found one whose exponent is too large") from None


_DECODER = json.JSONDecoder(
    object_pairs_hook=_members, parse_float=_decimal, parse_int=_whole, parse_constant=_refuse_constant
)


def strict_loads(payload: bytes) -> Any:
    """Read one whole document.

    Raises:
        NotStrictJson: with the kind of mistake and its place; never a value of the document.
    """
    try:
        text = payload.decode("utf-8-sig")
        value = _DECODER.decode(text)
    except UnicodeDecodeError:
        raise NotStrictJson("expected UTF-8, found other bytes") from None
    except RecursionError:
        raise NotStrictJson(f"expected at most {DEPTH_LIMIT} levels, found more") from None
    except json.JSONDecodeError as error:
        raise NotStrictJson(_mistake(error)) from None
    if problem := _unfit(value, text, 0, len(text)):
        raise NotStrictJson(problem)
    return value


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file, or why it could not be read."""

    number: int
    value: Any
    problem: str | None = None


def documents(stream: BinaryIO) -> Iterator[Document]:
    """Yield the documents of a stream: the items of a list, each line, or the one there is.

    After a mistake inside a list nothing tells where the next item begins, so reading stops there; between lines it
    goes on with the next line.
    """
    text = _Text(stream)
    number = 0
    in_list = text.take("[")
    while True:
        if in_list and (text.take("]") or (number and not text.take(",") and text.peek())):
            return
        if not text.peek():
            if in_list:
                yield Document(number + 1, None, "expected the end of the list, found the end of the file")
            return
        number += 1
        value, problem = text.next_value()
        yield Document(number, value, problem)
        if problem is not None and (in_list or not text.skip_line()):
            return


class _Text:
    """The characters of a stream, decoded as they are needed."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._buffer = ""
        self._at = 0
        self._is_ended = False
        self._is_broken = False

    def _more(self) -> bool:
        if self._is_ended:
            return False
        chunk = self._stream.read(max(_CHUNK, len(self._buffer)))
        self._is_ended = not chunk
        try:
            self._buffer = self._buffer[self._at :] + self._decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError:
            self._is_ended = self._is_broken = True
        self._at = 0
        return not self._is_ended

    def peek(self) -> str:
        """Return the next character that is no blank, or "" at the end."""
        while True:
            while self._at < len(self._buffer):
                if self._buffer[self._at] not in _BLANKS:
                    return self._buffer[self._at]
                self._at += 1
            if not self._more():
                return "\ufffd" if self._is_broken and self._at >= len(self._buffer) else ""

    def take(self, character: str) -> bool:
        """Step over a character if it is the next one."""
        if self.peek() != character:
            return False
        self._at += 1
        return True

    def next_value(self) -> tuple[Any, str | None]:
        """Read one value; with it None, or the kind of mistake."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self._buffer, self._at)
            except NotStrictJson as error:
                return None, str(error)
            except RecursionError:
                return None, f"expected at most {DEPTH_LIMIT} levels, found more"
            except json.JSONDecodeError as error:
                if len(self._buffer) - self._at > DOCUMENT_LIMIT:
                    return None, "expected a document of at most 64 MiB, found a longer one"
                if self._more():
                    continue
                return None, "expected UTF-8, found other bytes" if self._is_broken else _mistake(error)
            if end == len(self._buffer) and not isinstance(value, dict | list) and self._more():
                continue  # a number may go on in the next chunk
            problem = _unfit(value, self._buffer, self._at, end)
            self._at = end
            return (value, None) if problem is None else (None, problem)

    def skip_line(self) -> bool:
        """Step behind the next line end; False when there is none."""
        while (end := self._buffer.find("\n", self._at)) < 0:
            self._at = len(self._buffer)
            if not self._more():
                return False
        self._at = end + 1
        return True


def _mistake(error: json.JSONDecodeError) -> str:
    return f"expected JSON, found a mistake at line {error.lineno}, column {error.colno}: {error.msg}"


def _unfit(value: Any, text: str, begin: int, end: int) -> str | None:
    """Say why nobody could walk through a value, or write it again; `text` between the two is what it was read from."""
    if _is_too_deep(value):
        return f"expected at most {DEPTH_LIMIT} levels, found more"
    # Only an escape can bring in half a pair, for UTF-8 has none.
    if text.find("\\ud", begin, end) >= 0 or text.find("\\uD", begin, end) >= 0:
        try:
            json.dumps(value, ensure_ascii=False, default=str).encode()
        except UnicodeEncodeError:
            return "expected text in Unicode, found half a surrogate pair"
    return None


def _is_too_deep(value: Any) -> bool:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(DEPTH_LIMIT):
        if not level:
            return False
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
    return bool(level)


def looks_like_json(head: bytes) -> bool:
    """Tell whether a file begins like a JSON object or list."""
    return head.removeprefix(codecs.BOM_UTF8).lstrip()[:1] in (b"{", b"[")


def read_rows(received: Received, layout: SourceLayout, spill: Spill) -> Iterator[SourceItem]:
    """Yield the records of a table that comes as JSON: a list of flat objects, one a line, or a single one."""
    columns: set[str] = set()
    with received.open() as stream:
        for number, value, problem in _items(stream, layout):
            if problem is not None:
                put_unreadable(spill, number, problem)
            elif not isinstance(value, dict):
                put_unreadable(spill, number, "expected an object, found another kind of value")
            else:
                named = [(_column(name, layout), cell) for name, cell in value.items()]
                columns.update(name for name, _ in named)
                row: Row = {name: text for name, cell in named if (text := _cell(cell))}
                put_row(spill, number, row, layout)
    yield from records(spill, frozenset(columns), "object")


def _items(stream: BinaryIO, layout: SourceLayout) -> Iterator[tuple[int, Any, str | None]]:
    """Yield the documents, or what lies at `layout.record` inside them, numbered through."""
    number = 0
    for document in documents(stream):
        found = [document.value]
        if document.problem is None and layout.record:
            found = _at_path(document.value, layout.record[0]) or found
        for value in found:
            number += 1
            yield number, value, document.problem


def _at_path(value: Any, path: str) -> list[Any]:
    found = [value]
    for member in path.split("."):
        inner = [one.get(member) for one in found if isinstance(one, dict)]
        found = [one for part in inner for one in (part if isinstance(part, list) else [part]) if one is not None]
    return found


def _column(name: str, layout: SourceLayout) -> str:
    return layout.columns.get(fold_name(name), name)


def _cell(value: Any) -> str:
    if value is None or isinstance(value, dict):
        return ""
    if isinstance(value, list):
        return ";".join(text for one in value if (text := _cell(one)))
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip()


def read_trees(received: Received, layout: SourceLayout) -> Iterator[SourceItem]:
    """Yield each document (or what lies at `layout.record`) as one record, with its references resolvable."""
    with received.open() as stream:
        for number, value, problem in _items(stream, layout):
            where = f"document {number}"
            if problem is not None:
                yield Unreadable(number, where, problem)
            elif not isinstance(value, dict):
                yield Unreadable(number, where, "expected an object, found another kind of value")
            elif layout.recognize and not _has_members(value, layout.recognize):
                yield Skipped(number, where, f"a document without {layout.recognize[0]} carries no encounter")
            else:
                yield SourceRecord(number, where, (value,), None, references_of(value))


def references_of(root: dict[str, Any]) -> dict[str, Any]:
    """Index every object of a tree that carries an id (`$id`, or `@id` beside other members)."""
    found: dict[str, Any] = {}
    waiting: list[Any] = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            name = node.get("$id") or (node.get("@id") if len(node) > 1 else None)
            if isinstance(name, str):
                found.setdefault(name, node)
            waiting.extend(value for value in node.values() if isinstance(value, dict | list))
    return found


def _has_members(value: dict[str, Any], members: tuple[str, ...]) -> bool:
    return all(_at_path(value, member) for member in members)


def recognizes(head: bytes, layout: SourceLayout) -> bool:
    """Tell whether the head of a JSON file names every member the layout asks for."""
    if not looks_like_json(head):
        return False
    text = head.decode("utf-8", errors="replace").casefold()
    return all(any(f'"{form}"' in text for form in _spellings(name, layout)) for name in layout.recognize)


def _spellings(name: str, layout: SourceLayout) -> set[str]:
    """The last member of a path, or for a table every alias of the column."""
    aliases = {alias for alias, column in layout.columns.items() if column == name}
    return aliases | {name.rsplit(".", 1)[-1].casefold()}
