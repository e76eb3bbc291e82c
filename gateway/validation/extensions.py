"""Extensions: each is checked by the definition its URL names, where that is at hand, and must stand where it may."""

from typing import TYPE_CHECKING, Any

from gateway.validation.definitions import NOTHING, Node, Structure
from gateway.validation.run import Check, Place, Run, element_path

if TYPE_CHECKING:
    from gateway.validation.compiler import Compiler

EVERYWHERE = frozenset({"Element", "Resource", "DomainResource"})
"""Contexts that leave every place of a resource open."""


def slice_url(node: Node, compiler: "Compiler") -> str | None:
    """Return the URL an extension slice stands for: fixed on its url child, or that of its profile."""
    child = node.children.get("url")
    if child and child.element.fixed is not NOTHING:
        return str(child.element.fixed)
    return next((url for item in node.element.types for url in item.profiles), None)


def dispatch(structure: Structure, node: Node, plain: Check, stands_on: frozenset[str], compiler: "Compiler") -> Check:
    """Return the check of one extension: by its own definition, else as a plain Extension.

    `stands_on` holds what a context may call the object around it: its element path and its type.

    An unknown extension is information, an unknown modifier extension an error: whoever does not know what it means
    must not process the element (FHIR R4 extensibility, modifier extensions).
    """
    is_modifier = node.element.path.endswith(".modifierExtension")
    is_nested = structure.type == "Extension"

    def check(value: Any, place: Place, run: Run) -> None:
        url = value.get("url") if type(value) is dict else None
        shape = compiler.shape(url) if isinstance(url, str) and ":" in url else None
        if shape is not None and url is not None:
            shape.check(value, place, run)
            _check_context(url, stands_on, place, run, compiler)
            return
        plain(value, place, run)
        if isinstance(url, str) and not is_nested:
            _tell_unknown(url, is_modifier, place, run)

    return check


def _tell_unknown(url: str, is_modifier: bool, place: Place, run: Run) -> None:
    if ":" not in url:
        run.error("extension-url", (place, "url", None), "expected an absolute URL, found a relative one")
    elif is_modifier:
        message = "expected a modifier extension that is known here, found another; add the package that defines it"
        run.error("modifier-extension-unknown", place, message)
    else:
        message = "not checked: the definition of this extension is not at hand"
        run.tell("information", "extension-unknown", place, message)


def _check_context(url: str, stands_on: frozenset[str], place: Place, run: Run, compiler: "Compiler") -> None:
    """Compare where an extension stands with where its definition lets it stand.

    The path in the definition is in `stands_on` (`Questionnaire.item` at any depth, `Reference` for any reference);
    the place tells the path in the resource (`Consent.performer`).
    """
    structure = compiler.structure(url)
    allowed = structure.context if structure else ()
    if not allowed or not EVERYWHERE.isdisjoint(allowed) or not isinstance(run.resource, dict):
        return
    path = element_path(place[0], run.start, str(run.resource.get("resourceType"))) if place[0] else ""
    if path not in allowed and stands_on.isdisjoint(allowed):
        message = f"expected this extension on {' or '.join(allowed)}, found it elsewhere"
        run.error("extension-context", place, message)
