"""The race that decides whether the law holds: a consent taken back while many are sending and reading.

The store's audit chain is in the order of the commits. So the proof is short: after the row of a revocation no row
may stand that permits anything about that person. On SQLite the threads of one process send, read and revoke; on
PostgreSQL the threads of three processes. `REVOCATION_RACE_PERSONS` sets how many consents are taken back
(docs/proofs.md).
"""

import multiprocessing
import os
import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import orjson
import pytest

from gateway.flow.gateway import Gateway
from gateway.flow.house import House
from gateway.flow.work import work_once
from gateway.model.caller import Caller
from gateway.model.consent_life import Revoking
from gateway.model.exchange import Accepted, Answer
from gateway.model.partner import Endpoint, Registry
from gateway.model.route import Route
from gateway.settings import Client
from gateway.storage.audit import audit_rows, verify_audit
from gateway.storage.database import SqlDatabase, open_database
from gateway.testing import FixedClock
from gateway.wiring import new_id
from tests.support.flow_house import CONTACT, NOW, POLICE, RecordingTransport, a_caller, a_world, csv_of

pytest_plugins = ("tests.support.databases",)

PERSONS = int(os.environ.get("REVOCATION_RACE_PERSONS", "60"))
HOSPITALS = tuple(f"org:hospital-{n}" for n in range(4))
READERS = 2
SEARCHERS = 2
SEARCHES = 3
"""Of each; a search locks everybody."""
PROCESSES = 3
START_S = 120


@dataclass
class Race:
    """One store with a referral of every person to each hospital."""

    url: str
    house: House
    sent: RecordingTransport
    consents: list[str]
    tasks: list[tuple[str, str]]
    """(Task id, recipient)."""

    @property
    def database(self) -> SqlDatabase:
        database = self.house.database
        assert isinstance(database, SqlDatabase)
        return database


@pytest.fixture
def race(database_url: str) -> Iterator[Race]:
    clock = FixedClock(NOW)
    database = open_database(database_url, clock=clock)
    transport = RecordingTransport()
    house = a_house(database, clock, transport)
    gateway = Gateway(house)
    for hospital in HOSPITALS:
        gateway.pause("test", f"{hospital}/fhir", True)
    accepted = gateway.accept("http", "co-responder-contact", "demo-agency", "text/csv", csv_of(*contacts()), None)
    assert isinstance(accepted, Accepted)
    while work_once(house, "test"):
        pass
    yield Race(database_url, house, transport, *database.read(lambda tx: _names(tx, accepted.input_id)))
    database.close()


def a_house(database: SqlDatabase, clock: FixedClock, transport: RecordingTransport) -> House:
    house = a_world().house
    known = {one.id: one for one in house.registry}
    endpoint = Endpoint("fhir", "http://127.0.0.1:8090/fhir", verified=date(2026, 1, 1))
    for hospital in HOSPITALS:
        identifiers = (("http://hl7.org/fhir/sid/us-npi", hospital),)
        known[hospital] = replace(
            known["org:demo-hospital"], id=hospital, identifiers=identifiers, endpoints=(endpoint,)
        )
    nothing: frozenset[str] = frozenset()
    return replace(
        house,
        database=database,
        clock=clock,
        new_id=new_id,
        registry=Registry(known.values()),
        routes=tuple(
            Route("test", nothing, nothing, nothing, nothing, hospital, "fhir", ("TREAT",), None)
            for hospital in HOSPITALS
        ),
        check=lambda resource: [],
        check_foreign=lambda resource: [],
        transports={"fhir": transport},
        clients={
            "demo-agency": Client(id="demo-agency", organization="org:demo-pd", scopes=("intake",)),
            **{hospital: Client(id="reader", organization=hospital, scopes=()) for hospital in HOSPITALS},
        },
    )


def contacts() -> list[dict[str, str]]:
    return [
        {
            **CONTACT,
            "contact_id": f"C-{n}",
            "client_id": f"K-{n}",
            "last_name": f"Sample{n}",
            "phone": f"360-555-{n:04}",
        }
        for n in range(PERSONS)
    ]


def _names(tx: Any, input_id: str) -> tuple[list[str], list[tuple[str, str]]]:
    handoffs = [record.handoff_id for record in tx.inputs.records(input_id)]
    consents = [r["id"] for h in handoffs for r in tx.handoffs.resources(h) if r["resourceType"] == "Consent"]
    referrals = [referral for handoff in handoffs for referral in tx.referrals.of_handoff(handoff)]
    return consents, [(referral.id, referral.recipient) for referral in referrals]


