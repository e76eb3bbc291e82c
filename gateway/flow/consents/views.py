"""What staff see in lists of consents: their state in plain words, which wait, and which end soon with what would stop.

A consent tells that somebody is or was a patient of the program it names, so each line is shown as a record of that
program would be: to the program's own staff, and to the operator's under an agreement in force with every program the
consent names (42 CFR 2.11, 2.12(c)(4)). What may not be shown is left out, and leaves no count behind.
"""

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import Any

from gateway.flow.consents.changes import FILED_BY
from gateway.flow.consents.states import IN_FORCE, organizations, state_of
from gateway.flow.consents.terms import end_of, read_directive
from gateway.flow.house import House
from gateway.flow.referrals import FINAL
from gateway.flow.staff.console import owner_of, serves_every_program
from gateway.formats.consent_paper import CAPTURED_BY, CAPTURED_FROM, EXTENSIONS
from gateway.labeling import label
from gateway.model.audit import AuditEntry
from gateway.model.consent_directive import Directive
from gateway.model.consent_form import Paper
from gateway.model.consent_life import ConsentLine, ConsentList, ConsentState, Resting
from gateway.model.handoff import Handoff, Resource
from gateway.model.staff import Member
from gateway.ports import StoredResource, Transaction

_MOST = 200
"""Consents in one list."""
_LOOKED_AT = 2_000
"""Terms looked at for them: the first may all be of programs that this member of staff has nothing to do with."""

_Chosen = Callable[[Transaction], list[str]]


def consents_of_record(house: House, actor: Member, handoff_id: str) -> ConsentList | None:
    """Return the consents of the person of a record, the newest first; None: no such record, or nobody in it."""

    def look(tx: Transaction) -> ConsentList | None:
        handoff = tx.handoffs.get(handoff_id)
        if handoff is None or handoff.person_id is None:
            return None
        stored = reversed(tx.resources.of_person(["Consent"], handoff.person_id))
        lines = tuple(lines_of(house, tx, actor, stored))
        tx.audit.append(AuditEntry(house.clock(), "consents.viewed", actor.id, {"person": handoff.person_id}))
        return ConsentList(lines, handoff.person_id)

    return house.database.write(look)


def patient_of_record(house: House, actor: Member, handoff_id: str) -> str | None:
    """Return the id of the Patient of a record of the operator's or the actor's; None where there is none to show.

    A form names the person, so the Patient is shown as on the page of the record: that of a program's record to the
    program's staff, and to the operator's under an agreement.
    """

    def look(tx: Transaction) -> str | None:
        handoff = tx.handoffs.get(handoff_id)
        patient = patient_in(house, tx, actor, handoff) if handoff is not None else None
        return patient["id"] if patient is not None else None

    return house.database.read(look)


def patient_in(house: House, tx: Transaction, actor: Member, handoff: Handoff) -> Resource | None:
    """Return the Patient of a record that this member of staff may begin a form with; None where there is none."""
    if actor.organization not in (house.operator, handoff.agency):
        return None
    stored = tx.handoffs.resources(handoff.id)
    labeled = label({"entry": [{"resource": one} for one in stored]}, house.registry, house.clock())
    owners = {one.reference: owner_of(one) for one in labeled.items if one.type == "Patient"}
    shown = {
        reference
        for reference, owner in owners.items()
        if owner is None or may_look_after(house, actor, [owner or None])
    }
    return next((one for one in stored if f"{one['resourceType']}/{one['id']}" in shown), None)


def consents_waiting(house: House, actor: Member) -> ConsentList:
    """Return the consents that wait for somebody to verify them, the longest wait first."""
    now = house.clock()

    def chosen(tx: Transaction) -> list[str]:
        return [one.consent_id for one in tx.consent_terms.waiting(now, _LOOKED_AT)]

    return _chosen(house, actor, chosen, {"waits"})


