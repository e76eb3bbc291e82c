"""Profiles made for one test: a snapshot of a few elements on top of R4."""

from collections.abc import Mapping
from typing import Any

from gateway.catalog.profiles import ShippedDefinitions
from gateway.validation import Checker
from tests.unit.validation.examples import Json

URL = "https://x.example/StructureDefinition/p"


class WithProfile(ShippedDefinitions):
    """R4 and one profile of a test."""

    def __init__(self, profile: Json) -> None:
        super().__init__(())
        self._profile = profile

    def structure(self, url: str) -> Mapping[str, Any] | None:
        return self._profile if url == URL else super().structure(url)


def checker_with(type_name: str, *elements: Json) -> Checker:
    """Return a checker with a profile whose snapshot holds only what the test is about."""
    rows = [{"id": type_name, "path": type_name}, *elements]
    profile = {"url": URL, "type": type_name, "kind": "resource", "snapshot": {"element": rows}}
    return Checker(WithProfile(profile))


def row(element_id: str, **facts: Any) -> Json:
    """Return an element of a snapshot: its path follows from its id, and it may repeat unless told otherwise."""
    path = ".".join(step.partition(":")[0] for step in element_id.split("."))
    return {"id": element_id, "path": path, "max": "*", **facts}