def test_nothing_is_permitted_after_a_revocation_was_committed(race: Race) -> None:
    chance = random.Random(7)
    order = chance.sample(race.consents, len(race.consents))
    first, last, raced = order[0], order[-1], order[1:-1]
    take_back(race.house, first)
    for hospital in HOSPITALS:
        Gateway(race.house).pause("test", f"{hospital}/fhir", False)

    if race.url.startswith("sqlite"):
        live(race.house, "one", race.tasks, raced)
        sent = len(race.sent.sent)
    else:
        sent = in_processes(race, raced)
    while work_once(race.house, "the last"):
        pass
    take_back(race.house, last)

    permitted, revoked = permits_and_revocations(race)
    late = [(handoff, seq) for handoff, seq in permitted if seq > revoked[handoff]]
    assert len(revoked) == PERSONS
    assert late == []
    assert 0 < sent < len(race.tasks)
    assert race.database.query(verify_audit) is None


def live(house: House, name: str, tasks: Sequence[tuple[str, str]], consents: Sequence[str]) -> None:
    """Send, read and revoke in many threads until all is done."""
    at_once(
        *(sender(house, f"{name}-{one}") for one in range(4)),
        *(reader(tasks, house, random.Random(one)) for one in range(READERS)),
        *(searcher(house, hospital) for hospital in HOSPITALS[:SEARCHERS]),
        revoker(house, consents),
    )


def in_processes(race: Race, consents: Sequence[str]) -> int:
    """Let processes of their own live at once on the store; return how many messages they sent."""
    context = multiprocessing.get_context("spawn")  # a forked child would share the connections of this one
    barrier = context.Barrier(PROCESSES)
    with ProcessPoolExecutor(PROCESSES, context, _remember, (barrier,)) as pool:
        futures = [
            pool.submit(_live_in_a_process, race.url, str(number), race.tasks, consents[number::PROCESSES])
            for number in range(PROCESSES)
        ]
        return sum(future.result() for future in futures)


_BARRIERS: list[Any] = []


def _remember(barrier: Any) -> None:
    _BARRIERS.append(barrier)


def _live_in_a_process(url: str, name: str, tasks: list[tuple[str, str]], consents: list[str]) -> int:
    clock, transport = FixedClock(NOW), RecordingTransport()
    database = open_database(url, clock=clock)
    try:
        house = a_house(database, clock, transport)
        _BARRIERS[0].wait(START_S)
        live(house, name, tasks, consents)
    finally:
        database.close()
    return len(transport.sent)


def sender(house: House, name: str) -> Callable[[], None]:
    def run() -> None:
        for _ in range(PERSONS):
            if not work_once(house, name):
                return

    return run


def reader(tasks: Sequence[tuple[str, str]], house: House, chance: random.Random) -> Callable[[], None]:
    def run() -> None:
        for _ in range(PERSONS):
            task, recipient = chance.choice(tasks)
            Gateway(house).read(a_hospital(recipient), "Task", task)

    return run


def searcher(house: House, hospital: str) -> Callable[[], None]:
    def run() -> None:
        for _ in range(SEARCHES):
            Gateway(house).search(a_hospital(hospital), "Task", [])

    return run


def revoker(house: House, consents: Sequence[str]) -> Callable[[], None]:
    def run() -> None:
        for consent in consents:
            take_back(house, consent)

    return run


def take_back(house: House, consent_id: str) -> None:
    """Revoke as a partner does, by an update or by the operation; returns when it is acknowledged."""
    stored = house.database.read(lambda tx: tx.resources.get("Consent", consent_id))
    assert stored is not None
    if consent_id < "n":
        answer = Gateway(house).file_consent(POLICE, {**stored.body, "status": "inactive"}, consent_id, stored.version)
        assert isinstance(answer, Answer)
        return
    reference = {"reference": f"Consent/{consent_id}"}
    patient = stored.body["patient"]
    assert Gateway(house).revoke_consent(POLICE, reference, patient, None, Revoking("electronic")) is None


def a_hospital(organization: str) -> Caller:
    return a_caller(organization, organization)


def at_once(*tasks: Callable[[], None]) -> None:
    """Run tasks in threads of their own and wait for all."""
    with ThreadPoolExecutor(len(tasks)) as pool:
        for future in [pool.submit(task) for task in tasks]:
            future.result()


def permits_and_revocations(race: Race) -> tuple[list[tuple[str, int]], dict[str, int]]:
    """Return (handoff, place in the chain) of every permit, and the place of each handoff's revocation."""
    rows = race.database.query(lambda c: [(row.seq, row.kind, orjson.loads(row.data)) for row in audit_rows(c)])
    owner = race.database.read(
        lambda tx: {one: tx.resources.get("Consent", one).handoff_id for one in race.consents}  # type: ignore[union-attr]
    )
    permits = [(data["handoff"], seq) for seq, kind, data in rows if kind == "decision.permit"]
    revoked = {owner[data["consent"]]: seq for seq, kind, data in rows if kind in ("consent.filed", "consent.revoked")}
    return permits, {str(handoff): seq for handoff, seq in revoked.items()}
