"""One check under way: where it stands, what it has found, and what a reference inside it points at."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from gateway.model.findings import Finding, Severity

Place = tuple[Any, str, int | None]
"""A step of a location: the step before (None at the root), the element's name, its index in a list.

Steps are linked and written out only when something is found, which on the main road is never.
"""

Check = Callable[[Any, Place, "Run"], None]
"""Checks one JSON value at a place and tells the run what is wrong."""

_TYPED = re.compile(r"(?:^|.*/)([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?")


class Run:
    """Gather findings while shapes walk a resource.

    `resource` is the innermost resource, `root` the one that contains it (the same when nothing is contained),
    `start` the place where `resource` begins. `damage` counts values of the wrong JSON kind: rules, which rely on
    kinds, are not asked about anything damaged. `addresses` remembers what type the addresses `Type/id` lead to that
    were found well formed: most resources of a Bundle refer to the same few.
    """

    __slots__ = ("addresses", "damage", "entries", "found", "profiles", "resource", "root", "start")

    def __init__(self, profiles: Mapping[str, str]) -> None:
        self.profiles = profiles
        self.found: list[Finding] = []
        self.damage = 0
        self.resource: Any = None
        self.root: Any = None
        self.start: Place | None = None
        self.entries: dict[str, str] | None = None
        self.addresses: dict[str, str] = {}

    def tell(self, severity: Severity, rule: str, place: Place, message: str) -> None:
        """Note a finding."""
        self.found.append(Finding(severity, rule, location(place), message))

    def error(self, rule: str, place: Place, message: str) -> None:
        """Note an error."""
        self.tell("error", rule, place, message)

    def broken(self, rule: str, place: Place, message: str) -> None:
        """Note an error in the JSON itself: what hangs on it is not asked further."""
        self.damage += 1
        self.tell("error", rule, place, message)

    def trial(self) -> "Run":
        """Return a run that stands where this one does and whose findings go nowhere: to try whether a slice fits."""
        other = Run(self.profiles)
        other.resource, other.root, other.start, other.entries = self.resource, self.root, self.start, self.entries
        return other

    def read_bundle(self, bundle: Mapping[str, Any]) -> None:
        """Index the entries of the outermost Bundle by full URL, so that references inside it can be told."""
        entries = bundle.get("entry")
        if self.entries is not None or not isinstance(entries, list):
            return
        self.entries = {}
        for entry in entries:
            resource = entry.get("resource") if isinstance(entry, dict) else None
            kind = resource.get("resourceType") if isinstance(resource, dict) else None
            if isinstance(kind, str) and isinstance(entry.get("fullUrl"), str):
                self.entries[entry["fullUrl"]] = kind

    def target_type(self, reference: Mapping[str, Any]) -> str | None:
        """Tell the resource type a reference points at, as far as it can be told without fetching anything."""
        address = reference.get("reference")
        if not isinstance(address, str):
            return _text(reference.get("type"))
        if address.startswith("#"):
            return self._contained_type(address[1:])
        if self.entries and address in self.entries:
            return self.entries[address]
        if address in self.addresses:
            return self.addresses[address]
        typed = _TYPED.fullmatch(address)
        return typed[1] if typed else _text(reference.get("type"))

    def _contained_type(self, local_id: str) -> str | None:
        if not local_id:
            return _text(self.root.get("resourceType"))
        contained = self.root.get("contained")
        for item in contained if isinstance(contained, list) else ():
            if isinstance(item, dict) and item.get("id") == local_id:
                return _text(item.get("resourceType"))
        return None


def location(place: Place) -> str:
    """Write a place as FHIRPath: `Bundle.entry[2].resource.code.coding[0].system`."""
    steps: list[str] = []
    step: Any = place
    while step is not None:
        before, name, index = step
        steps.append(name if index is None else f"{name}[{index}]")
        step = before
    return ".".join(reversed(steps))


def element_path(place: Place, start: Place | None, resource_type: str) -> str:
    """Write a place as element path in its own resource: `Consent.provision.actor`, whatever holds the Consent."""
    names: list[str] = []
    step: Any = place
    while step is not None and step is not start:
        names.append(step[1])
        step = step[0]
    return ".".join([resource_type, *reversed(names)])


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
