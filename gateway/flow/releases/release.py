"""Releases asked for at the console: registered with their evidence, decided, and queued, handed over, held or refused.

The evidence a person registers is part of the request that is decided, so it stands in the kept decision and a replay
reads it. A release that is permitted now is decided again at the instant it leaves (release_delivery, release_copy).
"""

from dataclasses import dataclass, replace
from typing import Any, cast

from gateway.flow.disclose import Asked, Made, disclose_items, keep_decision
from gateway.flow.house import House
from gateway.flow.judgement import read_matter, verdicts_of
from gateway.flow.people import lock_person, person_of_record
from gateway.flow.releases.content import content_of, items_of, on_behalf_of
from gateway.flow.releases.deidentified import SAFE_HARBOR, decided_deidentified
from gateway.flow.releases.kinds import KINDS
from gateway.flow.releases.review_queue import open_review
from gateway.flow.releases.reviews import NO_DUTY, close, may_look, may_read
from gateway.model.audit import AuditEntry
from gateway.model.decision import DecisionRecord
from gateway.model.disclosure import Disclosure
from gateway.model.exchange import NOT_FOUND, Problem, RequestRefused
from gateway.model.handoff import Handoff
from gateway.model.release import Release, ReleaseKind, ReleaseRequest, ReleaseState, Way
from gateway.model.staff import Member
from gateway.ports import Transaction

CHANNEL = "release"
"""What the decisions of releases are kept under."""

TRANSPORTS: dict[Way, str] = {"send": "fhir", "copy": "file"}
"""Way -> transport of the request. Only FHIR carries a record without a referral; a copy is a file for the engine."""

_RELEASABLE = ("active", "unrouted")


def request_release(house: House, actor: Member, wanted: ReleaseRequest) -> Release:
    """Register what somebody asks to release, decide it, and let it go as far as it may; return what became of it.

    Raises `RequestRefused` for a record that is not there or not theirs to release, and for a request that says too
    little to be decided; a refusal by the rules is no error but a release in state `refused`.
    """
    if not actor.may("release"):
        raise RequestRefused(NO_DUTY)
    kind, way = _understood(house, wanted)

    def ask(tx: Transaction) -> Release:
        handoff = locked_record_of(tx, wanted.handoff_id)
        if handoff is None:
            raise RequestRefused(NOT_FOUND)
        now = house.clock()
        release = Release(
            id=house.new_id(), kind=kind, handoff_id=handoff.id, recipient=wanted.recipient,
            organization=actor.organization, requested_by=actor.id, requested_as=actor.person_role, way=way,
            evidence=_evidence(house, actor, kind, wanted), items=items_of(house, tx, actor, handoff, wanted.types),
            state="held", reason=None, decision_id=None, created_at=now, updated_at=now,
        )  # fmt: skip
        told = {"release": release.id, "kind": kind, "handoff": handoff.id, "recipient": release.recipient, "way": way}
        tx.audit.append(AuditEntry(now, "release.requested", actor.id, told))
        return settle(house, tx, actor, release)

    return house.database.write(ask)


def approve_release(house: House, actor: Member, release_id: str, evidence: dict[str, Any], note: str) -> Release:
    """Register what a release under legal review stands on, and decide it again; return what became of it.

    Whoever asked for it cannot approve it. What the law asks of an order is the engine's to check: a release whose
    order is deficient stays under review.
    """

    def approve(tx: Transaction) -> Release:
        release = _under_review(house, tx, actor, release_id, note)
        kept = replace(release, evidence={**release.evidence, **evidence}, approved_by=actor.id)
        tx.audit.append(AuditEntry(house.clock(), "release.approved", actor.id, {"release": release.id}))
        return settle(house, tx, actor, kept)

    return house.database.write(approve)


def refuse_release(house: House, actor: Member, release_id: str, note: str) -> Release:
    """Refuse a release under legal review for good."""

    def refuse(tx: Transaction) -> Release:
        release = _under_review(house, tx, actor, release_id, note)
        refused = replace(release, state="refused", reason="refused by legal review", updated_at=house.clock())
        tx.releases.save(refused)
        tx.audit.append(AuditEntry(house.clock(), "release.refused", actor.id, {"release": release.id}))
        return refused

    return house.database.write(refuse)


def decide_again(house: House, actor: Member, release_id: str) -> Release:
    """Decide a held release once more: what it waited for may be settled."""

    def again(tx: Transaction) -> Release:
        release = claimed_release(house, tx, actor, release_id)
        if release.state != "held" or not actor.may("release"):
            raise RequestRefused(Problem(409, "conflict", None, "Only a release that is held can be decided again."))
        return settle(house, tx, actor, release)

    return house.database.write(again)