def consents_ending(house: House, actor: Member) -> ConsentList:
    """Return the consents that end within the time of the reminder, the earliest first, with what would stop.

    Before them stand those of which somebody has to say whether the event they end with has come.
    """
    until = house.clock() + timedelta(days=house.consent_reminder_days)

    def chosen(tx: Transaction) -> list[str]:
        terms = (*tx.consent_terms.doubtful(_LOOKED_AT), *tx.consent_terms.ending(until, _LOOKED_AT))
        return list(dict.fromkeys(one.consent_id for one in terms))

    return _chosen(house, actor, chosen, IN_FORCE)


def consent_paper(house: House, actor: Member, consent_id: str) -> Paper | None:
    """Return the signed form or its scan, for the patient's copy or to compare; None where there is none to show."""

    def look(tx: Transaction) -> Paper | None:
        stored = tx.resources.get("Consent", consent_id)
        if stored is None or not may_see(house, actor, read_directive(house, stored.body)):
            return None
        binary = tx.resources.get("Binary", binary_id(tx, stored.body) or "")
        if binary is None:
            return None
        tx.audit.append(AuditEntry(house.clock(), "consent.printed", actor.id, {"consent": consent_id}))
        media_type = str(binary.body["contentType"])
        name = f"consent-{consent_id}.{EXTENSIONS.get(media_type, 'bin')}"
        return Paper(media_type, base64.b64decode(binary.body["data"]), name)

    return house.database.write(look)


def may_look_after(house: House, actor: Member, disclosers: Iterable[str | None]) -> bool:
    """Say whether staff may see and keep consents of these programs (registry ids; None: one nobody knows)."""
    at = house.clock()
    named = [house.registry.get(one) for one in disclosers]
    if any(one is not None and one.id == actor.organization for one in named):
        return True
    operator = house.registry.get(house.operator)
    if operator is None or actor.organization != house.operator:
        return False
    if not named or None in named:
        return serves_every_program(house)
    programs = [one for one in named if one is not None and one.is_program(at)]
    return all(operator.agreements_with(one.id, "qsoa", at) for one in programs)


def may_see(house: House, actor: Member, directive: Directive) -> bool:
    """Say whether staff may see a consent; one that cannot be read is shown as one of a program nobody knows."""
    return may_look_after(house, actor, _disclosers(directive))


def _disclosers(directive: Directive) -> list[str | None]:
    stated = [*directive.disclosers, *(one for grant in directive.grants for one in grant.disclosers)]
    return [one.organization for one in stated]


def _chosen(house: House, actor: Member, chosen: _Chosen, states: Set[ConsentState]) -> ConsentList:
    """Return the lines of chosen consents, where they stand as asked: a term may be older than its consent.

    Reading may take a second where thousands wait: nothing is locked meanwhile, and the look is a row of the trail
    before anything is shown.
    """

    def look(tx: Transaction) -> ConsentList:
        found = (tx.resources.get("Consent", one) for one in chosen(tx))
        every = lines_of(house, tx, actor, (one for one in found if one is not None))
        lines = tuple(islice((one for one in every if one.state in states), _MOST + 1))
        return ConsentList(lines[:_MOST], has_more=len(lines) > _MOST)

    shown = house.database.read(look)
    looked = AuditEntry(house.clock(), "consents.viewed", actor.id, {"lines": len(shown.lines)})
    house.database.write(lambda tx: tx.audit.append(looked))
    return shown


def lines_of(house: House, tx: Transaction, actor: Member, found: Iterable[StoredResource]) -> Iterator[ConsentLine]:
    """Yield the line of each of these consents that this member of staff may see, in the same order."""
    resting: dict[str, dict[str, tuple[Resting, ...]]] = {}
    false: dict[str, set[str | None]] = {}
    for stored in found:
        directive = read_directive(house, stored.body)
        if may_see(house, actor, directive):
            person_id = stored.person_id or ""
            if person_id not in resting:
                resting[person_id] = _resting(tx, person_id)
                false[person_id] = {one.consent_id for one in tx.caveats.of_person(person_id)}
            referrals = resting[person_id].get(stored.body["id"], ())
            line = _line(house, tx, stored, directive, referrals)
            yield replace(line, state="false", words=_FALSE) if stored.body["id"] in false[person_id] else line


