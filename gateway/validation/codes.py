"""Checks of coded values: bindings by strength, and codes that their own system does not have."""

import re
from typing import Any

from gateway.model.findings import Severity
from gateway.validation.definitions import Binding
from gateway.validation.primitives import USUAL
from gateway.validation.run import Check, Place, Run
from gateway.validation.terminology import Members, Membership, Terminology

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_USUAL_STARTS = ("http://", "https://", "urn:")

CODED = ("code", "string", "uri", "Coding", "CodeableConcept", "Quantity", "CodeableReference")
"""Types a binding may stand on (FHIR R4 ElementDefinition.binding, eld-11)."""


def binding_checks(binding: Binding, type_code: str, terminology: Terminology) -> list[Check]:
    """Return what a binding asks of a value of that type."""
    if type_code not in CODED:
        return []
    checks = []
    if binding.strength in ("required", "extensible"):
        checks.append(_binding_check(binding.strength, binding.value_set, type_code, terminology))
    if binding.limit:
        checks.append(_binding_check("required", binding.limit, type_code, terminology))
    return checks


def _binding_check(strength: str, value_set: str, type_code: str, terminology: Terminology) -> Check:
    members = terminology.members(value_set)
    if members is None:
        return _never_silent(strength, value_set)
    if type_code == "CodeableConcept":
        return _concept_check(strength, value_set, members)
    is_coding = type_code in ("Coding", "Quantity")

    def check(value: Any, place: Place, run: Run) -> None:
        if not is_coding:
            if value not in members.codes:
                _judge(members.has(None, value), strength, value_set, place, run)
        elif "code" in value:
            _judge(members.has(_text(value, "system"), _text(value, "code")), strength, value_set, place, run)

    return check


def _concept_check(strength: str, value_set: str, members: Members) -> Check:
    pairs = members.pairs

    def check(value: Any, place: Place, run: Run) -> None:
        codings = value.get("coding", ())
        for item in codings:
            if (item.get("system"), item.get("code")) in pairs:
                return
        codings = [item for item in codings if "code" in item]
        if not codings:
            if strength == "required":
                run.error("binding-required", place, f"expected a code of {value_set}, found none; add a coding")
            return
        verdicts = {members.has(_text(item, "system"), _text(item, "code")) for item in codings}
        verdict: Membership = "in" if "in" in verdicts else "unknown" if "unknown" in verdicts else "out"
        _judge(verdict, strength, value_set, place, run)

    return check


def _judge(verdict: Membership, strength: str, value_set: str, place: Place, run: Run) -> None:
    if verdict == "in":
        return
    if verdict == "unknown":
        severity: Severity = "warning" if strength == "required" else "information"
        message = f"not checked: {value_set} takes codes of systems that are not listed here"
        run.tell(severity, "binding-unchecked", place, message)
    elif strength == "required":
        run.error("binding-required", place, f"expected a code of {value_set}, found another; use one of its codes")
    else:
        message = f"expected a code of {value_set} where one fits, found another; keep it only if none fits"
        run.tell("warning", "binding-extensible", place, message)


def _never_silent(strength: str, value_set: str) -> Check:
    severity: Severity = "warning" if strength == "required" else "information"
    message = f"not checked: value set {value_set} is not at hand; add the package that defines it"

    def check(value: Any, place: Place, run: Run) -> None:
        run.tell(severity, "binding-unchecked", place, message)

    return check


def coding_check(terminology: Terminology) -> Check:
    """Return the check of a coding: an absolute system and, where that system is listed here, one of its codes."""

    def check(value: Any, place: Place, run: Run) -> None:
        system = value.get("system")
        codes = terminology.codes(system) if system else None
        if codes is not None and value.get("code") in codes:
            return  # a system that is listed here is absolute
        check_system(value, place, run)
        if codes is None:
            return
        if "code" not in value:
            run.tell("warning", "code-missing", place, f"expected a code of {system}, found none; add it")
        elif system.startswith("http://terminology.hl7.org/"):
            message = f"not among the codes that {system} had with R4; use it only if a later version defines it"
            run.tell("warning", "code-unknown", place, message)
        else:
            run.error("code-unknown", place, f"expected a code of {system}, found one that it does not define")

    return check


def spare_usual_codings(check: Check, terminology: Terminology) -> Check:
    """Return the check of Codings, spared those of a system, a code and maybe a display that are plainly right."""
    is_address, is_code, is_words = USUAL["uri"], USUAL["code"], USUAL["string"]

    def is_usual(value: dict[str, Any]) -> bool:
        system, code = value.get("system"), value.get("code")
        if system.__class__ is not str or code.__class__ is not str or not is_code(code):
            return False
        if len(value) > 2:
            display = value.get("display")
            if len(value) > 3 or display.__class__ is not str or not is_words(display):
                return False
        codes = terminology.codes(system)
        return bool(is_address(system)) if codes is None else code in codes

    def check_unless_usual(value: Any, place: Place, run: Run) -> None:
        if value.__class__ is not dict or not is_usual(value):
            check(value, place, run)

    return check_unless_usual


def check_system(value: Any, place: Place, run: Run) -> None:
    """Check that the system of an Identifier or Coding is absolute: a relative one names nothing to anybody else."""
    system = value.get("system")
    if isinstance(system, str) and not system.startswith(_USUAL_STARTS) and _ABSOLUTE.match(system) is None:
        run.error("system-relative", (place, "system", None), "expected an absolute URI, found a relative one")


def _text(value: Any, name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""
