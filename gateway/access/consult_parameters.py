"""`Consent/$evaluate`: the question and the answer as FHIR R4 Parameters.

In: `patient` (Reference or Identifier), `purpose` (Coding or code), `actor` (Reference or Identifier), `class` (code or
Coding) and `securityLabel` (Coding); each may repeat. Out: `decision` (permit or deny), and with a permit `obligation`,
`securityLabel` and `basedOn`.
"""

from collections.abc import Iterator
from typing import Any

from gateway.model.consult import Advice, Consult
from gateway.model.exchange import Problem, RequestRefused
from gateway.model.labels import OBLIGATION, Label
from gateway.model.request import ACT_REASON
from gateway.validation.second_opinion import first_fault

MOST_VALUES = 20
"""Values of one parameter; nobody is known by more numbers."""

RESOURCE_TYPES = "http://hl7.org/fhir/resource-types"
_KNOWN = frozenset({"patient", "purpose", "actor", "class", "securityLabel"})


def read_parameters(body: dict[str, Any]) -> Consult:
    """Read the question; raises `RequestRefused` where it cannot be taken as it was meant."""
    if body.get("resourceType") != "Parameters":
        raise _refused("invalid", "resourceType", "Expected Parameters.")
    wrong = first_fault(body)
    if wrong is not None:
        raise RequestRefused(Problem(422, "structure", wrong.location, wrong.message))
    given: dict[str, list[dict[str, Any]]] = {name: [] for name in _KNOWN}
    for one in body.get("parameter", []):
        if one["name"] not in _KNOWN:
            # A filter that is not applied would answer another question than was asked.
            raise _refused("not-supported", "Parameters.parameter", f"Expected one of: {', '.join(sorted(_KNOWN))}.")
        given[one["name"]].append(one)
    for name, values in given.items():
        if len(values) > MOST_VALUES:
            raise _refused("too-long", _where(name), f"Expected at most {MOST_VALUES} values.")
    if not given["patient"]:
        raise _refused("required", _where("patient"), "Expected a patient, found none.")
    return Consult(
        patient=tuple(_patient_key(one) for one in given["patient"]),
        purpose=tuple(_purpose(one) for one in given["purpose"]),
        actor=tuple(_actor_key(one) for one in given["actor"]),
        types=frozenset(_resource_type(one) for one in given["class"]),
        labels=frozenset(_label(one) for one in given["securityLabel"]),
    )


def answer_as_parameters(advice: Advice) -> dict[str, Any]:
    """Write the answer; a denial holds the decision and nothing else."""
    return {"resourceType": "Parameters", "parameter": list(_answered(advice))}


def _answered(advice: Advice) -> Iterator[dict[str, Any]]:
    yield {"name": "decision", "valueCode": "permit" if advice.is_permitted else "deny"}
    for code in advice.obligations:
        yield {"name": "obligation", "valueCoding": {"system": OBLIGATION, "code": code}}
    for system, code in advice.labels:
        yield {"name": "securityLabel", "valueCoding": {"system": system, "code": code}}
    if advice.consent is not None:
        yield {"name": "basedOn", "valueReference": {"reference": f"Consent/{advice.consent}"}}


def _patient_key(one: dict[str, Any]) -> str:
    reference = one.get("valueReference", {})
    identifier = one.get("valueIdentifier") or reference.get("identifier") or {}
    kind, _, patient_id = reference.get("reference", "").rpartition("Patient/")
    if patient_id and kind in ("", "https://warmhandoff.example/fhir/"):
        return f"Patient/{patient_id}"
    return _key_of(identifier, "patient", "a reference Patient/id, or an identifier with system and value")


def _actor_key(one: dict[str, Any]) -> str:
    identifier = one.get("valueIdentifier") or one.get("valueReference", {}).get("identifier") or {}
    return _key_of(identifier, "actor", "an identifier with system and value")


def _key_of(identifier: dict[str, Any], name: str, expected: str) -> str:
    if not identifier.get("system") or not identifier.get("value"):
        raise _refused("value", _where(name), f"Expected {expected}.")
    return f"{identifier['system']}|{identifier['value']}"


def _purpose(one: dict[str, Any]) -> str:
    coding = one.get("valueCoding", {})
    code, system = coding.get("code") or one.get("valueCode"), coding.get("system", ACT_REASON)
    if not code:
        raise _refused("value", _where("purpose"), "Expected a code of v3-ActReason, or a Coding.")
    return code if system == ACT_REASON else f"{system}|{code}"


def _resource_type(one: dict[str, Any]) -> str:
    coding = one.get("valueCoding", {})
    code = coding.get("code") or one.get("valueCode")
    if not code or coding.get("system", RESOURCE_TYPES) != RESOURCE_TYPES:
        raise _refused("value", _where("class"), "Expected a FHIR resource type.")
    return str(code)


def _label(one: dict[str, Any]) -> Label:
    coding = one.get("valueCoding", {})
    if not coding.get("system") or not coding.get("code"):
        raise _refused("value", _where("securityLabel"), "Expected a Coding with system and code.")
    return coding["system"], coding["code"]


def _where(name: str) -> str:
    return f"Parameters.parameter.where(name='{name}')"


def _refused(code: Any, expression: str, message: str) -> RequestRefused:
    return RequestRefused(Problem(400, code, expression, message))
