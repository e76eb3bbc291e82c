"""Hand over the copy of a release: decided again, logged as a disclosure, and then no longer there to be had.

One release is one copy. A second one, weeks later, would rest on an emergency that is over: it takes a new request.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from gateway.flow.disclose import log_handed_over
from gateway.flow.house import House
from gateway.flow.releases.delivery import describe
from gateway.flow.releases.kinds import KINDS
from gateway.flow.releases.release import Decided, claimed_release, decided, keep_outcome, locked_record_of
from gateway.formats.release_pdf import ReleaseCover, release_pdf
from gateway.model.accounting import HandedOver
from gateway.model.audit import AuditEntry
from gateway.model.disclosure import Disclosure
from gateway.model.exchange import NOT_FOUND, Problem, RequestRefused
from gateway.model.release import Release
from gateway.model.staff import Member
from gateway.ports import Transaction

BINDINGS = {
    "PROCEEDINGS_BAR": "No use or disclosure in any civil, criminal, administrative or legislative proceeding or "
    "investigation against the patient (42 CFR 2.12(d)(1)).",
    "NO_REDISCLOSE": "It may not be passed on, except as the rule it was released under allows.",
    "ASK_NO_FURTHER_USE": "The patient asked for a restriction that an emergency overrides: please do not use or "
    "disclose this further (42 CFR 2.26(a)(4)).",
    "MIN": "Only what the purpose needs is here (42 CFR 2.13(a)).",
}
"""Obligations that whoever holds the paper has to know, in words."""

_WORDS = {
    "incident": "What happened", "occurred": "When it happened", "last_whereabouts": "Last known whereabouts",
    "recipient_name": "Given to", "recipient_affiliation": "Of", "nature": "Nature of the emergency",
    "facility": "Facility", "approval": "Approval", "agreement": "Agreement", "state_law": "Reporting law",
}  # fmt: skip
"""Evidence that is printed on the copy: of a crime, these are the circumstances that may be told (2.12(c)(5))."""


@dataclass(frozen=True, slots=True)
class Copy:
    """The file that is handed over; its name tells of nobody."""

    name: str
    media_type: str
    content: bytes


def give_copy(house: House, actor: Member, release_id: str, form: str) -> Copy:
    """Return the copy as `pdf` or `fhir`, once. Raises `RequestRefused` where there is none to be had any more."""

    def give(tx: Transaction) -> Copy | None:
        release = claimed_release(house, tx, actor, release_id)
        handoff = locked_record_of(tx, release.handoff_id)
        if release.state != "ready" or handoff is None or not actor.may("release"):
            raise RequestRefused(NOT_FOUND)
        write = _FORMS.get(form) if form in KINDS[release.kind].forms else None
        if write is None:
            raise RequestRefused(Problem(400, "value", None, "This release is not handed over in that form."))
        made = decided(house, tx, release, handoff)
        if made.disclosure is None:
            keep_outcome(house, tx, actor, release, made)
            return None
        return _handed_over(house, tx, actor, release, made, write(house, release, made.disclosure))

    copy = house.database.write(give)
    if copy is None:
        raise RequestRefused(Problem(409, "conflict", None, "It may no longer be released; its page says why."))
    return copy


def _handed_over(house: House, tx: Transaction, actor: Member, release: Release, made: Decided, copy: Copy) -> Copy:
    """Log the copy as a disclosure that has left, in the transaction that decided it."""
    now, message_id = house.clock(), house.new_id()
    purpose, description = KINDS[release.kind].purpose, f"{describe(release)}, copy handed over"
    handed_over = HandedOver(message_id, made.decision_id, purpose, description, "handed over", copy.content, now)
    log_handed_over(house, tx, actor.id, [handed_over])
    tx.releases.save(replace(release, state="given", decision_id=made.decision_id, updated_at=now))
    told = {"release": release.id, "decision": made.decision_id, "message": message_id, "file": copy.name}
    tx.audit.append(AuditEntry(now, "release.copied", actor.id, told))
    return copy


def _as_pdf(house: House, release: Release, disclosure: Disclosure) -> Copy:
    at = house.clock()
    cover = ReleaseCover(
        title=f"{KINDS[release.kind].title} ({KINDS[release.kind].section})",
        rows=_rows(house, release, disclosure),
        bindings=[words for code, words in BINDINGS.items() if code in disclosure.record.obligations],
        notice=disclosure.notice,
    )
    return Copy("release.pdf", "application/pdf", release_pdf(disclosure.content, cover, at))


def _rows(house: House, release: Release, disclosure: Disclosure) -> list[tuple[str, str]]:
    rows = [("Released by", _named(house, release.organization)), ("Released to", _named(house, release.recipient))]
    rows += [("Date and time", disclosure.record.at), ("Confidentiality", disclosure.confidentiality)]
    rows += [(words, str(release.evidence[name])) for name, words in _WORDS.items() if release.evidence.get(name)]
    return rows


def _named(house: House, reference: str) -> str:
    organization = house.registry.get(reference)
    return organization.name if organization else "the patient"


def _as_fhir(house: House, release: Release, disclosure: Disclosure) -> Copy:
    return Copy("release.json", "application/fhir+json", disclosure.body)


_FORMS: dict[str, Callable[[House, Release, Disclosure], Copy]] = {"pdf": _as_pdf, "fhir": _as_fhir}
