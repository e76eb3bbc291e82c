"""What the stand-in EHR demands of a FHIR R4 resource before filing it: known elements, required ones, bound codes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Resource = dict[str, Any]

# Elements of each type this EHR takes, beyond those of every resource. `!` required, `*` list, `+` list that may not
# be empty; `[x]` takes one of several types (FHIR R4, resource definitions).
_ELEMENTS = {
    "CarePlan": (
        "identifier* instantiatesCanonical* instantiatesUri* basedOn* replaces* partOf* status! intent! "
        "category* title description subject! encounter period created author contributor* careTeam* "
        "addresses* supportingInfo* goal* activity* note*"
    ),
    "CareTeam": (
        "identifier* status category* name subject encounter period participant* reasonCode* reasonReference* "
        "managingOrganization* telecom* note*"
    ),
    "Communication": (
        "identifier* instantiatesCanonical* instantiatesUri* basedOn* partOf* inResponseTo* status! "
        "statusReason category* priority medium* subject topic about* encounter sent received recipient* "
        "sender reasonCode* reasonReference* payload* note*"
    ),
    "Condition": (
        "identifier* clinicalStatus verificationStatus category* severity code bodySite* subject! encounter "
        "onset[x] abatement[x] recordedDate recorder asserter stage* evidence* note*"
    ),
    "Consent": (
        "identifier* status! scope! category+ patient dateTime performer* organization* source[x] policy* "
        "policyRule verification* provision"
    ),
    "DocumentReference": (
        "masterIdentifier identifier* status! docStatus type category* subject date author* authenticator "
        "custodian relatesTo* description securityLabel* content+ context"
    ),
    "Encounter": (
        "identifier* status! statusHistory* class! classHistory* type* serviceType priority subject "
        "episodeOfCare* basedOn* participant* appointment* period length reasonCode* reasonReference* "
        "diagnosis* account* hospitalization location* serviceProvider partOf"
    ),
    "Flag": "identifier* status! category* code! subject! period encounter author",
    "Goal": (
        "identifier* lifecycleStatus! achievementStatus category* priority description! subject! start[x] "
        "target* statusDate statusReason expressedBy addresses* note* outcomeCode* outcomeReference*"
    ),
    "Location": (
        "identifier* status operationalStatus name alias* description mode type* telecom* address "
        "physicalType position managingOrganization partOf hoursOfOperation* availabilityExceptions endpoint*"
    ),
    "Observation": (
        "identifier* basedOn* partOf* status! category* code! subject focus* encounter effective[x] issued "
        "performer* value[x] dataAbsentReason interpretation* note* bodySite method specimen device "
        "referenceRange* hasMember* derivedFrom* component*"
    ),
    "Organization": "identifier* active type* name alias* telecom* address* partOf contact* endpoint*",
    "Patient": (
        "identifier* active name* telecom* gender birthDate deceased[x] address* maritalStatus "
        "multipleBirth[x] photo* contact* communication* generalPractitioner* managingOrganization link*"
    ),
    "Practitioner": "identifier* active name* telecom* address* gender birthDate photo* qualification* communication*",
    "PractitionerRole": (
        "identifier* active period practitioner organization code* specialty* location* healthcareService* "
        "telecom* availableTime* notAvailable* availabilityExceptions endpoint*"
    ),
    "Procedure": (
        "identifier* instantiatesCanonical* instantiatesUri* basedOn* partOf* status! statusReason category "
        "code subject! encounter performed[x] recorder asserter performer* location reasonCode* "
        "reasonReference* bodySite* outcome report* complication* complicationDetail* followUp* note* "
        "focalDevice* usedReference* usedCode*"
    ),
    "Provenance": "target+ occurred[x] recorded! policy* location reason* activity agent+ entity* signature*",
    "RelatedPerson": (
        "identifier* active patient! relationship* name* telecom* gender birthDate address* photo* period "
        "communication*"
    ),
    "ServiceRequest": (
        "identifier* instantiatesCanonical* instantiatesUri* basedOn* replaces* requisition status! intent! "
        "category* priority doNotPerform code orderDetail* quantity[x] subject! encounter occurrence[x] "
        "asNeeded[x] authoredOn requester performerType performer* locationCode* locationReference* "
        "reasonCode* reasonReference* insurance* supportingInfo* specimen* bodySite* note* patientInstruction "
        "relevantHistory*"
    ),
    "Task": (
        "identifier* instantiatesCanonical instantiatesUri basedOn* groupIdentifier partOf* status! "
        "statusReason businessStatus intent! priority code description focus for encounter executionPeriod "
        "authoredOn lastModified requester performerType* owner location reasonCode reasonReference "
        "insurance* note* relevantHistory* restriction input* output*"
    ),
}

_OF_EVERY_RESOURCE = {
    "resourceType", "id", "meta", "implicitRules", "language", "text", "contained", "extension", "modifierExtension",
}  # fmt: skip

_REQUEST_STATUS = {"draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown"}
_REQUEST_PRIORITY = {"routine", "urgent", "asap", "stat"}

# Required bindings (FHIR R4) of the elements that decide how a resource is understood.
_BOUND_CODES = {
    ("CarePlan", "status"): _REQUEST_STATUS,
    ("Consent", "status"): {"draft", "proposed", "active", "rejected", "inactive", "entered-in-error"},
    ("DocumentReference", "status"): {"current", "superseded", "entered-in-error"},
    ("Encounter", "status"): {
        "planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled", "entered-in-error",
        "unknown",
    },
    ("Flag", "status"): {"active", "inactive", "entered-in-error"},
    ("Observation", "status"): {
        "registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown",
    },
    ("Patient", "gender"): {"male", "female", "other", "unknown"},
    ("ServiceRequest", "status"): _REQUEST_STATUS,
    ("ServiceRequest", "priority"): _REQUEST_PRIORITY,
    ("Task", "status"): {
        "draft", "requested", "received", "accepted", "rejected", "ready", "cancelled", "in-progress", "on-hold",
        "failed", "completed", "entered-in-error",
    },
    ("Task", "priority"): _REQUEST_PRIORITY,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing wrong, as it goes into an OperationOutcome: an issue-type code, where, and what was expected."""

    code: str
    expression: str
    text: str


