"""Which consents of a person are in being at an instant: the latest of each, less those replaced by a link."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from gateway.consent.consent_checks import is_unverified
from gateway.consent.switches import Switches
from gateway.model.consent_directive import Consents, Directive


def in_being(consents: Consents, keys: Iterable[str], at: datetime, switches: Switches) -> tuple[Directive, ...]:
    """Return the person's consents in being at `at`, ordered by reference, so that input order never matters.

    A consent replaces another only by an explicit link, never by its date. One that is no
    longer active, or that nobody verified, takes permits away but lifts no refusal. Links in a circle make every
    consent that leads into it unreadable.
    """
    current = consents.current_of(keys, at)
    if len(current) > 1:
        current = tuple(sorted(current, key=lambda one: (one.reference, one.digest)))
    if not [one for one in current if one.supersedes]:
        return current
    by_reference = {one.reference: one for one in current}
    circular = _leading_into_a_circle(by_reference)
    replaced = {
        reference
        for newer in current
        for reference in newer.supersedes
        if reference in by_reference and _replaces(newer, by_reference[reference], switches, at)
    }
    return tuple(
        replace(one, readable=False) if one.reference in circular else one
        for one in current
        if one.reference in circular or one.reference not in replaced
    )


def _replaces(newer: Directive, older: Directive, switches: Switches, at: datetime) -> bool:
    if not newer.readable or newer.status not in ("active", "inactive"):
        return False
    is_sure = newer.status == "active" and not is_unverified(newer, switches, at)
    return is_sure or older.permits_something


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
