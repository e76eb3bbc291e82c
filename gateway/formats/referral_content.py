"""What a referral is made of, picked out of the Bundle of a disclosure for receivers that do not speak FHIR.

Only what the Bundle holds is used: it is already redacted, and what was taken out of it leaves no trace here.
"""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.model.errors import WillNeverWork
from gateway.model.handoff import Resource

REFERRAL_SYSTEM = "https://warmhandoff.example/id/referral"

_NOTICE, _SCOPE = "part2-notice", "part2-scope-"
"""Ids (of the second: how they begin) of the documents by which redaction informs a recipient (42 CFR 2.32)."""

Index = dict[str, Resource]
"""The resources of a Bundle by "Type/id"."""


@dataclass(frozen=True, slots=True)
class Party:
    """One side of a referral, or who observed something: an organization, and the role of whoever acted for it."""

    name: str
    identifiers: tuple[tuple[str, str], ...] = ()
    """(system, value)."""
    role: Resource | None = None
    """CodeableConcept of PractitionerRole.code."""
    telecom: tuple[Resource, ...] = ()
    address: Resource | None = None

    @property
    def label(self) -> str:
        """Return role and organization for a reader, such as "CIT officer, Sample City Police"."""
        return ", ".join(part for part in (text_of(self.role), self.name) if part)


@dataclass(frozen=True, slots=True)
class ReferralContent:
    """A ServiceRequest with everything of the same Bundle that belongs to it; lists may be empty."""

    identifier: str
    request: Resource
    task: Resource
    patient: Resource
    encounter: Resource
    """{} when the Bundle has none."""
    source: Party
    recipient: Party
    observations: tuple[tuple[Party, tuple[Resource, ...]], ...]
    """By who observed, in the order of the Bundle; what the disposition was is among them."""
    flags: tuple[Resource, ...]
    conditions: tuple[Resource, ...]
    relatives: tuple[Resource, ...]
    plans: tuple[Resource, ...]
    goals: tuple[Resource, ...]
    documents: tuple[Resource, ...]
    """What belongs to the record; the entries that inform about the disclosure itself are in the next two."""
    consent_scope: str
    """A plain explanation of what the person agreed to (42 CFR 2.32(b)); "" when no consent travels along."""
    statement: str
    """The full notice of 42 CFR 2.32(a)(1) where the disclosure carries it as a document, else ""."""


def referral_content(bundle: Resource, identifier: str = "") -> ReferralContent:
    """Gather the referral with this placer identifier (the first one where none is given).

    Raises WillNeverWork where the Bundle holds no such ServiceRequest, or not its Patient.
    """
    resources = [entry["resource"] for entry in bundle.get("entry", ())]
    index = {f"{resource['resourceType']}/{resource.get('id', '')}": resource for resource in resources}
    request, placer = _request(resources, identifier)
    patient = index.get(_reference(request.get("subject")))
    if patient is None:
        raise WillNeverWork("a referral must travel with the Patient it is about")
    documents = of_type(resources, "DocumentReference")
    scopes = [_text(document) for document in documents if str(document.get("id")).startswith(_SCOPE)]
    task = next((r for r in of_type(resources, "Task") if _reference(r.get("focus")).endswith(f"/{request['id']}")), {})
    return ReferralContent(
        identifier=placer,
        request=request,
        task=task,
        patient=patient,
        encounter=index.get(_reference(request.get("encounter")), {}),
        source=_party(request.get("requester"), index),
        recipient=_party(_first(request.get("performer")) or task.get("owner"), index),
        observations=_by_observer(of_type(resources, "Observation"), index),
        flags=of_type(resources, "Flag"),
        conditions=of_type(resources, "Condition"),
        relatives=of_type(resources, "RelatedPerson"),
        plans=of_type(resources, "CarePlan"),
        goals=of_type(resources, "Goal"),
        documents=tuple(one for one in documents if not str(one.get("id")).startswith((_NOTICE, _SCOPE))),
        consent_scope="\n".join(scopes or [_scope(consent, index) for consent in _granted(resources)]),
        statement="\n".join(_text(one) for one in documents if one.get("id") == _NOTICE),
    )


def of_type(resources: Iterable[Resource], resource_type: str) -> tuple[Resource, ...]:
    """Return the resources of one type, those entered in error left out."""
    return tuple(
        resource
        for resource in resources
        if resource["resourceType"] == resource_type and resource.get("status") != "entered-in-error"
    )


def text_of(concept: Resource | None) -> str:
    """Return the words of a CodeableConcept: its text, else the display or code of its first coding; "" for none."""
    if not concept:
        return ""
    coding = _first(concept.get("coding")) or {}
    return str(concept.get("text") or coding.get("display") or coding.get("code") or "")


def name_of(patient: Resource) -> str:
    """Return the name a person goes by, "" where none is known."""
    name = _first(patient.get("name")) or {}
    return str(name.get("text") or " ".join([*name.get("given", ()), name.get("family", "")]).strip())


def value_of(observation: Resource) -> str:
    """Return the value of an Observation in words: "Yes", "42 mg", a code's text, or "not known"."""
    for element, value in observation.items():
        if element.startswith("value"):
            return _words(value)
    return "not known"


