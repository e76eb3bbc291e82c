"""What no Part 2 program made or received. 45 CFR 164.506(c), 164.512(f)(2), (k)(5); 42 CFR 2.12(d)(2)(ii)."""

from dataclasses import replace

from tests.oracle import purposes
from tests.oracle.by_consents import by_consents, unless_refused
from tests.oracle.matter import LAW_ENFORCEMENT, Matter, Word, hands_of, no, yes
from tests.oracle.reading import Item, NotJudged
from tests.oracle.receivers import TREATING, extra_receivers

_LOCATE = (purposes.OWN_PURPOSE, "locate")


def outside_part2(matter: Matter, item: Item) -> Word:
    """Step 9: what is no Part 2 record. 45 CFR 164.506(c), 164.512."""
    ask, kind = matter.ask, matter.basis.get("type")
    if any("mental_health" in matter.partners.roles(one or "") for one in hands_of(item)):
        raise NotJudged("what state law adds for mental health records")
    if kind and extra_receivers(ask, None):
        raise NotJudged("a basis, and somebody on the way")
    if kind == "hipaa_locate" and matter.law_enforcement:
        if item.resource["resourceType"] not in ("Patient", "Encounter") or ask.purposes != (_LOCATE,):
            raise NotJudged("which facts locate a person")
        return yes(9, "OK_HIPAA_512F", "MIN", "LEGAL_QUEUE")
    if kind == "lawful_custody" and "jail_health" in matter.roles:
        return yes(9, "OK_HIPAA_512K5", "LABEL")
    if kind:
        raise NotJudged("another basis, and no Part 2 record")
    if matter.law_enforcement:
        return no(9, "LE_NO_BASIS")
    receivers = [ask.recipient, *extra_receivers(ask, None)]
    treat = all(matter.partners.roles(one) & TREATING for one in receivers)
    treat = treat and all(purposes.is_under(one, purposes.TREATMENT) for one in ask.purposes)
    if not treat or ask.switches.get("hipaa_treatment", "allow") == "deny":
        holder = item.hops[-1].custodian if item.hops else item.authors[-1]
        word = by_consents(matter, item, holder, matter.papers)
        if word.decision != "PERMIT":
            return no(9, "NO_CONSENT")
        return replace(word, step=(9, 0), obligations=frozenset({"AUDIT"}), absent=frozenset())
    police = any(matter.partners.roles(one or "") & LAW_ENFORCEMENT for one in item.authors)
    word = yes(9, "OK_NOT_PART2", "LABEL", *(["CJI_STRIP"] if police else []), absent=["NOTICE", "ACCOUNT"])
    return unless_refused(matter, item, word)
