"""Steps 8 and 9: decide and redact, the one road from a stored record to anything that leaves.

A push (delivery), a pull (FHIR read and search) and a page of the console all come through here, each with its own
decision at its own instant.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from gateway.flow.circumstances import Circumstances, circumstances_of
from gateway.flow.house import House
from gateway.flow.judgement import Gate, Matter, judge
from gateway.flow.people import lock_person, person_of_record
from gateway.model.accounting import HandedOver, NewDecision
from gateway.model.audit import AuditEntry, disclosures_logged, record_hash
from gateway.model.decision import DecisionRecord, Refusal
from gateway.model.disclosure import Disclosure
from gateway.model.handoff import Handoff, Referral, Resource, Work
from gateway.model.ids import id_in_order
from gateway.ports import Transaction

SESSION = "session"
"""Transport of an answer on the connection or page of a caller who has proven who it is: it needs no endpoint."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for what, in the words of the consent engine (docs/consent-engine.md)."""

    organization: str | None
    """Registry id; None where a person asks for themselves, proven to be `person`."""
    person: tuple[str, str]
    """(id, role)"""
    recipient: str
    purpose: tuple[str, ...]
    transport: str
    channel: str
    """How it would leave: fhir, hl7v2, read, search, console; kept with the decision."""
    basis: dict[str, Any] | None = None
    via: tuple[str, ...] = ()
    """Through whose hands it passes on the way."""
    message: str = ""
    """MSH-9 of what it is written as where that is no referral (hl7v2), such as ADT^A01."""

    def request(self, patient: str | None, items: Sequence[str] | None) -> dict[str, Any]:
        """Render the request. Organizations are proven by credential or by our own process, never claimed."""
        return {
            "requester": {
                "organization": self.organization,
                "authenticated_as": self.organization or self.person[0],
                "person": {"id": self.person[0], "role": self.person[1]},
            },
            "recipient": self.recipient,
            "purpose": list(self.purpose),
            "patient": patient,
            "basis": self.basis,
            "transport": self.transport,
            **({"items": list(items)} if items is not None else {}),
            **({"via": list(self.via)} if self.via else {}),
            **({"message": self.message} if self.message else {}),
        }


