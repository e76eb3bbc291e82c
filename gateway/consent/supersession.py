"""Which consents of a person are in being at an instant: the latest of each, less those replaced by a link."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from gateway.consent.switches import Switches
from gateway.model.consent_directive import Consents, Directive


def in_being(consents: Consents, keys: Iterable[str], at: datetime, switches: Switches) -> tuple[Directive, ...]:
    """Return the person's consents in being at `at`, ordered by reference, so that input order never matters.

    A consent replaces another only by an explicit link, never by its date (part2-rules section 7). One that is no
    longer active, or that nobody verified, takes permits away but lifts no refusal. Links in a circle make every
    consent on it unreadable.
    """
    current = tuple(sorted(consents.current_of(keys, at), key=lambda one: (one.reference, one.digest)))
    if not any(one.supersedes for one in current):
        return current
    links = {one.reference: one.supersedes for one in current}
    return tuple(
        replace(one, readable=False) if _is_on_circle(one.reference, links) else one
        for one in current
        if not any(_replaces(newer, one, switches) for newer in current if newer is not one)
        or _is_on_circle(one.reference, links)
    )


def _replaces(newer: Directive, older: Directive, switches: Switches) -> bool:
    if older.reference not in newer.supersedes or not newer.readable or newer.status not in ("active", "inactive"):
        return False
    is_own = newer.source is None or newer.source.startswith(switches.own_addresses)
    is_sure = newer.status == "active" and newer.verified is not False and (is_own or newer.verified is True)
    return is_sure or older.permits_something


def _is_on_circle(reference: str, links: dict[str, frozenset[str]]) -> bool:
    seen: set[str] = set()
    open_references = list(links.get(reference, ()))
    while open_references:
        one = open_references.pop()
        if one == reference:
            return True
        if one not in seen:
            seen.add(one)
            open_references.extend(links.get(one, ()))
    return False
