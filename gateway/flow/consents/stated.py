"""The Consent resources that CON segments become: a refusal of everything, or a paper on which nothing may leave."""

from dataclasses import dataclass
from datetime import datetime

from gateway.flow.house import House
from gateway.flow.messages.numbers import number_system
from gateway.flow.people import PERSON_ID
from gateway.model.handoff import Person, Resource
from gateway.model.hl7_consent import ConsentStatement
from gateway.model.ids import stable_id
from gateway.model.labels import ACT_CODE
from gateway.model.partner import Organization

REVIEW = "https://warmhandoff.example/id/awaits-review"
"""Identifier system of a refusal that stands only until a person has looked at the CON it came of."""


@dataclass(frozen=True, slots=True)
class Told:
    """A statement with who told it, about whom, in which message, and when that came."""

    statement: ConsentStatement
    sender: Organization | None
    """None: no partner has its MSH-3 and MSH-4, and the person's number is nobody's."""
    certain: Person | None
    """The person of a number that we or a partner gave."""
    possible: tuple[Person, ...]
    """Without such a number: those who share name and birth date, which is no proof."""
    input_id: str
    received: datetime

    @property
    def stated_at(self) -> str | None:
        """CON-13: it is kept as stated, and nothing counts from it."""
        return self.statement.decided_at

    @property
    def meant(self) -> tuple[Person, ...]:
        """Return whom it is about, or may be about."""
        return (self.certain,) if self.certain else self.possible

    @property
    def review(self) -> Resource:
        """Return the mark of what waits because of this CON."""
        return {"system": REVIEW, "value": f"{self.input_id}.{self.statement.number}"}


def refusal(house: House, told: Told, person: Person, *, is_reviewed: bool) -> Resource:
    """Build a refusal of everything to everybody: a CON does not say of what or to whom, so nobody may narrow it."""
    refusal = {**_consent(house, told, person, "active"), "provision": {"type": "deny"}}
    if is_reviewed:
        return refusal
    return {**refusal, "identifier": [*refusal.get("identifier", ()), told.review]}


def reviewed(consent: Resource) -> Resource:
    """Return a refusal without the mark that a person has still to look at it."""
    kept = [one for one in consent.get("identifier", ()) if one.get("system") != REVIEW]
    return {
        **{key: one for key, one in consent.items() if key != "identifier"},
        **({"identifier": kept} if kept else {}),
    }


def unverified(house: House, told: Told, person: Person) -> Resource:
    """Build what a CON allows or proposes: kept for people to see, deficient in every element of 42 CFR 2.31(a)."""
    status = "proposed" if told.statement.act == "proposes" else "active"
    consent = _consent(house, told, person, status)
    return {**consent, "verification": [{"verified": False}], "provision": {"type": "permit"}}


def _consent(house: House, told: Told, person: Person, status: str) -> Resource:
    statement, sender = told.statement, told.sender
    numbered: Resource = {}
    if statement.form_number and sender is not None:
        system = number_system(sender.id, "consent-form")
        numbered = {"identifier": [{"system": system, "value": statement.form_number}]}
    return {
        "resourceType": "Consent",
        "id": id_of(house, told.input_id, statement, person),
        "meta": {"source": f"urn:warm-handoff:con-segment:{sender.id if sender else 'unknown'}"},
        **numbered,
        "status": status,
        "scope": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]
        },
        "category": [{"coding": [{"system": "http://loinc.org", "code": "64292-6"}]}],
        "patient": _patient(person),
        "dateTime": statement.decided_at or told.received.isoformat(),
        **({"organization": [house.reference(sender.id)]} if sender else {}),
        "policyRule": {"coding": [{"system": ACT_CODE, "code": "42CFRPart2"}]},
    }


def id_of(house: House, input_id: str, statement: ConsentStatement, person: Person) -> str:
    """Return the id of the Consent that a CON of a message became for a person."""
    return stable_id(house.key, "CON", input_id, str(statement.number), person.id)


def _patient(person: Person) -> Resource:
    if person.patient_ids:
        return {"reference": f"Patient/{person.patient_ids[0]}"}
    return {"identifier": {"system": PERSON_ID, "value": person.id}}
