"""Shapes: an object's properties compiled into plain dictionaries, and the walk over a value that uses them.

This is the inner loop of every check. A shape knows nothing of definitions; `gateway.validation.compiler` fills it
when it is first met.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gateway.model.findings import Severity
from gateway.validation.fhirpath import CannotEvaluate, Holds
from gateway.validation.primitives import kind
from gateway.validation.run import Check, Place, Run

Usual = Callable[[str], object]
"""Tells of a text that it needs no second look: whatever it does not know goes through the whole check."""

LONGEST_NAME = 40
"""Characters of a property name that a message repeats: a longer one is no slip of the pen and may hold anything."""


@dataclass(slots=True)
class Rule:
    """Tie an invariant to its severity and key; `about` is an element without which it holds, "" for none."""

    key: str
    severity: Severity
    expression: str
    holds: Holds
    about: str = ""


@dataclass(slots=True)
class Slice:
    """Hold one slice: what belongs to it, what its items must meet, how many there must and may be."""

    name: str
    fits: Callable[[Any, Run], bool]
    check: Check
    least: int
    most: int | None


@dataclass(slots=True)
class Property:
    """Hold what one JSON property must meet.

    `name` is the FHIRPath name: `value` for `valueQuantity`. `stem` is set for choice elements only, to the JSON name
    without the underscore, so that `valueDate` and `_valueDate` count as one choice made. `usual` spares the check of
    what most texts of a primitive look like, `usual_item` that of those in a list; a choice element has none, since its
    type has to be noted. `is_plain_list` says that a list is right where its items are and there is one.
    """

    name: str
    check: Check
    many: bool = False
    least: int = 0
    most: int | None = 1
    stem: str | None = None
    slices: tuple[Slice, ...] = ()
    closed: bool = False
    primitive: bool = False
    usual: Usual | None = None
    usual_item: Usual | None = None
    is_plain_list: bool = False


@dataclass(slots=True)
class Shape:
    """Hold what one kind of object must meet. `fill` compiles it when the first such object comes.

    `required` names JSON property, its companion and the FHIRPath name; `required_choices` and `choices` name choice
    elements without `[x]`; `asks` is False where there are neither required elements, checks nor rules.
    """

    fill: Callable[["Shape"], None]
    filled: bool = False
    properties: dict[str, Property] = field(default_factory=dict)
    required: tuple[tuple[str, str, str], ...] = ()
    required_choices: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    checks: tuple[Check, ...] = ()
    asks: bool = False

    def check(self, value: Any, place: Place, run: Run) -> None:
        """Check an object: every property, then what must be there, then the rules."""
        if (value.__class__ is not dict or not value or not self.filled) and not self._can_begin(value, place, run):
            return
        damage = run.damage
        find = self.properties.get
        chosen: dict[str, str] | None = None
        misnamed = ""
        for name, item in value.items():
            prop = find(name)
            if prop is None:
                misnamed = self._stranger(name, place, run) or misnamed
            elif item.__class__ is str and prop.usual is not None and prop.usual(item):
                pass
            elif item.__class__ is list and prop.is_plain_list and item:
                check = prop.check
                for index, part in enumerate(item):
                    check(part, (place, prop.name, index), run)
            elif prop.many:
                check_list(prop, item, value.get("_" + name) if prop.primitive else None, place, run)
            else:
                prop.check(item, (place, prop.name, None), run)
                if prop.stem:
                    chosen = chosen or {}
                    chosen[prop.stem] = prop.name
        if chosen or self.required_choices:
            self._check_choices(chosen or {}, misnamed, place, run)
        if self.asks:
            self._check_whole(value, damage, place, run)

    def _can_begin(self, value: Any, place: Place, run: Run) -> bool:
        """Tell whether there is an object to walk over, and compile the shape where that has not been done."""
        if type(value) is not dict:
            run.broken("json-type", place, f"expected an object, found {kind(value)}")
            return False
        if not self.filled:
            # Two threads may both fill a shape; they fill it alike, and nobody reads it half filled.
            self.fill(self)
            self.asks = bool(self.required or self.checks or self.rules)
            self.filled = True
        if not value:
            run.broken("empty", place, "expected at least one element, found an empty object; leave it out")
        return bool(value)

    def _check_whole(self, value: dict[str, Any], damage: int, place: Place, run: Run) -> None:
        """Check what is about no single property; `damage` was the run's before this object."""
        for key, hidden, name in self.required:
            if key not in value and hidden not in value:
                run.error("min", (place, name, None), "expected a value, found none; add it")
        if run.damage == damage:
            for check in self.checks:
                check(value, place, run)
            if self.rules:
                apply_rules(self.rules, value, place, run)

    def _check_choices(self, chosen: dict[str, str], misnamed: str, place: Place, run: Run) -> None:
        """Check that each choice element has one type, and a required one any; a misnamed one has been told."""
        if len(chosen) > 1 and len(set(chosen.values())) != len(chosen):
            run.error("choice", place, "expected one type of a choice element, found two; keep one")
        for name in self.required_choices:
            if name != misnamed and name not in chosen.values():
                run.error("min", (place, name, None), "expected a value, found none; add it")

    def _stranger(self, name: str, place: Place, run: Run) -> str:
        """Tell about a property that is not defined; return the choice element it was meant for, if any."""
        shown = name if name.isidentifier() and len(name) <= LONGEST_NAME else "?"
        meant = next((choice for choice in self.choices if name.lstrip("_").startswith(choice)), "")
        if meant:
            message = "expected one of the types this choice element allows, found another"
            run.error("choice-type", (place, shown, None), message)
        else:
            message = "expected an element that this type defines, found one that it does not; remove it"
            run.error("unknown-element", (place, shown, None), message)
        return meant


