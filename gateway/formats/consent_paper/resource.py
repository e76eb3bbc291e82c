"""The FHIR R4 Consent of a filled form, and the DocumentReference and Binary of its paper (docs/consents.md).

The one place that knows how each choice of the form is written in FHIR. Reading it back is the engine's business.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson

from gateway.formats.consent_paper.statements import needed_statements
from gateway.model.consent_form import EVERYTHING, ConsentForm, FormKind, Paper, Signature
from gateway.model.fhir_time import written
from gateway.model.handoff import Resource
from gateway.model.labels import ACT_CODE, COUNSELING_NOTES, PART2, Label
from gateway.model.partner import Registry
from gateway.model.request import ACT_REASON, OWN_PURPOSE

CAPTURED_BY = "https://warmhandoff.example/id/captured-by"
"""Tag system: the account of the member of staff who took a form, or wrote a paper one down."""
CAPTURED_FROM = "https://warmhandoff.example/fhir/CodeSystem/captured-from"
"""Tag system: `screen` or `paper`."""

EXTENSION = "https://warmhandoff.example/fhir/StructureDefinition/part2-"
"""Beginning of the URL of each extension of a Consent (docs/profiles.md)."""
_CATEGORY = "https://warmhandoff.example/fhir/CodeSystem/consent-category"
_CLASS = "https://warmhandoff.example/fhir/CodeSystem/recipient-class"
_PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_RESOURCE_TYPE = "http://hl7.org/fhir/resource-types"
_LAW = "https://www.ecfr.gov/current/title-42/chapter-I/subchapter-A/part-2"

PURPOSE_CODES = {
    "treatment": (ACT_REASON, "TREAT"), "payment": (ACT_REASON, "HPAYMT"), "operations": (ACT_REASON, "HOPERAT"),
    "coordination": (ACT_REASON, "COC"), "patient-request": (ACT_REASON, "PATRQT"), "research": (ACT_REASON, "HRESCH"),
    "proceeding": (ACT_REASON, "HLEGAL"), "monitoring": (OWN_PURPOSE, "monitoring"),
    "housing": (OWN_PURPOSE, "tenancy"), "employment": (OWN_PURPOSE, "employment"),
}  # fmt: skip
"""Purpose of the form -> its code."""

TYPES = {
    "attendance": ("Encounter", "Appointment", "EpisodeOfCare"),
    "diagnoses": ("Condition",),
    "results": ("Observation", "DiagnosticReport", "Flag"),
    "medications": ("MedicationRequest", "MedicationStatement", "MedicationAdministration"),
    "plans": ("CarePlan", "Goal", "CareTeam"),
    "referrals": ("ServiceRequest", "Task", "Communication"),
    "documents": ("DocumentReference", "Composition", "QuestionnaireResponse"),
}
"""FHIR resource types of each kind of information. The Patient goes with every kind."""


@dataclass(frozen=True, slots=True)
class Ids:
    """Fresh ids of what is made of one form."""

    consent: str
    document: str
    binary: str


@dataclass(frozen=True, slots=True)
class Taken:
    """How a form came to us: by whom of the staff, for which organization, at which instant."""

    by: str
    from_paper: bool
    day: date
    """Local day of the first program on the form: the first day of the consent."""


def consent_of(form: ConsentForm, ids: Ids, taken: Taken, registry: Registry) -> Resource:
    """Write a complete form as a FHIR R4 Consent.

    A paper form waits for its verification; a refusal is an active Consent that denies, which the engine obeys before
    every permit.
    """
    person = {"reference": f"Patient/{form.patient_id}"}
    contained = [*_representatives(form), *_classes(form)]
    return {
        "resourceType": "Consent",
        "id": ids.consent,
        "meta": {
            "tag": [
                {"system": CAPTURED_BY, "code": taken.by},
                {"system": CAPTURED_FROM, "code": "paper" if taken.from_paper else "screen"},
            ]
        },
        "language": form.language,
        **({"contained": contained} if contained else {}),
        "extension": list(_extensions(form, registry, person)),
        "status": "active",
        "scope": _concept("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
        "category": [_concept(ACT_CODE, "IDSCL"), _concept("http://loinc.org", "59284-0"), _kind(form)],
        "patient": person,
        **({"dateTime": written(max(one.at for one in form.signatures))} if form.signatures else {}),
        "performer": [_performer(number, one, person) for number, one in enumerate(form.signatures)] or [person],
        "organization": [_organization(one, registry) for one in form.disclosers],
        "sourceReference": {"reference": f"DocumentReference/{ids.document}"},
        "policy": [{"uri": _LAW}],
        "policyRule": _concept(ACT_CODE, "42CFRPart2"),
        "verification": [_verification(form, taken, person)],
        "provision": _provision(form, taken.day, registry),
    }


def document_of(form: ConsentForm, ids: Ids, paper: Paper, registry: Registry, at: datetime) -> Resource:
    """Point to the signed paper, so that a Consent carries its source and no decision carries the file."""
    return {
        "resourceType": "DocumentReference",
        "id": ids.document,
        "status": "current",
        "docStatus": "final",
        "type": _concept("http://loinc.org", "59284-0"),
        "subject": {"reference": f"Patient/{form.patient_id}"},
        "date": written(at),
        "custodian": _organization(form.disclosers[0], registry),
        "content": [
            {
                "attachment": {
                    "contentType": paper.media_type,
                    "language": form.language,
                    "url": f"Binary/{ids.binary}",
                    "size": len(paper.content),
                    # FHIR R4 defines Attachment.hash as SHA-1; the text is proven by the SHA-256 of the signature.
                    "hash": base64.b64encode(hashlib.sha1(paper.content, usedforsecurity=False).digest()).decode(),
                    "creation": written(at),
                }
            }
        ],
    }


def binary_of(ids: Ids, paper: Paper) -> Resource:
    """Keep the paper itself (FHIR R4 Binary)."""
    return {
        "resourceType": "Binary",
        "id": ids.binary,
        "contentType": paper.media_type,
        "data": base64.b64encode(paper.content).decode(),
    }


def _extensions(form: ConsentForm, registry: Registry, person: Resource) -> Iterator[Resource]:
    if form.outcome == "agreed":
        stated = needed_statements(form, registry) if form.statements is None else sorted(form.statements)
        for name in stated:
            yield {"url": EXTENSION + name, "valueBoolean": True}
        if form.expiry.event:
            yield {"url": EXTENSION + "expiry", "valueCode": form.expiry.event}
    if form.edition is not None:
        yield {"url": EXTENSION + "form-edition", "valueDate": form.edition.isoformat()}
    if form.signatures:
        yield {"url": EXTENSION + "signature", "valueSignature": _evidence(form, person)}
    for consent_id in form.supersedes:
        yield {"url": EXTENSION + "supersedes", "valueReference": {"reference": f"Consent/{consent_id}"}}
    bound = form.criminal_justice
    if bound is not None and bound.revocable_from is not None:
        yield {"url": EXTENSION + "condition-of", "valueCode": bound.condition_of}
        yield {"url": EXTENSION + "revocable-from", "valueDateTime": bound.revocable_from.isoformat()}


def _evidence(form: ConsentForm, person: Resource) -> Resource:
    """Write who signed, when and how, as a FHIR R4 Signature whose data is the evidence as JSON."""
    told: dict[str, Any] = {
        "language": form.language,
        "signatures": [
            {
                "name": one.signer.name,
                "capacity": one.signer.capacity,
                "method": one.method,
                "at": written(one.at),
                "device": one.device,
                "witness": one.witness,
                "text_sha256": one.shown,
                "strokes_sha256": hashlib.sha256(one.strokes).hexdigest() if one.strokes else None,
            }
            for one in form.signatures
        ],
    }
    if form.interpreter is not None:
        told["interpreter"] = {"name": form.interpreter.name, "language": form.interpreter.language}
    return {
        "type": [{"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.7"}],
        "when": written(max(one.at for one in form.signatures)),
        "who": person if form.signatures[0].signer.capacity == "patient" else {"reference": "#signer-0"},
        "sigFormat": "application/json",
        "data": base64.b64encode(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).decode(),
    }


def _representatives(form: ConsentForm) -> Iterator[Resource]:
    for number, one in enumerate(form.signatures):
        if one.signer.capacity != "patient":
            name = [{"text": one.signer.name}]
            patient = {"patient": {"reference": f"Patient/{form.patient_id}"}}
            is_director = one.signer.capacity == "director-determination"
            kind = {"resourceType": "Practitioner"} if is_director else {"resourceType": "RelatedPerson", **patient}
            yield {**kind, "id": f"signer-{number}", "name": name}


def _performer(number: int, one: Signature, person: Resource) -> Resource:
    if one.signer.capacity == "patient":
        return person
    parts: list[Resource] = [{"url": "basis", "valueCode": one.signer.capacity}]
    if one.signer.document:
        parts.append({"url": "document", "valueReference": {"display": one.signer.document}})
    ends = {"start": one.signer.valid_from, "end": one.signer.valid_until}
    period = {end: day.isoformat() for end, day in ends.items() if day is not None}
    if period:
        parts.append({"url": "period", "valuePeriod": period})
    authority = {"url": EXTENSION + "authority", "extension": parts}
    return {"extension": [authority], "reference": f"#signer-{number}"}


def _kind(form: ConsentForm) -> Resource:
    if form.kind == "disclosure":
        return _concept(ACT_CODE, "42CFRPart2CD")
    words = form.proceeding or (form.criminal_justice.revocable_event if form.criminal_justice else "")
    return {**_concept(_CATEGORY, KIND_CODES[form.kind]), **({"text": words} if words else {})}


KIND_CODES: dict[FormKind, str] = {
    "counseling-notes": "sud-counseling-notes",
    "proceedings": "proceedings",
    "criminal-justice-referral": "criminal-justice-referral",
}
"""Kind of form -> the code of its category; an ordinary one has the standard's."""


