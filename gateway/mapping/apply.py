"""Apply a compiled mapping to one record: read its values, say who wrote it, write its resources, note what is odd."""

import hashlib
from typing import Any

import orjson

from gateway.mapping.authors import zone_of
from gateway.mapping.compile import CompiledMapping
from gateway.mapping.leftovers import note_unread
from gateway.mapping.scope import Agency, Context, Scope
from gateway.mapping.writer import Variables, Writer
from gateway.model.draft import Draft, Rejected
from gateway.model.ids import stable_id
from gateway.model.source_record import Skipped, SourceRecord

NOT_AVAILABLE = "not available"
NOT_RECORDED = "not recorded"

_WORDS_FOR_NONE = frozenset(("", "-", "n/a", "na", "none", "null", "tbd", "unk", "unknown"))
"""What is typed where a record has no number: as a key, it would make one record of all of them."""

_ID_SYSTEM = "https://warmhandoff.example/id/handoff"


def apply(record: SourceRecord, mapping: CompiledMapping, context: Context) -> Draft | Rejected | Skipped:
    """Turn a record into a Draft.

    Gives Rejected where the record cannot be trusted (no key, a time in the future, a required value missing), and
    Skipped where the mapping says that it is not for us. The same record, mapping and context give an equal Draft.
    """
    scope = Scope(record, _first_values(record), context)
    for condition, reason in mapping.skips:
        if condition(scope):
            return Skipped(record.number, record.where, reason)
    key = _business_key(scope, mapping)
    if key is None:
        return Rejected(record.number, record.where, "key-missing", f"expected a value in {_key_names(mapping)}")
    agency = mapping.agency(scope)
    scope.zone = zone_of(agency, scope)
    _read(scope, mapping)
    authors = _authors(scope, mapping)
    if scope.rejection is not None:
        return Rejected(record.number, record.where, *scope.rejection)
    return _draft(scope, mapping, key, agency, authors)


def _draft(scope: Scope, mapping: CompiledMapping, key: str, agency: Agency, authors: list[dict[str, Any]]) -> Draft:
    """Write the Bundle and the facts of a record whose values are read and sound."""
    program = mapping.program["code"]
    handoff = stable_id(scope.context.key, program, agency.value, key)
    deleted = mapping.withdraw is not None and mapping.withdraw(scope)
    facts = _facts(scope, mapping, handoff, agency, authors)
    note_unread(scope, mapping)
    _note_disagreement(scope, mapping)
    variables = {
        **scope.names, "program": mapping.program, "agency": authors[0]["organization"], "authors": authors,
        "default_author": authors[0]["unit"], "at": _instant(scope.context), "handoff": handoff, "key": key,
        "deleted": deleted or None, "source_hash": _source_hash(scope.record),
    }  # fmt: skip
    writer = Writer(scope.context, program, agency, key)
    _write(variables, writer, mapping)
    return Draft(
        handoff=handoff,
        mapping=mapping.name,
        program=program,
        agency=agency.value,
        key=key,
        content_hash=_content_hash(scope, facts, deleted),
        bundle=_bundle(handoff, variables["at"], writer),
        facts=facts,
        findings=tuple(scope.findings),
        deleted=deleted,
        origins=tuple(writer.origins),
    )


def _source_hash(record: SourceRecord) -> str:
    return hashlib.sha256(orjson.dumps(record.rows, default=str)).hexdigest()


def reread(record: SourceRecord, mapping: CompiledMapping, context: Context) -> Scope:
    """Read a record again and return the scope with every step taken, for explaining it."""
    scope = Scope(record, _first_values(record), context)
    _business_key(scope, mapping)
    scope.zone = zone_of(mapping.agency(scope), scope)
    _read(scope, mapping)
    for fact in mapping.facts:
        scope.rule = fact.rule
        fact.value(scope)
    return scope


def _first_values(record: SourceRecord) -> dict[str, Any]:
    """Merge the rows of a record: of each column the first value that is not blank."""
    if len(record.rows) == 1:
        return record.rows[0]
    merged: dict[str, Any] = {}
    for row in reversed(record.rows):
        merged.update(row)
    return merged


