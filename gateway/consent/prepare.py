"""Bring one request into its situation, once, for the gate and for the decision (steps 1 to 5)."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from gateway.consent.asker import must_hold, stopped
from gateway.consent.conclude import Seal
from gateway.consent.facts import Facts
from gateway.consent.identity import check_caller, find_person
from gateway.consent.purposes import needs_billing_only
from gateway.consent.reasons import Withhold
from gateway.consent.situation import Person, Recipient, Situation, recipient_of
from gateway.consent.supersession import in_being
from gateway.consent.switches import Switches
from gateway.model.consent_directive import Consents, Directive
from gateway.model.decision import POLICY_VERSION
from gateway.model.fhir_time import written
from gateway.model.labeled import Item, LabeledRecords
from gateway.model.partner import Registry
from gateway.model.request import Request

_POLICY = POLICY_VERSION.encode()
_RELAYING_ROLES = frozenset({"intermediary", "hie"})


class Prepared(NamedTuple):
    """The items asked for and the situation they are decided in, or what ends the whole request."""

    items: tuple[Item, ...]
    seal: Seal
    situation: Situation | Withhold


def prepare(
    request: Request,
    records: LabeledRecords,
    consents: Consents,
    registry: Registry,
    facts: Facts,
    switches: Switches,
    at: datetime,
) -> Prepared:
    """Check the caller, find the person, collect the person's consents.

    Raises ValueError for records labeled for another instant.
    """
    if records.at != at:
        raise ValueError("the records were labeled for another instant: label them again for this one")
    items = records.items
    if request.items is not None:
        items = tuple(one for one in items if one.reference in request.items)
    person = check_caller(request, facts) or stopped(request, items, registry, at) or find_person(request, facts)
    directives = in_being(consents, person.keys, at, switches) if isinstance(person, Person) else ()
    now = written(at)
    seal = Seal(now, _input_hash(request, records, directives, facts, registry, switches, now))
    if isinstance(person, Withhold):
        return Prepared(items, seal, person)
    if not request.purposes:
        return Prepared(items, seal, Withhold("PURPOSE_MISSING", 500))
    recipient = recipient_of(request.recipient, request, facts, registry, person)
    tells_items_apart = (
        request.basis is not None
        or needs_billing_only(request.purposes)
        or bool(facts.restrictions)
        or any(one.tells_items_apart for one in directives)
    )
    situation = Situation(
        request, recipient, _relays(request, facts, registry, at), person, consents, directives, facts, registry,
        switches, at,
        refusing=tuple([one for one in directives if one.can_refuse]),
        is_unreadable=not all(one.readable for one in directives),
        tells_items_apart=tells_items_apart,
        items=items,
        must_hold=must_hold(request, request.recipient, person, registry, at),
    )  # fmt: skip
    return Prepared(items, seal, situation)


def _relays(request: Request, facts: Facts, registry: Registry, at: datetime) -> tuple[Recipient, ...]:
    """Return those on the way who are recipients too."""
    if not request.via:
        return ()
    receiving = [one for one in request.via if not _only_relays(one, request, registry, at)]
    return tuple(recipient_of(one, request, facts, registry, None) for one in receiving)


def _only_relays(via: str, request: Request, registry: Registry, at: datetime) -> bool:
    """Say whether an organization on the way only passes on: an exchange, or an associate of the recipient."""
    organization = registry.get(via)
    if organization is None:
        return False
    is_associate = request.recipient in organization.class_at(at).business_associate_of
    return is_associate or bool(organization.roles & _RELAYING_ROLES)


def _input_hash(
    request: Request,
    records: LabeledRecords,
    directives: Sequence[Directive],
    facts: Facts,
    registry: Registry,
    switches: Switches,
    at: str,
) -> str:
    """Hash everything the decision is made from, built from hashes taken once where each part was read."""
    made_from = (request.digest, records.digest, facts.digest, registry.digest, switches.digest)
    parts = (_POLICY, at.encode(), *made_from, *[one.digest for one in directives])
    return "sha256:" + hashlib.sha256(b"\x00".join(parts)).hexdigest()
