"""Which elements R4 has: what a path in a mapping may name, told before any resource is made of it."""

from collections.abc import Iterator
from difflib import get_close_matches

from gateway.validation.definitions import HL7, Definitions, Element, Node, Structure, read_structure

_PRIMITIVE = "primitive-type"
_Place = tuple[Structure, Node]


class Elements:
    """Know the elements of R4's resource types by path; reads each definition once."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._structures: dict[str, Structure | None] = {}

    def fault(self, path: str) -> str:
        """Return what is wrong with a path such as `Encounter.participant[].period.start`; "" where R4 has it.

        `[]` stands after each element that is a list; a choice is named by its type (`onsetDateTime`).
        """
        name, *steps = path.split(".")
        structure = self._structure(name)
        if structure is None or structure.kind != "resource":
            return f"expected a resource type of R4, found {name[:40]!r}"
        place: _Place | None = (structure, structure.root)
        walked = name
        for step in steps:
            if place is None:
                return ""  # inside any resource at all
            children = {child: (element, kind) for child, element, kind in self._children(*place)}
            word = step.removesuffix("[]")
            if word not in children:
                near = get_close_matches(word, children, n=3)
                told = f"expected an element that R4 has, found {word[:40]!r} of {walked}"
                return f"{told}; near it: {', '.join(near)}" if near else told
            node, kind = children[word]
            walked = f"{walked}.{word}"
            if node.element.many != step.endswith("[]"):
                is_list = node.element.many
                wanted = f"{word}[]" if is_list else word
                return f"expected {wanted}, found {step}: {walked} is {'a' if is_list else 'no'} list"
            place = self._inside(place[0], node, kind)
        return ""

    def _children(self, structure: Structure, parent: Node) -> Iterator[tuple[str, Node, str]]:
        """Yield (JSON name, element, type) of what an object may have."""
        if structure.kind == _PRIMITIVE:
            return
        for name, node in parent.children.items():
            for kind in _kinds(node.element):
                word = name.removesuffix("[x]") + kind[:1].upper() + kind[1:] if name.endswith("[x]") else name
                yield word, node, kind
                if self._is_primitive(kind):
                    yield f"_{word}", node, "Element"

    def _inside(self, structure: Structure, node: Node, kind: str) -> _Place | None:
        """Return where an element's own elements stand; None where it may be any resource."""
        if node.element.same_as:
            return structure, structure.by_id[node.element.same_as]
        if node.children:
            return structure, node
        inner = self._structure(kind)
        return (inner, inner.root) if inner is not None and kind != "Resource" else None

    def _is_primitive(self, kind: str) -> bool:
        structure = self._structure(kind)
        return structure is not None and structure.kind == _PRIMITIVE

    def _structure(self, name: str) -> Structure | None:
        if name not in self._structures:
            url = HL7 + name
            facts = self._definitions.structure(url)
            self._structures[name] = read_structure(url, facts) if facts is not None else None
        return self._structures[name]


def _kinds(element: Element) -> tuple[str, ...]:
    return tuple(one.code for one in element.types) or ("",)
