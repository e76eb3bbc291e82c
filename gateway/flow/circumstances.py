"""What a decision about a person depends on besides the records asked for: consents, caveats, and who cares for them.

That a provider treats somebody is believed from nobody but the provider: it took the referral, or its own feed says
so (42 CFR 2.11, treating provider relationship). Who hands records in cannot make others see more by writing it there.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.flow.house import House
from gateway.model.caveat import Caveat
from gateway.model.consent_directive import FILED
from gateway.model.handoff import Referral, Resource
from gateway.ports import StoredResource, Transaction

UNDERTAKEN = frozenset({"accepted", "in-progress", "on-hold"})
"""Task states in which a recipient has undertaken the care it was asked for."""

NOBODY = ""
"""A person id that nobody has: it is asked about in place of an unknown person, in the same words."""

_CONSENTS = ("Consent", "DocumentReference")
RELATIONSHIPS = ("CareTeam", "Coverage", "Encounter", "EpisodeOfCare")
"""Resources by which somebody tells that they care, or pay, for a person."""
_SUBJECT = {"EpisodeOfCare": "patient", "Coverage": "beneficiary"}
"""The element that names the person, where it is not `subject`."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Consents as a Bundle with the documents they point to, and the other facts (docs/consent-engine.md)."""

    consents: Resource
    facts: tuple[Resource, ...]


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
    return _kept(tx, person_id).of(house, patient)


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store holds of the circumstances of a person: read once, for as many decisions as it takes."""

    resources: tuple[StoredResource, ...]
    tellers: Mapping[str, str]
    """Id of each handoff about the person -> the organization that told it."""
    referrals: tuple[Referral, ...]
    caveats: tuple[Caveat, ...]

    def of(self, house: House, patient: Resource) -> Circumstances:
        """Return the circumstances as being about this Patient."""
        about = {"reference": f"Patient/{patient['id']}"}
        kinds: dict[str, list[StoredResource]] = {}
        for one in self.resources:
            kinds.setdefault(one.body["resourceType"], []).append(one)
        asked = (one for one in kinds.get("Consent", ()) if one.body.get("status") not in ("draft", "proposed"))
        entries = [_about(_as_committed(one.body), about) for one in asked]
        entries += [one.body for one in kinds.get("DocumentReference", ())]
        told = [one for kind in RELATIONSHIPS for one in kinds.get(kind, ())]
        relationships = (
            *_told_by_themselves(house, self.tellers, told, about),
            *_undertaken(house, self.referrals, about),
        )
        return _bundled(entries, (*relationships, *map(_fact, self.caveats)))


def kept_about_each(tx: Transaction, person_ids: Sequence[str]) -> dict[str, Kept]:
    """Lock persons until the transaction ends, and read what is kept of each: as many questions for many as for none.

    A resource that records of several persons share is about nobody, and no circumstance of anybody. `NOBODY` stands
    in the list for whoever is unknown, and where nobody is meant it is asked about.
    """
    person_ids = person_ids or [NOBODY]
    tx.people.lock_each(person_ids)
    resources = tx.resources.of_people((*_CONSENTS, *RELATIONSHIPS), person_ids)
    handoffs, referrals = tx.handoffs.of_people(person_ids), tx.referrals.of_people(person_ids)
    caveats = tx.caveats.of_people(person_ids)
    return {
        person: Kept(
            tuple(one for one in resources if one.person_id == person),
            {one.id: one.agency for one in handoffs if one.person_id == person},
            tuple(one for one in referrals if one.person_id == person),
            tuple(one for one in caveats if one.person_id == person),
        )
        for person in person_ids
    }


def _kept(tx: Transaction, person_id: str) -> Kept:
    return Kept(
        tuple(tx.resources.of_person((*_CONSENTS, *RELATIONSHIPS), person_id)),
        {one.id: one.agency for one in tx.handoffs.of_person(person_id)},
        tuple(tx.referrals.of_person(person_id)),
        tuple(tx.caveats.of_person(person_id)),
    )


def _bundled(entries: list[Resource], facts: tuple[Resource, ...]) -> Circumstances:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in entries]}
    return Circumstances(bundle, facts)


def _fact(caveat: Caveat) -> Resource:
    """Write a caveat as a fact, without its instant: what is committed counts, though the clock of then was ahead."""
    if caveat.kind == "consent_false":
        return {"type": "consent_false", "consent": f"Consent/{caveat.consent_id}"}
    return {
        "type": "restriction",
        "kind": caveat.kind,
        "of": [caveat.organization],
        "against": list(caveat.against),
        "items": None if caveat.items is None else list(caveat.items),
    }


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
    house: House, tellers: Mapping[str, str], told: list[StoredResource], patient: Resource
) -> Iterator[Resource]:
    """Yield the relationships that the organization they name has told us itself."""
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


def _undertaken(house: House, referrals: Iterable[Referral], patient: Resource) -> Iterator[Resource]:
    """Yield a care team for each recipient who has taken a referral of the person and not yet ended it."""
    for referral in referrals:
        if referral.status in UNDERTAKEN and house.registry.get(referral.recipient) is not None:
            yield {
                "resourceType": "CareTeam",
                "id": referral.id,
                "status": "active",
                "subject": patient,
                "participant": [{"member": house.reference(referral.recipient)}],
            }
