"""The whole decision on one case, in the order of the law: who asks, whose record, without consent, with consent, last.

Plain and slow on purpose: every step is asked of every item, nothing is compiled, nothing remembered.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from tests.oracle import papers, purposes
from tests.oracle.asking import asks_for_the_recipient, holds, is_own_worker, is_the_patient
from tests.oracle.bases import by_basis, inside_the_program
from tests.oracle.by_consents import by_consents, cannot_rely
from tests.oracle.last_steps import last_steps
from tests.oracle.matter import OFFICERS, Matter, Word, is_barred_as_history, no, unordered
from tests.oracle.nobody import nobody_is_told
from tests.oracle.onward import onward_disclosure
from tests.oracle.outside_part2 import outside_part2
from tests.oracle.papers import Ask
from tests.oracle.reading import (
    PART2_LABEL,
    Item,
    Json,
    NotJudged,
    Partners,
    Person,
    find_person,
    identifier,
    read_items,
)

ANY_REASON: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Verdict:
    """What the oracle expects of a decision record: several reasons where the law leaves them open, none where all will
    do."""

    decision: str
    reasons: frozenset[str]
    withheld: frozenset[str] = frozenset()
    obligations: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    words: dict[str, Word] = field(default_factory=dict)


def judge(case: Json, entries: Iterable[Json]) -> Verdict:
    """Decide one case by the rules alone; raise NotJudged where this oracle says nothing.

    `entries` are the partners, as the files of a registry hold them.
    """
    at = datetime.fromisoformat(case["at"].replace("Z", "+00:00")).astimezone(UTC)
    request, facts = case["request"], case.get("facts") or []
    partners = Partners(entries, case.get("organizations") or [], at)
    requester = request["requester"]
    if any(one.get("type") == "unavailable" and one["what"] == "audit_store" for one in facts):
        return Verdict("DENY", frozenset({"AUDIT_UNAVAILABLE"}))
    if requester.get("link"):
        raise NotJudged("links without login")
    claimed = requester.get("organization") or (requester.get("person") or {}).get("id")
    if requester.get("authenticated_as") is None or requester["authenticated_as"] != claimed:
        return Verdict("DENY", frozenset({"IDENTITY_MISMATCH"}))
    items = read_items(case["records"], request.get("items"), partners)
    if not _may_have_any_sent(request, items, partners):
        return Verdict("DENY", frozenset({"IDENTITY_MISMATCH"}))
    for_nobody = (request.get("basis") or {}).get("type") == "deidentified" and request.get("patient") is None
    person = Person(frozenset(), {}) if for_nobody else find_person(request.get("patient"), facts)
    if isinstance(person, str):
        return Verdict("HOLD" if person == "PATIENT_AMBIGUOUS" else "DENY", frozenset({person}))
    if not request.get("purpose"):
        return Verdict("DENY", frozenset({"PURPOSE_MISSING"}))
    if not items:
        return Verdict("DENY", ANY_REASON)
    if request["recipient"] in (request.get("via") or []):
        raise NotJudged("a way through the recipient")
    ask = Ask(
        at=at,
        person=person,
        partners=partners,
        recipient=request["recipient"],
        is_for_officer=_asks_as_officer(request, request["recipient"]),
        practitioner=_practitioner(request, facts, partners),
        via=tuple(request.get("via") or []),
        purposes=tuple(map(purposes.read, request["purpose"])),
        facts=tuple(facts),
        switches=case.get("switches") or {},
    )
    matter = Matter(ask, case)
    words = {item.reference: _word(matter, item, items) for item in items}
    given = [item for item in items if words[item.reference].decision == "PERMIT"]
    for copy in request.get("copies") or []:
        words |= _copied(matter, copy, given)
    return _together(words)


def _copied(matter: Matter, copy: str, given: list[Item]) -> dict[str, Word]:
    """Decide whether a further recipient gets what the first one gets: all of it, or nothing."""
    officer = _asks_as_officer(matter.request, copy)
    practitioner = matter.ask.practitioner if copy == matter.ask.recipient else None
    theirs = matter.for_another(replace(matter.ask, recipient=copy, is_for_officer=officer, practitioner=practitioner))
    stops = [word for item in given if (word := _by_law(theirs, item, given)).decision != "PERMIT"]
    stops += [] if all(_may_have_sent(theirs, item) for item in given) else [no(3, "IDENTITY_MISMATCH")]
    return {copy: unordered(stops[0], *frozenset().union(*(one.reasons for one in stops)))} if stops else {}


def _asks_as_officer(request: Json, recipient: str) -> bool:
    requester = request["requester"]
    role = (requester.get("person") or {}).get("role")
    return role in OFFICERS and requester.get("organization") in (recipient, None)


def _practitioner(request: Json, facts: list[Json], partners: Partners) -> tuple[str, str] | None:
    """Return by what the person who asks can be named: as a practitioner who works at the recipient."""
    role = (request["requester"].get("person") or {}).get("id")
    for one in facts:
        is_theirs = one.get("resourceType") == "PractitionerRole" and role == f"PractitionerRole/{one['id']}"
        if is_theirs and partners.named(one.get("organization")) == request["recipient"]:
            return identifier(one["practitioner"])
    return None


def _may_have_any_sent(request: Json, items: list[Item], partners: Partners) -> bool:
    """Say whether an organization may ask for anything of this: whoever may not is stopped before anybody is looked up.

    A person who asks alone is nobody's stranger before it is known whether it is the patient.
    """
    if request["requester"].get("organization") is None or is_own_worker(request, partners):
        return True
    if asks_for_the_recipient(request, request["recipient"], partners):
        return True
    return not items or any(holds(request, item, partners) for item in items)


def _may_have_sent(matter: Matter, item: Item) -> bool:
    request, partners = matter.request, matter.partners
    if is_own_worker(request, partners) or asks_for_the_recipient(request, matter.ask.recipient, partners):
        return True
    return is_the_patient(request, matter.ask.person) or holds(request, item, partners)


def _together(words: dict[str, Word]) -> Verdict:
    given = {name: word for name, word in words.items() if word.decision == "PERMIT"}
    kept = {name: word for name, word in words.items() if name not in given}
    obligations = frozenset().union(*(word.obligations for word in given.values()))
    absent = frozenset.intersection(*(word.absent for word in given.values())) if given else frozenset()
    holds = [word for word in kept.values() if word.decision == "HOLD"]
    voiced = list(kept.values()) if given or not holds else holds
    if kept:
        first = min((word.step for word in voiced if not word.unordered), default=None)
        reasons = frozenset().union(*(word.reasons for word in voiced if word.unordered or word.step == first))
    else:
        reasons = frozenset().union(*(word.reasons for word in given.values()))
    decision = ("PERMIT_REDACTED" if kept else "PERMIT") if given else ("HOLD" if holds else "DENY")
    return Verdict(
        decision, reasons, frozenset(kept) if given else frozenset(), obligations, absent - obligations, words
    )


def _word(matter: Matter, item: Item, items: list[Item]) -> Word:
    """Say what may happen to one item of those that would go together."""
    if not _may_have_sent(matter, item):
        return no(3, "IDENTITY_MISMATCH")
    return _by_law(matter, item, items)


def _by_law(matter: Matter, item: Item, items: list[Item]) -> Word:
    partners = matter.partners
    if any(partners.law(one or "").get("other_law") for one in item.authors):
        return no(6, "OTHER_LAW_38USC7332", hold=True)
    if not item.authors or None in item.authors:
        return no(6, "ORIGIN_UNKNOWN", minor=1, hold=True)
    origin = item.origin(partners)
    if origin is None and PART2_LABEL in item.stated_labels:
        return no(6, "ORIGIN_UNKNOWN", minor=2, hold=True)
    if matter.basis.get("type") == "deidentified":
        return nobody_is_told(matter, item, items)
    if not matter.ask.person.is_of(item.resource):
        return no(7, "PATIENT_MISMATCH")
    word = outside_part2(matter, item) if origin is None else _of_a_program(matter, item, origin)
    return last_steps(matter, item, word) if word.decision == "PERMIT" else word


def _of_a_program(matter: Matter, item: Item, origin: str) -> Word:
    """Decide a Part 2 record: own use, a basis, a copy in other hands, police, and the consents."""
    onward, programs = item.onward(matter.partners), item.programs(matter.partners)
    if len(programs) > 1 and (item.hops or matter.basis or matter.ask.recipient in programs):
        raise NotJudged("a record that two programs wrote, and a basis, other hands, or their own use")
    holder = onward[-1].custodian if onward else origin
    if not onward and (word := inside_the_program(matter, origin)):
        return word
    if is_barred_as_history(matter, item):
        return no(9, "CJI_BARRED")
    if word := by_basis(matter, item, origin, holder):
        return word
    if onward:
        return onward_disclosure(matter, item, origin, onward)
    if matter.law_enforcement and (stopped := _police(matter)):
        return stopped
    if purposes.LEGAL in matter.ask.purposes:
        return no(12, "SUBPOENA_ALONE")
    words = [by_consents(matter, item, one, matter.papers) for one in programs or [origin]]
    stops = [one for one in words if one.decision != "PERMIT"]
    return (
        unordered(stops[0], *frozenset().union(*(one.reasons for one in stops)))
        if len(stops) > 1
        else [*stops, *words][0]
    )


def _police(matter: Matter) -> Word | None:
    """Let police go on to the consents for coordination of care and monitoring, and with a consent for proceedings."""
    if purposes.PROCEEDING in matter.ask.purposes and cannot_rely(matter):
        raise NotJudged("police, and a paper that nobody can read")
    allowed = {(purposes.ACT_REASON, "COC"), (purposes.OWN_PURPOSE, "monitoring")}
    if any(papers.kind_of(one) == "proceedings" for one in matter.papers):
        allowed.add(purposes.PROCEEDING)
    if set(matter.ask.purposes) <= allowed:
        return None
    return no(12, "LE_NO_BASIS", *(["SUBPOENA_ALONE"] if purposes.LEGAL in matter.ask.purposes else []))
