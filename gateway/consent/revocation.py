"""Is a consent revoked at this instant, for this recipient? (42 CFR 2.31(a)(6), (c)(3); 2.35(c))"""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from gateway.consent.situation import Situation
from gateway.model.consent_directive import Directive


def is_revoked(directive: Directive, situation: Situation) -> Literal["written", "oral"] | None:
    """Return how the consent is revoked for the recipient of `situation`, or None.

    A revocation counts from its receipt; one of a consent under 2.35 from the date it becomes revocable, if that is
    later. A written one beats an oral one.
    """
    if not directive.revocations and not situation.facts.revocations:
        return None
    if directive.revocable_from is not None and situation.at < directive.revocable_from:
        return None
    found: Literal["written", "oral"] | None = None
    for received, is_oral in _revocations(directive, situation):
        if received is not None and received > situation.at and directive.status == "active":
            continue
        if not is_oral:
            return "written"
        found = "oral"
    return found


def _revocations(directive: Directive, situation: Situation) -> Iterator[tuple[datetime | None, bool]]:
    for one in directive.revocations:
        if not one.recipients or one.recipients & situation.reached:
            yield one.when, one.is_oral
    for fact in situation.facts.revocations:
        if fact.of is None:
            # "All my consents" means those given until then: one signed later is a new decision.
            is_meant = directive.dated is None or fact.received is None or directive.dated <= fact.received
        else:
            is_meant = directive.reference in fact.of
        if is_meant:
            yield fact.received, fact.is_oral
