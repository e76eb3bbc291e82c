"""May this client have records of this person? Decided like a read, and answered without the records.

A yes tells that there are records, so it is a disclosure and is logged as one (42 CFR 2.11, "disclose": verification
counts). A no is one answer for everything: nobody known, nothing there, refused, waiting for a person. Both take the
same work: what is asked of the store does not depend on what is found there (42 CFR 2.13(c)(2)).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.consent import read_request
from gateway.consent.purposes import Purpose, covered_by
from gateway.flow.circumstances import NOBODY, NOTHING_KNOWN, Circumstances, kept_about_each
from gateway.flow.disclose import SESSION, Answered, Asked, Made, keep_answers, made_of
from gateway.flow.handed_in import held_together
from gateway.flow.house import House
from gateway.flow.judgement import Gate, Matter, read_matter, stopped_at_gate
from gateway.model.caller import Caller
from gateway.model.consult import DENIED, Advice, Consult
from gateway.model.disclosure import Disclosure
from gateway.model.exchange import Problem
from gateway.model.handoff import Referral, Resource
from gateway.model.labels import Label, expand
from gateway.model.partner import Organization
from gateway.ports import SharedWork, Transaction

TOLD = frozenset(
    {"NOTICE", "CONSENT_COPY", "LABEL", "PROCEEDINGS_BAR", "NO_REDISCLOSE", "ASK_NO_FURTHER_USE", "MIN", "DEID"}
)
"""The obligations that concern whoever receives; the others are ours to keep."""


_NO_POLICY = Gate("", None)
_OTHER_ACTOR = Problem(403, "forbidden", None, "A client asks for its own organization or a unit of it only.")
_OTHER_PURPOSE = Problem(403, "forbidden", None, "A client asks for the purposes it is registered for only.")


@dataclass(frozen=True, slots=True)
class _Content:
    """What is kept about one person, as far as it is nobody else's business."""

    person_id: str | None
    records: tuple[Resource, ...]
    circumstances: Circumstances
    handoffs_of: Mapping[str, Collection[str]]
    """Reference of an item -> ids of the handoffs that hold it."""
    referrals: tuple[Referral, ...]
    """Those made to the recipient."""


_NOTHING = _Content(None, (), NOTHING_KNOWN, {}, ())


@dataclass(frozen=True, slots=True)
class _Consult:
    """A question with who asks it, and of which house."""

    house: House
    asked: Asked
    question: Consult


def consult(house: House, caller: Caller, question: Consult) -> Advice | Problem:
    """Say whether the caller may have records of a person, for itself and for a purpose it is registered for.

    A `Problem` depends on the caller's registration alone, never on the person. A person has to be named by a key
    that the caller may have: named by anything else, a yes would tell whose key that is.
    """
    asked = _asked(house, caller, question)
    if isinstance(asked, Problem):
        return asked
    return house.database.write(SharedWork(_answer_each, _Consult(house, asked, question)))


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


def _answer_each(tx: Transaction, consults: Sequence[_Consult]) -> list[Advice]:
    """Answer consults that wait together, and keep all answers at once."""
    house = consults[0].house
    asked_at = house.clock()
    answers = [_answer(one.house, tx, one.asked, one.question) for one in consults]
    keep_answers(house, tx, [answered for _, answered in answers], asked_at)
    return [advice for advice, _ in answers]


def _answer(house: House, tx: Transaction, asked: Asked, question: Consult) -> tuple[Advice, Answered]:
    """Return the answer to a consult, and how it is to be kept."""
    person_id = locked_or_nobody(tx, lambda: _asked_about(tx, question))
    content = _content(house, tx, person_id, asked.recipient)
    made = _decided(house, asked, question, content)
    if isinstance(made.outcome, Disclosure):
        named = _named_in(made.outcome, question)
        content = _in_the_name_of(named, content) if named is not None else _NOTHING
        made = _narrowed(house, _decided(house, asked, question, content), question)
    if not isinstance(made.outcome, Disclosure):
        return DENIED, Answered(asked, made, content.person_id, "")
    told = f"answer to a consult of {asked.person[0]}: that there are records it may have"
    return _advice(made.outcome), Answered(asked, made, content.person_id, told)