def visible_release(house: House, tx: Transaction, actor: Member, release_id: str) -> Release:
    """Return a release that this member of staff may read of; raises `RequestRefused` as for one that is not there."""
    release = tx.releases.get(release_id)
    if release is None or not may_read(house, tx, actor, release):
        raise RequestRefused(NOT_FOUND)
    return release


def claimed_release(house: House, tx: Transaction, actor: Member, release_id: str) -> Release:
    """Return a release to change: of two people who press at once the second sees what became of it."""
    seen = _own_release(house, tx, actor, release_id)
    lock_person(tx, lambda: person_of_record(tx, seen.handoff_id))
    return _own_release(house, tx, actor, release_id)


def _own_release(house: House, tx: Transaction, actor: Member, release_id: str) -> Release:
    release = tx.releases.get(release_id)
    if release is None or not may_look(house, actor, release.organization):
        raise RequestRefused(NOT_FOUND)
    return release


def record_of(tx: Transaction, handoff_id: str) -> Handoff | None:
    """Return a record from which something may be released: it is there, not withdrawn, and known whose it is."""
    handoff = tx.handoffs.get(handoff_id)
    return handoff if handoff is not None and handoff.state in _RELEASABLE else None


def locked_record_of(tx: Transaction, handoff_id: str) -> Handoff | None:
    """Return a record as `record_of`, with its person locked: what is read of it from now on is what is decided on."""
    lock_person(tx, lambda: person_of_record(tx, handoff_id))
    return record_of(tx, handoff_id)


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision on a release. `disclosure` is what may leave, None where nothing may; `reason` says why."""

    disclosure: Disclosure | None
    record: DecisionRecord
    decision_id: str
    reason: str


def decided(house: House, tx: Transaction, release: Release, handoff: Handoff) -> Decided:
    """Decide a release of a locked record now, and keep the decision."""
    resources = content_of(house, tx, release, handoff)
    asked = _asked(release, on_behalf_of(house, release, handoff))
    if release.kind == "public_health":
        made = decided_deidentified(house, release, asked, resources)
    else:
        made = disclose_items(house, tx, asked, handoff, resources, release.items)
    decision_id = keep_decision(house, tx, made.record, made.inputs, asked, handoff, None, None)
    failure = _failure(house, release, made)
    disclosure = made.outcome if isinstance(made.outcome, Disclosure) and failure is None else None
    return Decided(disclosure, made.record, decision_id, failure or made.record.reason)


def _failure(house: House, release: Release, made: Made) -> str | None:
    """Return why the basis itself does not hold, or None."""
    verdicts = verdicts_of(read_matter(made.inputs)[0], house.registry)
    failed = [(one.step, one.reason) for one in verdicts if one.reason in KINDS[release.kind].fails]
    return min(failed)[1] if failed else None


def settle(house: House, tx: Transaction, actor: Member, release: Release) -> Release:
    """Decide a release and keep what follows; raises `RequestRefused` where its record is no longer there."""
    handoff = locked_record_of(tx, release.handoff_id)
    if handoff is None:
        raise RequestRefused(NOT_FOUND)
    return keep_outcome(house, tx, actor, release, decided(house, tx, release, handoff))


def keep_outcome(house: House, tx: Transaction, actor: Member, release: Release, made: Decided) -> Release:
    """Keep a decided release in the state that follows, put it into the queue or before a second person."""
    state = _state_after(release, made)
    kept = replace(
        release, state=state, reason=made.reason, decision_id=made.decision_id, updated_at=house.clock(),
        approved_by=release.approved_by if state != "legal" else None,
    )  # fmt: skip
    tx.releases.save(kept)
    told = {"release": release.id, "decision": made.decision_id, "state": state}
    tx.audit.append(AuditEntry(house.clock(), "release.decided", actor.id, told))
    if state in ("legal", "held"):
        open_review(house, tx, "legal" if state == "legal" else "held", kept, made.reason)
    elif made.disclosure is not None and KINDS[kept.kind].second_look:
        open_review(house, tx, "second-look", kept, made.reason)
    if state == "queued":
        tx.outbox.add(
            lane=f"{kept.recipient}/{TRANSPORTS['send']}", kind="release", subject=kept.id, action="create",
            message_id=house.new_id(), version=1, at=house.clock(),
        )  # fmt: skip
    return kept


def _state_after(release: Release, made: Decided) -> ReleaseState:
    """Say where a decision leaves a release; what obliges to legal review goes no further before it had one."""
    may_go = made.disclosure is not None
    is_legal = "LEGAL_QUEUE" in made.record.obligations or KINDS[release.kind].needs_approval
    if is_legal and release.approved_by is None and (may_go or "LEGAL_QUEUE" in made.record.obligations):
        return "legal"
    if not may_go and "LEGAL_QUEUE" in made.record.obligations:
        return "legal"  # what was registered does not do: whoever registered it looks again
    if not may_go:
        return "held" if made.record.decision == "HOLD" else "refused"
    return "ready" if release.way == "copy" else "queued"


def _understood(house: House, wanted: ReleaseRequest) -> tuple[ReleaseKind, Way]:
    rule = KINDS.get(cast(ReleaseKind, wanted.kind))
    if rule is None:
        raise RequestRefused(Problem(400, "value", None, "Expected a kind of release, found none of that name."))
    if wanted.way not in rule.ways:
        raise RequestRefused(Problem(400, "value", None, "This kind of release does not leave in that way."))
    if wanted.way == "send" and house.endpoint(wanted.recipient, TRANSPORTS["send"]) is None:
        raise RequestRefused(Problem(400, "value", None, "That recipient takes no FHIR: hand over a copy instead."))
    if wanted.kind != "patient_access" and house.registry.get(wanted.recipient) is None:
        raise RequestRefused(Problem(400, "value", None, "Expected a recipient of the registry."))
    recipient = house.registry.get(wanted.recipient)
    if rule.to_roles and (recipient is None or not recipient.roles & rule.to_roles):
        raise RequestRefused(Problem(400, "value", None, "This kind of release does not go to that recipient."))
    if wanted.types and not rule.may_narrow:
        raise RequestRefused(Problem(400, "value", None, "This kind of release is not narrowed by types of records."))
    if rule.must_state is not None and wanted.evidence.get(rule.must_state) is not True:
        raise RequestRefused(Problem(400, "required", None, "Nothing is released before the form's statement is made."))
    return cast(ReleaseKind, wanted.kind), wanted.way


def _evidence(house: House, actor: Member, kind: ReleaseKind, wanted: ReleaseRequest) -> dict[str, Any]:
    """Return the evidence with what the gateway knows better than a form: who discloses, and who proved an identity.

    An order is never taken from whoever asks: legal review registers it.
    """
    rule = KINDS[kind]
    stated = {name: wanted.evidence[name] for name in rule.fields if name in wanted.evidence}
    if kind == "emergency":
        stated["disclosed_by"] = actor.name
        if "declaration" in stated:
            closed = stated.pop("program_closed", False)
            stated["disaster"] = {"declaration": stated.pop("declaration"), "program_closed": closed}
    if kind == "child_abuse_report":
        stated["report"] = "initial"
    if kind == "court_order":
        stated |= {"order": None, "process": None}
    if kind == "public_health":
        stated["method"] = SAFE_HARBOR
    if kind == "patient_access":
        stated |= {"account": wanted.recipient, "identity_checked_by": actor.id}
    return stated


def _asked(release: Release, organization: str) -> Asked:
    """Put the request in the engine's words. Patients ask for themselves, through staff who checked who they are."""
    rule = KINDS[release.kind]
    is_patient = release.kind == "patient_access"
    return Asked(
        organization=None if is_patient else organization,
        person=(release.recipient, "patient") if is_patient else (release.requested_by, release.requested_as),
        recipient=release.recipient,
        purpose=(rule.purpose,),
        transport=TRANSPORTS[release.way],
        channel=CHANNEL,
        basis={"type": rule.basis or release.kind, **release.evidence} if rule.invokes_basis else None,
    )


def _under_review(house: House, tx: Transaction, actor: Member, release_id: str, note: str) -> Release:
    release = claimed_release(house, tx, actor, release_id)
    if not actor.may("approve"):
        raise RequestRefused(NO_DUTY)
    if release.requested_by == actor.id:
        raise RequestRefused(Problem(403, "forbidden", None, "Somebody else than whoever asked has to approve it."))
    if release.state != "legal":
        raise RequestRefused(Problem(409, "conflict", None, "This release does not wait for legal review."))
    for review in tx.reviews.of_subject(release.id, "legal"):
        if review.closed_at is None:
            close(house, tx, actor, review, note)
    return release
