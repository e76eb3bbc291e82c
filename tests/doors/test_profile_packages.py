"""Where definitions come from: the shipped tables, our profiles, and packages that a user keeps in a folder."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from gateway.catalog.profiles import Package, load_checker
from gateway.validation import DefinitionError

URL = "https://x.example/StructureDefinition/p"


def _profile(url: str = URL) -> dict[str, Any]:
    elements = [{"id": "Goal", "path": "Goal", "max": "*"}]
    return {"resourceType": "StructureDefinition", "url": url, "type": "Goal", "kind": "resource"} | {
        "derivation": "constraint",
        "snapshot": {"element": elements},
    }


def _archive(path: Path, files: dict[str, Any]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            raw = json.dumps(content).encode()
            member = tarfile.TarInfo(name)
            member.size = len(raw)
            archive.addfile(member, io.BytesIO(raw))


def test_an_archive_gives_its_definitions_and_not_its_examples(tmp_path: Path) -> None:
    path = tmp_path / "p.tgz"
    other = _profile("https://x.example/StructureDefinition/example")
    _archive(
        path, {"package/p.json": _profile(), "package/example/q.json": other, "package/package.json": {"name": "x"}}
    )
    package = Package(path)

    assert package.find("StructureDefinition", URL) == _profile()
    assert package.find("StructureDefinition", other["url"]) is None
    assert package.find("ValueSet", URL) is None
    assert package.profiles == {"Goal": URL}


def test_an_unpacked_package_is_read_alike(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "p.json").write_text(json.dumps(_profile()), encoding="utf-8")

    assert Package(tmp_path).find("StructureDefinition", URL) == _profile()


def test_a_package_is_not_opened_before_something_of_it_is_asked(tmp_path: Path) -> None:
    (tmp_path / "broken.tgz").write_bytes(b"no archive")

    checker = load_checker(tmp_path)

    assert checker.check({"resourceType": "Basic", "code": {"text": "x"}}).is_valid


def test_what_we_ship_cannot_be_replaced_by_a_package(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    forged = _profile("https://warmhandoff.example/fhir/StructureDefinition/wh-goal")
    (tmp_path / "p" / "p.json").write_text(json.dumps(forged), encoding="utf-8")

    found = load_checker(tmp_path).check({"resourceType": "Goal", "lifecycleStatus": "active"})

    assert not found.is_valid


def test_a_package_that_cannot_be_read_is_named_when_it_is_needed(tmp_path: Path) -> None:
    (tmp_path / "broken.tgz").write_bytes(b"no archive")

    with pytest.raises(DefinitionError, match=r"broken\.tgz: expected a FHIR package"):
        load_checker(tmp_path).type_of("https://x.example/StructureDefinition/unknown")


def test_a_folder_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="expected a folder of FHIR packages"):
        load_checker(tmp_path / "nowhere")
