"""The profile checker: a resource or Bundle in, findings out."""

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.model.findings import Findings, findings
from gateway.validation.compiler import Compiler
from gateway.validation.definitions import HL7, Definitions, bare
from gateway.validation.primitives import kind
from gateway.validation.references import check_full_urls
from gateway.validation.run import Place, Run
from gateway.validation.shapes import Shape

NO_PROFILES: Mapping[str, str] = {}


class Checker:
    """Check resources against R4 and profiles; compiled once, safe to share between threads.

    `profiles` is the table of our own profiles by resource type, which `check` uses unless it is told another.
    """

    def __init__(self, definitions: Definitions, profiles: Mapping[str, str] = NO_PROFILES) -> None:
        self._compiler = Compiler(definitions, self._check_embedded)
        self.profiles = profiles

    def check(self, resource: Any, profiles: Mapping[str, str] | None = None) -> Findings:
        """Check a resource or Bundle: every entry against the profile of its type, and whatever profile it claims.

        `profiles` maps resource types to profile URLs; an empty table asks for base R4 (and claimed profiles) only.
        Contained resources are parts of another resource and are held to base R4.
        """
        run = Run(self.profiles if profiles is None else profiles)
        name = resource.get("resourceType") if isinstance(resource, dict) else None
        start: Place = (None, name if isinstance(name, str) and name.isalnum() else "Resource", None)
        self._check_resource(resource, start, run, run.profiles)
        return findings(run.found)

    def type_of(self, profile: str) -> str | None:
        """Return the resource type a profile is about, or None when its definition is not at hand."""
        structure = self._compiler.structure(bare(profile))
        return structure.type if structure else None

    def _check_embedded(self, resource: Any, place: Place, run: Run) -> None:
        """Check a resource inside another: an entry as itself, a contained one as part of what contains it."""
        is_contained = place[1] == "contained"
        outer = run.resource, run.root, run.start
        root = run.root if is_contained else resource
        self._check_resource(resource, place, run, NO_PROFILES if is_contained else run.profiles, root)
        run.resource, run.root, run.start = outer

    def _check_resource(
        self, resource: Any, place: Place, run: Run, profiles: Mapping[str, str], root: Any = None
    ) -> None:
        if type(resource) is not dict:
            run.broken("json-type", place, f"expected a resource, found {kind(resource)}")
            return
        name = resource.get("resourceType")
        if not isinstance(name, str) or name not in self._compiler.resource_types:
            run.broken(
                "resource-type", place, "expected resourceType to name a resource type of R4, found none that does"
            )
            return
        run.resource, run.root, run.start = resource, root if root is not None else resource, place
        if name == "Bundle":
            run.read_bundle(resource)
            check_full_urls(resource, place, run)
        for shape in self._shapes(resource, name, place, run, profiles):
            shape.check(resource, place, run)

    def _shapes(
        self, resource: dict[str, Any], name: str, place: Place, run: Run, profiles: Mapping[str, str]
    ) -> list[Shape]:
        """Return what a resource must meet: the profile asked for its type and those it claims, else R4 itself.

        A snapshot holds all that R4 asks, so R4 is not checked again beside a profile.
        """
        urls = dict.fromkeys(_claimed(resource)) if "meta" in resource else {}
        if name in profiles:
            urls = {profiles[name]: None, **urls}
        shapes = []
        for url in urls:
            structure = self._compiler.structure(url)
            if structure is None:
                run.tell("warning", "profile-unknown", place, "not checked: a profile it claims is not at hand")
            elif structure.type != name:
                run.error("profile-type", place, f"expected a profile of {name}, found one of {structure.type}: {url}")
            elif (shape := self._compiler.shape(url)) is not None:
                shapes.append(shape)
        if shapes:
            return shapes
        base = self._compiler.shape(HL7 + name)
        if base is None:
            run.tell("warning", "type-unchecked", place, f"not checked: {name} is not in the table of R4 facts")
        return [base] if base else []


def _claimed(resource: dict[str, Any]) -> Iterator[str]:
    meta = resource.get("meta")
    claimed = meta.get("profile") if isinstance(meta, dict) else None
    for url in claimed if isinstance(claimed, list) else ():
        if isinstance(url, str):
            yield bare(url)
