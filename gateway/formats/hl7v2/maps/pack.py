"""What a compiled pack is made of: nodes for segments, rows for fields, and what reading and writing share."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from gateway.formats.hl7v2.build import Field
from gateway.formats.hl7v2.message import Segment
from gateway.model.handoff import Resource

if TYPE_CHECKING:
    from gateway.formats.hl7v2.maps.outgoing import Writing
    from gateway.formats.hl7v2.maps.reading import Reading

Fill = Callable[[str, "Reading"], None]
"""Take a field as sent (or, of a row about another segment, look there) and fill what it is about."""

Take = Callable[["Writing"], Field]
"""Give a field for the segment being written; "" for nothing."""

Make = Callable[["Reading"], Any]
"""Give a constant with its references; None where one of them leads nowhere."""


Conditions = tuple[tuple[int, int, frozenset[str], bool], ...]
"""(field, component, values, whether it must have one of them or none of them)."""

Way = tuple[str, tuple[tuple[str, bool], ...]]
"""An open resource and the steps inside it."""

Once = Literal["", "always", "group"]
"""When a segment is written although nothing of its own fills it: always, or where something stands below it."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose word a message is: the organization that the Provenance of its resources names."""

    system: str
    value: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """What one partner calls things: beyond the names that HL7 fixes, these are the site's own."""

    code_systems: Mapping[str, str] = field(default_factory=dict)
    """Name in CWE-3 -> URI."""
    assigners: Mapping[str, str] = field(default_factory=dict)
    """Namespace in HD-1 -> URI of the identifiers it assigns."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a pack: a field and what it is tied to."""

    path: str
    """Such as PID-5 or PRD-4.4."""
    field: int
    """Its number; 0 for a row that reads another segment."""
    component: int
    """0 for the whole field."""
    target: str
    """Such as Patient.name[]; "" for a row that only writes."""
    rule: str
    """`file:line` where it stands."""
    where: str
    """The same with the column, for whoever has to mend it."""
    fill: Fill | None
    take: Take | None
    alone: bool = True
    """No other row takes its field, and this one takes it always: it tells by itself where nothing came of it."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A resource, or a part of one, that a segment opens."""

    name: str
    resource_type: str
    """"" for a part."""
    inside: tuple[str, str, bool] | None
    """Of a part: the open resource it belongs to, the element, and whether that is a list."""
    keys: tuple[tuple[tuple[str, int, int], ...], ...]
    """Alternatives for the business key, of parts: (path, field, component) here, or (open resource, 0, 0)."""
    constants: tuple[tuple[str, Make], ...]
    """Element -> what it holds where no row filled it."""
    pattern: Mapping[str, Any]
    """The constants as they stand, to know such a resource by when a message is written."""
    others: tuple[Mapping[str, Any], ...]
    """Of a part: constants of items that are not meant; other segments write them."""
    via: Way | None
    """Where the reference to it stands: reading puts it there, writing looks for it there."""
    implied: Way | None
    """Where another resource of the same segment refers to it: writing looks for it there."""
    also: tuple[tuple[Way, Make | None], ...]
    """Where else reading puts a reference to it, and with what beside it."""
    each: bool
    """Every segment is one of its own: where several of a message have one key, the second is the second of it."""
    shares: tuple[tuple[str, str], ...]
    """(element of several types, such as effective[x]; open resource): where it has none, it has that of the other."""
    joins: bool
    """Kept, even empty, where another resource of its segment is: it is what ties them together."""
    needs: frozenset[str]
    """Elements without which it is none: FHIR asks for them, and no default can stand in."""
    unfilled: frozenset[str]
    """What it needs and no constant gives: only a row can."""
    late: tuple[tuple[str, Make], ...]
    """Element -> what it holds where nothing in the whole message filled it."""


@dataclass(slots=True)
class Node:
    """A segment at its place in a pack's structure."""

    segment: str
    openings: tuple[Opening, ...] = ()
    closing: tuple[Opening, ...] = ()
    """The openings in the order in which it is told what is kept of them: those that only tie others together last."""
    rows: tuple[Row, ...] = ()
    left_out: Mapping[int, str] = field(default_factory=dict)
    """Field -> why it is passed over on purpose."""
    kept: Mapping[int, str] = field(default_factory=dict)
    """Field -> why it stays with the message and nothing is made of it."""
    elsewhere: Mapping[int, str] = field(default_factory=dict)
    """Field -> what it fills where no row of this segment reads it: labels, the type beside a value."""
    numbers: frozenset[int] = frozenset()
    """Fields that only count the segments."""
    when: Conditions = ()
    """All must hold for this node to be the segment's."""
    once: Once = ""
    fills: tuple[tuple[int, Fill], ...] = ()
    only_with: frozenset[int] = frozenset(range(1, 1000))
    """Fields of which one must hold something for the segment to be written."""
    closes: tuple[str, ...] = ()
    """Names that the segments below open: they belong to the one before."""
    children: tuple["Node", ...] = ()
    next: dict[str, tuple["Node", ...]] = field(default_factory=dict, repr=False)
    """Segment name -> nodes that it may be from here on."""


@dataclass(frozen=True, slots=True)
class CompiledPack:
    """A pack ready to read and write; immutable, shared by every message."""

    name: str
    title: str
    reads: frozenset[tuple[str, str]]
    """(message code, event); event "" stands for every event."""
    writes: Mapping[str, str]
    """REF^I12 -> REF_I12: what it can write, and MSH-9.3."""
    root: Node
    shown: Mapping[str, str]
    """Target of a row -> the FHIR element it is: a pack may call a RelatedPerson a Relative."""
    foreign: Mapping[str, tuple[str, str]]
    """Fields that rows of other segments read: path -> rule and target."""
    names: Names
    zone: str
    """Offset or zone of a partner's clocks, "" for none."""
    charset: str
    """MSH-18 that the partner asks for, "" for none."""

    def takes(self, code: str, event: str) -> bool:
        """Tell whether messages of this type and event are read by this pack."""
        return (code, event) in self.reads or (code, "") in self.reads

    def rows(self) -> Iterator[Row]:
        """Yield every row; one of a segment with several places in the structure as often."""
        for node in nodes_of(self.root):
            yield from node.rows

    def opened(self) -> frozenset[str]:
        """Return the names of all that its segments open."""
        return frozenset(opening.name for node in nodes_of(self.root) for opening in node.openings)


def nodes_of(node: Node) -> Iterator[Node]:
    """Yield a node and all below it."""
    yield node
    for child in node.children:
        yield from nodes_of(child)


def choose(candidates: tuple[Node, ...], segment: Segment) -> Node | None:
    """Return the first node whose conditions the segment meets."""
    for node in candidates:
        if meets(segment, node.when):
            return node
    return None


def meets(segment: Segment, when: Conditions) -> bool:
    """Tell whether a segment says what all the conditions ask for."""
    return all((segment.text(number, component) in values) is one_of for number, component, values, one_of in when)


def emptied_by(target: str) -> str:
    """Return the element that two quotes take away: of a row that fills a value of any type, that value alone."""
    return target if "." in target else f"{target}.value[x]"


def reference_to(resource: Resource) -> dict[str, str]:
    """Return a Reference to a resource that has its id."""
    return {"reference": f"{resource['resourceType']}/{resource['id']}"}
