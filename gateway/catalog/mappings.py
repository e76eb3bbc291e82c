"""Read mapping packs, templates and code tables: those of the product, and an installation's own in their place."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from gateway.catalog import shipped
from gateway.catalog.documents import Document, read_document, schema_of
from gateway.mapping import CodeTable, CompiledMapping, Source, compile_mapping, read_code_table
from gateway.mapping.codes import CodeTableError
from gateway.model.errors import ConfigurationError

PACK_FILE = "mapping.yaml"

_SCHEMA = schema_of("mapping")


def read_mappings(*folders: Path) -> dict[str, CompiledMapping]:
    """Read every pack of the product and of `folders` (an installation's `mappings/`); a later pack of a name wins.

    Raises:
        ConfigurationError: every mistake of every pack, one `file:line:column: ...` a line.
    """
    mappings: dict[str, CompiledMapping] = {}
    problems: list[str] = []
    for name, path in pack_paths(*folders).items():
        try:
            mappings[name] = read_mapping(path)
        except ConfigurationError as error:
            problems.append(str(error))
    if problems:
        raise ConfigurationError("\n".join(problems))
    return mappings


def pack_paths(*folders: Path) -> dict[str, Path]:
    """Return name -> pack folder of all packs there are."""
    found: dict[str, Path] = {}
    for folder in (shipped("mappings"), *folders):
        found.update((path.parent.name, path.parent) for path in sorted(folder.glob(f"*/{PACK_FILE}")))
    return found


def read_mapping(folder: Path) -> CompiledMapping:
    """Read and compile one pack.

    Raises:
        ConfigurationError: with file:line:column; also where the folder's name is not the mapping's.
    """
    document = read_document(folder / PACK_FILE, _SCHEMA)
    if document.content["mapping"] != folder.name:
        raise ConfigurationError(
            f"{document.where(('mapping',))}: mapping: expected {folder.name!r}, the name of the folder"
        )
    return compile_mapping(
        _source(folder / PACK_FILE, document), templates(), {**shared_tables(), **_tables(folder / "codes")}
    )


def examples(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Yield (input, expected output) of each example of a pack; what is expected may not be written yet.

    Raises:
        ConfigurationError: an expectation without an input, or inputs that share one.
    """
    places = folder / "examples"
    inputs: dict[str, Path] = {}
    for source in sorted(places.glob("*.in.*")):
        stem = source.name.partition(".in.")[0]
        if (other := inputs.setdefault(stem, source)) is not source:
            raise ConfigurationError(f"{source}: expected one file {stem}.in.*, found {other.name} besides")
    for expected in sorted(places.glob("*.out.ndjson")):
        if (stem := expected.name.removesuffix(".out.ndjson")) not in inputs:
            raise ConfigurationError(f"{expected}: expected a file {stem}.in.* beside it, found none")
    for stem, source in inputs.items():
        yield source, source.with_name(f"{stem}.out.ndjson")


def _source(path: Path, document: Document) -> Source:
    document.name = f"{path.parent.name}/{path.name}"
    return Source(document.name, document.content, document.where, document.line)


@cache
def templates() -> dict[str, Source]:
    """Return the templates of the product by name."""
    return {
        path.stem: _source(path, read_document(path))
        for path in sorted(shipped("mappings", "templates").glob("*.yaml"))
    }


@cache
def shared_tables() -> dict[str, CodeTable]:
    """Return the code tables of the product by name."""
    return _tables(shipped("mappings", "codes"))


def service_codes(*folders: Path) -> frozenset[str]:
    """Return every service that a referral can ask for: the codes of all tables `services`.

    `folders` are an installation's `mappings/`.
    """
    own = (_tables(path / "codes").get("services") for path in pack_paths(*folders).values())
    known = (table for table in (shared_tables().get("services"), *own) if table is not None)
    return frozenset(code for table in known for code in table.by_target)


def _tables(folder: Path) -> dict[str, CodeTable]:
    tables: dict[str, CodeTable] = {}
    for path in sorted(folder.glob("*.csv")):
        try:
            tables[path.stem] = read_code_table(path.stem, path.read_text(encoding="utf-8-sig"))
        except CodeTableError as error:
            raise ConfigurationError(f"{path}:{error}") from error
    return tables