def check(resource: object, where: str) -> list[Issue]:
    """Return everything that is wrong with a resource found at FHIRPath `where`; nothing wrong is an empty list."""
    if not isinstance(resource, dict):
        return [Issue("structure", where, "a resource is a JSON object")]
    kind = resource.get("resourceType")
    if not isinstance(kind, str) or kind not in _ELEMENTS:
        return [Issue("not-supported", where, "this resource type is not taken here")]
    elements = dict(_read_element(spec) for spec in _ELEMENTS[kind].split())
    return [
        *_unknown(resource, elements, where),
        *_missing_or_misshapen(resource, elements, where),
        *_wrong_codes(resource, kind, where),
        *_not_objects(resource, where),
    ]


def takes(kind: str) -> bool:
    """Whether resources of this type are filed here."""
    return kind in _ELEMENTS


def types_taken() -> tuple[str, ...]:
    """Return the resource types of the CapabilityStatement."""
    return tuple(_ELEMENTS)


def _read_element(spec: str) -> tuple[str, str]:
    name = spec.rstrip("!*+")
    return name, spec[len(name) :]


def _unknown(resource: Resource, elements: dict[str, str], where: str) -> Iterator[Issue]:
    choices = tuple(name.removesuffix("[x]") for name in elements if name.endswith("[x]"))
    for key in resource:
        name = key.removeprefix("_")
        if name in elements or name in _OF_EVERY_RESOURCE:
            continue
        if any(name.startswith(choice) and name[len(choice) :][:1].isupper() for choice in choices):
            continue
        yield Issue("structure", where, "holds an element that this resource type does not have")


def _missing_or_misshapen(resource: Resource, elements: dict[str, str], where: str) -> Iterator[Issue]:
    for name, rule in elements.items():
        value = resource.get(name)
        if value is None:
            if rule in ("!", "+"):
                yield Issue("required", f"{where}.{name}", "this element is required")
        elif (rule in ("*", "+")) != isinstance(value, list):
            yield Issue("structure", f"{where}.{name}", "expected a list" if rule in ("*", "+") else "expected no list")
        elif value in ([], {}, ""):
            yield Issue("structure", f"{where}.{name}", "an element is absent or holds something")


def _wrong_codes(resource: Resource, kind: str, where: str) -> Iterator[Issue]:
    for (bound_kind, name), allowed in _BOUND_CODES.items():
        if bound_kind == kind and name in resource and str(resource[name]) not in allowed:
            yield Issue("code-invalid", f"{where}.{name}", "not a code of the required value set")


def _not_objects(resource: Resource, where: str) -> Iterator[Issue]:
    """Report entries that will be read as objects and are none."""
    for name in ("identifier", "contained"):
        stated = resource.get(name, [])
        if isinstance(stated, list) and not all(isinstance(entry, dict) for entry in stated):
            yield Issue("structure", f"{where}.{name}", "expected objects")