def _verification(form: ConsentForm, taken: Taken, person: Resource) -> Resource:
    if taken.from_paper:
        return {"verified": False}
    day = {"verificationDate": written(max(one.at for one in form.signatures))} if form.signatures else {}
    return {"verified": True, "verifiedWith": person, **day}


def _classes(form: ConsentForm) -> Iterator[Resource]:
    to = form.recipients
    for code, is_meant in (
        ("tpo", to.treating_class),
        ("treating-participants", bool(to.intermediary) and not to.participants),
    ):
        if is_meant and form.outcome == "agreed":
            kind = {"type": "practitioner", "actual": False}
            yield {"resourceType": "Group", "id": code, **kind, "code": _concept(_CLASS, code)}


def _provision(form: ConsentForm, day: date, registry: Registry) -> Resource:
    period = {"start": day.isoformat()}
    if form.outcome == "refused":
        actors = [_actor(_organization(one, registry)) for one in form.recipients.named]
        return {"type": "deny", "period": period, **({"actor": actors} if actors else {})}
    if form.expiry.on is not None:
        period["end"] = form.expiry.on.isoformat()
    return {"type": "deny", "period": period, "provision": list(_permits(form, registry))}


def _permits(form: ConsentForm, registry: Registry) -> Iterator[Resource]:
    """Write one permit for those reached directly, and one with another inside for an intermediary."""
    to = form.recipients
    conditions = _conditions(form)
    direct = [_actor(_organization(one, registry)) for one in to.named]
    if to.treating_class:
        direct.append(_actor({"reference": "#tpo"}))
    if direct:
        yield {"type": "permit", "actor": direct, **conditions}
    if to.intermediary:
        behind = [_actor(_organization(one, registry)) for one in to.participants]
        inner = {"type": "permit", "actor": behind or [_actor({"reference": "#treating-participants"})]}
        outer = {"type": "permit", "actor": [_actor(_organization(to.intermediary, registry))], **conditions}
        yield {**outer, "provision": [inner]}


def _conditions(form: ConsentForm) -> Resource:
    labels: Iterable[Label] = (COUNSELING_NOTES,) if form.kind == "counseling-notes" else (PART2,)
    found: Resource = {
        "securityLabel": [{"system": system, "code": code} for system, code in labels],
        "purpose": [{"system": system, "code": code} for system, code in map(PURPOSE_CODES.__getitem__, form.purposes)],
    }
    if form.information and EVERYTHING not in form.information:
        types = ("Patient", *(one for kind in form.information for one in TYPES[kind]))
        found["class"] = [{"system": _RESOURCE_TYPE, "code": one} for one in types]
    return found


def _actor(reference: Resource) -> Resource:
    return {"role": _concept(_PARTICIPATION, "IRCP"), "reference": reference}


def _organization(organization_id: str, registry: Registry) -> Resource:
    organization = registry.get(organization_id)
    if organization is None:
        raise ValueError("expected an organization of the registry: check the form before it is written")
    system, value = organization.identifiers[0]
    return {"type": "Organization", "identifier": {"system": system, "value": value}, "display": organization.name}


def _concept(system: str, code: str) -> Resource:
    return {"coding": [{"system": system, "code": code}]}
