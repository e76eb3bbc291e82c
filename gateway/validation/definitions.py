"""StructureDefinitions as the checker needs them: elements parsed once into frozen records, then a tree by element id.

The R4 fact table and foreign snapshots share one shape (ElementDefinition's own key names), so one reader serves both.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway.model.findings import Severity

Json = Mapping[str, Any]

HL7 = "http://hl7.org/fhir/StructureDefinition/"
SYSTEM_TYPES = "http://hl7.org/fhirpath/System."
FHIR_TYPE = HL7 + "structuredefinition-fhir-type"
BEST_PRACTICE = HL7 + "elementdefinition-bestpractice"
MAX_VALUE_SET = HL7 + "elementdefinition-maxValueSet"
_PATH = re.compile(r"[A-Z]\w*(\.[\w\[\]]+)*")
NOTHING: Any = object()
"""Stands for "no fixed value", since null and false are values."""


class Definitions(Protocol):
    """Answer canonical URLs (without version) with parsed definitions, or None when there is none at hand."""

    def structure(self, url: str) -> Json | None:
        """Return the StructureDefinition, or its facts, of that URL."""

    def value_set(self, url: str) -> Json | None:
        """Return the ValueSet, or its facts, of that URL."""

    def code_system(self, url: str) -> Json | None:
        """Return the CodeSystem, or its facts, of that URL."""


@dataclass(frozen=True, slots=True)
class Type:
    """Name one allowed type: its code, the profiles one of which it must meet, and what a reference may point at."""

    code: str
    profiles: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Binding:
    """Bind codes to a value set; `strength` is FHIR's word, `limit` the set that even a weak binding may not leave."""

    strength: str
    value_set: str
    limit: str | None = None


@dataclass(frozen=True, slots=True)
class Invariant:
    """State a rule in FHIRPath; best practice is told as information, since leaving it out breaks nothing."""

    key: str
    severity: Severity
    expression: str


@dataclass(frozen=True, slots=True)
class Slicing:
    """Say by what a repeating element is sliced: pairs of discriminator kind and path; and whether it is closed."""

    discriminators: tuple[tuple[str, str], ...]
    closed: bool


@dataclass(frozen=True, slots=True)
class Element:
    """Hold the facts of one ElementDefinition; `most` is None without limit, `many` says whether JSON has a list."""

    id: str
    path: str
    least: int
    most: int | None
    many: bool
    types: tuple[Type, ...]
    binding: Binding | None
    fixed: Any
    pattern: Any
    invariants: tuple[Invariant, ...]
    same_as: str | None
    slicing: Slicing | None
    longest: int | None


