"""State law over HIPAA (42 CFR 2.20): which rules of which states speak of an item, and what they let through.

The stricter one wins: an item goes only where every rule that keeps it from this recipient allows it.
"""

from collections.abc import Iterator, Sequence

from gateway.consent.reasons import Withhold
from gateway.consent.situation import ADULT_AGE, Situation
from gateway.model.labeled import Item
from gateway.model.state_law import EVERYBODY, Allowance, StateRule

STEP = 901

Elements = frozenset[str] | None
"""The elements of the item that may leave; None = all of it."""


def rules_for(item: Item, situation: Situation) -> list[StateRule]:
    """Return the rules that keep this item from this recipient, by the states of its authors and of its holder."""
    law = situation.registry.state_law
    return [rule for rule in law if _speaks_of(rule, item) and _keeps_from(rule, situation)]


def by_state_law(rules: Sequence[StateRule], item: Item, situation: Situation) -> Withhold | Elements:
    """Return why the item stays, or what of it every rule lets through."""
    found: Elements = None
    for rule in rules:
        allowed = [one for one in rule.allowed if _allows(one, item, situation)]
        if not allowed:
            return Withhold(rule.reason, STEP, section=rule.citation)
        for one in allowed:
            elements = one.elements[item.type]
            found = elements if found is None else found if elements is None else found & elements
    return found


def _speaks_of(rule: StateRule, item: Item) -> bool:
    involved = [one for one in (*item.origin.authors, item.origin.holder) if one is not None]
    if not any(one.state == rule.state for one in involved):
        return False
    by_author = any(rule.author_roles & one.roles for one in involved if one.state == rule.state)
    return by_author or not rule.labels.isdisjoint(item.labels)


def _keeps_from(rule: StateRule, situation: Situation) -> bool:
    """Say whether a rule speaks of this recipient. What it keeps from police it keeps from an officer of anybody's."""
    kept_from = rule.recipient_roles
    is_officer = "police" in kept_from and situation.recipient.is_law_enforcement
    return is_officer or EVERYBODY in kept_from or not kept_from.isdisjoint(_roles(situation))


def _roles(situation: Situation) -> Iterator[str]:
    """Yield the recipient's roles. An officer who asks without a registered department is police."""
    recipient = situation.recipient
    if recipient.organization is not None:
        yield from recipient.organization.roles
    elif recipient.is_law_enforcement:
        yield "police"


def _allows(one: Allowance, item: Item, situation: Situation) -> bool:
    if item.type not in one.elements or not one.purposes.issuperset(situation.request.purposes):
        return False
    age = situation.age_at(situation.at)
    is_minor = age is not None and age < ADULT_AGE
    is_meant = one.minor is None or one.minor == is_minor
    return is_meant and one.recipient_role in {EVERYBODY, *_roles(situation)}
