"""By the consents of the person: refusals first, then each paper by itself. 42 CFR 2.31, 2.33(a)."""

from tests.oracle import answers, papers, purposes
from tests.oracle.answers import Answer
from tests.oracle.content import is_in_one_piece
from tests.oracle.matter import Matter, Word, no, yes
from tests.oracle.reading import Item, Json, NotJudged
from tests.oracle.receivers import is_intermediary

_OWED = {"NOTICE", "CONSENT_COPY", "LABEL", "ACCOUNT", "PROCEEDINGS_BAR", "RECHECK"}


def cannot_rely(matter: Matter) -> Word | None:
    if not all(map(papers.is_readable, matter.may_refuse)):
        return no(13, "UNPARSEABLE")
    if any(one.get("type") == "unavailable" and one["what"] == "consent_source" for one in matter.ask.facts):
        return no(13, "CONSENT_SOURCE_UNAVAILABLE", minor=1)
    return None


def refused(matter: Matter, item: Item) -> Word | None:
    if any(answers.refuses(one, item, matter.ask) for one in matter.may_refuse):
        more = ["UNSEGMENTABLE"] if is_in_one_piece(item) else []
        return no(13, "EXPLICIT_DENY", *more, minor=3)
    return None


def unless_refused(matter: Matter, item: Item, word: Word) -> Word:
    """A permit that needs no consent stands only where nothing may be, and nothing is, a refusal."""
    return cannot_rely(matter) or refused(matter, item) or word


def by_consents(matter: Matter, item: Item, discloser: str | None, held: list[Json]) -> Word:
    """Step 13: the consents, each by itself; what no one permits has the reason of the one that got farthest."""
    if is_intermediary(matter.ask.recipient, matter.partners):
        raise NotJudged("an intermediary that keeps what it gets")
    if stopped := cannot_rely(matter):
        return stopped
    if not matter.papers:
        return no(13, "PATIENT_MISMATCH" if matter.existing else "NO_CONSENT", minor=2)
    if stopped := refused(matter, item):
        return stopped
    if any(via not in matter.partners.by_id for via in matter.ask.via):
        raise NotJudged("a way through nobody known")
    found = [answers.answer(one, item, matter.ask, discloser) for one in held if papers.permits(one)]
    if not found:
        raise NotJudged("which reason a paper that permits nothing is")
    farthest = max(one.step for one in found)
    best = [one for one in found if one.step == farthest]
    if farthest < 18:
        holds = any(one.decision == "HOLD" for one in best)
        return no(13, *frozenset().union(*(one.reasons for one in best)), minor=4 + farthest, hold=holds)
    return _permitted(matter, best, discloser)


def _permitted(matter: Matter, best: list[Answer], discloser: str | None) -> Word:
    if len({(one.reasons, one.listed) for one in best}) > 1 or len(best[0].reasons) > 1:
        raise NotJudged("which of two consents is cited")
    (reason,) = best[0].reasons
    ask, must, absent = matter.ask, set(_OWED), {"EMERGENCY_DOC"}
    tpo = all(map(purposes.is_tpo, ask.purposes))
    if reason == "OK_REGISTRY" or set(ask.purposes) & {purposes.PROCEEDING, purposes.LEGAL}:
        must -= {"PROCEEDINGS_BAR", "ACCOUNT", "LABEL"}
    care = any(purposes.is_under(one, purposes.TREATMENT) for one in ask.purposes)
    if not care and any(purposes.is_under(one, purposes.PAYMENT) for one in ask.purposes):
        must.add("MIN")
    if not tpo:
        must.add("NO_REDISCLOSE")
    elif matter.partners.is_covered(ask.recipient):
        absent.add("NO_REDISCLOSE")
    (must if best[0].listed else absent).add("INTERMEDIARY_LOG")
    return yes(13, reason, *must, absent=absent)