def plan_of(plan: Resource) -> str:
    """Return a CarePlan in lines: title, description, then each activity."""
    details = [activity.get("detail") or {} for activity in plan.get("activity", ())]
    activities = [str(detail.get("description") or text_of(detail.get("code"))) for detail in details]
    return "\n".join(filter(None, (str(plan.get("title", "")), str(plan.get("description", "")), *activities)))


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if not isinstance(value, dict):
        return str(value)
    if "value" in value:
        return f"{value['value']} {value.get('unit', '')}".strip()
    if "start" in value or "end" in value:
        return f"{value.get('start', '')} to {value.get('end', '')}".strip()
    return text_of(value)


def placers_of(bundle: Resource) -> list[str]:
    """Return the placer identifiers of the referrals in a Bundle, in order."""
    return [placer for _, placer in _requests([entry["resource"] for entry in bundle.get("entry", ())])]


def _requests(resources: Sequence[Resource]) -> list[tuple[Resource, str]]:
    return [
        (request, str(entry["value"]))
        for request in of_type(resources, "ServiceRequest")
        for entry in request.get("identifier", ())
        if entry.get("system") == REFERRAL_SYSTEM and "value" in entry
    ]


def _request(resources: Sequence[Resource], identifier: str) -> tuple[Resource, str]:
    for request, placer in _requests(resources):
        if identifier in ("", placer):
            return request, placer
    raise WillNeverWork(f"expected a ServiceRequest with an identifier of the system {REFERRAL_SYSTEM}")


def _by_observer(observations: Sequence[Resource], index: Index) -> tuple[tuple[Party, tuple[Resource, ...]], ...]:
    groups: dict[str, list[Resource]] = {}
    for observation in observations:
        groups.setdefault(_reference(_first(observation.get("performer"))), []).append(observation)
    return tuple((_party(_first(group[0].get("performer")), index), tuple(group)) for group in groups.values())


def _party(reference: Resource | None, index: Index) -> Party:
    if not reference:
        return Party("")
    resource = index.get(_reference(reference), {})
    if resource.get("resourceType") == "PractitionerRole":
        organization = _party(resource.get("organization"), index)
        return Party(
            organization.name,
            organization.identifiers,
            _first(resource.get("code")),
            tuple(resource.get("telecom", ())) or organization.telecom,
            organization.address,
        )
    if resource.get("resourceType") == "Organization":
        return Party(
            str(resource.get("name", "")),
            tuple((str(i.get("system", "")), str(i["value"])) for i in resource.get("identifier", ()) if "value" in i),
            None,
            tuple(resource.get("telecom", ())),
            _first(resource.get("address")),
        )
    return _named_party(reference, index)


def _named_party(reference: Resource, index: Index) -> Party:
    """Read a logical reference: an identifier, which an Organization of the Bundle may carry, and a display."""
    identifier = reference.get("identifier") or {}
    system, value = str(identifier.get("system", "")), str(identifier.get("value", ""))
    if value:
        for key, resource in index.items():
            known = ((i.get("system", ""), i.get("value")) for i in resource.get("identifier", ()) if key[:4] == "Orga")
            if (system, value) in known:
                return _party({"reference": key}, index)
    return Party(str(reference.get("display", "")), ((system, value),) if value else ())


def _granted(resources: Sequence[Resource]) -> list[Resource]:
    return [
        consent
        for consent in of_type(resources, "Consent")
        if consent.get("status") == "active" and (consent.get("provision") or {}).get("type") != "deny"
    ]


def _scope(consent: Resource, index: Index) -> str:
    """Explain one Consent in words: since when, to whom, for what and how long."""
    provision = consent.get("provision") or {}
    recipients = [_party(actor.get("reference"), index).name for actor in _actors(provision)]
    purposes = [
        str(purpose.get("display") or purpose.get("code"))
        for part in _provisions(provision)
        for purpose in part.get("purpose", ())
    ]
    period = provision.get("period") or {}
    parts = [
        "The person consented",
        f"on {str(consent['dateTime'])[:10]}" if "dateTime" in consent else "",
        "to disclosure",
        f"to {', '.join(dict.fromkeys(filter(None, recipients)))}" if any(recipients) else "",
        f"for {', '.join(dict.fromkeys(purposes))}" if purposes else "",
        f"until {str(period['end'])[:10]}" if "end" in period else "",
    ]
    return f"{' '.join(part for part in parts if part)}."


def scope_in(resources: Iterable[Resource]) -> str:
    """Return what goes along about the consent that a disclosure rests on (42 CFR 2.32(b)); "" where nothing does."""
    documents = (one for one in resources if one["resourceType"] == "DocumentReference")
    return "\n".join(_text(one) for one in documents if str(one.get("id")).startswith(_SCOPE))


def _text(document: Resource) -> str:
    contents = document.get("content", ())
    data = b"".join(base64.b64decode(str(one["attachment"].get("data", ""))) for one in contents)
    return data.decode("utf-8", "replace")


def _provisions(provision: Resource) -> list[Resource]:
    return [provision, *(nested for nested in provision.get("provision", ()) if nested.get("type") != "deny")]


def _actors(provision: Resource) -> list[Resource]:
    return [actor for part in _provisions(provision) for actor in part.get("actor", ())]


def _reference(reference: Resource | None) -> str:
    return str((reference or {}).get("reference", "")).removeprefix("https://warmhandoff.example/fhir/")


def _first(items: Sequence[Resource] | None) -> Resource | None:
    return items[0] if items else None
