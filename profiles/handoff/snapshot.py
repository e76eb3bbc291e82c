"""Snapshots: R4's elements of a type with our changes laid over them, unfolded where one reaches into a datatype."""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FACTS = Path(__file__).resolve().parents[1] / "r4" / "structures.json"
HL7 = "http://hl7.org/fhir/StructureDefinition/"
STRUCTURES: dict[str, Any] = json.loads(FACTS.read_bytes())["structures"]

INHERITED = {
    "Resource": ("id", "meta", "implicitRules", "language"),
    "DomainResource": ("text", "contained", "extension", "modifierExtension"),
}
"""Elements a resource has from its base types: an ElementDefinition names the path it comes from."""

FHIR_TYPE = HL7 + "structuredefinition-fhir-type"
SYSTEM_STRING = "http://hl7.org/fhirpath/System.String"
BACKBONES = ("BackboneElement", "Element")

Facts = dict[str, Any]


@dataclass
class Branch:
    """Hold an element of the snapshot under construction, with its children, slices and what we changed."""

    facts: Facts
    children: "dict[str, Branch]" = field(default_factory=dict)
    slices: "dict[str, Branch]" = field(default_factory=dict)
    change: Facts = field(default_factory=dict)


class Tree:
    """Grow the snapshot of one definition from R4's facts by changes, in the order they are made."""

    def __init__(self, type_name: str, url: str) -> None:
        self.url = url
        self.type_name = type_name
        self.root = _grow(type_name, type_name, type_name)

    def change(self, path: str, facts: Facts) -> None:
        """Lay facts over the element at a path without the type; a slice is made when it is first named."""
        self._branch(path).change |= facts

    def types(self, path: str) -> list[str]:
        """Return the type codes an element has in R4."""
        return [item["code"] for item in self._branch(path).facts.get("type", [])]

    def snapshot(self) -> Iterator[Facts]:
        """Yield the elements of the snapshot."""
        for path, branch in _walk(self.type_name, self.root):
            yield _element(path, branch)

    def differential(self) -> Iterator[Facts]:
        """Yield what we changed, and nothing else."""
        for path, branch in _walk(self.type_name, self.root):
            if branch.change:
                yield _changed(path, branch)

    def _branch(self, path: str) -> Branch:
        branch = self.root
        for step in path.split(".") if path else []:
            name, _, slice_name = step.partition(":")
            if name not in branch.children:
                _unfold(branch)
            branch = branch.children[name]
            if slice_name:
                branch = branch.slices.setdefault(slice_name, _slice(branch, slice_name))
        return branch


def _grow(type_name: str, at: str, base: str) -> Branch:
    """Arrange a type's facts as a tree whose root stands at a path; `base` is how R4 names the path."""
    branches: dict[str, Branch] = {}
    for facts in STRUCTURES[HL7 + type_name]["elements"]:
        below = facts["path"].removeprefix(type_name)
        own = {**copy.deepcopy(facts), "path": at + below, "r4": base + below}
        branch = branches[below] = Branch(own)
        parent, _, name = below.rpartition(".")
        if below:
            branches[parent].children[name] = branch
    return branches[""]


def _unfold(branch: Branch) -> None:
    """Give an element the children of its type, so that a change can reach them."""
    types = branch.change.get("type") or branch.facts["type"]
    code = types[0]["code"]
    branch.children = _grow(code, branch.facts["path"], code).children


def _slice(whole: Branch, name: str) -> Branch:
    facts = {**copy.deepcopy(whole.facts), "sliceName": name, "min": 0}
    return Branch(facts, copy.deepcopy(whole.children))


def _walk(element_id: str, branch: Branch) -> Iterator[tuple[str, Branch]]:
    """Yield elements with their ids: an element, its children, then its slices with theirs."""
    yield element_id, branch
    for name, child in branch.children.items():
        yield from _walk(f"{element_id}.{name}", child)
    for name, part in branch.slices.items():
        yield from _walk(f"{element_id}:{name}", part)