def apply_rules(rules: tuple[Rule, ...], value: Any, place: Place, run: Run) -> None:
    """Ask invariants; an expression that cannot be evaluated is told, never passed over."""
    resource, root = run.resource, run.root
    for rule in rules:
        if rule.about and rule.about not in value:
            continue
        try:
            if rule.holds(value, resource, root):
                continue
        except (CannotEvaluate, AttributeError, KeyError, TypeError):
            # A value of a wrong primitive type, which has been told, may be what a rule stumbles over.
            run.tell("warning", "invariant-unchecked", place, f"not checked: {rule.key}, {rule.expression}")
            continue
        run.tell(rule.severity, rule.key, place, f"expected this to hold, found that it does not: {rule.expression}")


def check_list(prop: Property, items: Any, companions: Any, place: Place, run: Run) -> None:
    """Check a repeating element: a list that is not empty, its items, their number, their slices."""
    name = prop.name
    if type(items) is not list or not items:
        found = "an empty list" if items == [] else kind(items)
        run.broken("json-type", (place, name, None), f"expected a list of at least one item, found {found}")
        return
    check, usual = prop.check, prop.usual_item
    counts = [0] * len(prop.slices)
    for index, item in enumerate(items):
        if item is None and has_companion(companions, index):
            continue
        if prop.slices:
            _check_item(prop, item, (place, name, index), counts, run)
        elif usual is None or item.__class__ is not str or not usual(item):
            check(item, (place, name, index), run)
    if len(items) < prop.least:
        run.error("min", (place, name, None), f"expected at least {prop.least} items, found {len(items)}; add them")
    if prop.most is not None and len(items) > prop.most:
        run.error("max", (place, name, None), f"expected at most {prop.most} items, found {len(items)}")
    if counts:
        for wanted, count in zip(prop.slices, counts, strict=True):
            check_slice_count(wanted, count, (place, name, None), run)


def _check_item(prop: Property, item: Any, here: Place, counts: list[int], run: Run) -> None:
    damage = run.damage
    for number, wanted in enumerate(prop.slices):
        if item.__class__ in (dict, str) and wanted.fits(item, run):
            counts[number] += 1
            wanted.check(item, here, run)
            return
    prop.check(item, here, run)
    if prop.closed and run.damage == damage:
        run.error("slice-closed", here, "expected one of the slices this profile names, found none that fits")


def check_slice_count(wanted: Slice, count: int, place: Place, run: Run) -> None:
    """Compare how many items fell into a slice with how many must and may."""
    if count < wanted.least:
        message = f"expected at least {wanted.least} of slice {wanted.name}, found {count}; add what it asks for"
        run.error("slice-min", place, message)
    elif wanted.most is not None and count > wanted.most:
        run.error("slice-max", place, f"expected at most {wanted.most} of slice {wanted.name}, found {count}")


def has_companion(companions: Any, index: int) -> bool:
    """Tell whether a null in a list of primitives stands for an item that has only extensions."""
    return type(companions) is list and index < len(companions) and type(companions[index]) is dict
