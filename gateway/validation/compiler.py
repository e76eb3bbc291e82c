"""Compile definitions into shapes, each once and only when the first value of its kind comes."""

from collections.abc import Iterator
from typing import Any

from gateway.validation import codes, extensions, references, slicing
from gateway.validation.definitions import (
    HL7,
    NOTHING,
    DefinitionError,
    Definitions,
    Element,
    Invariant,
    Node,
    Structure,
    Type,
    read_structure,
)
from gateway.validation.invariants import NATIVE, compile_invariant
from gateway.validation.narrative import check_narrative
from gateway.validation.primitives import TESTS, USUAL, expected, kind
from gateway.validation.run import Check, Place, Run
from gateway.validation.shapes import Property, Rule, Shape, Usual, apply_rules
from gateway.validation.terminology import Terminology

EVERYWHERE = "ele-1"
"""The invariant of every element, "has a value or children": the walk itself refuses empty objects, lists and nulls."""

OF_CONTAINED = ("dom-2", "dom-3", "dom-4", "dom-5")
"""The invariants that are about contained resources: where there are none, they hold."""

BACKBONES = ("BackboneElement", "Element")


class Compiler:
    """Turn profiles, resource types and datatypes into shapes on demand, and keep them."""

    def __init__(self, definitions: Definitions, check_resource: Check) -> None:
        self._definitions = definitions
        self._structures: dict[str, Structure] = {}
        self._shapes: dict[str, Shape] = {}
        self._node_shapes: dict[int, Shape] = {}
        self._check_resource = check_resource
        self.terminology = Terminology(definitions)
        self.resource_types = self.terminology.codes("http://hl7.org/fhir/resource-types") or frozenset()

    def structure(self, url: str) -> Structure | None:
        """Return the parsed definition of that URL, or None when it is not at hand."""
        found = self._structures.get(url)
        # Only what is at hand is kept: records name whatever they like, and nobody bounds how much.
        if found is None and (definition := self._definitions.structure(url)) is not None:
            found = self._structures[url] = read_structure(url, definition)
        return found

    def shape(self, url: str) -> Shape | None:
        """Return the shape of a profile, type or extension by URL, or None when it is not at hand."""
        if url not in self._shapes:
            structure = self.structure(url)
            if structure is None:
                return None
            self._shapes[url] = Shape(lambda shape: self._fill(shape, structure, structure.root))
        return self._shapes[url]

    def type_shape(self, code: str) -> Shape:
        """Return the shape of a type of R4; raise `DefinitionError` for one that is not in the fact table."""
        shape = self.shape(HL7 + code)
        if shape is None:
            raise DefinitionError(f"type {code}: expected it in the R4 fact table; add it to resource_types.txt")
        return shape

    def item_check(self, structure: Structure, node: Node, item: Type | None) -> Check:
        """Return the check of one value of an element: its type, then what the element adds to the type."""
        element = node.element
        if element.most == 0:
            return _forbidden
        code = item.code if item else ""
        more = list(self._additions(element, code))
        rules = self._rules(element, code)
        if code in TESTS and code != "xhtml" and not element.same_as:
            return _primitive(code, element.longest, more, rules)
        first = self._typed(structure, node, item)
        if item and code == "Reference":
            first = self._reference(first, node, item)
        return _in_turn(first, more, rules) if more or rules else first

    def _fill(self, shape: Shape, structure: Structure, node: Node) -> None:
        """Compile the children of a node into the shape's properties."""
        is_resource = structure.kind == "resource" and node is structure.root
        properties = {"resourceType": self._resource_type()} if is_resource else {}
        required: list[tuple[str, str, str]] = []
        required_choices, choices = [], []
        stands_on = frozenset({node.element.path, *(item.code for item in node.element.types)})
        for name, child in node.children.items():
            element = child.element
            stem = name.removesuffix("[x]")
            for prop_name, prop in self._properties(structure, stem, child, stands_on):
                properties[prop_name] = prop
            if name.endswith("[x]"):
                choices.append(stem)
                if element.least:
                    required_choices.append(stem)
                required.extend(_required_slices(child))
            elif element.least:
                required.append((stem, f"_{stem}", stem))
        shape.properties, shape.required, shape.choices = properties, tuple(required), tuple(choices)
        shape.required_choices = tuple(required_choices)
        root_type = structure.type if node is structure.root else _only_type(node)
        shape.rules = tuple(self._shape_rules(structure, node, root_type))
        if root_type == "Coding":
            shape.checks = (codes.coding_check(self.terminology),)
        elif root_type in ("Identifier", "Quantity"):
            shape.checks = (codes.check_system,)
        elif root_type == "Reference":
            shape.checks = (references.form_check(self.resource_types),)

    def _properties(
        self, structure: Structure, stem: str, node: Node, stands_on: frozenset[str]
    ) -> Iterator[tuple[str, Property]]:
        """Yield the JSON properties of one element: one for each type of a choice, and companions of primitives."""
        is_choice = node.element.path.endswith("[x]")
        for item in node.element.types or (None,):
            name = stem + item.code[:1].upper() + item.code[1:] if is_choice and item else stem
            chosen = _choice_slice(node, item) if is_choice else node
            prop = self._property(structure, stem, chosen, item, stands_on)
            if is_choice:
                prop.stem, prop.usual = name, None
            yield name, prop
            if item and item.code in TESTS and item.code != "xhtml":
                companion = Property(stem, self._companion(structure, chosen, prop.many), stem=prop.stem)
                yield f"_{name}", companion

    def _property(
        self, structure: Structure, stem: str, node: Node, item: Type | None, stands_on: frozenset[str]
    ) -> Property:
        element = node.element
        check = self.item_check(structure, node, _own_type(node, item))
        if item and item.code == "Extension":
            check = extensions.dispatch(structure, node, check, stands_on, self)
        usual = self._usual(element, item.code if item else "")
        is_primitive = bool(item and item.code in TESTS)
        is_plain = not is_primitive and element.least <= 1 and not element.most and not node.slices
        return Property(
            name=stem,
            check=check,
            many=element.many,
            least=element.least,
            most=element.most or None,  # 0 is told by the item's own check
            slices=tuple(slicing.slices(structure, node, stands_on, self)) if element.many else (),
            closed=bool(element.slicing and element.slicing.closed and node.slices),
            primitive=is_primitive,
            usual=None if element.many else usual,
            usual_item=usual if element.many else None,
            is_plain_list=element.many and is_plain,
        )

    def _resource_type(self) -> Property:
        """Return the property by which the shape was chosen: nothing is left to check."""
        return Property("resourceType", _already_read, usual=self.resource_types.__contains__)

    def _usual(self, element: Element, code: str) -> Usual | None:
        """Return what tells most sound texts of an element at once; None where something else is asked of them too."""
        is_special = element.fixed is not NOTHING or element.pattern is not NOTHING or element.longest is not None
        if code not in USUAL or is_special or element.most == 0 or element.same_as or self._rules(element, code):
            return None
        if element.binding is None or not any(self._additions(element, code)):
            return USUAL[code]
        members = self.terminology.members(element.binding.value_set)
        if members is None or element.binding.limit:
            return None
        return frozenset(filter(TESTS[code], members.codes)).__contains__

    def _typed(self, structure: Structure, node: Node, item: Type | None) -> Check:
        """Return the check of a type that is no primitive: inline children, a named element, a resource, a type."""
        element = node.element
        if element.same_as:
            return self._node_shape(structure, structure.by_id[element.same_as]).check
        if item is None:
            return self._node_shape(structure, node).check
        if item.code == "xhtml":
            return check_narrative
        if item.code in self.resource_types or item.code in ("Resource", "DomainResource"):
            return references.resource_check(item, self._check_resource, self)
        if node.children:
            return self._node_shape(structure, node).check
        known = [shape for url in item.profiles if (shape := self.shape(url))]
        if len(known) == 1 and item.code != "Extension":
            return known[0].check
        whole = self.type_shape(item.code).check
        return codes.spare_usual_codings(whole, self.terminology) if item.code == "Coding" else whole

    def _reference(self, check: Check, node: Node, item: Type) -> Check:
        """Return the check of a reference that also asks where it leads; of a plain one a known address is enough."""
        types = references.target_types(item.targets, self) if item.targets else None
        if types is not None:
            check = _one_more(check, references.target_check(types))
        is_plain = not node.children and not item.profiles
        return references.spare_known_addresses(check, types) if is_plain else check

    def _node_shape(self, structure: Structure, node: Node) -> Shape:
        """Return the shape of an element that lists its own children; made once, since content may refer to itself."""
        key = id(node)
        if key not in self._node_shapes:
            self._node_shapes[key] = Shape(lambda shape: self._fill(shape, structure, node))
        return self._node_shapes[key]

    def _companion(self, structure: Structure, node: Node, many: bool) -> Check:
        """Return the check of `_name`: the id and extensions of a primitive, in a list aligned with the values."""
        shape = self._node_shape(structure, node) if node.children else self.type_shape("Element")

        def check(value: Any, place: Place, run: Run) -> None:
            if not many:
                shape.check(value, place, run)
            elif type(value) is not list or not value:
                run.broken("json-type", place, f"expected a list of objects and nulls, found {kind(value)}")
            else:
                for index, item in enumerate(value):
                    if item is not None:
                        shape.check(item, (place[0], place[1], index), run)

        return check

    def _additions(self, element: Element, code: str) -> Iterator[Check]:
        if element.fixed is not NOTHING:
            yield slicing.fixed_check(element.fixed)
        if element.pattern is not NOTHING:
            yield slicing.pattern_check(element.pattern)
        if element.binding:
            yield from codes.binding_checks(element.binding, code, self.terminology)

    def _rules(self, element: Element, code: str) -> tuple[Rule, ...]:
        """Return the element's invariants that its type does not state already."""
        if not element.invariants or "." not in element.path:
            return ()
        structure = self.structure(HL7 + code) if code and code not in BACKBONES else None
        stated = {rule.key for rule in structure.root.element.invariants} if structure else set()
        own = (rule for rule in element.invariants if rule.key not in stated and rule.key != EVERYWHERE)
        # The engine knows a type by its name, and the parts of a backbone by their path.
        path = element.path if code in ("", *BACKBONES) else code
        return tuple(_rule(rule, path) for rule in own)

    def _shape_rules(self, structure: Structure, node: Node, root_type: str) -> Iterator[Rule]:
        """Yield the invariants of an object: for a definition's root its own, for inline children those of the type."""
        element = node.element
        if node is structure.root:
            for rule in element.invariants:
                if rule.key != EVERYWHERE:
                    yield _rule(rule, structure.type)
            return
        type_structure = self.structure(HL7 + root_type) if root_type else None
        for rule in type_structure.root.element.invariants if type_structure else ():
            if rule.key != EVERYWHERE:
                yield _rule(rule, root_type)


