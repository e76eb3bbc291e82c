"""A small invented world for the rules of 42 CFR Part 2: partners, one patient, records, consents, and how to ask.

Every builder makes the complete, ordinary thing; a test states only what is different about its case.
"""

import copy
from collections.abc import Iterable
from typing import Any

from gateway.catalog.partners import registry_from
from gateway.consent import agreement, compile_consents, decide, read_facts, read_request, read_switches
from gateway.labeling import label
from gateway.model.decision import Permit, Refusal
from gateway.model.disclosure import Disclosure
from gateway.model.fhir_time import instant
from gateway.model.partner import Registry
from gateway.redaction import redact

T0 = "2026-11-02T18:00:00Z"
PARTNER = "https://warmhandoff.example/id/partner"
PERSON = "urn:oid:2.999.7"
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
OWN = "https://warmhandoff.example/fhir/CodeSystem/"
EXTENSION = "https://warmhandoff.example/fhir/StructureDefinition/part2-"
RECEIVED_UNDER = EXTENSION + "received-under"

Json = dict[str, Any]


def partner(name: str, roles: list[str], part2: str = "no", covered: bool = False, **more: Any) -> Json:
    """One partner file: verified for FHIR, classified since 2020."""
    legal_class = {"from": "2020-01-01", "part2": part2, "covered_entity": covered}
    for key in ("sud_only", "other_law", "business_associate_of"):
        if key in more:
            legal_class[key] = more.pop(key)
    entry = {
        "id": f"org:{name}",
        "name": f"{name.title()} of Nowhere",
        "identifiers": [{"system": PARTNER, "value": name}],
        "state": "WA",
        "timezone": "America/Los_Angeles",
        "roles": roles,
        "legal_class": [legal_class],
        "endpoints": [{"transport": "fhir", "address": f"https://{name}.example/fhir", "verified": "2026-01-01"}],
    }
    return {**entry, **more}


PARTNERS = [
    partner("aspen", ["provider", "otp"], part2="yes", covered=True, sud_only=True),
    partner("birch", ["case_management"], part2="yes"),
    partner("mercy", ["provider"], covered=True),
    partner("quarry", ["provider"], covered=True),
    partner("minds", ["provider", "mental_health"], covered=True),
    partner("squad", ["ems"]),
    partner("plan", ["payer"], covered=True),
    partner("payco", ["payer"]),
    partner("clerks", ["contractor"]),
    partner("relay", ["intermediary"], members=["org:mercy", "org:plan"]),
    partner("exchange", ["hie"], business_associate_of=["org:mercy"]),
    partner("broker", ["other"]),
    partner("shelter", ["housing"]),
    partner("donors", ["fundraising"]),
    partner("police", ["police"]),
    partner("court", ["court", "probation"]),
    partner("attorneys", ["attorney"]),
    partner("veterans", ["provider"], other_law="38USC7332"),
    partner("registry", ["registry"]),
    partner("campus", ["research"]),
    partner("auditors", ["auditor"]),
    partner("children", ["child_protection"]),
    partner("health", ["public_health"]),
    partner("jail", ["jail_health"]),
]


def world(**changes: Json) -> Registry:
    """The registry, with keys of single partners replaced: world(mercy={"endpoints": []})."""
    entries = copy.deepcopy(PARTNERS)
    for entry in entries:
        entry.update(changes.get(entry["id"].removeprefix("org:"), {}))
    return registry_from(entries)


def agreed(holder: str, kind: str, **changes: Any) -> Registry:
    """The registry with one agreement (`a1`) of `holder` with Aspen, in force this year."""
    agreement = {"id": "a1", "type": kind, "with": "org:aspen", "from": "2026-01-01", "to": "2026-12-31", **changes}
    return world(**{holder: {"agreements": [agreement]}})


def organization(name: str) -> Json:
    """A logical reference to a partner."""
    return {"type": "Organization", "identifier": {"system": PARTNER, "value": name}}


PATIENT_REFERENCE = {"type": "Patient", "identifier": {"system": PERSON, "value": "T1"}}


def a_patient(**changes: Any) -> Json:
    """The patient of the index."""
    return {
        "resourceType": "Patient",
        "id": "t1",
        "identifier": [{"system": PERSON, "value": "T1"}],
        "name": [{"family": "Testperson", "given": ["Tess"]}],
        "birthDate": "1980-01-31",
        "address": [{"city": "Nowhere", "state": "WA", "postalCode": "99999"}],
        **changes,
    }