@dataclass(frozen=True, slots=True)
class Made:
    """What came of asking: the outcome, its record, and the canonical input that gives the same record again."""

    outcome: Disclosure | Refusal
    record: DecisionRecord
    inputs: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer to whoever asked: what was decided about whom, and what was told; "" where that was nothing."""

    asked: Asked
    made: Made
    person_id: str | None
    told: str


def disclose(
    house: House, tx: Transaction, asked: Asked, handoff: Handoff, referral: Referral, resources: Sequence[Resource]
) -> Made:
    """Decide on one referral's content for one recipient, and build what may leave.

    A referral whose own Task or ServiceRequest is withheld is refused whole: the rest would reach a recipient who
    cannot know what is asked of it, and would tell that something is missing.
    """
    circumstances = _circumstances_of(house, tx, handoff, resources)
    return judged_referral(house, asked, circumstances, referral, resources)


def judged_referral(
    house: House, asked: Asked, circumstances: Circumstances, referral: Referral, resources: Sequence[Resource]
) -> Made:
    """Decide as `disclose` does, on circumstances that were read before."""
    request = f"ServiceRequest/{referral.service_request_id}"
    gate = Gate(request, referral.without_agreement)
    made = _judged(house, asked, circumstances, resources, None, gate)
    if isinstance(made.outcome, Refusal):
        return made
    core = {f"Task/{referral.id}", request}
    if core & set(made.record.withheld):
        return Made(Refusal(replace(made.record, decision="DENY")), made.record, made.inputs)
    return made


def disclose_items(
    house: House,
    tx: Transaction,
    asked: Asked,
    handoff: Handoff,
    resources: Sequence[Resource],
    items: Sequence[str] | None,
) -> Made:
    """Decide on resources of one handoff (`items` None: on all of them), and build what may leave.

    Reads the person's consents in the transaction it is called in, so that a revocation committed before wins.
    """
    circumstances = _circumstances_of(house, tx, handoff, resources)
    return _judged(house, asked, circumstances, resources, items, None)


def _circumstances_of(house: House, tx: Transaction, handoff: Handoff, resources: Sequence[Resource]) -> Circumstances:
    person_id = lock_person(tx, lambda: person_of_record(tx, handoff.id))
    return circumstances_of(house, tx, person_id, patient_in(resources))


def patient_in(resources: Sequence[Resource]) -> Resource | None:
    """Return the Patient that resources of one record are about."""
    return next((resource for resource in resources if resource["resourceType"] == "Patient"), None)


def _judged(
    house: House,
    asked: Asked,
    circumstances: Circumstances,
    resources: Sequence[Resource],
    items: Sequence[str] | None,
    gate: Gate | None,
) -> Made:
    patient = patient_in(resources)
    matter = Matter(
        request=asked.request(f"Patient/{patient['id']}" if patient else None, items),
        records=resources,
        consents=circumstances.consents,
        facts=[patient, *circumstances.facts] if patient else [],
        at=house.clock(),
        switches=house.switches,
        gate=gate,
    )
    return made_of(house, matter)


def made_of(house: House, matter: Matter) -> Made:
    """Decide a matter, and keep hold of what it was decided from."""
    outcome = judge(matter, house.registry)
    return Made(outcome, outcome.record, matter.written(house.registry))


def keep_decision(
    house: House,
    tx: Transaction,
    record: DecisionRecord,
    inputs: bytes,
    asked: Asked,
    handoff: Handoff | None,
    referral: Referral | None,
    work_id: int | None,
    person_id: str | None = None,
) -> str:
    """Write the decision with its input, and an audit row, in the transaction it was made in; return its id.

    `person_id` says whom a decision on no single record is about; that on a handoff is about the handoff's person.
    """
    new = _new_decision(house, record, inputs, asked, handoff, referral, work_id, person_id)
    tx.decisions.add([new])
    _tell(tx, new, record, asked)
    return new.decision_id


def keep_decisions(
    house: House, tx: Transaction, asked: Asked, made: Sequence[tuple[Made, Handoff | None, Referral | None]]
) -> list[str]:
    """Write decisions on several records at once, each as `keep_decision` does; return their ids."""
    new = [
        _new_decision(house, one.record, one.inputs, asked, handoff, referral, None, None)
        for one, handoff, referral in made
    ]
    tx.decisions.add(new)
    for decision, (one, _, _) in zip(new, made, strict=True):
        _tell(tx, decision, one.record, asked)
    return [decision.decision_id for decision in new]


def keep_answers(house: House, tx: Transaction, answers: Sequence[Answered], asked_at: datetime) -> None:
    """Write answers on no single record, each decision as `keep_decision` does and what was told as `log_answers`."""
    new = [
        _new_decision(house, one.made.record, one.made.inputs, one.asked, None, None, None, one.person_id)
        for one in answers
    ]
    tx.decisions.add(new)
    for decision, one in zip(new, answers, strict=True):
        _tell(tx, decision, one.made.record, one.asked)
    told: dict[str, list[HandedOver]] = {}
    for decision, one in zip(new, answers, strict=True):
        if one.told:
            answer = _answered(house, one.asked, decision.decision_id, one.told, asked_at)
            told.setdefault(one.asked.person[0], []).append(answer)
    for actor, disclosures in told.items():
        log_handed_over(house, tx, actor, disclosures)


def log_answers(
    house: House, tx: Transaction, asked: Asked, decision_ids: Sequence[str], description: str, asked_at: datetime
) -> None:
    """Write answers to whoever asked into the log of disclosures, one a decision: the answer is the sending.

    Their instant is that of the question. Whoever asked may read it again, and how much later the answer was made
    would tell that something was decided on which it does not hold.
    """
    told = [_answered(house, asked, one, description, asked_at) for one in decision_ids]
    log_handed_over(house, tx, asked.person[0], told)


def _answered(house: House, asked: Asked, decision_id: str, description: str, asked_at: datetime) -> HandedOver:
    return HandedOver(house.new_id(), decision_id, " ".join(asked.purpose), description, "200", b"", asked_at)


def log_handed_over(house: House, tx: Transaction, actor: str, disclosures: Sequence[HandedOver]) -> None:
    """Write disclosures that leave with the commit into the log, and into the trail, so that none can be lost of it."""
    tx.decisions.hand_over(disclosures)
    if disclosures:
        logged = [(one.message_id, one.decision_id, one.purpose, one.description) for one in disclosures]
        tx.audit.append(disclosures_logged(house.clock(), actor, logged, disclosures[0].at))


def log_intended(house: House, tx: Transaction, work: Work, decision_id: str, purpose: str, description: str) -> None:
    """Write into the log, and into the trail, that a sending is about to leave (42 CFR 2.25)."""
    now = house.clock()
    tx.decisions.intend(
        decision_id=decision_id, message_id=work.message_id, purpose=purpose, description=description, at=now
    )
    logged = [(work.message_id, decision_id, purpose, description)]
    tx.audit.append(disclosures_logged(now, "worker", logged, now))


def _new_decision(
    house: House,
    record: DecisionRecord,
    inputs: bytes,
    asked: Asked,
    handoff: Handoff | None,
    referral: Referral | None,
    work_id: int | None,
    person_id: str | None,
) -> NewDecision:
    now = house.clock()
    return NewDecision(
        decision_id=id_in_order(now, house.new_id()),
        at=now,
        recipient=asked.recipient,
        person_id=handoff.person_id if handoff else person_id,
        handoff_id=handoff.id if handoff else None,
        referral_id=referral.id if referral else None,
        work_id=work_id,
        channel=asked.channel,
        record=record.to_json(),
        inputs=inputs,
    )


def _tell(tx: Transaction, new: NewDecision, record: DecisionRecord, asked: Asked) -> None:
    kind = "decision.permit" if record.decision in ("PERMIT", "PERMIT_REDACTED") else "decision.refusal"
    told = {
        "decision": new.decision_id,
        "handoff": new.handoff_id,
        "recipient": asked.recipient,
        "channel": asked.channel,
        "outcome": record.decision,
        "reason": record.reason,
        "section": record.section,
        "input_hash": record.input_hash,
        "record_hash": record_hash(new.record),
    }
    tx.audit.append(AuditEntry(new.at, kind, asked.person[0], told))