def _business_key(scope: Scope, mapping: CompiledMapping) -> str | None:
    scope.rule = "key"
    parts = [path.text(scope) for path in mapping.key]
    if any(part is None for part in parts) or all(str(part).casefold() in _WORDS_FOR_NONE for part in parts):
        return None
    return "|".join(part for part in parts if part is not None)


def _key_names(mapping: CompiledMapping) -> str:
    return ", ".join(path.source for path in mapping.key)


def _read(scope: Scope, mapping: CompiledMapping) -> None:
    names = scope.names
    for name, expression in mapping.reads:
        scope.rule = name
        value = expression(scope)
        if value is not None:
            names[name] = _items(value, mapping, name) if name in mapping.items else value
        if scope.rejection is not None:
            return
    for name, rule in mapping.expected_once.items():
        if len(names.get(name, ())) > 1:
            scope.note(rule, name, "expected one, found several; nothing is referred until a person has decided")


def _items(value: Any, mapping: CompiledMapping, name: str) -> list[Any]:
    """Make a list of a name that holds a list, and items of the plain codes in it."""
    values = value if type(value) is list else [value]
    table = mapping.items[name]
    if table is None:
        return values
    member = mapping.item_members.get(name)
    items: list[Any] = []
    for one in values:
        if type(one) is str:
            items.append(table.item_for(one))
        elif member is not None and type(one.get(member)) is str:
            items.append({**table.item_for(one[member]), **one})
        elif member is not None and type(one.get(member)) is dict:
            items.append({**one[member], **one})
        else:
            items.append(one)
    return items if len(items) == 1 else table.in_order(items)


def _authors(scope: Scope, mapping: CompiledMapping) -> list[dict[str, Any]]:
    """Return the units that wrote something of this record, the default first; every item learns its own.

    A unit that the mapping does not declare rejects the record: its part would go out under somebody else's law.
    """
    default = mapping.authors[0].unit
    named = {default}
    for name in mapping.items:
        for item in scope.names.get(name, ()):
            if type(item) is dict:
                named.add(item.setdefault("author", default))
    named |= {value["author"] for value in scope.names.values() if type(value) is dict and "author" in value}
    if not named <= {author.unit for author in mapping.authors}:
        scope.reject("author-unknown", "an item names an author unit that the mapping does not declare")
    return [author.of(scope) for author in mapping.authors if author.unit in named]


def _facts(
    scope: Scope, mapping: CompiledMapping, handoff: str, agency: Agency, authors: list[dict[str, Any]]
) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "record": handoff, "program": mapping.program["code"], "agency": agency.value,
        "authors": {author["unit"]: author["organization"]["value"] for author in authors},
    }  # fmt: skip
    columns = scope.record.columns
    for fact in mapping.facts:
        scope.rule = fact.rule
        value = fact.value(scope)
        if columns is not None and not value and not fact.paths <= columns:
            value = NOT_AVAILABLE
        facts[fact.name] = NOT_RECORDED if value is None else value
    return facts


def _note_disagreement(scope: Scope, mapping: CompiledMapping) -> None:
    if len(scope.rows) < 2 or scope.record.columns is None:
        return
    for column in sorted(mapping.scalar_columns & scope.record.columns):
        if len({row[column] for row in scope.rows if column in row}) > 1:
            scope.note("rows-disagree", column, "expected one value in all rows of the record, found several")


def _instant(context: Context) -> str:
    return context.at.isoformat().replace("+00:00", "Z")


def _write(variables: Variables, writer: Writer, mapping: CompiledMapping) -> None:
    for name, node in mapping.lets:
        variables[name] = node(variables, writer)
    for block in mapping.blocks:
        block(variables, writer)


def _bundle(handoff: str, at: str, writer: Writer) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "identifier": {"system": _ID_SYSTEM, "value": handoff},
        "timestamp": at,
        "entry": writer.entries,
    }


def _content_hash(scope: Scope, facts: dict[str, Any], deleted: bool) -> str:
    """Hash what was read, not what was written: the Bundle also holds the instant of its conversion."""
    content = orjson.dumps([scope.names, facts, deleted], option=orjson.OPT_SORT_KEYS, default=str)
    return hashlib.sha256(content).hexdigest()
