"""Who may cause a sending: whoever receives, whoever holds the records, the patient, and those who act for them.

Anybody else who asks to send one party's records to another is stopped before the person is looked up, whatever the
consents say: a consent lets its discloser disclose, it gives nobody else an order to (42 CFR 2.2(b), 2.31(a)(2)).
"""

from collections.abc import Iterable
from datetime import datetime

from gateway.consent.facts import relative
from gateway.consent.reasons import Withhold
from gateway.consent.situation import Person
from gateway.model.labeled import Item
from gateway.model.partner import Organization, Registry
from gateway.model.request import Request

WORKER = "worker"
"""Role of our own delivery worker. It carries the records that were handed to it by the agency it acts for, with what
others wrote in them; the last of a withdrawn record can be theirs alone. No credential of a caller has this role."""

NOT_ENTITLED = Withhold("IDENTITY_MISMATCH", 350)


def must_hold(request: Request, recipient: str, person: Person | None, registry: Registry, at: datetime) -> bool:
    """Say whether who asks may ask `recipient` to be sent only what it holds itself."""
    if _is_worker(request, registry) or _asks_for(request, recipient, registry, at):
        return False
    return not _is_own_patient(request, person)


def stopped(request: Request, items: Iterable[Item], registry: Registry, at: datetime) -> Withhold | None:
    """Stop an organization that neither receives nor holds anything of what it asks to send. Nothing is nobody's."""
    if request.organization is None or _is_worker(request, registry):
        return None
    if _asks_for(request, request.recipient, registry, at):
        return None
    stated = tuple(items)
    if not stated or any(may_send(item, request, registry, at) for item in stated):
        return None
    return NOT_ENTITLED


def _is_worker(request: Request, registry: Registry) -> bool:
    return request.person_role == WORKER and registry.get(request.organization) is not None


def _asks_for(request: Request, recipient: str, registry: Registry, at: datetime) -> bool:
    """Say whether who asks is who receives, or acts for it: the whole of a unit, an associate, an exchange it is in."""
    if request.organization is None or request.organization == recipient:
        return recipient == (request.organization or request.person_id)
    asker = registry.get(request.organization)
    if asker is None:
        return False
    if _is_within(registry.get(recipient), asker.id, registry):
        return True
    is_passing_on = asker.id in request.via and recipient in asker.members
    return is_passing_on or recipient in asker.class_at(at).business_associate_of


def _is_own_patient(request: Request, person: Person | None) -> bool:
    """Say whether a person who asks alone is the one the records are about."""
    return request.organization is None and person is not None and relative(str(request.person_id)) in person.keys


def may_send(item: Item, request: Request, registry: Registry, at: datetime) -> bool:
    """Say whether who asks holds this item or acts for its holder. One of unknown origin is held at its own step."""
    holders = (*item.origin.authors, *(hop.custodian for hop in item.origin.hops))
    if not holders or None in holders:
        return True
    asker = registry.get(request.organization)
    return asker is not None and any(_acts_for(asker, one, registry, at) for one in holders if one is not None)


def _acts_for(asker: Organization, holder: Organization, registry: Registry, at: datetime) -> bool:
    return (
        asker.id == holder.id
        or _is_within(holder, asker.id, registry)
        or holder.id in asker.class_at(at).business_associate_of
        or bool(asker.agreements_with(holder.id, "qsoa", at))
    )


def _is_within(unit: Organization | None, whole: str, registry: Registry) -> bool:
    while unit is not None and unit.parent is not None:
        if unit.parent == whole:
            return True
        unit = registry.get(unit.parent)
    return False
