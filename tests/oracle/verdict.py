"""The whole decision on one case, in the order of the law: who asks, whose record, without consent, with consent, last.

Plain and slow on purpose: every step is asked of every item, nothing is compiled, nothing remembered.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.oracle import papers, purposes
from tests.oracle.bases import by_basis, inside_the_program
from tests.oracle.by_consents import by_consents, cannot_rely
from tests.oracle.last_steps import last_steps
from tests.oracle.matter import OFFICERS, Matter, Word, hands_of, no
from tests.oracle.onward import onward_disclosure
from tests.oracle.outside_part2 import outside_part2
from tests.oracle.papers import Ask
from tests.oracle.reading import PART2_LABEL, Item, Json, NotJudged, Partners, find_person, identifier, read_items


@dataclass(frozen=True)
class Verdict:
    """What the oracle expects of a decision record; what the law leaves open is a set."""

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
    if requester.get("link") or request.get("copies") or (request.get("basis") or {}).get("type") == "deidentified":
        raise NotJudged("links without login, copies to others, de-identified data")
    claimed = requester.get("organization") or (requester.get("person") or {}).get("id")
    if requester.get("authenticated_as") is None or requester["authenticated_as"] != claimed:
        return Verdict("DENY", frozenset({"IDENTITY_MISMATCH"}))
    items = read_items(case["records"], request.get("items"), partners)
    _check_who_asks(request, items, partners)
    person = find_person(request.get("patient"), facts)
    if isinstance(person, str):
        return Verdict("HOLD" if person == "PATIENT_AMBIGUOUS" else "DENY", frozenset({person}))
    if not request.get("purpose"):
        return Verdict("DENY", frozenset({"PURPOSE_MISSING"}))
    asker = request["requester"]
    ask = Ask(
        at=at,
        person=person,
        partners=partners,
        recipient=request["recipient"],
        is_for_officer=(asker.get("person") or {}).get("role") in OFFICERS
        and asker.get("organization") == request["recipient"],
        practitioner=_practitioner(request, facts, partners),
        via=tuple(request.get("via") or []),
        purposes=tuple(map(purposes.read, request["purpose"])),
        facts=tuple(facts),
        switches=case.get("switches") or {},
    )
    matter = Matter(ask, case)
    return _together({item.reference: _word(matter, item) for item in items})


def _practitioner(request: Json, facts: list[Json], partners: Partners) -> tuple[str, str] | None:
    """Return by what the person who asks can be named: as a practitioner who works at the recipient."""
    role = (request["requester"].get("person") or {}).get("id")
    for one in facts:
        is_theirs = one.get("resourceType") == "PractitionerRole" and role == f"PractitionerRole/{one['id']}"
        if is_theirs and partners.named(one.get("organization")) == request["recipient"]:
            return identifier(one["practitioner"])
    return None


def _check_who_asks(request: Json, items: list[Item], partners: Partners) -> None:
    if not items:
        raise NotJudged("nothing is asked")
    if request["recipient"] in (request.get("via") or []):
        raise NotJudged("a way through the recipient")
    asks = request["requester"].get("organization")
    if asks is None and request["requester"]["authenticated_as"] != request["recipient"]:
        raise NotJudged("who may cause something to be sent to somebody else")
    for item in items:
        sides = {request["recipient"], *item.authors, *(hop.custodian for hop in item.hops)}
        if asks in (request.get("via") or []):
            serves = partners.law(asks).get("business_associate_of", [])
            sides |= {asks} if request["recipient"] in (*partners.by_id[asks].get("members", []), *serves) else set()
        if asks is not None and asks not in sides:
            raise NotJudged("who may cause something to be sent to somebody else")


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


def _word(matter: Matter, item: Item) -> Word:
    """Say what may happen to one item."""
    partners = matter.partners
    if not item.authors or None in item.authors:
        return no(6, "ORIGIN_UNKNOWN", hold=True)
    if any(partners.law(one or "").get("other_law") for one in item.authors):
        return no(6, "OTHER_LAW_38USC7332", hold=True)
    origin = item.origin(partners)
    if origin is None and PART2_LABEL in item.stated_labels:
        return no(6, "ORIGIN_UNKNOWN", minor=2, hold=True)
    if not matter.ask.person.is_of(item.resource):
        return no(7, "PATIENT_MISMATCH")
    if set(matter.ask.via) & set(hands_of(item)):
        raise NotJudged("a way through who holds it")
    word = outside_part2(matter, item) if origin is None else _of_a_program(matter, item, origin)
    return last_steps(matter, item, word) if word.decision == "PERMIT" else word


def _of_a_program(matter: Matter, item: Item, origin: str) -> Word:
    """Decide a Part 2 record: own use, a basis, a copy in other hands, police, and the consents."""
    onward = item.onward(matter.partners)
    holder = onward[-1].custodian if onward else origin
    if not onward and (word := inside_the_program(matter, origin)):
        return word
    if word := by_basis(matter, item, origin, holder):
        return word
    if onward:
        return onward_disclosure(matter, item, origin, onward)
    if matter.law_enforcement and (stopped := _police(matter)):
        return stopped
    if purposes.LEGAL in matter.ask.purposes:
        return no(12, "SUBPOENA_ALONE")
    return by_consents(matter, item, origin, matter.papers)


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
