"""The stories of feeds on PostgreSQL: records, alerts, messages passed on, and what waits for a person's word.

What each does is told in `tests/flow`; here they meet an engine with locks, types and isolation of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from gateway.flow.gateway import Gateway
from gateway.flow.house import House
from gateway.flow.work import work_once
from gateway.model.handoff import InputRecord
from gateway.model.partner import Feed, Registry, RelayRule
from gateway.model.route import AlertRoute
from gateway.storage.database import open_database
from gateway.testing import FixedClock
from gateway.wiring.feeds import feed_reader
from tests.support.feed_world import packs
from tests.support.flow_house import CONTACT, KEY, NOW, RecordingTransport, a_world, csv_of
from tests.support.hospital_feed import PEER, adt, rri
from tests.support.part2_world import world as part2_partners
from tests.support.relay_world import MERCY_ENDPOINT, RecordingRelay

pytest_plugins = ("tests.support.databases",)

NONE: frozenset[str] = frozenset()
CENTER = (b"EHR|HOSPITAL", b"CENTER|CRISIS")
STRANGER = (b"EHR|HOSPITAL", b"STRANGER|ELSEWHERE")
TO_HOSPITAL = AlertRoute("routes.yaml:9", frozenset({"admitted"}), NONE, NONE, "org:demo-hospital", "fhir", ("TREAT",))
FEEDS = {
    "org:demo-hospital": (Feed("EHR", "HOSPITAL"),),
    "org:demo-corresponders": (
        Feed("CENTER", "CRISIS", pass_on=(RelayRule("org:mercy", ("TREAT",), frozenset({"ADT"})),)),
    ),
}


@dataclass
class Site:
    """A gateway on a real database; its person was referred to the hospital, which knows the person as M-1."""

    house: House
    gateway: Gateway
    transport: RecordingTransport
    relay: RecordingRelay

    def tell(self, message: bytes, names: tuple[bytes, bytes] = (b"", b"")) -> tuple[str, InputRecord]:
        """Take a message and do its work; return its id and what became of it."""
        said = message.replace(*names, 1)
        self.gateway.accept_message(said, PEER)
        self.work()
        _, _, application, facility, *_ = said.split(b"|")
        key = (application.decode(), facility.decode(), said.split(b"|")[9].decode())
        seen = self.house.database.read(lambda tx: tx.messages.seen(key))
        assert seen is not None
        return seen.input_id, self.outcome(seen.input_id)

    def outcome(self, input_id: str) -> InputRecord:
        """Return what became of a message."""
        return self.house.database.read(lambda tx: tx.inputs.records(input_id))[0]

    def work(self) -> None:
        """Do queued work until nothing is due."""
        while work_once(self.house, "test"):
            pass

    def referral_status(self) -> str:
        """Return how far the referral of the person is."""
        tasks = self.house.database.read(lambda tx: tx.referrals.of_recipient("org:demo-hospital", None, None))
        return tasks[0].status


@pytest.fixture
def site(postgresql_store_url: str) -> Iterator[Site]:
    world, clock, relay = a_world(), FixedClock(NOW), RecordingRelay()
    database = open_database(postgresql_store_url, clock=clock)
    mercy = next(one for one in part2_partners(mercy={"endpoints": [MERCY_ENDPOINT]}) if one.id == "org:mercy")
    registry = Registry(replace(one, feeds=FEEDS.get(one.id, ())) for one in (*world.house.registry, mercy))
    house = replace(
        world.house, database=database, clock=clock, registry=registry, alerts=(TO_HOSPITAL,), relay=relay,
        read_feed=feed_reader(packs(), KEY, "America/Los_Angeles", clock),
    )  # fmt: skip
    one = Site(house, Gateway(house), world.transport, relay)
    one.gateway.accept("http", "co-responder-contact", "demo-agency", "text/csv", csv_of(CONTACT), None)
    one.work()
    content = [entry["resource"] for entry in one.transport.sent[0][0].content["entry"]]
    task = next(resource for resource in content if resource["resourceType"] == "Task")
    assert one.tell(rri(task["identifier"][0]["value"], "M-1", "R1"))[1].state == "converted"
    yield one
    database.close()


def test_an_admission_becomes_a_record_alerts_and_is_passed_on(site: Site) -> None:
    _, record = site.tell(adt("A01", "E1"), CENTER)

    alerts = [e["resource"] for e in site.transport.sent[-1][0].content["entry"]]
    assert (record.state, "alerts queued: 1" in (record.reason or "")) == ("converted", True)
    assert record.handoff_id is not None
    assert [one["resourceType"] for one in alerts].count("Communication") == 1
    assert [message.split(b"\r")[2][:20] for message in site.relay.sent] == [b"PID|1||M-1^^^HOSPITA"]


def test_a_strangers_message_waits_until_its_sender_and_its_person_are_named(site: Site) -> None:
    waiting, record = site.tell(adt("A01", "E2", number="M-7", person="Sample^Ari||19900102|F"), STRANGER)
    page = site.gateway.console_message(("staff-1", "staff"), waiting)

    assert site.gateway.take_message_as("staff-1", waiting, "org:demo-hospital")
    asked = site.gateway.console_message(("staff-1", "staff"), waiting)
    assert asked is not None
    (person,) = asked.question.people
    before = site.referral_status()
    assert site.gateway.tell_whom("staff-1", waiting, person.id)

    assert record.state == "quarantined"
    assert page is not None
    assert "org:demo-hospital" in [one.id for one in page.question.senders]
    assert (before, site.referral_status(), site.outcome(waiting).state) == ("accepted", "in-progress", "converted")
