"""How fast everything that is open is looked at again when a day begins: read, decided, and nothing written.

Ours: the look of a gateway over referrals of which six in ten are refused, on SQLite, in one thread, by processor time.
Floor: the same decisions, on records and circumstances that lie in memory.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from gateway.bench.road import contacts
from gateway.flow.addressing import for_referral
from gateway.flow.circumstances import circumstances_of
from gateway.flow.deliver import asked_for
from gateway.flow.disclose import judged_referral, patient_in
from gateway.flow.gateway import Gateway
from gateway.flow.house import House
from gateway.flow.referrals import FINAL
from gateway.flow.second_look import AT_ONCE, DailyLook, is_stopped
from gateway.flow.work import work_once
from gateway.model.disclosure import Disclosure
from gateway.model.handoff import Referral, SendResult
from gateway.model.partner import Endpoint
from gateway.model.transport import Envelope
from gateway.ports import Transaction
from gateway.settings import read_settings
from gateway.wiring.installation import open_installation


def rows(seconds: float) -> Iterator[dict[str, str | float]]:
    """Refer 250 people for each of `seconds`, then look at all of their referrals as often as those allow."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "gateway", "init", f"{folder}/gateway"], check=True, capture_output=True)
        installation = open_installation(read_settings(Path(folder) / "gateway"))
        try:
            house = replace(installation.gateway.house, transports={"fhir": _Agreeable()})
            count = _refer(Gateway(house), files=max(1, round(5 * seconds)))
            ours = count * _best(lambda: _look(house, count), seconds)
            decisions = house.database.write(lambda tx: _decisions(house, tx, count))
            floor = count * _best(lambda: _decide(decisions), seconds)
        finally:
            installation.stop(1)
    yield {
        "row": "daily look: referrals read, decided, left as they are (a processor second)",
        "per_second": round(ours),
        "floor": "the same decisions in memory",
        "floor_per_second": round(floor),
        "ratio": round(ours / floor, 3),
        "goal": "",
    }


class _Agreeable:
    """A hospital that takes everything at once."""

    def send(self, disclosure: Disclosure, endpoint: Endpoint, envelope: Envelope) -> SendResult:
        """Say yes."""
        return SendResult("200")


def _refer(gateway: Gateway, files: int) -> int:
    """Refer fifty people a file to the hospital, six in ten against their will; return how many."""
    for number in range(files):
        lines = contacts(number * 50, "crisis_clinic").splitlines(keepends=True)
        data = b"".join(one.replace(b",verbal,", b",refused,") if n % 10 < 6 else one for n, one in enumerate(lines))
        gateway.accept("http", "co-responder-contact", "demo-agency", "text/csv", data, None)
    while work_once(gateway.house, "bench"):
        pass
    return len(gateway.database.read(lambda tx: tx.referrals.in_order("", FINAL, files * 50)))


def _look(house: House, count: int) -> None:
    look = DailyLook()
    for _ in range(count // AT_ONCE + 1):
        look.go_on(house)


def _decisions(house: House, tx: Transaction, count: int) -> list[Callable[[], object]]:
    """Return the decisions that the look makes, of what was stopped, with all they need at hand."""
    open_ones = map(tx.referrals.get, tx.referrals.in_order("", FINAL, count))
    return [
        _decision(house, tx, one)
        for one in open_ones
        if one is not None and any(map(is_stopped, tx.outbox.of_subject(one.id)))
    ]


def _decision(house: House, tx: Transaction, referral: Referral) -> Callable[[], object]:
    handoff = tx.handoffs.get(referral.handoff_id)
    assert handoff is not None, "a referral is of a record"
    resources = for_referral(tx.handoffs.resources(handoff.id), referral.id, referral.service_request_id)
    circumstances = circumstances_of(house, tx, referral.person_id, patient_in(resources))
    asked = asked_for(handoff, referral)
    return lambda: judged_referral(house, asked, circumstances, referral, resources)


def _decide(decisions: list[Callable[[], object]]) -> None:
    for decide in decisions:
        decide()


def _best(run: Callable[[], None], seconds: float) -> float:
    """Return how often a second of processor time suffices for it, at its best."""
    best, ends = float("inf"), time.perf_counter() + seconds
    while best == float("inf") or time.perf_counter() < ends:
        began = time.process_time()
        run()
        best = min(best, time.process_time() - began)
    return 1 / best