def a_condition(identifier: str = "f1120", code: str = "F11.20", **changes: Any) -> Json:
    """A Condition of the patient."""
    coding = {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": code}
    subject = {"reference": "Patient/t1"}
    return {"resourceType": "Condition", "id": identifier, "code": {"coding": [coding]}, "subject": subject, **changes}


def written_by(author: str, *items: Json, identifier: str | None = None) -> Json:
    """The Provenance of items: their author unit."""
    return {
        "resourceType": "Provenance",
        "id": identifier or f"by-{author}",
        "target": [{"reference": f"{one['resourceType']}/{one['id']}"} for one in items],
        "recorded": "2026-10-01T12:00:00Z",
        "activity": {"coding": [{"code": "originate"}]},
        "agent": [{"type": {"coding": [{"code": "author"}]}, "who": organization(author)}],
    }


def handed_to(custodian: str, *items: Json, under: str | None = None, code: str | None = None, **changes: Any) -> Json:
    """The Provenance of a hop: `custodian` received the items under a consent or a code, for a purpose."""
    extension: Json = {"url": RECEIVED_UNDER}
    extension.update({"valueReference": {"reference": under}} if under else {"valueCode": code or "referral"})
    purpose = changes.pop("purpose", "TREAT")
    return {
        "resourceType": "Provenance",
        "id": f"at-{custodian}",
        "extension": [extension],
        "target": [{"reference": f"{one['resourceType']}/{one['id']}"} for one in items],
        "recorded": "2026-10-10T12:00:00Z",
        "activity": {"coding": [{"code": "receive"}]},
        "agent": [{"type": {"coding": [{"code": "custodian"}]}, "who": organization(custodian)}],
        "reason": [{"coding": [{"system": ACT_REASON, "code": purpose}]}],
        **changes,
    }


def bundle(*resources: Json) -> Json:
    """A collection."""
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"fullUrl": f"https://warmhandoff.example/fhir/{one['resourceType']}/{one['id']}", "resource": one}
            for one in resources
        ],
    }


def recipient(name: str) -> Json:
    """An actor that may receive."""
    return {"role": {"coding": [{"code": "IRCP"}]}, "reference": organization(name)}


def a_class(code: str) -> tuple[Json, Json]:
    """A recipient class: the contained Group and the actor that points to it."""
    coding = {"system": OWN + "recipient-class", "code": code}
    group = {"resourceType": "Group", "id": code, "type": "practitioner", "actual": False, "code": {"coding": [coding]}}
    return group, {"role": {"coding": [{"code": "IRCP"}]}, "reference": {"reference": f"#{code}"}}


def purpose(code: str) -> Json:
    """A purpose: a v3-ActReason code, or `own:code`."""
    own = code.startswith("own:")
    return {"system": OWN + "purpose" if own else ACT_REASON, "code": code.removeprefix("own:")}


def labels(*codes: str) -> list[Json]:
    """Security labels of v3-ActCode."""
    return [{"system": ACT_CODE, "code": code} for code in codes]


STATEMENTS = ("revocation-right", "ce-redisclosure-statement", "tpo-redisclosure-warning", "refusal-consequences")


def a_permit(*recipients: str, purposes: Iterable[str] = ("TREAT",), **changes: Any) -> Json:
    """A nested permit for the whole substance use record."""
    return {
        "type": "permit",
        "actor": [recipient(one) for one in recipients or ("mercy",)],
        "purpose": [purpose(one) for one in purposes],
        "securityLabel": labels("42CFRPart2"),
        **changes,
    }


def a_consent(*provisions: Json, without: Iterable[str] = (), **changes: Any) -> Json:
    """A complete written consent from Aspen to Mercy for treatment; `without` names statements left out."""
    missing = set(without)
    kind = changes.pop("kind", None)
    extensions = [{"url": EXTENSION + one, "valueBoolean": True} for one in STATEMENTS if one not in missing]
    extensions += changes.pop("extensions", [])
    category = (
        {"system": OWN + "consent-category", "code": kind} if kind else {"system": ACT_CODE, "code": "42CFRPart2CD"}
    )
    consent = {
        "resourceType": "Consent",
        "id": "paper",
        "meta": {"versionId": "1", "lastUpdated": "2026-09-01T17:00:00Z"},
        "extension": extensions,
        "status": "active",
        "scope": {"coding": [{"code": "patient-privacy"}]},
        "category": [{"coding": [category]}],
        "patient": PATIENT_REFERENCE,
        "dateTime": "2026-09-01T09:00:00-07:00",
        "performer": [PATIENT_REFERENCE],
        "organization": [organization("aspen")],
        "sourceReference": {"reference": "DocumentReference/form"},
        "provision": {
            "type": "deny",
            "period": {"start": "2026-09-01", "end": "2026-12-31"},
            "provision": list(provisions) or [a_permit()],
        },
        **changes,
    }
    return {key: value for key, value in consent.items() if key not in missing and value is not None}


def a_tpo_consent(**changes: Any) -> Json:
    """A single consent for all treatment, payment and operations, to the class the rule names, without end."""
    group, actor = a_class("tpo")
    permit = a_permit(purposes=("TREAT", "HPAYMT", "HOPERAT"), actor=[actor])
    extensions = changes.pop("extensions", [{"url": EXTENSION + "expiry", "valueCode": "none"}])
    return a_consent(
        contained=[group],
        provision={"type": "deny", "provision": [permit]},
        extensions=extensions,
        **{"id": "tpo", **changes},
    )


