"""The race that decides whether the law holds: a consent taken back while many are sending and reading.

The store's audit chain is in the order of the commits. So the proof is short: after the row of a revocation no row
may stand that permits anything about that person. `REVOCATION_RACE_PERSONS` sets how many consents are taken back
(docs/proofs.md).
"""

import os
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
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


@dataclass
class Race:
    """One store, opened as often as processes would open it, with a referral of every person to each hospital."""

    houses: list[House]
    sent: RecordingTransport
    consents: list[str]
    tasks: list[tuple[str, str]]
    """(Task id, recipient)."""

    @property
    def database(self) -> SqlDatabase:
        database = self.houses[0].database
        assert isinstance(database, SqlDatabase)
        return database


@pytest.fixture
def race(database_url: str) -> Iterator[Race]:
    clock = FixedClock(NOW)
    processes = 1 if database_url.startswith("sqlite") else 3
    databases = [open_database(database_url, clock=clock) for _ in range(processes)]
    transport = RecordingTransport()
    houses = [a_house(database, clock, transport) for database in databases]
    gateway = Gateway(houses[0])
    for hospital in HOSPITALS:
        gateway.pause("test", f"{hospital}/fhir", True)
    accepted = gateway.accept("http", "co-responder-contact", "demo-agency", "text/csv", csv_of(*contacts()), None)
    assert isinstance(accepted, Accepted)
    while work_once(houses[0], "test"):
        pass
    yield Race(houses, transport, *databases[0].read(lambda tx: _names(tx, accepted.input_id)))
    for database in databases:
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
    take_back(race.houses[0], first)
    for hospital in HOSPITALS:
        Gateway(race.houses[0]).pause("test", f"{hospital}/fhir", False)

    at_once(
        *(sender(house, f"{number}-{one}") for number, house in enumerate(race.houses) for one in range(4)),
        *(reader(race, house, random.Random(one)) for house in race.houses for one in range(READERS)),
        *(revoker(house, raced[number :: len(race.houses)]) for number, house in enumerate(race.houses)),
    )
    while work_once(race.houses[0], "the last"):
        pass
    take_back(race.houses[0], last)

    permitted, revoked = permits_and_revocations(race)
    late = [(handoff, seq) for handoff, seq in permitted if seq > revoked[handoff]]
    assert len(revoked) == PERSONS
    assert late == []
    assert 0 < len(race.sent.sent) < len(race.tasks)
    assert race.database.query(verify_audit) is None


def sender(house: House, name: str) -> Callable[[], None]:
    def run() -> None:
        for _ in range(PERSONS):
            if not work_once(house, name):
                return

    return run


def reader(race: Race, house: House, chance: random.Random) -> Callable[[], None]:
    def run() -> None:
        for _ in range(PERSONS):
            task, recipient = chance.choice(race.tasks)
            Gateway(house).read(a_hospital(recipient), "Task", task)

    return run


def revoker(house: House, consents: list[str]) -> Callable[[], None]:
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
