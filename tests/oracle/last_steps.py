"""What only subtracts: restrictions, what a payer needs, addresses, the notice. 42 CFR 2.26, 2.13(a), 2.16, 2.32."""

from collections.abc import Iterable

from tests.oracle import purposes
from tests.oracle.matter import Matter, Word, no
from tests.oracle.reading import ACT_CODE, Item, NotJudged


def restrictions_on(matter: Matter, item: Item) -> Iterable[str]:
    """Yield the kind of each restriction on an item against whoever receives or carries it. 42 CFR 2.26."""
    reached = matter.partners.with_wholes({matter.ask.recipient, *matter.ask.via})
    for fact in matter.ask.facts:
        if fact.get("type") != "restriction" or not reached & set(fact["against"]):
            continue
        if fact.get("items") is not None and item.reference not in fact["items"]:
            continue
        origin = item.origin(matter.partners)
        hands = [*([origin] if origin else item.authors)]
        hands += [hop.custodian for hop in item.onward(matter.partners)] if origin else []
        if fact.get("of") is None or set(hands) & set(fact["of"]):
            yield fact["kind"]


def last_steps(matter: Matter, item: Item, word: Word) -> Word:
    """Steps 14 and 15: restrictions, what a payer needs, whose address it is, whether the notice can travel."""
    (reason,) = word.reasons
    if reason in ("OK_EMERGENCY", "OK_INTERNAL", "OK_PATIENT"):
        return word
    asked = matter.ask.purposes
    by_consent = "NOTICE" in word.obligations
    is_bound = by_consent or reason in ("OK_NOT_PART2", "OK_HIPAA_REDISCLOSURE")
    kinds = set(restrictions_on(matter, item)) if is_bound and any(map(purposes.is_tpo, asked)) else set()
    if "agreed" in kinds:
        return no(14, "RESTRICTION_AGREED", *(["RESTRICTION_SELF_PAY"] if "self_pay" in kinds else []))
    payment = any(purposes.is_under(one, purposes.PAYMENT) for one in asked)
    if "self_pay" in kinds and (payment or any(purposes.is_under(one, purposes.OPERATIONS) for one in asked)):
        return no(14, "RESTRICTION_SELF_PAY", minor=1)
    care = any(purposes.is_under(one, purposes.TREATMENT) for one in asked)
    if payment and not care and item.resource["resourceType"] not in ("Claim", "Coverage"):
        return no(14, "MIN_NECESSARY", minor=2)
    if reason != "OK_DEIDENT" and _is_labeled_beyond_us(item, with_consent=_rests_on_consent(word)):
        return no(14, "LABEL_DOWNGRADE", minor=3, hold=True)
    return _arrives(matter, word, by_consent)


def _rests_on_consent(word: Word) -> bool:
    """Say whether a consent lets it go, also what needs one by no rule of part 2."""
    (reason,) = word.reasons
    return reason in ("OK_CONSENT", "OK_TPO", "OK_INTERMEDIARY", "OK_CJ_REFERRAL", "OK_REGISTRY")


def _is_labeled_beyond_us(item: Item, with_consent: bool) -> bool:
    """Say whether a label asks for what nobody here does, another law's or without a consent for one. DS4P."""
    strange = {(ACT_CODE, "Title38Section7332"), (ACT_CODE, "HIPAAPsyNotes"), ("urn:x", "TOPSECRET")}
    needs_consent = {(ACT_CODE, "NODSCLCD"), (ACT_CODE, "NOAUTH")}
    labels = item.stated_labels
    return bool(labels & strange) or (not with_consent and bool(labels & needs_consent))


def _arrives(matter: Matter, word: Word, with_notice: bool) -> Word:
    """Hold what has no proven address, at whoever takes it first, or no place there for its notice."""
    transport = matter.request["transport"]
    if transport not in ("fhir", "hl7v2") or matter.ask.recipient not in matter.partners.by_id:
        raise NotJudged("other ways to send, and recipients who are no partner")
    taker = [*matter.ask.via, matter.ask.recipient][0]
    ends = [one for one in matter.partners.by_id[taker].get("endpoints", []) if one["transport"] == transport]
    today = matter.partners.today(matter.ask.recipient)
    if not any(one.get("verified") and str(one["verified"]) <= today for one in ends):
        return no(15, "ENDPOINT_UNVERIFIED", hold=True)
    if transport == "hl7v2" and with_notice and not all(one.get("stores_nte") for one in ends):
        return no(15, "NOTICE_UNATTACHABLE", minor=1, hold=True)
    return word
