"""An invented exchange: what a hospital and Aspen, a Part 2 program, tell of two known people is passed on to Mercy."""

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from gateway.flow.gateway import Gateway
from gateway.formats.hl7v2.times import hl7_time
from gateway.model.errors import GatewayError
from gateway.model.fhir_time import instant
from gateway.model.handoff import SendResult, Work
from gateway.model.hl7_header import Hl7Header
from gateway.model.hl7_parts import PassedOn
from gateway.model.partner import Agreement, Endpoint, Feed, Registry, RelayRule
from gateway.model.transport import Envelope
from tests.support.feed_world import a_feed_world
from tests.support.flow_house import World
from tests.support.hospital_feed import person_id
from tests.support.part2_world import world as part2_partners

LANE = "org:mercy/hl7v2"
TO_MERCY = RelayRule("org:mercy", ("TREAT",), frozenset({"ADT", "ORU"}))
HOSPITAL, ASPEN = "EHR|HOSPITAL", "LIS|ASPEN"
PERSON = "PID|1||M-1^^^HOSPITAL^MR||Sample^Ari||19900102|F"
GLUCOSE = ("OBR|1|P1|F1|24323-8^Metabolic panel^LN", "OBX|1|NM|2345-7^Glucose^LN||95|mg/dL|||||F")
SCREEN = ("OBR|2|P2|F2|UDS^Urine screen^L", "OBX|1|ST|3879-4^Opiates^LN||positive||||||F")

MERCY_ENDPOINT = {
    "transport": "hl7v2", "address": "mllp://mercy.example:2576", "version": "2.5.1", "stores_nte": True,
    "verified": "2026-01-01", "application": "EHR", "facility": "MERCY",
}  # fmt: skip


@dataclass
class RecordingRelay:
    """A `Relay` that keeps what it was given; `failures` are raised first, one a sending."""

    sent: list[bytes] = field(default_factory=list)
    tried: list[bytes] = field(default_factory=list)
    failures: list[GatewayError] = field(default_factory=list)
    awaits_application: bool = False

    def header(self, endpoint: Endpoint, envelope: Envelope) -> Hl7Header:
        """Return the envelope as the real transport does."""
        ours, theirs = (("WARMHANDOFF",), ("GATEWAY",)), ((endpoint.application,), (endpoint.facility,))
        return Hl7Header(*ours, *theirs, hl7_time(instant(envelope.created_at)), envelope.message_id[:20])

    def relay(self, passed_on: PassedOn, endpoint: Endpoint) -> SendResult:
        """Keep what is sent, or fail."""
        self.tried.append(passed_on.content)
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(passed_on.content)
        return SendResult("AA", sent=passed_on.content, awaits_application=self.awaits_application)


@dataclass
class Exchange:
    """A gateway that passes on, and the way on which it does."""

    world: World
    relay: RecordingRelay

    def relays(self) -> list[Work]:
        """Return what is or was to be passed on, oldest first."""
        return [one for one in self.world.database.state.work.values() if one.kind == "relay"]

    def states(self) -> list[tuple[str, str]]:
        """Return (state, reason) of each relay, oldest first."""
        return [(one.state, one.reason or "") for one in self.relays()]

    def lines(self) -> list[str]:
        """Return the segments of the one message that was passed on."""
        [sent] = self.relay.sent
        return sent.decode().split("\r")[:-1]

    def pause(self, paused: bool) -> None:
        """Stop or resume what goes to Mercy, and do what work there is."""
        self.world.gateway.pause("test", LANE, paused)
        self.world.work()

    def file(self, consent: dict[str, Any]) -> None:
        """Keep a consent of the first person, as Aspen's."""
        at, person = self.world.clock(), person_id(self.world)
        self.world.database.write(lambda tx: tx.resources.put(consent, handoff_id=None, person_id=person, at=at))

    def with_rules(self, *rules: RelayRule) -> "Exchange":
        """Return the same exchange after its operator has changed to whom feeds are passed on."""
        registry = Registry(
            replace(one, feeds=tuple(replace(feed, pass_on=rules) for feed in one.feeds))
            for one in self.world.house.registry
        )
        house = replace(self.world.house, registry=registry)
        return Exchange(replace(self.world, house=house, gateway=Gateway(house)), self.relay)


def an_exchange(*rules: RelayRule, **mercy: Any) -> Exchange:
    """Build the exchange; `mercy` are changes of Mercy's endpoint."""
    world = a_feed_world()
    passed = rules or (TO_MERCY,)
    feeds = {
        "org:demo-hospital": (Feed("EHR", "HOSPITAL", pass_on=passed),),
        "org:aspen": (Feed("LIS", "ASPEN", pass_on=passed),),
    }
    law = part2_partners(mercy={"endpoints": [{**MERCY_ENDPOINT, **mercy}]})
    known = [*world.house.registry, *(one for one in law if one.id in ("org:aspen", "org:mercy", "org:quarry"))]
    relay = RecordingRelay()
    served = [Agreement(f"qsoa-{id}", "qsoa", id, date(2026, 1, 1)) for id in ("org:aspen", "org:quarry")]
    registry = Registry(
        replace(
            one,
            feeds=feeds.get(one.id, ()),
            agreements=(*one.agreements, *served) if one.id == world.house.operator else one.agreements,
        )
        for one in known
    )
    house = replace(world.house, registry=registry, relay=relay)
    return Exchange(replace(world, house=house, gateway=Gateway(house)), relay)


def result(*segments: str, sender: str = HOSPITAL, control_id: str = "O1", person: str = PERSON) -> bytes:
    """An ORU about the first person."""
    header = f"MSH|^~\\&|{sender}|HIE|X|20261102095900-0800||ORU^R01|{control_id}|P|2.5.1"
    return "\r".join((header, person, *segments, "")).encode()
