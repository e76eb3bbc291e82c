"""May this client have records of this person? Decided like a read, and answered without the records.

A yes tells that there are records, so it is a disclosure and is logged as one (42 CFR 2.11, "disclose": verification
counts). A no is one answer for everything: nobody known, nothing there, refused, waiting for a person. Both take the
same work: what is asked of the store does not depend on what is found there (part2-rules.md section 8).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.consent import read_request
from gateway.consent.purposes import Purpose, covered_by
from gateway.flow.disclose import SESSION, Asked, Made, consents_of, keep_decision, made_of
from gateway.flow.house import House
from gateway.flow.judgement import Gate, Matter, stopped_at_gate
from gateway.labeling import label
from gateway.model.caller import Caller
from gateway.model.consult import DENIED, Advice, Consult
from gateway.model.disclosure import Disclosure
from gateway.model.exchange import Problem
from gateway.model.handoff import Person, Resource
from gateway.model.labeled import Item
from gateway.model.labels import Label, expand
from gateway.model.partner import Organization
from gateway.ports import Transaction

ASKED_TYPES = (
    "Patient", "CarePlan", "CareTeam", "Condition", "Consent", "Coverage", "DocumentReference", "Encounter", "Flag",
    "Goal", "MedicationStatement", "Observation", "Procedure", "RelatedPerson", "ServiceRequest", "Task",
)  # fmt: skip
"""What a record here may hold about a person. Always all of them are looked up, so that the work is the same."""

TOLD = frozenset(
    {"NOTICE", "CONSENT_COPY", "LABEL", "PROCEEDINGS_BAR", "NO_REDISCLOSE", "ASK_NO_FURTHER_USE", "MIN", "DEID"}
)
"""The obligations that concern whoever receives; the others are ours to keep."""

NOBODY = ""
"""A person id that nobody has: it is looked up in place of an unknown person."""

_NO_POLICY = Gate("", None)
_OTHER_ACTOR = Problem(403, "forbidden", None, "A client asks for its own organization or a unit of it only.")
_OTHER_PURPOSE = Problem(403, "forbidden", None, "A client asks for the purposes it is registered for only.")


@dataclass(frozen=True, slots=True)
class _Content:
    """What is kept about one person, as far as it is nobody else's business."""

    person_id: str | None
    records: tuple[Resource, ...]
    provenances: tuple[Resource, ...]
    consents: Resource
    policies: Mapping[str, str]
    """Reference of an item -> the policy under which its record was referred to this recipient without agreement."""

    @property
    def patients(self) -> list[Resource]:
        return [one for one in self.records if one["resourceType"] == "Patient"]


_NOTHING = _Content(None, (), (), {"resourceType": "Bundle", "type": "collection", "entry": []}, {})


def consult(house: House, caller: Caller, question: Consult) -> Advice | Problem:
    """Say whether the caller may have records of a person, for itself and for a purpose it is registered for.

    A `Problem` depends on the caller's registration alone, never on the person. A person has to be named by a key
    that the caller may have: named by anything else, a yes would tell whose key that is.
    """
    asked = _asked(house, caller, question)
    if isinstance(asked, Problem):
        return asked
    return house.database.write(lambda tx: _answer(house, tx, asked, question))


def _asked(house: House, caller: Caller, question: Consult) -> Asked | Problem:
    own = house.registry.get(caller.organization)
    named = {found for key in question.actor if (found := house.registry.find(*_system_and_value(key)))}
    actors = named if question.actor else {own}
    if len(actors) != 1 or not all(_is_part_of(one, caller.organization, house) for one in actors):
        return _OTHER_ACTOR
    if not covered_by(_purposes(house.clients[caller.client].purpose)).issuperset(_purposes(question.purpose)):
        return _OTHER_PURPOSE
    (actor,) = actors
    return Asked(
        organization=caller.organization,
        person=caller.person or (caller.client, "staff"),
        recipient=actor.id if actor else caller.organization,
        purpose=question.purpose,
        transport=SESSION,
        channel="consult",
    )


def _is_part_of(organization: Organization | None, whole: str, house: House) -> bool:
    """Say whether it is that organization or a unit of it, however deep."""
    while organization is not None and organization.id != whole:
        organization = house.registry.get(organization.parent)
    return organization is not None


def _purposes(written: tuple[str, ...]) -> tuple[Purpose, ...]:
    return read_request({"recipient": "any", "purpose": list(written)}).purposes


def _system_and_value(key: str) -> tuple[str, str]:
    system, _, value = key.rpartition("|")
    return system, value


def _answer(house: House, tx: Transaction, asked: Asked, question: Consult) -> Advice:
    known = {person.id for key in question.patient for person in _known_by(tx, key)}
    content = _content(tx, known.pop() if len(known) == 1 else NOBODY, asked.recipient)
    made = _decided(house, asked, replace(question, types=frozenset(), labels=frozenset()), content)
    if isinstance(made.outcome, Disclosure):
        content = content if _is_named_in(made.outcome, question) else _NOTHING
        made = _decided(house, asked, question, content)
    decision_id = keep_decision(house, tx, made.record, made.inputs, asked, None, None, None, content.person_id)
    if not isinstance(made.outcome, Disclosure):
        return DENIED
    _log(house, tx, asked, decision_id)
    return _advice(made.outcome)


