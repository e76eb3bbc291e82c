"""What one paper answers: a refusal that applies, or how far its permits get and where they stop. 42 CFR 2.31."""

from dataclasses import dataclass
from datetime import UTC

from tests.oracle import purposes
from tests.oracle.content import speaks_of
from tests.oracle.papers import (
    Ask,
    Path,
    class_of,
    disclosers,
    kind_of,
    kinds_of,
    named_purposes,
    paths,
    permits,
    recipients_of,
    root,
    zone_of,
)
from tests.oracle.purposes import Purpose
from tests.oracle.reading import NOTES, Item, Json, NotJudged, codes, covers, extensions, span
from tests.oracle.receivers import extra_receivers, is_intermediary, is_member, is_named, lacks_participants, reach_of
from tests.oracle.standing import (
    has_ended,
    is_now_of_age,
    is_unverified,
    missing_elements,
    revocations,
    still_stands,
)

_RULE_OF_2024 = "2024-04-16"
_MONITORING = {"court", "probation", "prosecutor"}


@dataclass(frozen=True)
class Answer:
    """What one paper says: how far it got, and with what word. `step` grows as the paper gets farther."""

    step: int
    decision: str
    reasons: frozenset[str]
    listed: bool = False
    """Whether an intermediary has to list it: it passed one under a class. 42 CFR 2.24"""


def refuses(paper: Json, item: Item, ask: Ask) -> bool:
    """Say whether a paper in force explicitly refuses an item: whatever else it lacks, and also where that is in doubt.

    The deepest provision that applies decides, a refusal before a permit. A refusal applies for one of the purposes
    and for anybody on the way; a permit lifts it only for every purpose and for recipients it names.
    """
    if paper.get("status") != "active" or root(paper).get("type") not in ("permit", "deny"):
        return False
    if not covers(root(paper).get("period"), ask.at, zone_of(paper, ask)) or has_ended(paper, ask, surely=True):
        return False
    if "written" in revocations(paper, ask):
        return False
    applying = [path for path in paths(paper) if _applies(path, paper, item, ask)]
    deepest = max(map(len, applying), default=0)
    closed_default = (root(paper),) if permits(paper) and not set(root(paper)) - {"type", "period", "provision"} else ()
    deciding = [path for path in applying if len(path) == deepest]
    return any(path[-1]["type"] == "deny" and path != closed_default for path in deciding)


def _applies(path: Path, paper: Json, item: Item, ask: Ask) -> bool:
    for node in path:
        stated = recipients_of(node)
        everybody = ask.partners.with_wholes({ask.recipient, *ask.via})
        if stated and not any(
            class_of(one, paper) is not None or any(is_named(one, who, ask) for who in everybody) for one in stated
        ):
            return False
        if "purpose" in node and not any(covers_purpose(node, one) for one in ask.purposes):
            return False
        if not covers(node.get("period"), ask.at, zone_of(paper, ask)) or not speaks_of(node, paper, item, ask, True):
            return False
    last = path[-1]
    if last["type"] == "deny":
        return True
    if not speaks_of(last, paper, item, ask):
        return False
    if not all(covers_purpose(node, one) for node in path for one in ask.purposes if "purpose" in node):
        return False
    named = [one for one in recipients_of(last) if class_of(one, paper) is None]
    receivers = [ask.recipient, *extra_receivers(ask, None)]
    return not recipients_of(last) or all(any(is_named(one, who, ask) for one in named) for who in receivers)


def covers_purpose(node: Json, purpose: Purpose) -> bool:
    return any(purposes.is_under(purpose, one) for one in codes(node["purpose"]))


def answer(paper: Json, item: Item, ask: Ask, discloser: str | None) -> Answer:
    """Say how far one paper gets, by the permit in it that gets farthest."""
    answers = [_by_permit(path, paper, item, ask, discloser) for path in permits(paper)]
    farthest = max(one.step for one in answers)
    best = [one for one in answers if one.step == farthest]
    decision = "HOLD" if any(one.decision == "HOLD" for one in best) else best[0].decision
    return Answer(farthest, decision, frozenset().union(*(one.reasons for one in best)), best[0].listed)


