"""Read the R4 fact table, our profiles and a user's FHIR packages, and hand them to the checker."""

import json
import tarfile
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from gateway.catalog import shipped
from gateway.validation import Checker, DefinitionError, Elements

KINDS = ("StructureDefinition", "ValueSet", "CodeSystem")
Json = Mapping[str, Any]


class ShippedDefinitions:
    """Answer from the R4 fact table first, then from our own profiles, then from the user's packages.

    So no package can redefine what R4 or we have defined, and packages stay unopened while neither is left.
    """

    def __init__(self, packages: "tuple[Package, ...]") -> None:
        self._structures = _table("structures.json")["structures"]
        self._terminology = _table("terminology.json")
        self._packages = packages

    def structure(self, url: str) -> Json | None:
        """Return a StructureDefinition, or the facts of an R4 one."""
        return self._structures.get(url) or self._find("StructureDefinition", url)

    def value_set(self, url: str) -> Json | None:
        """Return a ValueSet, or the facts of an R4 one."""
        return self._terminology["valueSets"].get(url) or self._find("ValueSet", url)

    def code_system(self, url: str) -> Json | None:
        """Return a CodeSystem, or the facts of an R4 one."""
        return self._terminology["codeSystems"].get(url) or self._find("CodeSystem", url)

    def _find(self, kind: str, url: str) -> Json | None:
        return next((found for package in self._packages if (found := package.find(kind, url))), None)


class Package:
    """A folder or .tgz of FHIR definitions, indexed by URL on first use and parsed one by one."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def find(self, kind: str, url: str) -> Json | None:
        """Return the definition of a kind and URL, or None when the package has none."""
        text = self._index.get((kind, url))
        return json.loads(text) if text is not None else None

    @property
    def profiles(self) -> dict[str, str]:
        """Return the package's resource profiles: resource type to URL."""
        found = {}
        for (kind, url), text in self._index.items():
            if kind == "StructureDefinition":
                definition = json.loads(text)
                if definition["kind"] == "resource" and definition.get("derivation") == "constraint":
                    found[definition["type"]] = url
        return found

    @cached_property
    def _index(self) -> dict[tuple[str, str], bytes]:
        try:
            return dict(_defined(_texts(self.path)))
        except (OSError, tarfile.TarError, ValueError) as problem:
            kind = type(problem).__name__
            message = (
                f"{self.path.name}: expected a FHIR package, found what cannot be read ({kind}); replace or remove it"
            )
            raise DefinitionError(message) from None


def load_checker(packages: Path | None = None) -> Checker:
    """Load what is valid: R4, our profiles, and the FHIR packages lying in a folder (.tgz files or unpacked folders).

    Packages are read lazily: nothing of them is opened before a profile or code is asked for that we do not ship.
    Raise `DefinitionError` when the folder is not there.
    """
    own = Package(shipped("profiles", "handoff"))
    return Checker(ShippedDefinitions((own, *_packages(packages))), own.profiles)


def load_elements() -> Elements:
    """Load which elements R4 has."""
    return Elements(ShippedDefinitions(()))


def _packages(folder: Path | None) -> Iterator[Package]:
    if folder is None:
        return
    if not folder.is_dir():
        raise DefinitionError("--packages: expected a folder of FHIR packages, found none at that path")
    for path in sorted(folder.iterdir()):
        if path.is_dir() or path.suffix == ".tgz":
            yield Package(path)


def _defined(texts: Iterator[bytes]) -> Iterator[tuple[tuple[str, str], bytes]]:
    """Yield kind and URL with the text of each definition; what is none is passed over."""
    for text in texts:
        if any(kind.encode() in text for kind in KINDS):
            head = json.loads(text)
            if isinstance(head, dict) and head.get("resourceType") in KINDS and "url" in head:
                yield (head["resourceType"], head["url"]), text


def _texts(path: Path) -> Iterator[bytes]:
    """Yield the definition files of a package: `package/*.json` of an archive, `*.json` of a folder."""
    if path.is_dir():
        folder = path / "package" if (path / "package").is_dir() else path
        for file in sorted(folder.glob("*.json")):
            yield file.read_bytes()
        return
    with tarfile.open(path) as archive:
        for member in archive:
            parts = Path(member.name).parts
            content = archive.extractfile(member) if len(parts) == 2 and member.name.endswith(".json") else None
            if content is not None:
                yield content.read()


def _table(name: str) -> dict[str, Any]:
    table: dict[str, Any] = json.loads(shipped("profiles", "r4", name).read_bytes())
    return table
