"""References and embedded resources: what type they may lead to, as far as the resource or Bundle at hand tells."""

import re
from typing import TYPE_CHECKING, Any

from gateway.validation.definitions import HL7, Type
from gateway.validation.run import Check, Place, Run

_RELATIVE = re.compile(r"([A-Z][A-Za-z]+)(/[A-Za-z0-9\-.]{1,64}(/_history/[A-Za-z0-9\-.]{1,64})?|\?\S+)(#\S+)?")

if TYPE_CHECKING:
    from gateway.validation.compiler import Compiler


def target_check(types: frozenset[str]) -> Check:
    """Return the check that a reference leads to one of these types."""
    wanted = ", ".join(sorted(types))

    def check(value: Any, place: Place, run: Run) -> None:
        found = run.target_type(value)
        if found is None:
            _unresolved(value, place, run)
        elif found not in types:
            run.error("reference-target", place, f"expected a reference to {wanted}, found one to another type")

    return check


def form_check(resource_types: frozenset[str]) -> Check:
    """Return the check that a relative reference has the form Type/id, or Type?search in a transaction."""

    def check(value: Any, place: Place, run: Run) -> None:
        address = value.get("reference")
        if not isinstance(address, str) or address in run.addresses or address.startswith("#") or ":" in address:
            return
        form = _RELATIVE.fullmatch(address)
        if form is None or form[1] not in resource_types:
            run.error("reference-form", place, "expected a relative reference of the form Type/id, found another form")
        elif form[2].startswith("/") and form[4] is None and address not in (run.entries or ()):
            run.addresses[address] = form[1]

    return check


def spare_known_addresses(check: Check, types: frozenset[str] | None) -> Check:
    """Return the check of References, spared those that are an address alone which this run has found well formed.

    `types` are those that the reference may lead to, None for any.
    """

    def check_unless_known(value: Any, place: Place, run: Run) -> None:
        if value.__class__ is dict and len(value) == 1:
            address = value.get("reference")
            known = run.addresses.get(address) if address.__class__ is str else None
            if known is not None and (types is None or known in types):
                return
        check(value, place, run)

    return check_unless_known


def check_full_urls(bundle: dict[str, Any], place: Place, run: Run) -> None:
    """Check that a full URL which reads like a server's ends in its own resource's type and id (FHIR R4 Bundle)."""
    entries = bundle.get("entry")
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        full_url = entry.get("fullUrl") if isinstance(entry, dict) else None
        if not isinstance(resource, dict) or not isinstance(full_url, str) or not full_url.startswith("http"):
            continue
        if full_url.rsplit("/", 2)[-2:] != [resource.get("resourceType"), resource.get("id")]:
            message = "expected a full URL that ends in the type and id of its resource, found another ending"
            run.error("full-url", ((place, "entry", index), "fullUrl", None), message)


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
