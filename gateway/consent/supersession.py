"""Which consents of a person are in being at an instant: the latest of each, less those replaced by a link."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from gateway.consent.consent_checks import is_unverified
from gateway.consent.provision_tree import grants_of
from gateway.consent.switches import Switches
from gateway.model.consent_directive import Consents, Directive


def in_being(consents: Consents, keys: Iterable[str], at: datetime, switches: Switches) -> tuple[Directive, ...]:
    """Return the person's consents in being at `at`, ordered by reference, so that input order never matters.

    A consent replaces another only by an explicit link, never by its date. One that is no
    longer active, or that nobody verified, takes permits away but lifts no refusal. Links in a circle make every
    consent that leads into it unreadable.
    """
    current = sorted(consents.current_of(keys, at), key=lambda one: (one.reference, one.digest))
    if not any(one.supersedes for one in current):  # nearly always
        return tuple(current)
    by_reference = {one.reference: one for one in current}
    circular = _leading_into_a_circle(by_reference)
    replaced: dict[str, bool] = {}
    for newer in current:
        if newer.readable and newer.status in ("active", "inactive"):
            is_sure = newer.status == "active" and not is_unverified(newer, switches, at)
            replaced |= {one: is_sure or replaced.get(one, False) for one in newer.supersedes}
    left = (
        replace(one, readable=False) if one.reference in circular else _left_of(one, replaced.get(one.reference))
        for one in current
    )
    return tuple(one for one in left if one is not None)


def _left_of(older: Directive, replaced: bool | None) -> Directive | None:
    """Return what stands of a consent that is `replaced` for sure, by one that cannot be relied on (False) or not."""
    if replaced is None or not (replaced or older.permits_something):
        return older
    return None if replaced or not older.can_refuse else replace(older, grants=grants_of(None))


def _leading_into_a_circle(by_reference: Mapping[str, Directive]) -> set[str]:
    """Take away, again and again, what replaces nothing that is left; what cannot be taken away leads into a circle."""
    left = {reference: set(one.supersedes) & by_reference.keys() for reference, one in by_reference.items()}
    replaced_by: dict[str, list[str]] = {}
    for reference, older in left.items():
        for one in older:
            replaced_by.setdefault(one, []).append(reference)
    free = [reference for reference, older in left.items() if not older]
    while free:
        done = free.pop()
        del left[done]
        for newer in replaced_by.get(done, ()):
            left[newer].discard(done)
            if not left[newer]:
                free.append(newer)
    return set(left)
