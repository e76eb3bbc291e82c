"""Orders of subpart E (42 CFR 2.61 to 2.67): an order authorizes, process compels, and both are needed.

The gateway never reads an order by itself: an authorized person registers it, and only what that person wrote counts.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from gateway.consent import obligations
from gateway.consent.reasons import Release, Withhold
from gateway.consent.situation import Situation
from gateway.model.decision import Basis
from gateway.model.fhir_time import covered_interval
from gateway.model.labeled import Item
from gateway.model.labels import COUNSELING_NOTES
from gateway.model.partner import Organization

STEP = 1150

_DISCLOSING_ORDERS = frozenset({"2.64", "2.65", "2.66"})
"""2.67 places an agent; it discloses nothing."""
_GOOD_CAUSE = frozenset({"no-other-way", "interest-outweighs"})
_NEEDED = {
    "2.64": _GOOD_CAUSE,
    "2.65": _GOOD_CAUSE | {"extremely-serious-crime", "substantial-value", "holder-had-counsel"},
    "2.66": _GOOD_CAUSE,
}
"""What the court must have found before it could make an order of a kind: 2.64(d), 2.65(d)(1) to (5), 2.66(c)."""
_OPENING_COMMUNICATIONS = frozenset({"threat-or-serious-crime", "patient-opened-it"})
"""42 CFR 2.63(a): one of these has to be found besides."""
_SHIELDED = frozenset({"research", "audit"})
"""42 CFR 2.62: no order turns copies held for these against a patient."""


def by_court_order(item: Item, situation: Situation) -> Release | Withhold:
    """Decide an item under a registered court order and its process."""
    basis = situation.request.basis or {}
    order = basis.get("order")
    if not order:
        return Withhold("SUBPOENA_ALONE", STEP)
    holder = item.origin.discloser
    if not _is_in_force(order, holder, situation.at) or not _has_found_enough(order):
        return Withhold("ORDER_DEFICIENT", STEP + 1)
    if not _is_between(order, holder, item, situation):
        return Withhold("ORDER_SCOPE", STEP + 2)
    process = basis.get("process")
    if not process or not process.get("verified_by"):
        return Withhold("ORDER_NOT_COMPULSORY", STEP + 3, holds=True)
    if not _is_within(order, item):
        return Withhold("ORDER_SCOPE", STEP + 4)
    owed = obligations.ORDER | obligations.of_author(item)
    return Release("OK_COURT_ORDER", STEP, owed, Basis("court_order", order.get("id")), "order")


def _is_in_force(order: Mapping[str, Any], holder: Organization | None, at: datetime) -> bool:
    """Say whether a person registered it and `at` lies within its days, which are those of who has to obey it."""
    if order.get("status") != "in_force" or not order.get("verified_by"):
        return False
    zone = (holder and holder.zone) or UTC
    try:
        has_begun = not order.get("issued") or covered_interval(order["issued"], zone)[0] <= at
        has_ended = bool(order.get("expires")) and covered_interval(order["expires"], zone)[1] <= at
    except ValueError:
        return False
    return has_begun and not has_ended


def _has_found_enough(order: Mapping[str, Any]) -> bool:
    found = frozenset(order.get("findings") or ())
    return bool(found) and found >= _NEEDED.get(str(order.get("kind")), frozenset())


def _is_between(order: Mapping[str, Any], holder: Organization | None, item: Item, situation: Situation) -> bool:
    """Say whether the order is to whoever holds the item, for whoever asks, and of a kind that discloses."""
    is_shielded = any(hop.code in _SHIELDED for hop in item.origin.after)
    return (
        holder is not None
        and order.get("holder") == holder.id
        and situation.recipient.reference in (order.get("recipients") or ())
        and order.get("kind") in _DISCLOSING_ORDERS
        and not is_shielded
    )


def _is_within(order: Mapping[str, Any], item: Item) -> bool:
    """Say whether the item is in scope; confidential communications only where the order says so and why (2.63)."""
    types = {one.get("resource_type") for one in order.get("scope") or ()}
    is_found = not _OPENING_COMMUNICATIONS.isdisjoint(order.get("findings") or ())
    opens_notes = is_found and order.get("confidential_communications") is True
    return item.type in types and (COUNSELING_NOTES not in item.labels or opens_notes)
