"""Relays: what a feed tells of people we know goes on to others, decided at the sending, once, and never by guess."""

from dataclasses import dataclass, field, replace
from typing import Any

from gateway.flow.gateway import Gateway
from gateway.formats.hl7v2.times import hl7_time
from gateway.model.errors import GatewayError, TryLater, WillNeverWork
from gateway.model.fhir_time import instant
from gateway.model.handoff import SendResult, Work
from gateway.model.hl7_header import Hl7Header
from gateway.model.hl7_parts import PassedOn
from gateway.model.notice import STATEMENT_2
from gateway.model.partner import Endpoint, Feed, Registry, RelayRule
from gateway.model.transport import Envelope
from tests.support.feed_world import a_feed_world, told
from tests.support.flow_house import World
from tests.support.hospital_feed import PEER, adt, newest_input, person_id
from tests.support.part2_world import a_consent, a_permit, labels, world

MERCY = {
    "transport": "hl7v2", "address": "mllp://mercy.example:2576", "version": "2.5.1", "stores_nte": True,
    "verified": "2026-01-01", "application": "EHR", "facility": "MERCY",
}  # fmt: skip
TO_MERCY = RelayRule("org:mercy", ("TREAT",), frozenset({"ADT", "ORU"}))
GLUCOSE = ("OBR|1|P1|F1|24323-8^Metabolic panel^LN", "OBX|1|NM|2345-7^Glucose^LN||95|mg/dL|||||F")
SCREEN = ("OBR|2|P2|F2|UDS^Urine screen^L", "OBX|1|ST|3879-4^Opiates^LN||positive||||||F")


@dataclass
class RecordingRelay:
    """A `Relay` that keeps what it was given; `failures` are raised first, one a sending."""

    sent: list[bytes] = field(default_factory=list)
    failures: list[GatewayError] = field(default_factory=list)

    def header(self, endpoint: Endpoint, envelope: Envelope) -> Hl7Header:
        at = hl7_time(instant(envelope.created_at))
        ours = ("WARMHANDOFF",), ("GATEWAY",)
        return Hl7Header(*ours, (endpoint.application,), (endpoint.facility,), at, envelope.message_id[:20])

    def relay(self, passed_on: PassedOn, endpoint: Endpoint) -> SendResult:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(passed_on.content)
        return SendResult("AA", sent=passed_on.content)


@dataclass
class Exchange:
    """A gateway that passes on to Mercy what the hospital and Aspen, a Part 2 program, tell of two known people."""

    world: World
    relay: RecordingRelay

    def work(self) -> list[tuple[str, str]]:
        """Return (state, reason) of every relay, oldest first."""
        return [(one.state, one.reason or "") for one in self.relays()]

    def relays(self) -> list[Work]:
        return [one for one in self.world.database.state.work.values() if one.kind == "relay"]

    def lines(self) -> list[str]:
        """Return the segments of the one message that Mercy got."""
        [sent] = self.relay.sent
        return sent.decode().split("\r")[:-1]

    def file(self, consent: dict[str, Any], n: int = 1) -> None:
        """File a consent of the n-th person with Aspen."""
        at, person = self.world.clock(), person_id(self.world, n)
        self.world.database.write(lambda tx: tx.resources.put(consent, handoff_id=None, person_id=person, at=at))

    def decisions(self) -> list[tuple[str, str]]:
        kept = self.world.database.state.decisions.values()
        return [
            (one.decision["decision"], one.decision["reason"])
            for one in kept
            if one.work_id in {work.id for work in self.relays()}
        ]


def an_exchange(*, rules: tuple[RelayRule, ...] = (TO_MERCY,), endpoint: dict[str, Any] | None = None) -> Exchange:
    a_world = a_feed_world()
    law = world(mercy={"endpoints": [{**MERCY, **(endpoint or {})}]})
    feeds = {
        "org:demo-hospital": Feed("EHR", "HOSPITAL", pass_on=rules),
        "org:aspen": Feed("LIS", "ASPEN", pass_on=rules),
    }
    known = [*a_world.house.registry, *(one for one in law if one.id in ("org:aspen", "org:mercy"))]
    registry = Registry(replace(one, feeds=(feeds[one.id],) if one.id in feeds else ()) for one in known)
    relay = RecordingRelay()
    house = replace(a_world.house, registry=registry, relay=relay)
    return Exchange(replace(a_world, house=house, gateway=Gateway(house)), relay)


def result(*segments: str, sender: str = "EHR|HOSPITAL", control_id: str = "O1", number: str = "M-1") -> bytes:
    header = f"MSH|^~\\&|{sender}|HIE|X|20261102095900-0800||ORU^R01|{control_id}|P|2.5.1"
    person = f"PID|1||{number}^^^HOSPITAL^MR||Sample^Ari||19900102|F"
    return "\r".join((header, person, *segments, "")).encode()


ASPEN = "LIS|ASPEN"
WITHOUT_SUD = a_consent(a_permit(provision=[{"type": "deny", "securityLabel": labels("SUD")}]))


def test_a_hospitals_result_goes_on_whole_in_our_own_envelope() -> None:
    exchange = an_exchange()

    told(exchange.world, result(*GLUCOSE))

    msh, *rest = exchange.lines()
    [work] = exchange.relays()
    assert rest == ["PID|1||M-1^^^HOSPITAL^MR||Sample^Ari||19900102|F", *GLUCOSE]
    assert msh == (
        f"MSH|^~\\&|WARMHANDOFF|GATEWAY|EHR|MERCY|20261102180000+0000||ORU^R01|{work.message_id[:20]}|P|2.5.1"
    )
    assert work.state == "delivered"


def test_a_programs_result_goes_on_with_consent_and_its_notice() -> None:
    exchange = an_exchange()
    exchange.file(a_consent())

    told(exchange.world, result(*GLUCOSE, *SCREEN, sender=ASPEN))

    assert "positive" in "".join(exchange.lines())
    assert any(STATEMENT_2 in line for line in exchange.lines())


def test_what_the_consent_leaves_out_goes_as_a_whole_group() -> None:
    exchange = an_exchange()
    exchange.file(WITHOUT_SUD)

    told(exchange.world, result(*GLUCOSE, *SCREEN, sender=ASPEN))

    assert [line[:3] for line in exchange.lines()] == ["MSH", "PID", "NTE", "NTE", "OBR", "OBX"]
    assert "positive" not in "".join(exchange.lines())


def test_a_programs_result_without_consent_is_refused_and_nothing_leaves() -> None:
    exchange = an_exchange()

    told(exchange.world, result(*GLUCOSE, sender=ASPEN))

    assert exchange.relay.sent == []
    assert [state for state, _ in exchange.work()] == ["refused"]