def _already_read(value: Any, place: Place, run: Run) -> None:
    """Pass over the resource type: by it the shape was chosen."""


def _rule(rule: Invariant, path: str) -> Rule:
    holds = compile_invariant(rule.expression, path)
    return Rule(rule.key, rule.severity, rule.expression, holds, _about(rule))


def _about(rule: Invariant) -> str:
    return "contained" if rule.key in OF_CONTAINED and rule.expression in NATIVE else ""


def _only_type(node: Node) -> str:
    return node.element.types[0].code if len(node.element.types) == 1 else ""


def _choice_slice(node: Node, item: Type | None) -> Node:
    """Return the slice of a choice element that is about one type, else the element: type slicing needs no matching."""
    for part in node.slices.values():
        if item and [found.code for found in part.element.types] == [item.code]:
            return part
    return node


def _own_type(node: Node, item: Type | None) -> Type | None:
    """Return the node's own say on a type: a type slice may narrow its targets and profiles."""
    return next((found for found in node.element.types if item and found.code == item.code), item)


def _required_slices(node: Node) -> Iterator[tuple[str, str, str]]:
    """Yield JSON name, companion and FHIRPath name of a choice element's type slices that must be there."""
    stem = node.element.path.rpartition(".")[2].removesuffix("[x]")
    for part in node.slices.values():
        if part.element.least and len(part.element.types) == 1:
            code = part.element.types[0].code
            name = stem + code[:1].upper() + code[1:]
            yield name, f"_{name}", stem


