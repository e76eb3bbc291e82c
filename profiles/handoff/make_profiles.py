"""Make our StructureDefinitions, CodeSystems and ValueSets from the tables in `source/`.

    python profiles/handoff/make_profiles.py [FOLDER]

Snapshots are built on the R4 facts beside this folder, so no other tool and no network is needed. The files written
here are checked in; `tests/unit/validation/test_handoff_profiles.py` fails when they and the tables differ.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from snapshot import Tree  # beside this script: Python looks in a script's own folder first

HERE = Path(__file__).resolve().parent
BASE = "https://warmhandoff.example/fhir/"
HL7 = "http://hl7.org/fhir/StructureDefinition/"
VERSION = "0.1.0"
PUBLISHER = "Warm Handoff"

Facts = dict[str, Any]


def main() -> None:
    """Write every definition beside this script or into a folder, and remove those the tables no longer name."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    written = {f"{resource['resourceType']}-{resource['id']}.json": resource for resource in definitions()}
    for old in folder.glob("*.json"):
        if old.name not in written:
            old.unlink()
    for name, resource in written.items():
        (folder / name).write_text(render(resource), encoding="utf-8")


def render(resource: Facts) -> str:
    """Write a definition as JSON, one line an element, so that a change reads well as a diff."""
    lines = json.dumps(resource, ensure_ascii=False, indent=1).splitlines()
    if resource["resourceType"] != "StructureDefinition":
        return "\n".join(lines) + "\n"
    head = {key: value for key, value in resource.items() if key not in ("snapshot", "differential")}
    parts = [json.dumps(head, ensure_ascii=False, indent=1).rstrip("\n}")]
    for view in ("snapshot", "differential"):
        rows = ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in resource[view]["element"])
        parts.append(f' "{view}": {{"element": [\n{rows}\n ]}}')
    return ",\n".join(parts) + "\n}\n"


def definitions() -> Iterator[Facts]:
    """Yield every definition the tables describe."""
    for name, table in source("codes").items():
        yield code_system(name, table)
        yield value_set(name, table["title"], [{"system": f"{BASE}CodeSystem/{name}"}])
    for name, table in source("value_sets").items():
        included = [
            {"system": system, "concept": [{"code": code} for code in codes]}
            for system, codes in table["include"].items()
        ]
        yield value_set(name, table["title"], included)
    for name, table in source("extensions").items():
        yield extension(name, table)
    for name, table in source("profiles").items():
        yield profile(name, table)


def source(name: str) -> Facts:
    """Read one table."""
    table: Facts = yaml.safe_load((HERE / "source" / f"{name}.yaml").read_text(encoding="utf-8"))
    return table


def code_system(name: str, table: Facts) -> Facts:
    """Build a code system, complete and case-sensitive."""
    return {
        **head("CodeSystem", name, table["title"]),
        "caseSensitive": True,
        "valueSet": f"{BASE}ValueSet/{name}",
        "content": "complete",
        "count": len(table["codes"]),
        "concept": [{"code": str(code), "display": display} for code, display in table["codes"].items()],
    }


def value_set(name: str, title: str, included: list[Facts]) -> Facts:
    """Build a value set."""
    return {**head("ValueSet", name, title), "compose": {"include": included}}


def extension(name: str, table: Facts) -> Facts:
    """Build an extension: simple with a value, or complex with parts that have values."""
    tree = Tree("Extension", f"{BASE}StructureDefinition/{name}")
    tree.change("", {"max": "*", "why": table["title"]})
    tree.change("url", {"fixedUri": tree.url})
    if isinstance(table["value"], dict):
        tree.change("extension", {"slicing": {"discriminator": [{"type": "value", "path": "url"}], "rules": "open"}})
        for part, facts in table["value"].items():
            add_part(tree, part, facts)
        tree.change("value[x]", {"max": "0"})
    else:
        tree.change("extension", {"max": "0"})
        tree.change("value[x]", {"min": 1, **typed(table["value"])})
    # HL7's validator wants the R4 package from the network for a context of type element; the path means the same.
    return structure(name, table["title"], "Extension", tree, [{"type": "fhirpath", "expression": table["where"]}])


