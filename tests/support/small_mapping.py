"""Small mappings written in the test itself, and records to apply them to."""

import textwrap
from datetime import UTC, datetime
from typing import Any

from gateway.catalog.documents import Document
from gateway.catalog.mappings import shared_tables, templates
from gateway.mapping import CodeTable, CompiledMapping, Context, Source, apply, compile_mapping
from gateway.model.draft import Draft
from gateway.model.source_record import SourceRecord

AT = datetime(2026, 11, 2, 18, tzinfo=UTC)
CONTEXT = Context(key=b"test key", at=AT)

HEAD = """
mapping: small
title: Small
program: {code: cit, text: Crisis intervention team}
source: {format: table, recognize: [ID]}
key: [ID]
agency:
  system: https://warmhandoff.example/id/ori
  demonstration: {value: WA0990000, name: Exampleville Police Department, zone: America/Los_Angeles}
authors:
  police: {role: officer}
  clinical: {role: clinician}
"""


def a_mapping(body: str, head: str = HEAD, tables: dict[str, CodeTable] | None = None) -> CompiledMapping:
    """Compile a mapping from the part that the test is about."""
    document = Document("small/mapping.yaml", textwrap.dedent(head) + textwrap.dedent(body))
    source = Source(document.name, document.content, document.where, document.line)
    return compile_mapping(source, templates(), {**shared_tables(), **(tables or {})})


def a_row_record(*rows: dict[str, str], columns: set[str] | None = None) -> SourceRecord:
    """Return a table record; the file has the columns of its rows and those named."""
    names = {name for row in rows for name in row} | (columns or set())
    return SourceRecord(1, "line 2", tuple(rows), frozenset(names))


def a_tree_record(tree: dict[str, Any], references: dict[Any, Any] | None = None) -> SourceRecord:
    """Return a document as one record."""
    return SourceRecord(1, "document 1", (tree,), None, references or {})


def facts_of(body: str, record: SourceRecord, head: str = HEAD, context: Context = CONTEXT) -> dict[str, Any]:
    """Apply a mapping of facts only and return them without the four that are always there."""
    draft = apply(record, a_mapping(body, head), context)
    assert isinstance(draft, Draft), draft
    return {name: draft.facts[name] for name in draft.facts if name not in ("record", "program", "agency", "authors")}


def draft_of(body: str, record: SourceRecord, head: str = HEAD, context: Context = CONTEXT) -> Draft:
    """Apply a mapping and return the draft."""
    draft = apply(record, a_mapping(body, head), context)
    assert isinstance(draft, Draft), draft
    return draft


def resources(draft: Draft, kind: str) -> list[dict[str, Any]]:
    """Return the resources of a type, in order."""
    every = [entry["resource"] for entry in draft.bundle["entry"]]
    return [resource for resource in every if resource["resourceType"] == kind]
