"""What the write layer leaves behind while it runs: resources, their ids, and who wrote which."""

from typing import Any

from gateway.mapping.scope import Agency, Context
from gateway.model.draft import Origin
from gateway.model.ids import stable_id

Variables = dict[str, Any]
"""What `$name` can mean: the names read, loop items, `program`, `agency`, `authors`, `self` and so on."""

FHIR_BASE = "https://warmhandoff.example/fhir/"


class Writer:
    """The Bundle of one record as it grows."""

    __slots__ = ("authored", "context", "entries", "lists", "origins", "prefixes", "refs", "written")

    def __init__(self, context: Context, program: str, agency: Agency, key: str) -> None:
        """Begin an empty Bundle for the record `key` of `agency` in `program`."""
        self.context = context
        self.prefixes = {
            "record": (program, agency.value, key),
            "agency": (agency.value,),
            "installation": (),
        }
        self.entries: list[dict[str, Any]] = []
        self.origins: list[Origin] = []
        self.refs: dict[Any, str] = {}
        """Block name, or (block name, key), -> reference of the resource written last."""
        self.lists: dict[str, list[str]] = {}
        """Block name -> references of all its resources."""
        self.authored: dict[str, list[str]] = {}
        """Author unit -> references of what it wrote."""
        self.written: set[str] = set()

    def id_of(self, scope: str, parts: list[Any]) -> str:
        """Derive the stable id of a thing that hangs on the record, the agency or the installation."""
        return stable_id(self.context.key, *self.prefixes[scope], *[str(part) for part in parts if part is not None])

    def add(self, reference: str, resource: dict[str, Any], origin: Origin, author: str | None) -> None:
        """Put a resource into the Bundle and on its author's list; `reference` is its `Type/id`."""
        self.entries.append({"fullUrl": FHIR_BASE + reference, "resource": resource})
        self.origins.append(origin)
        self.written.add(reference)
        if author is not None:
            self.authored.setdefault(author, []).append(reference)


class WriteScope:
    """Compile-time knowledge of the write layer: block names so far, names used, and mistakes."""

    def __init__(self) -> None:
        """Begin before the first block."""
        self.blocks: set[str] = set()
        self.names_used: set[str] = set()
        self.problems: list[tuple[tuple[str | int, ...], str]] = []

    def problem(self, at: tuple[str | int, ...], message: str) -> None:
        """Remember a mistake of the mapping; compiling goes on, so that one run shows them all."""
        self.problems.append((at, message))