def _by_permit(path: Path, paper: Json, item: Item, ask: Ask, discloser: str | None) -> Answer:
    receivers = [ask.recipient, *extra_receivers(ask, discloser)]
    reached = {one: reach_of(path, paper, one, ask) for one in receivers}
    return (
        _between_whom(path, paper, ask, discloser, reached)
        or _for_what(path, paper, ask, discloser, reached)
        or _revocation(paper, ask)
        or _paper_itself(path, paper, ask)
        or _in_time(path, paper, ask)
        or _of_the_item(path, paper, item, ask)
        or _granted(kind_of(paper), reached)
    )


def _stop(step: int, reason: str, decision: str = "DENY") -> Answer:
    return Answer(step, decision, frozenset({reason}))


def _between_whom(
    path: Path, paper: Json, ask: Ask, discloser: str | None, reached: dict[str, set[str]]
) -> Answer | None:
    """Check who discloses and who receives. 42 CFR 2.31(a)(2), (a)(4), 2.35(a)."""
    if disclosers(paper) and discloser not in map(ask.partners.named, disclosers(paper)):
        return _stop(1, "DISCLOSER_NOT_NAMED")
    if kind_of(paper) == "criminal-justice-referral":
        condition = next((one["valueCode"] for one in extensions(paper, "condition-of")), "pre-arrest")
        if condition == "pre-arrest" or not ask.partners.roles(ask.recipient) & _MONITORING:
            return _stop(2, "CJ_NOT_ELIGIBLE")
    through = [
        node
        for node in path
        if any(is_intermediary(ask.partners.named(one), ask.partners) for one in recipients_of(node))
    ]
    if len(through) > 1:
        raise NotJudged("an intermediary within an intermediary")
    without_participants = lacks_participants(path, paper, ask)
    if not all(reached.values()) or (reached[ask.recipient] == {"through"} and not without_participants):
        words = any(class_of(one, paper) == "" for node in path for one in recipients_of(node))
        return Answer(
            3, "DENY", frozenset({"RECIPIENT_NOT_NAMED", *(["CONSENT_DEFICIENT:EL_RECIPIENT"] if words else [])})
        )
    return None


def _for_what(path: Path, paper: Json, ask: Ask, discloser: str | None, reached: dict[str, set[str]]) -> Answer | None:
    """Check the purposes, and who belongs to a class for them. 42 CFR 2.31(a)(5), (d)."""
    stated, legal = named_purposes(paper), {purposes.LEGAL, purposes.PROCEEDING}
    if stated & legal and stated - legal:
        return _stop(4, "COMBINED_PROCEEDING")
    if kind_of(paper) != "proceedings" and legal & set(ask.purposes):
        return _stop(4, "PROCEEDING_NO_SPECIFIC")
    if kind_of(paper) == "proceedings" and stated - legal:
        return _stop(4, "COMBINED_PROCEEDING")
    if not all(covers_purpose(node, one) for node in path for one in ask.purposes if "purpose" in node):
        return _stop(5, "PURPOSE_NOT_COVERED")
    members = [is_member(path, paper, one, ask, discloser) for one, how in reached.items() if "class" in how]
    return None if all(members) else _stop(6, "RECIPIENT_NOT_TREATING")


def _revocation(paper: Json, ask: Ask) -> Answer | None:
    methods = revocations(paper, ask)
    waits = methods == {"oral"} and ask.switches.get("oral_revocation", "hold") == "hold"
    return _stop(7, "CONSENT_REVOKED", "HOLD" if waits else "DENY") if methods else None