def add_part(tree: Tree, part: str, facts: Facts) -> None:
    """Add one part of a complex extension; a name that ends in `*` may repeat."""
    name = part.removesuffix("*")
    tree.change(f"extension:{name}", {"min": facts.get("min", 0), "max": "*" if part.endswith("*") else "1"})
    tree.change(f"extension:{name}.extension", {"max": "0"})
    tree.change(f"extension:{name}.url", {"fixedUri": name})
    tree.change(f"extension:{name}.value[x]", {"min": 1, **typed(facts["value"])})


def typed(value: str | list[str]) -> Facts:
    """Turn `Reference(Consent)` or `code(part2-expiry)` into types and a binding."""
    facts: Facts = {"type": []}
    for item in value if isinstance(value, list) else [value]:
        code, _, inside = item.removesuffix(")").partition("(")
        if code == "Reference":
            facts["type"].append({"code": code, "targetProfile": [HL7 + inside]})
            continue
        facts["type"].append({"code": code})
        if inside:
            facts["binding"] = {"strength": "required", "valueSet": f"{BASE}ValueSet/{inside}"}
    return facts


def profile(name: str, table: Facts) -> Facts:
    """Build a profile of a resource type."""
    tree = Tree(table["type"], f"{BASE}StructureDefinition/{name}")
    tree.change("", {"why": table["title"], **ruled(tree.url, table)})
    for path, facts in in_order(table):
        tree.change(path, changed(tree, path, facts))
    return structure(name, table["title"], table["type"], tree, None)


def in_order(table: Facts) -> Iterator[tuple[str, Facts]]:
    """Yield the elements to change, our extensions first as slices by URL; a name that ends in `*` may repeat."""
    for listed in table.get("extensions", []):
        name = listed.removesuffix("*")
        most = 1 if name == listed else "*"
        yield f"extension:{name}", {"max": most, "must": True, "profile": f"{BASE}StructureDefinition/{name}"}
    yield from table["elements"].items()


def changed(tree: Tree, path: str, facts: Facts) -> Facts:
    """Translate one row of the table into ElementDefinition's words."""
    change: Facts = {key: facts[key] for key in ("min", "why") if key in facts}
    change |= {"max": str(facts["max"])} if "max" in facts else {}
    change |= {"mustSupport": True} if facts.get("must") else {}
    if "by" in facts:
        kind, _, way = facts["by"].partition(":")
        change["slicing"] = {"discriminator": [{"type": kind, "path": way}], "rules": "open"}
    types = tree.types(path)
    if "to" in facts:
        change["type"] = [{"code": "Reference", "targetProfile": [HL7 + target for target in facts["to"]]}]
    if "profile" in facts:
        change["type"] = [{"code": "Extension", "profile": [facts["profile"]]}]
    for kind in ("fixed", "pattern"):
        if kind in facts:
            value = facts[kind]
            is_ours = isinstance(value, str) and value.startswith("CodeSystem/")
            change[kind + types[0][:1].upper() + types[0][1:]] = BASE + value if is_ours else value
    if "binding" in facts:
        change["binding"] = {"strength": "required", "valueSet": f"{BASE}ValueSet/{facts['binding']}"}
    return change | ruled(tree.url, facts)


def ruled(url: str, facts: Facts) -> Facts:
    """Translate invariants."""
    rules = [
        {
            "key": key,
            "severity": rest[0] if rest else "error",
            "human": human,
            "expression": expression,
            "source": url,
        }
        for key, (expression, human, *rest) in facts.get("rules", {}).items()
    ]
    return {"constraint": rules} if rules else {}


def structure(name: str, title: str, type_name: str, tree: Tree, context: list[Facts] | None) -> Facts:
    """Assemble a StructureDefinition."""
    return {
        **head("StructureDefinition", name, title),
        "fhirVersion": "4.0.1",
        "kind": "complex-type" if type_name == "Extension" else "resource",
        "abstract": False,
        **({"context": context} if context else {}),
        "type": type_name,
        "baseDefinition": HL7 + type_name,
        "derivation": "constraint",
        "snapshot": {"element": list(tree.snapshot())},
        "differential": {"element": list(tree.differential())},
    }


def head(kind: str, name: str, title: str) -> Facts:
    """Build what all our definitions begin with."""
    return {
        "resourceType": kind,
        "id": name,
        "url": f"{BASE}{kind}/{name}",
        "version": VERSION,
        "name": "".join(word.capitalize() for word in name.split("-")),
        "title": title,
        "status": "active",
        "experimental": False,
        "publisher": PUBLISHER,
        "description": f"{title}.",
    }


if __name__ == "__main__":
    main()