def _forbidden(value: Any, place: Place, run: Run) -> None:
    run.error("max", place, "expected nothing here, since the profile rules this element out; remove it")


def _primitive(code: str, longest: int | None, more: list[Check], rules: tuple[Rule, ...]) -> Check:
    """Check a primitive's form, and only where that is right its length, bindings and rules."""
    test = TESTS[code]

    def check(value: Any, place: Place, run: Run) -> None:
        if not test(value):
            tell = run.broken if value is None or isinstance(value, dict | list) else run.error
            tell("type", place, f"expected {expected(code)}, found {kind(value)}")
            return
        if longest is not None and type(value) is str and len(value) > longest:
            run.error("too-long", place, f"expected at most {longest} characters, found {len(value)}")
        for part in more:
            part(value, place, run)
        if rules:
            apply_rules(rules, value, place, run)

    return check


def _in_turn(first: Check, more: list[Check], rules: tuple[Rule, ...]) -> Check:
    """Check the type first; ask the rest only about a value whose JSON is sound."""
    if len(more) == 1 and not rules:
        return _one_more(first, more[0])

    def check(value: Any, place: Place, run: Run) -> None:
        damage = run.damage
        first(value, place, run)
        if run.damage == damage:
            for part in more:
                part(value, place, run)
            if rules:
                apply_rules(rules, value, place, run)

    return check


def _one_more(first: Check, second: Check) -> Check:
    """Check as `_in_turn` does, of what most elements have: a type and one thing that they ask beside it."""

    def check(value: Any, place: Place, run: Run) -> None:
        damage = run.damage
        first(value, place, run)
        if run.damage == damage:
            second(value, place, run)

    return check
