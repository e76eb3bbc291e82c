"""References and embedded resources: what type they may lead to, as far as the resource or Bundle at hand tells."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gateway.validation.definitions import HL7, Type
from gateway.validation.run import Check, Place, Run

if TYPE_CHECKING:
    from gateway.validation.compiler import Compiler


def target_checks(targets: tuple[str, ...], compiler: "Compiler") -> Iterator[Check]:
    """Yield the check that a reference leads to one of the target profiles' types; none where it may lead anywhere."""
    types = target_types(targets, compiler)
    if types is None:
        return
    wanted = ", ".join(sorted(types))

    def check(value: Any, place: Place, run: Run) -> None:
        found = run.target_type(value)
        if found is None:
            _unresolved(value, place, run)
        elif found not in types:
            run.error("reference-target", place, f"expected a reference to {wanted}, found one to another type")

    yield check


def target_types(targets: tuple[str, ...], compiler: "Compiler") -> frozenset[str] | None:
    """Return the resource types behind target profiles; None when any type will do or one of them is not at hand."""
    types = set()
    for url in targets:
        structure = compiler.structure(url)
        name = structure.type if structure else url.removeprefix(HL7)
        if name == "Resource" or (structure is None and name not in compiler.resource_types):
            return None
        types.add(name)
    return frozenset(types)


def _unresolved(value: Any, place: Place, run: Run) -> None:
    address = value.get("reference")
    if isinstance(address, str) and address.startswith("urn:uuid:") and run.entries is not None:
        message = "expected an entry of this Bundle with that full URL, found none; add it or refer by identifier"
        run.tell("warning", "reference-unresolved", place, message)


def resource_check(item: Type, check_resource: Check, compiler: "Compiler") -> Check:
    """Return the check of an embedded resource: of its own type, of the type the element asks for, of its profiles."""
    shapes = [shape for url in item.profiles if (shape := compiler.shape(url))]
    if item.code in ("Resource", "DomainResource") and not shapes:
        return check_resource

    def check(value: Any, place: Place, run: Run) -> None:
        check_resource(value, place, run)
        if type(value) is dict and item.code not in ("Resource", "DomainResource"):
            found = value.get("resourceType")
            if found != item.code:
                run.error("resource-type", place, f"expected a {item.code} resource, found another type")

    return check