def an_open_visit(name: str) -> Json:
    """Evidence that the patient is in treatment with a partner now."""
    return {
        "resourceType": "Encounter",
        "id": f"open-{name}",
        "status": "in-progress",
        "subject": {"reference": "Patient/t1"},
        "serviceProvider": organization(name),
    }


def a_request(**changes: Any) -> Json:
    """Mercy's clinician asks for the patient's records for treatment."""
    to = changes.get("recipient", "org:mercy")
    by = changes.pop("by", to)
    requester = {
        "organization": by,
        "authenticated_as": by,
        "person": {"id": "p1", "role": changes.pop("role", "clinician")},
    }
    return {
        "requester": requester,
        "recipient": to,
        "purpose": ["TREAT"],
        "patient": "Patient/t1",
        "basis": None,
        "transport": "fhir",
        **changes,
    }


def alone(who: str = "Patient/t1", role: str | None = None) -> Json:
    """The requester where a person asks for nobody but that person."""
    return {"organization": None, "authenticated_as": who, "person": {"id": who, "role": role}}


EMERGENCY: Json = {
    "type": "emergency",
    "recipient_name": "Dr Example",
    "recipient_affiliation": "Mercy Emergency Department",
    "disclosed_by": "Aspen night desk",
    "time": T0,
    "nature": "found unresponsive",
    "consent_obtainable": False,
}
"""The basis of an emergency: the four facts, and that nobody could be asked."""


def a_restriction(against: str, kind: str = "agreed", **more: Any) -> Json:
    """The fact of a restriction against a partner, of everything."""
    return {"type": "restriction", "kind": kind, "against": [f"org:{against}"], "items": None, **more}


def unavailable(what: str) -> Json:
    """The fact that something the decision needs does not answer."""
    return {"type": "unavailable", "what": what, "name": "down"}


def taken_back(when: str | None = T0, method: str | None = None, only: Iterable[str] = ()) -> Json:
    """The extension of a consent that was taken back; `only` names the partners for whom."""
    parts: list[Json] = [{"url": "when", "valueDateTime": when}] if when else []
    parts += [{"url": "method", "valueCode": method}] if method else []
    parts += [{"url": "recipient", "valueReference": organization(one)} for one in only]
    return {"url": EXTENSION + "revocation", "extension": parts}


ASPEN_RECORD = a_condition()
ASPEN_RECORDS = (ASPEN_RECORD, written_by("aspen", ASPEN_RECORD))


def ask(
    *consents: Json,
    records: Iterable[Json] = ASPEN_RECORDS,
    facts: Iterable[Json] = (),
    at: str = T0,
    registry: Registry | None = None,
    switches: Json | None = None,
    **request: Any,
) -> Permit | Refusal:
    """Decide on a request; the patient is in the index, all else is as stated."""
    registry = registry or world()
    when = instant(at)
    return decide(
        read_request(a_request(**request)),
        label(bundle(*records), registry, when),
        compile_consents(bundle(*consents), registry),
        registry=registry,
        at=when,
        facts=read_facts(
            [*([] if any(one.get("id") == "t1" for one in facts) else [a_patient()]), *facts], registry, when
        ),
        switches=read_switches(switches),
    )


REFERRAL: Json = {"resourceType": "Task", "id": "r", "status": "requested", "for": {"reference": "Patient/t1"}}


def stopped_before(
    *consents: Json,
    items: Iterable[Json] = (REFERRAL,),
    facts: Iterable[Json] = (),
    at: str = T0,
    agency: str = "org:police",
    policy: str | None = None,
    **request: Any,
) -> Refusal | None:
    """Ask the gate before the decision about what police wrote; `policy` sends it where nobody was asked."""
    when, registry = instant(at), world()
    return agreement(
        read_request(a_request(**request)),
        label(bundle(*items, written_by("police", *items)), registry, when),
        compile_consents(bundle(*consents), registry),
        registry=registry,
        at=when,
        agency=agency,
        facts=read_facts([a_patient(), *facts], registry, when),
        without_agreement=policy,
    )


def answer(*consents: Json, **case: Any) -> tuple[str, str]:
    """Decide, and return (decision, reason)."""
    record = ask(*consents, **case).record
    return record.decision, record.reason


def disclosed(*consents: Json, records: Iterable[Json] = ASPEN_RECORDS, **case: Any) -> Disclosure:
    """Decide and redact; fail where nothing may leave."""
    registry = case.pop("registry", None) or world()
    records = list(records)
    permit = ask(*consents, records=records, registry=registry, **case)
    assert isinstance(permit, Permit), permit.record
    when = instant(case.get("at", T0))
    disclosure = redact(
        label(bundle(*records), registry, when),
        permit,
        compile_consents(bundle(*consents), registry),
        registry=registry,
    )
    assert isinstance(disclosure, Disclosure), disclosure.record
    return disclosure