@dataclass(slots=True)
class Node:
    """Place an element in its tree: child elements by name (`value[x]` as written), slices by slice name."""

    element: Element
    children: dict[str, "Node"] = field(default_factory=dict)
    slices: dict[str, "Node"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Structure:
    """Hold one parsed definition: the type it is about and its tree; `context` is where an extension may stand."""

    url: str
    type: str
    kind: str
    context: tuple[str, ...]
    root: Node
    by_id: Mapping[str, Node]


class DefinitionError(ValueError):
    """A definition cannot be used: it has no snapshot, or its elements do not form a tree."""


def bare(canonical: str) -> str:
    """Strip the version from a canonical URL."""
    return canonical.partition("|")[0]


def read_structure(url: str, definition: Json) -> Structure:
    """Read a StructureDefinition with a snapshot, or an entry of the fact table; raise `DefinitionError` otherwise."""
    elements = definition.get("elements") or definition.get("snapshot", {}).get("element")
    if not elements:
        raise DefinitionError(f"{url}: expected a snapshot, found a differential only; add a snapshot to the package")
    root, by_id = _tree(url, map(_element, elements))
    return Structure(
        url=url,
        type=definition["type"],
        kind=definition["kind"],
        context=_context(definition.get("context", ())),
        root=root,
        by_id=by_id,
    )


def _context(contexts: Sequence[Any]) -> tuple[str, ...]:
    """Return the elements an extension may stand on; nothing where a context is more than an element's path.

    A FHIRPath context that is a plain path says the same as an element context.
    """
    paths = [item if isinstance(item, str) else item["expression"] for item in contexts]
    if any(not isinstance(item, str) and item["type"] == "extension" for item in contexts):
        return ()
    return tuple(paths) if all(_PATH.fullmatch(path) for path in paths) else ()


def _tree(url: str, elements: Iterable[Element]) -> tuple[Node, dict[str, Node]]:
    """Arrange elements by id: `Observation.component:systolic.code` lies under the slice, not under the element."""
    by_id: dict[str, Node] = {}
    root: Node | None = None
    for element in elements:
        node = by_id[element.id] = Node(element)
        parent_id, _, name = element.id.rpartition(".")
        if root is None:
            root = node
            continue
        base, _, slice_name = name.partition(":")
        parent = by_id.get(f"{parent_id}.{base}" if slice_name else parent_id)
        if parent is None:
            raise DefinitionError(f"{url}: element id {element.id} has no parent; expected a complete snapshot")
        (parent.slices if slice_name else parent.children)[slice_name or base] = node
    assert root is not None
    return root, by_id


def _element(facts: Json) -> Element:
    most = facts.get("max", "1")
    base_most = facts.get("base", {}).get("max", most)
    return Element(
        id=facts.get("id", facts["path"]),
        path=facts["path"],
        least=facts.get("min", 0),
        most=None if most == "*" else int(most),
        many=base_most not in ("0", "1"),
        types=_types(facts),
        binding=_binding(facts.get("binding")),
        fixed=_by_prefix(facts, "fixed"),
        pattern=_by_prefix(facts, "pattern"),
        invariants=tuple(_invariant(rule) for rule in facts.get("constraint", ()) if "expression" in rule),
        same_as=facts["contentReference"].partition("#")[2] if "contentReference" in facts else None,
        slicing=_slicing(facts.get("slicing")),
        longest=facts.get("maxLength"),
    )


def _types(facts: Json) -> tuple[Type, ...]:
    # A resource's id is written with FHIRPath's own string type, and bound to the form of `id` in words only.
    if facts.get("base", {}).get("path") == "Resource.id":
        return (Type("id"),)
    return tuple(_type(item) for item in facts.get("type", ()))


def _type(item: Json) -> Type:
    code = item["code"]
    if code.startswith(SYSTEM_TYPES):
        # R4 writes element ids and primitive values with FHIRPath's own types and the FHIR type in an extension.
        code = next(
            (ext.get("valueUrl", "string") for ext in item.get("extension", ()) if ext["url"] == FHIR_TYPE), "string"
        )
    return Type(code, tuple(map(bare, item.get("profile", ()))), tuple(map(bare, item.get("targetProfile", ()))))


def _binding(facts: Json | None) -> Binding | None:
    if not facts or "valueSet" not in facts or facts["strength"] not in ("required", "extensible", "preferred"):
        return None
    limit = next((ext.get("valueCanonical") for ext in facts.get("extension", ()) if ext["url"] == MAX_VALUE_SET), None)
    if facts["strength"] == "preferred" and not limit:
        return None
    return Binding(facts["strength"], bare(facts["valueSet"]), bare(limit) if limit else None)


def _invariant(rule: Json) -> Invariant:
    optional = rule["key"] == "dom-6" or any(ext["url"] == BEST_PRACTICE for ext in rule.get("extension", ()))
    severity: Severity = "information" if optional else "warning" if rule["severity"] == "warning" else "error"
    return Invariant(rule["key"], severity, rule["expression"])


def _slicing(facts: Json | None) -> Slicing | None:
    if facts is None:
        return None
    pairs = tuple((item["type"], item["path"]) for item in facts.get("discriminator", ()))
    return Slicing(pairs, facts.get("rules") == "closed")


def _by_prefix(facts: Json, prefix: str) -> Any:
    return next((value for key, value in facts.items() if key.startswith(prefix)), NOTHING)
