"""What no Part 2 program made or received. 45 CFR 164.506(c), 164.512(f)(2), (k)(5); 42 CFR 2.12(d)(2)(ii)."""

from dataclasses import replace

from tests.oracle import purposes
from tests.oracle.bases import for_the_recipient_alone, own_access
from tests.oracle.by_consents import by_consents, unless_refused
from tests.oracle.matter import LAW_ENFORCEMENT, Matter, Word, is_barred_as_history, no, yes
from tests.oracle.reading import Item, on_site
from tests.oracle.receivers import TREATING, extra_receivers

_LOCATE = (purposes.OWN_PURPOSE, "locate")
_DUTY = (purposes.OWN_PURPOSE, "duty")


def outside_part2(matter: Matter, item: Item) -> Word:
    """Step 9: what is no Part 2 record. 45 CFR 164.506(c), 164.512."""
    ask, kind = matter.ask, matter.basis.get("type")
    if is_barred_as_history(matter, item):
        return no(9, "CJI_BARRED")
    if kind == "patient_access" and (own := own_access(matter)):
        return for_the_recipient_alone(matter, _holder(item), own)
    if matter.law_enforcement and (word := _by_law_of_washington(matter, item)):
        return for_the_recipient_alone(matter, _holder(item), word)
    if word := _by_hipaa(matter, item):
        return for_the_recipient_alone(matter, _holder(item), word)
    if matter.law_enforcement:
        return no(9, "LE_NO_BASIS", minor=3)
    receivers = [ask.recipient, *extra_receivers(ask, None)]
    treat = all(matter.partners.roles(one) & TREATING for one in receivers)
    treat = treat and all(purposes.is_under(one, purposes.TREATMENT) for one in ask.purposes)
    if not treat or ask.switches.get("hipaa_treatment", "allow") == "deny":
        word = by_consents(matter, item, _holder(item), matter.papers)
        if word.decision != "PERMIT":
            return no(9, "NO_CONSENT", minor=4)
        return replace(word, step=(9, 0), obligations=frozenset({"AUDIT"}), absent=frozenset())
    police = any(matter.partners.roles(one or "") & LAW_ENFORCEMENT for one in item.authors)
    word = yes(9, "OK_NOT_PART2", "LABEL", *(["CJI_STRIP"] if police else []), absent=["NOTICE", "ACCOUNT"])
    return unless_refused(matter, item, word)


def _by_hipaa(matter: Matter, item: Item) -> Word | None:
    """45 CFR 164.512(f)(2): who, and where they were; (k)(5): care in custody, and the duties of those who guard."""
    kind, asked = matter.basis.get("type"), matter.ask.purposes
    if kind == "hipaa_locate" and matter.law_enforcement and set(asked) == {_LOCATE} and matter.basis.get("subject"):
        if item.resource["resourceType"] not in ("Patient", "Encounter"):
            return no(9, "MIN_NECESSARY", minor=2)
        return yes(9, "OK_HIPAA_512F", "MIN", "LEGAL_QUEUE")
    in_custody = kind == "lawful_custody" and "jail_health" in matter.roles and bool(matter.basis.get("facility"))
    if in_custody and all(one == _DUTY or purposes.is_under(one, purposes.TREATMENT) for one in asked):
        return yes(9, "OK_HIPAA_512K5", "LABEL")
    return None


def _holder(item: Item) -> str | None:
    return item.hops[-1].custodian if item.hops else item.authors[0]


def _by_law_of_washington(matter: Matter, item: Item) -> Word | None:
    """RCW 70.02.230, 70.02.240: what mental health services know is kept from police and prosecutors.

    An officer on duty learns of a minor that there was a stay, and when.
    """
    hands = {one or "" for one in (*item.authors, _holder(item))}
    here = [one for one in hands if matter.partners.by_id.get(one, {}).get("state") == "WA"]
    if not any("mental_health" in matter.partners.roles(one) for one in here):
        return None
    age = matter.ask.person.age(on_site(matter.ask.at))
    on_duty = "police" in matter.roles and set(matter.ask.purposes) == {_DUTY}
    if item.resource["resourceType"] != "Encounter" or not on_duty or age is None or age >= 18:
        return no(9, "STATE_MH", minor=1)
    return unless_refused(matter, item, yes(9, "OK_NOT_PART2", "MIN", "LEGAL_QUEUE", absent=["NOTICE"]))
