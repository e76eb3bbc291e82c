"""A whole house in memory for tests of the stories: real rules, mappings and checks; no file, socket or thread."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import get_args

from gateway.catalog import STARTER
from gateway.catalog.mappings import read_mappings
from gateway.catalog.partners import read_partners
from gateway.catalog.profiles import load_checker
from gateway.catalog.routes import read_routes
from gateway.catalog.wordings import read_wordings
from gateway.flow.gateway import Gateway
from gateway.flow.house import Converted, House
from gateway.flow.work import work_once
from gateway.formats import read
from gateway.mapping import Agency, Context, apply
from gateway.model.caller import Caller
from gateway.model.disclosure import Disclosure
from gateway.model.errors import GatewayError
from gateway.model.exchange import Accepted
from gateway.model.handoff import SendResult, WorkState
from gateway.model.partner import Endpoint, Registry
from gateway.model.received import Received
from gateway.model.source_record import SourceRecord
from gateway.model.transport import Envelope
from gateway.settings import Client
from gateway.testing import CountingIds, FixedClock, InMemoryDatabase

NOW = datetime(2026, 11, 2, 18, 0, tzinfo=UTC)
KEY = b"t" * 32

CONTACT = {
    "contact_id": "C-1", "agency_ori": "WA0990000", "contact_date": "2026-10-30T10:00:00", "first_on_scene": "officer",
    "client_id": "K-1", "last_name": "Sample", "first_name": "Ari", "dob": "1990-01-02", "sex": "F",
    "phone": "360-555-0101", "primary_issue": "mental_health", "referral_made": "Y",
    "referral_service": "crisis_clinic", "consent_status": "verbal", "consent_at": "2026-10-30T10:20:00",
}  # fmt: skip
"""A contact with a spoken agreement: the simplest record that reaches the hospital."""


@dataclass
class RecordingTransport:
    """A `Transport` that keeps what it was given; `failures` are raised first, one a sending."""

    sent: list[tuple[Disclosure, Endpoint, Envelope]] = field(default_factory=list)
    failures: list[GatewayError] = field(default_factory=list)
    awaits_application: bool = False
    acknowledged: list[tuple[bytes, Endpoint, Envelope]] = field(default_factory=list)

    def acknowledge(self, received: bytes, endpoint: Endpoint, envelope: Envelope) -> SendResult:
        if self.failures:
            raise self.failures.pop(0)
        self.acknowledged.append((received, endpoint, envelope))
        return SendResult(code="CA")

    def send(self, disclosure: Disclosure, endpoint: Endpoint, envelope: Envelope) -> SendResult:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append((disclosure, endpoint, envelope))
        return SendResult("200", sent=disclosure.body, awaits_application=self.awaits_application)


@dataclass
class World:
    """A house with the things a test turns and looks at."""

    house: House
    gateway: Gateway
    clock: FixedClock
    database: InMemoryDatabase
    transport: RecordingTransport

    def take(self, *contacts: dict[str, str]) -> Accepted:
        """Hand in co-responder contacts as one file and do all the work there is."""
        accepted = self.gateway.accept(
            "http", "co-responder-contact", "demo-agency", "text/csv", csv_of(*contacts), None
        )
        assert isinstance(accepted, Accepted)
        self.work()
        return accepted

    def work(self) -> None:
        """Do queued work until nothing is due."""
        while work_once(self.house, "test"):
            pass

    def states(self) -> list[tuple[str, str, str]]:
        """Return (action, state, reason) of every delivery, oldest first."""
        work = self.database.read(lambda tx: tx.outbox.of_states(get_args(WorkState)))
        return [(one.action, one.state, one.reason or "") for one in work if one.kind == "deliver"]


def a_world() -> World:
    """Build the starter installation in memory."""
    registry, routes = _starter()
    clock = FixedClock(NOW)
    database = InMemoryDatabase(clock)
    transport = RecordingTransport()
    mappings = _mappings()

    def convert(received: Received, source: str) -> Iterator[Converted]:
        context = Context(key=KEY, at=clock(), agencies=agency, zone="America/Los_Angeles")
        for item in read(received, mappings[source].layout):
            yield item.number, apply(item, mappings[source], context) if isinstance(item, SourceRecord) else item

    def agency(system: str, value: str) -> Agency | None:
        found = registry.find(system, value)
        return Agency(system, value, found.name, found.timezone) if found else None

    checker = load_checker()
    house = House(
        database=database,
        clock=clock,
        new_id=CountingIds(),
        registry=registry,
        routes=routes,
        switches={},
        key=KEY,
        programs={"co-responder-contact": "org:demo-pd", "lead-referral": "org:demo-lead"},
        convert=convert,
        explain=lambda received, source, number: [],
        check=lambda resource: checker.check(resource).items,
        check_foreign=lambda resource: checker.check(resource, {}).items,
        transports={"fhir": transport, "hl7v2": transport},
        acknowledge=transport.acknowledge,
        jitter=lambda: 0.5,
        sources=frozenset(mappings),
        report=_raise,
        wordings=_wordings(),
        clients={
            one.id: one
            for one in (
                Client(
                    id="demo-agency", organization="org:demo-pd", scopes=("intake",), submits_for=("org:demo-lead",)
                ),
                Client(
                    id="demo-ehr", organization="org:demo-hospital", scopes=("system/*.cruds",), person_role="clinician"
                ),
            )
        },
    )
    return World(house, Gateway(house), clock, database, transport)


def a_caller(client: str, organization: str) -> Caller:
    """Build a caller whose credential proved this organization."""
    return Caller(client, organization, frozenset({"system/*.cruds", "intake"}), (client, "clinician"), organization)


POLICE = a_caller("demo-agency", "org:demo-pd")
HOSPITAL = a_caller("demo-ehr", "org:demo-hospital")


def csv_of(*contacts: dict[str, str]) -> bytes:
    """Write contacts as a CSV file."""
    columns = list(dict.fromkeys(name for contact in contacts for name in contact))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(contacts)
    return text.getvalue().encode()


@cache
def _wordings():  # type: ignore[no-untyped-def]
    return read_wordings()


@cache
def _mappings():  # type: ignore[no-untyped-def]
    return read_mappings()


@cache
def _starter():  # type: ignore[no-untyped-def]
    registry = read_partners(STARTER / "partners")
    return registry, read_routes(STARTER / "routes.yaml", {one.id: one for one in registry})


def _raise(work: object, error: Exception) -> None:
    raise error


def without_agreements(world: World) -> World:
    """The same world after its operator has lost every agreement with a Part 2 program."""
    registry = Registry(
        replace(one, agreements=()) if one.id == world.house.operator else one for one in world.house.registry
    )
    house = replace(world.house, registry=registry)
    return replace(world, house=house, gateway=Gateway(house))