def _known_by(tx: Transaction, key: str) -> list[Person]:
    if "|" in key:
        return tx.people.by_identifier(*_system_and_value(key))
    person = tx.people.by_patient(key.rpartition("/")[2])
    return [person] if person else []


def _content(tx: Transaction, person_id: str, recipient: str) -> _Content:
    """Look up what is kept about a person: always the same questions, also about nobody.

    Left out: records that wait for a person or were withdrawn, and referrals to others than the recipient.
    """
    active = {handoff.id for handoff in tx.handoffs.of_person(person_id) if handoff.state == "active"}
    own = [referral for referral in tx.referrals.of_person(person_id) if referral.recipient == recipient]
    addressed = {f"Task/{one.id}" for one in own} | {f"ServiceRequest/{one.service_request_id}" for one in own}
    policies = {one.handoff_id: one.without_agreement for one in own if one.without_agreement}
    records: list[Resource] = []
    policy_of: dict[str, str] = {}
    for kind in ASKED_TYPES:
        for stored in tx.resources.of_person(kind, person_id):
            reference = f"{kind}/{stored.body['id']}"
            if stored.handoff_id in active and (kind not in ("Task", "ServiceRequest") or reference in addressed):
                records.append(stored.body)
                if stored.handoff_id in policies:
                    policy_of[reference] = policies[stored.handoff_id]
    provenances = tuple(stored.body for stored in tx.resources.of_person("Provenance", person_id))
    patient = next((one for one in records if one["resourceType"] == "Patient"), {"id": "unknown"})
    consents = consents_of(tx, person_id, patient)
    return _Content(person_id or None, tuple(records), provenances, consents, policy_of)


def _decided(house: House, asked: Asked, question: Consult, content: _Content) -> Made:
    """Decide on the items asked about, in one decision."""
    patients = [f"Patient/{one['id']}" for one in content.patients]
    merges = [{"type": "merge", "from": one, "into": patients[0], "verified": True} for one in patients[1:]]
    matter = Matter(
        request=asked.request(patients[0] if patients else question.patient[0], None),
        records=[*content.records, *content.provenances],
        consents=content.consents,
        facts=[*content.patients, *merges],
        at=house.clock(),
        switches=house.switches,
        gate=None,
    )
    bundle = {"entry": [{"resource": one} for one in matter.records]}
    items = [one for one in label(bundle, house.registry, matter.at).items if _is_asked_about(one, question)]
    return made_of(house, _agreed_to(house, matter, items, content.policies))


def _agreed_to(house: House, matter: Matter, items: Sequence[Item], policies: Mapping[str, str]) -> Matter:
    """Narrow a matter to the items that may be decided on.

    What no Part 2 program made needs the person's agreement, as a referral of it does (interface.md section 2a).
    Where there is none, what programs made is left, and what was referred to this recipient under a policy.
    """
    outside = [one.reference for one in items if one.origin.program is None]
    wanted = [one.reference for one in items if one.origin.program is not None]
    if stopped_at_gate(_only(matter, outside), _NO_POLICY, house.registry) is None:
        return _only(matter, [*wanted, *outside])
    for policy in sorted(set(policies.values())):
        under = [one for one in outside if policies.get(one) == policy]
        if under and stopped_at_gate(_only(matter, under), Gate("", policy), house.registry) is None:
            wanted += under
    return _only(matter, wanted) if wanted else replace(_only(matter, outside), gate=_NO_POLICY)


def _only(matter: Matter, items: list[str]) -> Matter:
    return replace(matter, request={**matter.request, "items": sorted(items)})


def _is_asked_about(item: Item, question: Consult) -> bool:
    labels = frozenset[Label]().union(*(expand(one) for one in question.labels))
    return (not question.types or item.type in question.types) and (not question.labels or bool(item.labels & labels))


def _is_named_in(disclosure: Disclosure, question: Consult) -> bool:
    """Say whether the caller named the person by what it may have: a Patient that leaves, or an identifier in it."""
    keys = set()
    for entry in disclosure.content["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] == "Patient":
            keys.add(f"Patient/{resource['id']}")
            keys.update(f"{one.get('system', '')}|{one.get('value')}" for one in resource.get("identifier", ()))
    return not keys.isdisjoint(question.patient)


def _log(house: House, tx: Transaction, asked: Asked, decision_id: str) -> None:
    now, message_id = house.clock(), house.new_id()
    tx.decisions.intend(
        decision_id=decision_id, message_id=message_id, purpose=" ".join(asked.purpose),
        description=f"answer to a consult of {asked.person[0]}: that there are records it may have", at=now,
    )  # fmt: skip
    tx.decisions.confirm(message_id=message_id, code="200", sent=b"", answered=b"", at=now)


def _advice(disclosure: Disclosure) -> Advice:
    """Say what a yes obliges to: a function of what would leave, never of what would not."""
    labels = {
        (coding["system"], coding["code"])
        for entry in disclosure.content["entry"]
        for coding in entry["resource"].get("meta", {}).get("security", ())
    }
    basis = disclosure.record.basis
    return Advice(
        is_permitted=True,
        obligations=tuple(sorted(TOLD.intersection(disclosure.record.obligations))),
        labels=tuple(sorted(labels)),
        consent=basis.id if basis is not None and basis.type == "Consent" else None,
    )
