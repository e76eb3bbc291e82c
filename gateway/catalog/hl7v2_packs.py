"""Read the HL7v2 packs: those of the product, and what an installation says for a partner of its own.

`mappings/hl7v2/<pack>/pack.yaml` names the segment maps of `mappings/hl7v2/segments/`. A file
`mappings/hl7v2/<pack>/<partner>.yaml` of the installation changes rows of it for one partner; a pack, segment map or
table of the installation takes the place of the product's of that name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.catalog import shipped
from gateway.catalog.documents import read_document, schema_of
from gateway.formats.hl7v2.maps import CompiledPack, PackSource, TermTable, compile_pack, read_terms
from gateway.formats.hl7v2.maps.terms import TermTableError
from gateway.model.errors import ConfigurationError

PACK_FILE = "pack.yaml"
FOLDER = "hl7v2"
_SCHEMAS = schema_of("hl7v2-pack")


@dataclass(frozen=True, slots=True)
class PackFolder:
    """Where a pack lies."""

    name: str
    path: Path
    partners: tuple[Path, ...]
    """The files that change it, one a partner."""


@dataclass(frozen=True, slots=True)
class Hl7Packs:
    """Every pack, compiled: as shipped, and as each partner has it."""

    packs: Mapping[str, CompiledPack]
    overlays: Mapping[tuple[str, str], CompiledPack]
    """(partner, pack) -> that partner's."""

    def for_message(self, code: str, event: str, partner: str = "") -> CompiledPack | None:
        """Return the pack that reads such messages, as this partner has it; None where none does."""
        for name, pack in self.packs.items():
            if pack.takes(code, event):
                return self.overlays.get((partner, name), pack)
        return None

    def for_writing(self, kind: str, partner: str = "") -> CompiledPack | None:
        """Return the pack that writes messages of this kind (ADT^A01), as this partner has it; None where none does."""
        for name, pack in self.packs.items():
            if kind in pack.writes:
                return self.overlays.get((partner, name), pack)
        return None


def hl7_pack_folders(*folders: Path) -> dict[str, PackFolder]:
    """Return name -> folder of all HL7v2 packs; `folders` are an installation's `mappings/`."""
    found: dict[str, PackFolder] = {}
    roots = [shipped("mappings"), *folders]
    for root in roots:
        for path in sorted((root / FOLDER).glob(f"*/{PACK_FILE}")):
            found[path.parent.name] = PackFolder(path.parent.name, path.parent, ())
    for name, pack in found.items():
        partners = {
            path.stem: path
            for root in roots
            for path in sorted((root / FOLDER / name).glob("*.yaml"))
            if path.name != PACK_FILE
        }
        found[name] = PackFolder(name, pack.path, tuple(partners.values()))
    return found


def read_hl7_packs(*folders: Path) -> Hl7Packs:
    """Read and compile every pack, and every partner's changes.

    Raises:
        ConfigurationError: every mistake, one `file:line:column: ...` a line.
    """
    segments, tables = _segments(*folders), _tables(*folders)
    packs: dict[str, CompiledPack] = {}
    overlays: dict[tuple[str, str], CompiledPack] = {}
    problems: list[str] = []
    for name, folder in hl7_pack_folders(*folders).items():
        for partner_file in (None, *folder.partners):
            try:
                compiled = _compiled(folder, segments, tables, partner_file)
            except ConfigurationError as error:
                problems.append(str(error))
                break
            if partner_file is None:
                packs[name] = compiled
            else:
                overlays[partner_file.stem, name] = compiled
    if problems:
        raise ConfigurationError("\n".join(problems))
    return Hl7Packs(packs, overlays)


def _compiled(
    folder: PackFolder, segments: Mapping[str, PackSource], tables: Mapping[str, TermTable], partner: Path | None
) -> CompiledPack:
    pack = _source(folder.path / PACK_FILE, "pack")
    if pack.content["pack"] != folder.name:
        raise ConfigurationError(f"{pack.where(('pack',))}: pack: expected {folder.name!r}, the name of the folder")
    return compile_pack(pack, segments, tables, _source(partner, "partner") if partner else None)


def _source(path: Path, kind: str) -> PackSource:
    document = read_document(path, {**_SCHEMAS, "$ref": f"#/$defs/{kind}"})
    document.name = f"{FOLDER}/{path.parent.name}/{path.name}"
    return PackSource(document.name, document.content, document.where)


def _segments(*folders: Path) -> dict[str, PackSource]:
    return {
        path.stem: _source(path, "segment")
        for root in (shipped("mappings"), *folders)
        for path in sorted((root / FOLDER / "segments").glob("*.yaml"))
    }


def _tables(*folders: Path) -> dict[str, TermTable]:
    tables: dict[str, TermTable] = {}
    for root in (shipped("mappings"), *folders):
        for path in sorted((root / FOLDER / "tables").glob("*.csv")):
            try:
                tables[path.stem] = read_terms(path.stem, path.read_text(encoding="utf-8-sig"))
            except TermTableError as error:
                raise ConfigurationError(f"{path}:{error}") from error
    return tables
