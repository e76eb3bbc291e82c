"""What a decision about a person depends on besides the records asked for: every consent, and who cares for the person.

That a provider treats somebody is believed from nobody but the provider: it took the referral, or its own feed says
so (42 CFR 2.11, treating provider relationship). Who hands records in cannot make others see more by writing it there.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.flow.house import House
from gateway.model.consent_directive import FILED
from gateway.model.handoff import Resource
from gateway.ports import StoredResource, Transaction

UNDERTAKEN = frozenset({"accepted", "in-progress", "on-hold"})
"""Task states in which a recipient has undertaken the care it was asked for."""

_CONSENTS = ("Consent", "DocumentReference")
_RELATIONSHIPS = ("CareTeam", "Coverage", "Encounter", "EpisodeOfCare")
_SUBJECT = {"EpisodeOfCare": "patient", "Coverage": "beneficiary"}
"""The element that names the person, where it is not `subject`."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Consents as a Bundle with the documents they point to, and relationships as facts (docs/consent-engine.md)."""

    consents: Resource
    relationships: tuple[Resource, ...]


NOTHING_KNOWN = Circumstances({"resourceType": "Bundle", "type": "collection", "entry": []}, ())


def circumstances_of(house: House, tx: Transaction, person_id: str | None, patient: Resource | None) -> Circumstances:
    """Read the circumstances of a person, from whatever record or partner, as being about this Patient.

    One person can be several Patients; the index has said that they are one. A draft of a consent says that nobody
    has been asked: it is no consent, and no reason either.

    The person stays locked until the transaction ends: a revocation is committed before the decision or after it,
    never beside it.
    """
    if person_id is None or patient is None:
        return NOTHING_KNOWN
    tx.people.lock(person_id)
    return _read(house, tx, person_id, {"reference": f"Patient/{patient['id']}"})


def circumstances_of_nobody(house: House, tx: Transaction, nobody: str) -> Circumstances:
    """Ask the store as much as for somebody; only the lock has to be another, because nobody cannot be locked."""
    tx.people.get(nobody)
    return _read(house, tx, nobody, {"reference": "Patient/unknown"})


def _read(house: House, tx: Transaction, person_id: str, patient: Resource) -> Circumstances:
    stored = tx.resources.of_person((*_CONSENTS, *_RELATIONSHIPS), person_id)
    kinds: dict[str, list[StoredResource]] = {}
    for one in stored:
        kinds.setdefault(one.body["resourceType"], []).append(one)
    asked = (one for one in kinds.get("Consent", ()) if one.body.get("status") not in ("draft", "proposed"))
    entries = [_about(_as_committed(one.body), patient) for one in asked]
    entries += [one.body for one in kinds.get("DocumentReference", ())]
    told = [one for kind in _RELATIONSHIPS for one in kinds.get(kind, ())]
    relationships = (
        *_told_by_themselves(house, tx, person_id, told, patient),
        *_undertaken(house, tx, person_id, patient),
    )
    return _bundled(entries, relationships)


def _bundled(entries: list[Resource], relationships: tuple[Resource, ...]) -> Circumstances:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in entries]}
    return Circumstances(bundle, relationships)


def _as_committed(consent: Resource) -> Resource:
    """Say when a consent was stored beside its version: what is committed counts, though the clock of then was ahead.

    A consent of another system counts only so long after that, unless a person has confirmed it since.
    """
    meta = dict(consent.get("meta", {}))
    if stored := meta.pop("lastUpdated", None):
        others = [one for one in meta.get("extension", []) if one.get("url") != FILED]
        meta["extension"] = [*others, {"url": FILED, "valueInstant": stored}]
    return {**consent, "meta": meta}


def _about(consent: Resource, patient: Resource) -> Resource:
    """Read a consent as being about, and signed by, this Patient where it names another one of the same person."""
    named = consent.get("patient")
    signers = [patient if signer == named else signer for signer in consent.get("performer", [])]
    return {**consent, "patient": patient, **({"performer": signers} if signers else {})}


def _told_by_themselves(
    house: House, tx: Transaction, person_id: str, told: list[StoredResource], patient: Resource
) -> Iterator[Resource]:
    """Yield the relationships that the organization they name has told us itself."""
    tellers = {one.id: one.agency for one in tx.handoffs.of_person(person_id)}
    for one in told:
        teller = tellers.get(one.handoff_id or "", "")
        if teller and _only_names(house, one.body, teller):
            name = _SUBJECT.get(one.body["resourceType"], "subject")
            meta = {key: value for key, value in one.body.get("meta", {}).items() if key != "lastUpdated"}
            yield {**one.body, name: patient, "meta": meta}


def _only_names(house: House, resource: Resource, teller: str) -> bool:
    """Say whether everybody whom a relationship would show to care for the person is who told it."""
    references = [resource.get("serviceProvider"), resource.get("managingOrganization"), *resource.get("payor", ())]
    for participant in resource.get("participant", ()):
        if resource["resourceType"] == "CareTeam":
            references += [participant.get("member"), participant.get("onBehalfOf")]
    named = [house.registry.find_by_reference(one) for one in references if one]
    return all(one is None or one.id == teller for one in named) and any(named)


def _undertaken(house: House, tx: Transaction, person_id: str, patient: Resource) -> Iterator[Resource]:
    """Yield a care team for each recipient who has taken a referral of the person and not yet ended it."""
    for referral in tx.referrals.of_person(person_id):
        if referral.status in UNDERTAKEN and house.registry.get(referral.recipient) is not None:
            yield {
                "resourceType": "CareTeam",
                "id": referral.id,
                "status": "active",
                "subject": patient,
                "participant": [{"member": house.reference(referral.recipient)}],
            }