def locked_or_nobody(tx: Transaction, find: Callable[[], str | None]) -> str:
    """Lock the person that `find` names, as `lock_person`, with as many questions where it names `NOBODY`."""
    locked, person_id = None, find() or NOBODY
    while person_id != locked:
        tx.people.lock_each([person_id])
        locked, person_id = person_id, find() or NOBODY
    return person_id


def _asked_about(tx: Transaction, question: Consult) -> str | None:
    known = {person_id for key in question.patient for person_id in _known_by(tx, key)}
    return known.pop() if len(known) == 1 else None


def _known_by(tx: Transaction, key: str) -> list[str]:
    system, value = _system_and_value(key) if "|" in key else ("Patient", key.rpartition("/")[2])
    return tx.people.known_as(system, value)


def _content(house: House, tx: Transaction, person_id: str, recipient: str) -> _Content:
    """Look up what is kept about a person: always the same questions, also about nobody.

    Left out: records that wait for a person or were withdrawn, and referrals to others than the recipient.
    """
    own = tuple(referral for referral in tx.referrals.of_person(person_id) if referral.recipient == recipient)
    addressed = frozenset[str]().union(*(_core(one) for one in own))
    contents = list(tx.handoffs.contents_of(person_id))
    handoffs_of: dict[str, set[str]] = {}
    for handoff_id, body in contents:
        handoffs_of.setdefault(f"{body['resourceType']}/{body['id']}", set()).add(handoff_id)
    kept = tuple(
        body
        for reference, body in held_together(house, contents).items()
        if body["resourceType"] not in ("Task", "ServiceRequest") or reference in addressed
    )
    return _Content(person_id or None, kept, circumstances_asked(house, tx, person_id, kept), handoffs_of, own)


def circumstances_asked(house: House, tx: Transaction, person_id: str, records: Sequence[Resource]) -> Circumstances:
    """Read the circumstances of a person, or of `NOBODY` with as many questions."""
    patient = next((one for one in records if one["resourceType"] == "Patient"), {"id": "unknown"})
    return kept_about_each(tx, [person_id])[person_id].of(house, patient)


def _core(referral: Referral) -> frozenset[str]:
    return frozenset({f"Task/{referral.id}", f"ServiceRequest/{referral.service_request_id}"})


def _decided(house: House, asked: Asked, question: Consult, content: _Content) -> Made:
    """Decide on everything that is kept about the person, as a read of all of it would be decided.

    What no Part 2 program made is opened by a referral to the recipient and by nothing else, for the person agreed to
    be referred, not to be known to whoever asks: its Task and ServiceRequest must be among what may leave.
    """
    matter = _matter(house, asked, question, content)
    labeled = matter.labels(house.registry)
    programs = [one.reference for one in labeled.items if one.origin.program is not None]
    referred = {one.handoff_id for one in content.referrals}
    others = [one.reference for one in labeled.items if one.origin.program is None]
    others = [one for one in others if not referred.isdisjoint(content.handoffs_of[one])]
    agreed = _agreed_to(house, matter, others, content)
    if not programs and not agreed:
        return made_of(house, replace(matter.only(others), gate=_NO_POLICY))
    made = made_of(house, matter.only([*programs, *agreed]))
    if not isinstance(made.outcome, Disclosure):
        return made
    leaving = {*programs, *agreed} - set(made.record.withheld)
    opened = {one.handoff_id for one in content.referrals if _core(one) <= leaving}
    referred_here = [one for one in agreed if not opened.isdisjoint(content.handoffs_of[one])]
    return made if referred_here == agreed else made_of(house, matter.only([*programs, *referred_here]))


