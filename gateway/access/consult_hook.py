"""CDS Hooks `patient-consent-consult`: the question and the card in the shapes of LEAP-CDS and SHARES.

Three things differ from theirs on purpose. The actor is the calling client's own organization. "No consent" and
"consent denies" are one answer, or the difference would tell who has records here. What is to be redacted is said from
what may leave: all that is not like it, whether there is any or not. A list of what may not would tell that it exists.
"""

from typing import Any

from gateway.access.capability import OFFERS
from gateway.access.consult_parameters import MOST_VALUES, RESOURCE_TYPES
from gateway.model.consult import Advice, Consult
from gateway.model.exchange import Problem, RequestRefused
from gateway.model.labels import ACT_CODE, CONFIDENTIALITY, HANDLING, OBLIGATION, foreign_to

HOOK = "patient-consent-consult"

_SCOPE = "patient-privacy"
_OURS = frozenset({"AuditEvent", "Organization", "PractitionerRole", "Provenance"})
"""Types of which nothing is anybody's record."""
_KNOWN = frozenset({"actor", "patientId", "scope", "purposeOfUse", "category", "class"})
_WORDS = {
    True: ("CONSENT_PERMIT", "info", "You may have records of this person for this purpose, under the obligations."),
    False: ("CONSENT_DENY", "critical", "Nothing may be disclosed. This is the answer, too, where nothing is known."),
}


def services() -> dict[str, Any]:
    """Return the answer of CDS Hooks discovery."""
    return {
        "services": [
            {
                "hook": HOOK,
                "id": HOOK,
                "title": "Patient consent consult",
                "description": "Says whether the calling client may have records of a person for a purpose.",
            }
        ]
    }


def read_hook(body: dict[str, Any]) -> Consult:
    """Read the question; raises `RequestRefused` where it cannot be taken as it was meant."""
    context = body.get("context")
    if body.get("hook") != HOOK or not isinstance(context, dict):
        raise _refused("invalid", "hook", f"Expected the hook {HOOK} and a context object.")
    unknown = context.keys() - _KNOWN
    if unknown:
        # `content` above all: who sends content to have it redacted must not take ours for a redacted answer.
        raise _refused("not-supported", "context", f"Expected only: {', '.join(sorted(_KNOWN))}.")
    _check_scope(context)
    patient = tuple(f"{one['system']}|{one['value']}" for one in _pairs(context, "patientId", "value"))
    actor = tuple(f"{one['system']}|{one['value']}" for one in _pairs(context, "actor", "value"))
    if not patient or not actor:
        raise _refused("required", "context", "Expected patientId and actor, each a list of system and value.")
    return Consult(patient, _purposes(context), actor, _types(context))


def answer_as_card(advice: Advice, base_url: str) -> dict[str, Any]:
    """Write the answer as one card; every denial is the same card."""
    summary, indicator, detail = _WORDS[advice.is_permitted]
    extension: dict[str, Any] = {"decision": summary, "obligations": _obligations(advice)}
    if advice.consent is not None:
        extension["basedOn"] = f"{base_url}/fhir/R4/Consent/{advice.consent}"
    source = {"label": "Warm Handoff", "url": base_url}
    card = {"summary": summary, "detail": detail, "indicator": indicator, "source": source, "extension": extension}
    return {"cards": [card]}


def _obligations(advice: Advice) -> list[dict[str, Any]]:
    if not advice.is_permitted:
        return []
    redact = {"id": {"system": ACT_CODE, "code": "REDACT"}, "parameters": _redacted(advice)}
    codings = [{"system": OBLIGATION, "code": code} for code in advice.obligations]
    codings += [{"system": system, "code": code} for system, code in advice.labels if (system, code) in HANDLING]
    # LEAP clients read `parameters.codes` of every obligation; an empty list redacts nothing.
    return [redact, *({"id": coding, "parameters": {"codes": []}} for coding in codings)]


def _redacted(advice: Advice) -> dict[str, Any]:
    """Say what a client may keep of what it holds itself: nothing but what is labeled like what may leave here.

    LEAP keeps a resource for any one of the codes excepted. So those alone would keep counseling notes for being
    42CFRPart2, or an HIV result for being R: what bears a label or is of a type besides is named to be redacted.
    """
    contents = [one for one in advice.labels if one not in HANDLING]
    telling = [one for one in contents if one[0] != CONFIDENTIALITY] or contents
    types = [(RESOURCE_TYPES, one) for one in sorted(OFFERS.keys() - _OURS - set(advice.types))]
    foreign = [*foreign_to(set(contents)), *types]
    return {
        "codes": [{"system": system, "code": code} for system, code in foreign],
        **({"exceptAnyOfCodes": [{"system": system, "code": code} for system, code in telling]} if telling else {}),
    }


def _check_scope(context: dict[str, Any]) -> None:
    """Take questions of privacy consents only; LEAP writes the scope as a code, SHARES as one of the categories."""
    scopes = {one["code"] for one in _pairs(context, "category", "code")}
    if "scope" in context:
        scope = context["scope"]
        scopes.add(str(scope.get("code") if isinstance(scope, dict) else scope))
    if scopes and _SCOPE not in scopes:
        raise _refused("not-supported", "context.category", f"Expected {_SCOPE}: no other consents are kept here.")


def _purposes(context: dict[str, Any]) -> tuple[str, ...]:
    written = context.get("purposeOfUse", [])
    purposes = [written] if isinstance(written, str) else written
    if not isinstance(purposes, list) or not all(isinstance(one, str) and one for one in purposes):
        raise _refused("value", "context.purposeOfUse", "Expected a code, or a list of codes, of v3-ActReason.")
    if len(purposes) > MOST_VALUES:
        raise _refused("too-long", "context.purposeOfUse", f"Expected at most {MOST_VALUES} values.")
    return tuple(purposes)


def _types(context: dict[str, Any]) -> frozenset[str]:
    """Read the classes; LEAP writes their code as `value`, SHARES as `code`."""
    key = "value" if any(isinstance(o, dict) and "value" in o for o in _list(context, "class")) else "code"
    classes = _pairs(context, "class", key)
    if any(one["system"] != RESOURCE_TYPES for one in classes):
        raise _refused("not-supported", "context.class", f"Expected codes of {RESOURCE_TYPES}.")
    return frozenset(one[key] for one in classes)


def _pairs(context: dict[str, Any], name: str, key: str) -> list[dict[str, str]]:
    pairs = _list(context, name)
    for one in pairs:
        texts = [one.get("system"), one.get(key)] if isinstance(one, dict) else [None]
        if not all(isinstance(text, str) and text for text in texts):
            raise _refused("value", f"context.{name}", f"Expected a list of objects with system and {key}.")
    return pairs


def _list(context: dict[str, Any], name: str) -> list[Any]:
    values = context.get(name, [])
    if not isinstance(values, list):
        raise _refused("value", f"context.{name}", "Expected a list.")
    if len(values) > MOST_VALUES:
        raise _refused("too-long", f"context.{name}", f"Expected at most {MOST_VALUES} values.")
    return values


def _refused(code: Any, expression: str, message: str) -> RequestRefused:
    return RequestRefused(Problem(400, code, expression, message))
