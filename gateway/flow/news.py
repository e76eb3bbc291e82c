"""Whether a changed record is news to a recipient who has it.

An update in which nothing is different would tell its recipient that something it may not see has changed
(42 CFR 2.13). So what it could be sent before the change is compared with what it could be sent after.
"""

from collections.abc import Iterable, Sequence

import orjson

from gateway.flow.addressing import for_referral
from gateway.flow.deliver import asked_for
from gateway.flow.disclose import disclose
from gateway.flow.house import House
from gateway.model.disclosure import Disclosure
from gateway.model.handoff import Handoff, Referral, Resource
from gateway.ports import Transaction

_OF_THE_READING = ("recorded", "entity")
"""Elements of a Provenance that each reading of a source makes anew: when, and of which bytes."""


def what_it_sees(house: House, tx: Transaction, handoff: Handoff, referral: Referral) -> bytes | None:
    """Return what a recipient could be sent of its referral now, in one canonical form; None where nothing could be.

    Nothing is disclosed by looking, so no decision is kept.
    """
    resources = for_referral(tx.handoffs.resources(handoff.id), referral.id, referral.service_request_id)
    made = disclose(house, tx, asked_for(handoff, referral), handoff, referral, resources)
    if not isinstance(made.outcome, Disclosure):
        return None
    return orjson.dumps(made.outcome.content["entry"], option=orjson.OPT_SORT_KEYS)


def sees_more(house: House, tx: Transaction, referral: Referral) -> bool:
    """Say whether a recipient may now have more of a record than it was last sent, because of a new consent.

    What it may not have any more is no news: the next sending leaves it out. Nor is it news that what was withheld is
    gone from the record.
    """
    handoff = tx.handoffs.get(referral.handoff_id)
    last = tx.decisions.last_sent(referral.id)
    if handoff is None or last is None or not last["withheld"]:
        return False
    resources = for_referral(tx.handoffs.resources(handoff.id), referral.id, referral.service_request_id)
    made = disclose(house, tx, asked_for(handoff, referral), handoff, referral, resources)
    if not isinstance(made.outcome, Disclosure):
        return False
    shown = (entry["resource"] for entry in made.outcome.content["entry"])
    return not {f"{one['resourceType']}/{one['id']}" for one in shown}.isdisjoint(last["withheld"])


def as_recorded(resources: Iterable[Resource], before: Sequence[Resource]) -> list[Resource]:
    """Leave the instant on each Provenance that says the same as before: reading a source again is no event."""
    known = {one["id"]: one for one in before if one["resourceType"] == "Provenance"}
    return [
        {**one, "recorded": known[one["id"]]["recorded"]}
        if one["resourceType"] == "Provenance" and one["id"] in known and _said(one) == _said(known[one["id"]])
        else one
        for one in resources
    ]


def _said(provenance: Resource) -> Resource:
    return {name: value for name, value in provenance.items() if name not in _OF_THE_READING}
