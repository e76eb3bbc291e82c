"""The shapes a Consent is written in, and the one shape everything behind this file reads: FHIR R4 as we write it.

R4 itself (our forms, SDOHCC, IHE PCF), R4 as FAST writes it (R5's `controller` and `manager` as extensions, because
its profile forbids `organization`), and R5. What one of them says and the other cannot, or what nobody here knows,
is never left out: the consent cannot be read then.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.consent.provision_tree import MAX_DEPTH

Json = Mapping[str, Any]
Organizations = Mapping[str, Json]
"""Reference as a consent would write it -> the identifier of the Organization it points to."""

_R5_IN_R4 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Consent."
"""Cross-version extensions: R5's elements in an R4 Consent."""
_TAKEN_OVER = frozenset({"controller", "manager"})
_WITHOUT_EFFECT = frozenset({"grantor", "grantee", "regulatoryBasis", "policyBasis", "policyText"})

_ALWAYS = frozenset(
    {"resourceType", "id", "meta", "implicitRules", "language", "text", "contained", "extension", "modifierExtension"}
    | {"identifier", "status", "category", "sourceAttachment", "sourceReference", "verification", "provision"}
)
_ONLY_R4 = frozenset({"scope", "patient", "dateTime", "performer", "organization", "policy", "policyRule"})
_ONLY_R5 = frozenset(
    {"subject", "date", "period", "grantor", "grantee", "manager", "controller", "decision"}
    | {"regulatoryBasis", "policyBasis", "policyText"}
)
_PROVISION = frozenset(
    {"id", "extension", "modifierExtension", "period", "actor", "action", "securityLabel", "purpose", "code"}
    | {"dataPeriod", "data", "provision"}
)
_R4_PROVISION = _PROVISION | {"type", "class"}
_R5_PROVISION = _PROVISION | {"resourceType"}
"""Not `documentType` and `expression`: nothing here can tell what they match."""

_LAST_WORD = re.compile("[-./]")

_OPPOSITE = {"deny": "permit", "permit": "deny"}


def normalized(consent: Json, organizations: Organizations) -> Json:
    """Return the Consent in the shape of R4 with `organization` for its disclosers; the very same where it has it.

    `organizations` are those that came with it. Raises ValueError for elements of neither version or of both, for a
    provision condition nobody here can match, and for a base decision that is not stated.
    """
    elements = _elements(consent)
    is_r5 = not elements.isdisjoint(_ONLY_R5)
    allowed = _ALWAYS | (_ONLY_R5 if is_r5 else _ONLY_R4)
    if not allowed.issuperset(elements):
        raise ValueError("elements of no version of Consent, or of two")
    shaped = _from_r5(consent) if is_r5 else _from_r4(consent)
    return {key: _identified(value, organizations) for key, value in shaped.items()} if organizations else shaped


def subject_of(consent: Json) -> Any:
    """Return whose consent it is; None where nobody can tell, as with the Group that R5 allows."""
    subject = consent.get("patient", consent.get("subject"))
    if not isinstance(subject, Mapping):
        return None
    kind = subject.get("type") or str(subject.get("reference")).rpartition("/")[0].rpartition("/")[2]
    return subject if kind in ("", "Patient") else None


def _elements(holder: Json) -> frozenset[str]:
    """Return the names of the elements; `_name` only carries what is told about `name` itself."""
    return frozenset(key.removeprefix("_") for key in holder)


def _from_r4(consent: Json) -> Json:
    if "provision" in consent:
        _check_r4_provision(consent["provision"])
    stated: dict[str, list[Any]] = {name: [] for name in _TAKEN_OVER}
    for extension in consent.get("extension", ()):
        url = extension["url"]
        if url.startswith(_R5_IN_R4) and url[len(_R5_IN_R4) :] not in _TAKEN_OVER | _WITHOUT_EFFECT:
            raise ValueError("an element of R5 that changes the meaning of an R4 Consent")
        # Guides name the same two elements after themselves too: .../StructureDefinition/consent-controller.
        stated.get(_LAST_WORD.split(url)[-1], []).extend(_references(extension))
    disclosers = stated["controller"] or stated["manager"]
    return {**consent, "organization": [*consent.get("organization", ()), *disclosers]} if disclosers else consent


def _references(extension: Json) -> Iterable[Any]:
    """Yield the references of an extension; FAST's search parameters expect them one level deeper."""
    for one in (extension, *extension.get("extension", ())):
        if "valueReference" in one:
            yield one["valueReference"]


def _check_r4_provision(provision: Json, depth: int = 0) -> None:
    if depth > MAX_DEPTH or not _R4_PROVISION.issuperset(_elements(provision)):
        raise ValueError("a provision with a condition nobody can match, or nested too deep")
    for nested in provision.get("provision", ()):
        _check_r4_provision(nested, depth + 1)


def _from_r5(consent: Json) -> Json:
    """R5 as R4: `grantor` signs, `controller` discloses; `grantee` must comply, and is no recipient by that."""
    renamed = {key: value for key, value in consent.items() if key in _ALWAYS}
    for r4, r5 in (("patient", "subject"), ("dateTime", "date"), ("performer", "grantor")):
        if r5 in consent:
            renamed[r4] = consent[r5]
    if subject_of(consent) is None and "subject" in consent:
        raise ValueError("a consent of somebody else than one patient")
    disclosers = consent.get("controller") or consent.get("manager")
    if disclosers:
        renamed["organization"] = disclosers
    return {**renamed, "provision": _r5_root(consent)}


def _r5_root(consent: Json) -> Json | None:
    decision, provisions = consent.get("decision"), consent.get("provision", [])
    if decision is None and not provisions:
        return None
    if decision not in _OPPOSITE or not isinstance(provisions, list):
        raise ValueError("expected a base decision, permit or deny, and a list of provisions")
    nested = [_r5_provision(one, _OPPOSITE[decision], 1) for one in provisions]
    period = {"period": consent["period"]} if "period" in consent else {}
    return {"type": decision, **period, "provision": nested}


def _r5_provision(provision: Json, effect: str, depth: int) -> Json:
    """Each level says the opposite of the one around it (FHIR R5 Consent.decision)."""
    if depth > MAX_DEPTH or not _R5_PROVISION.issuperset(_elements(provision)):
        raise ValueError("a provision with a condition nobody can match, or nested too deep")
    classes = {"class": provision["resourceType"]} if "resourceType" in provision else {}
    nested = [_r5_provision(one, _OPPOSITE[effect], depth + 1) for one in provision.get("provision", ())]
    return {**provision, **classes, "type": effect, "provision": nested}


def _identified(value: Any, organizations: Organizations) -> Any:
    """Add to literal references of organizations that came along the identifier by which the registry knows them."""
    if isinstance(value, list):
        return [_identified(one, organizations) for one in value]
    if not isinstance(value, Mapping):
        return value
    identifier = organizations.get(value["reference"]) if isinstance(value.get("reference"), str) else None
    if identifier is not None and "identifier" not in value:
        return {**value, "identifier": identifier}
    return {key: _identified(one, organizations) for key, one in value.items()}