def _matter(house: House, asked: Asked, question: Consult, content: _Content) -> Matter:
    """Put the matter together. The index has said that these Patients are one person, so they are for the decision."""
    people = [one for one in content.records if one["resourceType"] == "Patient"]
    patients = [f"Patient/{one['id']}" for one in people]
    merges = [{"type": "merge", "from": one, "into": patients[0], "verified": True} for one in patients[1:]]
    return Matter(
        request=asked.request(patients[0] if patients else question.patient[0], None),
        records=content.records,
        consents=content.circumstances.consents,
        facts=[*people, *merges, *content.circumstances.facts],
        at=house.clock(),
        switches=house.switches,
        gate=None,
    ).with_labels(house.registry)


def _agreed_to(house: House, matter: Matter, items: Sequence[str], content: _Content) -> list[str]:
    """Return the items that pass the gate before `decide`: by the person's agreement, or under a route's policy."""
    if stopped_at_gate(matter.only(items), _NO_POLICY, house.registry) is None:
        return list(items)
    passed = []
    for policy in sorted({one.without_agreement for one in content.referrals if one.without_agreement}):
        sent = {one.handoff_id for one in content.referrals if one.without_agreement == policy}
        under = [one for one in items if not sent.isdisjoint(content.handoffs_of[one])]
        if under and stopped_at_gate(matter.only(under), Gate("", policy), house.registry) is None:
            passed += under
    return passed


def _narrowed(house: House, made: Made, question: Consult) -> Made:
    """Decide again on the types and labels asked about, where some were named."""
    if not isinstance(made.outcome, Disclosure) or not (question.types or question.labels):
        return made
    matter = read_matter(made.inputs)[0].with_labels(house.registry)
    labels = frozenset[Label]().union(*(expand(one) for one in question.labels))
    items = [
        one.reference
        for one in matter.labels(house.registry).items
        if one.reference in matter.request["items"]
        and (not question.types or one.type in question.types)
        and (not question.labels or bool(one.labels & labels))
    ]
    return made_of(house, matter.only(items))


def _named_in(disclosure: Disclosure, question: Consult) -> str | None:
    """Return the Patient by which the caller named the person; None where it named one that may not leave.

    It is one that leaves, itself or an identifier in it; of several the first by its id.
    """
    found = []
    for entry in disclosure.content["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] == "Patient":
            reference = f"Patient/{resource['id']}"
            keys = {f"{one.get('system', '')}|{one.get('value')}" for one in resource.get("identifier", ())}
            if not {reference, *keys}.isdisjoint(question.patient):
                found.append(reference)
    return min(found, default=None)


def _in_the_name_of(patient: str, content: _Content) -> _Content:
    """Put one Patient first: the decision, and the AuditEvent its caller may read, are about a person by that name.

    Any other could be the Patient of a record that the caller may not know of.
    """
    own_first = sorted(content.records, key=lambda one: f"{one['resourceType']}/{one['id']}" != patient)
    return replace(content, records=tuple(own_first))


def _advice(disclosure: Disclosure) -> Advice:
    """Say what a yes obliges to: a function of what would leave, never of what would not."""
    leaving = [entry["resource"] for entry in disclosure.content["entry"]]
    labels = {
        (coding["system"], coding["code"])
        for resource in leaving
        for coding in resource.get("meta", {}).get("security", ())
    }
    basis = disclosure.record.basis
    return Advice(
        is_permitted=True,
        obligations=tuple(sorted(TOLD.intersection(disclosure.record.obligations))),
        labels=tuple(sorted(labels)),
        consent=basis.id if basis is not None and basis.type == "Consent" else None,
        # The notice and the scope of the consent are documents of ours, not of the person's.
        types=tuple(sorted({one["resourceType"] for one in leaving if not one["id"].startswith("part2-")})),
    )
