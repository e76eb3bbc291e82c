"""How fast and how stubbornly a destination is called: its pace, its back-off, and the breaker that leaves it alone.

All of it belongs to the lane: messages wait in order, so whether the first may go is one question for all of them.
What a destination can bear stands at its endpoint in the registry.
"""

from datetime import datetime, timedelta

from gateway.flow.house import House
from gateway.model.partner import Endpoint
from gateway.ports import Claim, Transaction


def rest(house: House, tx: Transaction, claim: Claim, tries: int, asked_s: float = 0.0) -> None:
    """Let a lane rest after a failed try: with full jitter, or for the breaker's rest once it has failed too often.

    It rests longer where the receiver asked to be left alone for `asked_s` seconds, but not longer than our own
    back-off ever is: no number in an answer stops a lane for days. After that rest one message goes as the probe: a
    lane that fails again rests again, one that is answered goes on.
    """
    endpoint = _endpoint(house, claim.lane)
    failures = claim.failures + 1
    longest_s = min(house.retry.cap_s, house.retry.base_s * 2 ** min(tries + 1, 30))
    rest_s = longest_s * house.jitter()
    if endpoint is not None:
        if endpoint.breaker is not None and failures >= endpoint.breaker.failures:
            rest_s = endpoint.breaker.rest_s
        rest_s = max(rest_s, endpoint.pace_s)
    rest_s = max(rest_s, min(asked_s, house.retry.cap_s))
    tx.outbox.back_off(claim.lane, house.clock() + timedelta(seconds=rest_s), failures)


def goes_on(house: House, tx: Transaction, claim: Claim, began: datetime) -> bool:
    """Note that the receiver has spoken to what was sent at `began`; tell whether the next may follow at once."""
    now = house.clock()
    if not tx.outbox.owns(claim, now, house.lease):
        return False
    endpoint = _endpoint(house, claim.lane)
    due = began + timedelta(seconds=endpoint.pace_s if endpoint else 0.0)
    if claim.failures or due > now:
        tx.outbox.back_off(claim.lane, due)
    return due <= now


def has_breaker(house: House, lane: str) -> bool:
    """Tell whether the destination of a lane is left alone after too many failures."""
    endpoint = _endpoint(house, lane)
    return endpoint is not None and endpoint.breaker is not None


def _endpoint(house: House, lane: str) -> Endpoint | None:
    organization, _, transport = lane.rpartition("/")
    return house.endpoint(organization, transport)