_FALSE = "reported as false: nothing leaves on it"


def _line(
    house: House, tx: Transaction, stored: StoredResource, directive: Directive, referrals: tuple[Resting, ...]
) -> ConsentLine:
    state, words = state_of(house, stored.body, directive)
    term = tx.consent_terms.get(stored.body["id"]) if directive.expiry else None
    may_have_ended = state in IN_FORCE and term is not None and term.event_told_at is not None
    tags = {tag.get("system"): str(tag.get("code", "")) for tag in stored.body.get("meta", {}).get("tag", ())}
    return ConsentLine(
        consent_id=stored.body["id"],
        person_id=stored.person_id or "",
        state=state,
        words=f"{words}; it may have ended" if may_have_ended else words,
        kind=next(iter(sorted(directive.kinds)), ""),
        disclosers=tuple(one.name for one in organizations(house, directive.disclosers)),
        recipients=tuple(_recipients(house, directive)),
        purposes=tuple(dict.fromkeys(code for grant in directive.grants for _, code in grant.purposes)),
        signed_at=directive.dated,
        ends_at=end_of(directive),
        filed_by=tags.get(FILED_BY, ""),
        captured_by=tags.get(CAPTURED_BY, ""),
        from_paper=tags.get(CAPTURED_FROM) == "paper",
        version=stored.version,
        referrals=referrals,
        document_id=binary_id(tx, stored.body),
        may_have_ended=may_have_ended,
    )


def _resting(tx: Transaction, person_id: str) -> dict[str, tuple[Resting, ...]]:
    """Say which unfinished referrals of a person rest on which consent: whose newest decision permitted them on it."""
    found: dict[str, tuple[Resting, ...]] = {}
    decided: dict[str, list[Mapping[str, Any]]] = {}
    for referral in tx.referrals.of_person(person_id):
        if referral.status in FINAL:
            continue
        if referral.handoff_id not in decided:
            decided[referral.handoff_id] = tx.decisions.of_handoff(referral.handoff_id)
        way = (referral.recipient, referral.transport)
        newest = next((one for one in decided[referral.handoff_id] if (one["recipient"], one["channel"]) == way), None)
        basis = (newest.get("basis") or {}) if newest else {}
        if basis.get("type") == "Consent":
            resting = Resting(referral.id, referral.handoff_id, referral.recipient)
            found[basis["id"]] = (*found.get(basis["id"], ()), resting)
    return found


def binary_id(tx: Transaction, body: Resource) -> str | None:
    reference = str(body.get("sourceReference", {}).get("reference", ""))
    document = tx.resources.get("DocumentReference", reference.removeprefix("DocumentReference/"))
    for content in document.body.get("content", ()) if document else ():
        kind, _, binary_id = str(content.get("attachment", {}).get("url", "")).partition("/")
        if kind == "Binary":
            return binary_id
    return None


def _recipients(house: House, directive: Directive) -> Iterator[str]:
    parties = [party for grant in directive.grants for party in grant.parties]
    if directive.root is not None and not directive.permits_something:
        parties += directive.root.recipients
    named = dict.fromkeys(parties)
    for party in named:
        organization = house.registry.get(party.organization)
        if organization is not None:
            yield organization.name
        elif party.recipient_class is not None:
            yield _CLASSES.get(party.recipient_class, party.recipient_class)


_CLASSES = {
    "tpo": "treating providers, health plans, payers and who helps to operate the program",
    "treating-participants": "members who treat the person",
    "all-participants": "all members",
}