def _in_time(path: Path, paper: Json, ask: Ask) -> Answer | None:
    """Check that the paper and the permit have begun and not ended. 42 CFR 2.31(a)(7), (c)(1)."""
    zone = zone_of(paper, ask)
    periods = [node.get("period", {}) for node in (root(paper), *path)]
    if any("start" in one and ask.at < span(one["start"], zone)[0] for one in periods):
        return _stop(14, "CONSENT_NOT_YET_EFFECTIVE")
    if not all(covers(one, ask.at, zone) for one in periods) or has_ended(paper, ask, surely=False):
        return _stop(15, "CONSENT_EXPIRED")
    return None


def _paper_itself(path: Path, paper: Json, ask: Ask) -> Answer | None:
    """Check what does not depend on who asks for what: status, truth, form, elements, who has to look at it."""
    if not still_stands(paper, ask):
        return _stop(8, "CONSENT_NOT_ACTIVE")
    reports = [one for one in ask.facts if one.get("type") == "consent_false"]
    reports = [one for one in reports if one["consent"] == f"Consent/{paper['id']}"]
    if any(span(one["reported"], UTC)[0] <= ask.at for one in reports):
        return _stop(9, "CONSENT_FALSE")
    edition = next((one["valueDate"] for one in extensions(paper, "form-edition")), _RULE_OF_2024)
    if kind_of(paper) == "hipaa-authorization":
        return _stop(10, "CONSENT_DEFICIENT")
    if edition < _RULE_OF_2024 and ask.switches.get("legacy_consent", "hold") != "accept":
        return _stop(10, "CONSENT_DEFICIENT", "HOLD")
    new = {"EL_CE_STATEMENT", "EL_TPO_STATEMENTS"} if edition < _RULE_OF_2024 else set()
    if missing := set(missing_elements(path, paper, ask)) - new:
        return Answer(11, "DENY", frozenset("CONSENT_DEFICIENT:" + one for one in missing))
    if is_now_of_age(paper, ask) or is_unverified(paper, ask):
        return _stop(12, "CONSENT_UNVERIFIED", "HOLD")
    return None


def _of_the_item(path: Path, paper: Json, item: Item, ask: Ask) -> Answer | None:
    """Check what depends on the item: counseling notes, and what the permit speaks of. 42 CFR 2.31(b), (a)(3)."""
    is_notes, for_notes = NOTES in item.stated_labels, "sud-counseling-notes" in kinds_of(paper)
    if _combines_notes(paper):
        return _stop(16, "COMBINED_NOTES", "DENY" if is_notes else "HOLD")
    if is_notes and not for_notes:
        return _stop(17, "NOTES_NO_SPECIFIC")
    if (for_notes and not is_notes) or not all(speaks_of(node, paper, item, ask) for node in path):
        return _stop(17, "SCOPE_NOT_COVERED")
    return None


def _combines_notes(paper: Json) -> bool:
    """Say whether a paper is for counseling notes, by its kind or a permit, and for something else. 42 CFR 2.31(b)(2).

    A permit is for notes alone where it, or something around it, names them alone; one without any label is for what
    the paper is for.
    """
    labels = [[codes(node["securityLabel"]) for node in each if "securityLabel" in node] for each in permits(paper)]
    notes_alone, kinds = [{NOTES} in each for each in labels], kinds_of(paper)
    by_kind = "sud-counseling-notes" in kinds
    speaks_of_notes = by_kind or any(NOTES in one for each in labels for one in each)
    others = [each for each, alone in zip(labels, notes_alone, strict=True) if not alone and (each or not by_kind)]
    return speaks_of_notes and bool(others or kinds - {"sud-counseling-notes"})


def _granted(kind: str, reached: dict[str, set[str]]) -> Answer:
    by_class = any("class" in one for one in reached.values())
    through = any("through" in one for one in reached.values())
    by_kind = {"criminal-justice-referral": "OK_CJ_REFERRAL", "central-registry": "OK_REGISTRY"}
    reason = "OK_INTERMEDIARY" if through else "OK_TPO" if by_class else "OK_CONSENT"
    return Answer(18, "PERMIT", frozenset({by_kind.get(kind, reason)}), through and by_class)