def _element(element_id: str, branch: Branch) -> Facts:
    """Write one element of the snapshot in full."""
    facts, change = branch.facts, branch.change
    name = facts["path"].rpartition(".")[2]
    element: Facts = {"id": element_id, "path": facts["path"]}
    element |= {key: source[key] for key in ("slicing", "sliceName") for source in (facts, change) if key in source}
    if "slicing" not in element and (branch.slices or name in ("extension", "modifierExtension")):
        element["slicing"] = {"discriminator": [{"type": "value", "path": "url"}], "rules": "open"}
    if "sliceName" in element and "slicing" not in change:
        element.pop("slicing", None)
    element["definition"] = change.get("why", f"As FHIR R4 defines {facts['r4']}.")
    element["min"] = change.get("min", facts.get("min", 0))
    element["max"] = change.get("max", facts.get("max", "1"))
    element["base"] = _base(facts, name)
    element |= {"contentReference": facts["contentReference"]} if "contentReference" in facts else {}
    if "type" in facts:
        element["type"] = [_type(item, facts["path"]) for item in change.get("type", facts["type"])]
    element |= {key: value for key, value in {**facts, **change}.items() if key.startswith(("fixed", "pattern"))}
    element |= {"maxLength": facts["maxLength"]} if "maxLength" in facts else {}
    rules = [{**rule, "human": f"FHIR R4 {rule['key']}."} for rule in facts.get("constraint", [])]
    rules += change.get("constraint", [])
    element |= {"constraint": [_rule(rule) for rule in rules]} if rules else {}
    element |= {"mustSupport": True} if change.get("mustSupport") else {}
    if facts.get("isModifier"):
        element |= {"isModifier": True, "isModifierReason": f"As FHIR R4 says of {facts['r4']}."}
    binding = change.get("binding", facts.get("binding"))
    return element | ({"binding": binding} if binding else {})


def _rule(rule: Facts) -> Facts:
    """Put an invariant's parts into FHIR's order."""
    return {key: rule[key] for key in ("key", "severity", "human", "expression", "source") if key in rule}


def _base(facts: Facts, name: str) -> Facts:
    path = facts["r4"]
    for owner, names in INHERITED.items():
        if path.count(".") == 1 and name in names and f"{HL7}{path.partition('.')[0]}" in STRUCTURES:
            kind = STRUCTURES[HL7 + path.partition(".")[0]]["kind"]
            path = f"{owner}.{name}" if kind == "resource" else f"Element.{name}"
    if path == facts["r4"] and path.count(".") > 1 and name in ("id", "extension", "modifierExtension"):
        path = f"{'BackboneElement' if name == 'modifierExtension' else 'Element'}.{name}"
    return {"path": path, "min": 0 if "sliceName" in facts else facts.get("min", 0), "max": _base_max(facts)}


def _base_max(facts: Facts) -> str:
    most: str = facts.get("base", {}).get("max", facts.get("max", "1"))
    return most


def _type(item: Facts, path: str) -> Facts:
    """Write a type; element ids and extension URLs are written with FHIRPath's own type, as R4 itself does."""
    name = path.rpartition(".")[2]
    if name == "id" or path.endswith("Extension.url") or (name == "url" and ".extension" in path.lower()):
        # R4 calls a resource's id a string here too; the form of `id` is in its words only.
        code = "uri" if name == "url" else "string"
        return {"extension": [{"url": FHIR_TYPE, "valueUrl": code}], "code": SYSTEM_STRING}
    return item


def _changed(element_id: str, branch: Branch) -> Facts:
    """Write one element of the differential."""
    change = {key: value for key, value in branch.change.items() if key != "why"}
    row: Facts = {"id": element_id, "path": branch.facts["path"]}
    row |= {"slicing": change.pop("slicing")} if "slicing" in change else {}
    row |= {"sliceName": branch.facts["sliceName"]} if "sliceName" in branch.facts else {}
    if "why" in branch.change:
        row["definition"] = branch.change["why"]
    order = ("min", "max", "type", "fixed", "pattern", "constraint", "mustSupport", "binding")
    for key in sorted(change, key=lambda key: next(n for n, start in enumerate(order) if key.startswith(start))):
        row[key] = change[key]
    return row
