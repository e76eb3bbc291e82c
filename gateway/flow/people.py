"""Find out who the person of a record is; what is only possible holds the record until a person has decided."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.flow.house import House
from gateway.identity import match
from gateway.model.handoff import Handoff, Person, Referral, Resource
from gateway.ports import Transaction

PERSON_ID = "https://warmhandoff.example/id/person"
"""Identifier system of our own number of a person, which recipients may send back in PID-3."""

Key = tuple[str, str]
"""By which a Patient is named: ("Patient", logical id) or (`PERSON_ID`, number)."""

_POSSIBLE = "possible match: it may be about somebody who is known already"
"""No count and no reason: whoever reads it may have no right to know of the record that it resembles."""


@dataclass(frozen=True, slots=True)
class Who:
    """The person a record is about, and why nothing may be sent yet, if so."""

    person_id: str | None
    hold: str | None


def identify(house: House, tx: Transaction, resources: Sequence[Resource], known_person: str | None) -> Who:
    """Match the one Patient of a record with the index, or enter a new person.

    A record without a person is countable and not referable; one with several is held, because nobody may guess
    whom its observations describe.
    """
    patients = [r for r in resources if r["resourceType"] == "Patient"]
    if not patients:
        return Who(None, None)
    if len(patients) > 1:
        return Who(None, f"the record names {len(patients)} persons and does not say whom it describes: give it back")
    found = person_of(patients[0])
    same = lock_person(tx, lambda: _same_as_before(tx, patients[0]["id"], known_person))
    if same is not None:
        return _learned(house, tx, same, found)
    candidates = tx.people.candidates(found.family, found.given, found.birth_date, found.phone)
    result = match(found, candidates)
    if result.grade == "matched":
        tx.people.lock(result.person_ids[0])
        if not _still_matches(tx, result.person_ids[0], found):
            return identify(house, tx, resources, known_person)
        return _learned(house, tx, result.person_ids[0], found)
    entered = replace(found, id=house.new_id())
    tx.people.save(entered, house.clock())
    return Who(entered.id, _POSSIBLE if result.grade == "possible" else None)


def person_of(patient: Resource) -> Person:
    """Read from a Patient what matching needs; its id is not yet that of a person."""
    name: Resource = next(iter(patient.get("name", [])), {})
    address: Resource = next(iter(patient.get("address", [])), {})
    line = " ".join(address.get("line", [])) or address.get("text", "")
    phones = [t["value"] for t in patient.get("telecom", []) if t.get("system") == "phone" and "value" in t]
    return Person(
        id="",
        family=name.get("family", ""),
        given=" ".join(name.get("given", [])),
        birth_date=patient.get("birthDate"),
        gender=patient.get("gender"),
        phone=phones[0] if phones else None,
        address=f"{line} {address.get('postalCode', '')}".strip() or None,
        patient_ids=(patient["id"],),
        identifiers=tuple(
            (i["system"], i["value"]) for i in patient.get("identifier", []) if "system" in i and "value" in i
        ),
    )


def _same_as_before(tx: Transaction, patient_id: str, known_person: str | None) -> str | None:
    """Return who the Patient of a record is already known to be, or else whom the record was about before."""
    same = tx.people.by_patient(patient_id) or (tx.people.get(known_person) if known_person else None)
    return same.id if same is not None else None


def _still_matches(tx: Transaction, person_id: str, found: Person) -> bool:
    """Say of a locked person whether they match: a merge may have been committed before the lock was had."""
    known = tx.people.get(person_id)
    return known is not None and match(found, [known]).grade == "matched"


def _learned(house: House, tx: Transaction, person_id: str, found: Person) -> Who:
    known = tx.people.get(person_id)
    assert known is not None, "a locked person is there"
    tx.people.save(_enriched(known, found), house.clock())
    return Who(known.id, _POSSIBLE if is_in_doubt(tx, known.id) else None)


def is_in_doubt(tx: Transaction, person_id: str) -> bool:
    """Say whether nobody has said yet who somebody is: then every record about them waits, and its next versions too.

    A later record could else lead past the question that an earlier one has put.
    """
    return any(one.state == "held" for one in tx.handoffs.of_person(person_id))


def why_held(handoff: Handoff) -> str | None:
    """Say why nothing of a record goes before a person has said whom it is about; None where that is known."""
    if handoff.state != "held":
        return None
    return handoff.hold_reason or "nobody has said yet whom the record is about"


def candidates_of(tx: Transaction, handoff: Handoff) -> list[Person]:
    """Return whom of the index a held record may be about, for the one who decides; nobody for any other record."""
    person = tx.people.get(handoff.person_id) if handoff.state == "held" and handoff.person_id else None
    if person is None:
        return []
    known = tx.people.candidates(person.family, person.given, person.birth_date, person.phone)
    others = [one for one in known if one.id != person.id]
    resembled = match(replace(person, patient_ids=(), identifiers=()), others).person_ids
    return [one for one in others if one.id in resembled]


def _enriched(known: Person, found: Person) -> Person:
    """Add what a newer record tells; what it leaves out is kept."""
    return replace(
        known,
        birth_date=found.birth_date or known.birth_date,
        gender=found.gender or known.gender,
        phone=found.phone or known.phone,
        address=found.address or known.address,
        patient_ids=tuple(dict.fromkeys([*known.patient_ids, *found.patient_ids])),
        identifiers=tuple(dict.fromkeys([*known.identifiers, *found.identifiers])),
    )


def key_in(reference: object) -> Key | None:
    """Return the key by which a Patient reference names somebody: a logical id or our own person number; else None.

    A recipient's record numbers do not count: they can be guessed, so asking by them would tell who is known here.
    """
    if not isinstance(reference, dict):
        return None
    kind, _, patient_id = str(reference.get("reference", "")).rpartition("Patient/")
    if patient_id and kind in ("", "https://warmhandoff.example/fhir/"):
        return "Patient", patient_id
    identifier = reference.get("identifier")
    if isinstance(identifier, dict) and identifier.get("system") == PERSON_ID:
        return PERSON_ID, str(identifier.get("value"))
    return None


def person_by_reference(tx: Transaction, reference: object) -> str | None:
    """Return the id of the person a Patient reference names; None where it names nobody, or several."""
    key = key_in(reference)
    known = tx.people.known_as(*key) if key is not None else []
    return known[0] if len(known) == 1 else None


def unite(tx: Transaction, ended: Person, surviving: Person, at: datetime) -> Person:
    """Let one person become another, records and numbers with them; return the other as it is now. Both are locked.

    Of who has ended nothing is left by which anybody could be taken for them: no decision reads what is kept of them.
    """
    tx.handoffs.move_person(ended.id, surviving.id)
    tx.people.save(Person(ended.id, "", "", None, None, None, None), at)
    united = replace(
        surviving,
        patient_ids=tuple(dict.fromkeys([*surviving.patient_ids, *ended.patient_ids])),
        identifiers=tuple(dict.fromkeys([*surviving.identifiers, *ended.identifiers])),
    )
    tx.people.save(united, at)
    return united


def lock_person(tx: Transaction, find: Callable[[], str | None]) -> str | None:
    """Lock the person that `find` names until the transaction ends, and return their id; None where it names nobody.

    A match or a merge may be committed between the finding and the lock, and what is written about the ended person
    after it would be read by no decision. So it is found again, and the person it is now is locked too.
    """
    locked = None
    while (person_id := find()) is not None and person_id != locked:
        tx.people.lock(person_id)
        locked = person_id
    return person_id


def person_of_record(tx: Transaction, handoff_id: str) -> str | None:
    """Return the id of the person a record is about; None where there is no such record, or nobody in it."""
    handoff = tx.handoffs.get(handoff_id)
    return handoff.person_id if handoff is not None else None


def locked_record(tx: Transaction, handoff_id: str) -> Handoff | None:
    """Return a record as it stands with its person locked: what is on its way of it is settled, and nothing more goes.

    Who changes one that is about nobody, or about several, takes a turn at it instead.
    """
    if lock_person(tx, lambda: person_of_record(tx, handoff_id)) is None and tx.handoffs.get(handoff_id) is not None:
        tx.turns.take(f"record {handoff_id}")
    return tx.handoffs.get(handoff_id)


def locked_referral(tx: Transaction, referral_id: str) -> Referral | None:
    """Return a referral as it stands with its person locked: nobody else moves it in between."""
    lock_person(tx, lambda: person_of_referral(tx, referral_id))
    return tx.referrals.get(referral_id)


def person_of_referral(tx: Transaction, referral_id: str) -> str | None:
    """Return the id of the person a referral is about; None where there is no such referral."""
    referral = tx.referrals.get(referral_id)
    return referral.person_id if referral is not None else None


def person_of_consent(tx: Transaction, consent_id: str) -> str | None:
    """Return the id of the person a kept consent is about; None where there is no such consent."""
    stored = tx.resources.get("Consent", consent_id)
    return stored.person_id if stored is not None else None
