"""Feeds, alerts and referrals to us tell an outsider nothing of what a Part 2 program wrote (42 CFR 2.13).

Each case is lived twice, with the program's part and without: the hospital answers its referral, a crisis center and
the hospital tell of the person, what the hospital tells is passed on to the center, the hospital refers the person to
us and asks how far that is. Every acknowledgement, alert, delivery, relay and answer must be the same bytes. The random
worlds are in `test_non_interference`.
"""

from dataclasses import replace
from datetime import date

import pytest

from gateway.flow.gateway import Gateway
from gateway.model.handoff import SendResult
from gateway.model.hl7_parts import PassedOn
from gateway.model.partner import Endpoint, Feed, Registry, RelayRule
from gateway.model.route import AlertRoute, Route
from gateway.wiring.feeds import feed_reader
from tests.support.feed_world import packs
from tests.support.flow_house import KEY
from tests.support.relay_world import RecordingRelay
from tests.support.two_worlds import (
    OFFICES,
    PEOPLE,
    RELEASES,
    Seen,
    Submission,
    TwoWorld,
    an_answer,
    case,
    contact,
    hidden_contact,
    without_fresh_ids,
)

NONE: frozenset[str] = frozenset()
FEEDS = {
    "org:demo-hospital": Feed(
        "EHR",
        "HOSPITAL",
        keeps_unwatched=False,
        pass_on=(RelayRule("org:demo-corresponders", ("TREAT",), frozenset({"ADT"})),),
    ),
    "org:demo-corresponders": Feed("CENTER", "CRISIS", keeps_unwatched=False),
}


class WireRelay(RecordingRelay):
    """Passes on to the wire that everything else goes out on."""

    def __init__(self, world: TwoWorld) -> None:
        super().__init__()
        self._world = world

    def relay(self, passed_on: PassedOn, endpoint: Endpoint) -> SendResult:
        """Keep what is sent among all that was."""
        self._world.wire.sent.append((endpoint.address, passed_on.content))
        return super().relay(passed_on, endpoint)


def a_world(*, has_program_part: bool) -> TwoWorld:
    """The two worlds' house with feeds that drop, alerts to whoever may know, and a route for referrals to us."""
    world = TwoWorld("fhir", has_program_part)
    house = world.gateway.house
    links = {
        "org:demo-hospital": Endpoint("hl7v2", "mllp://127.0.0.1:2596", application="EHR", facility="HOSPITAL"),
        "org:demo-corresponders": Endpoint("hl7v2", "mllp://127.0.0.1:2597", verified=date(2026, 1, 1)),
    }
    registry = Registry(
        replace(
            one,
            feeds=(FEEDS[one.id], *one.feeds) if one.id in FEEDS else one.feeds,
            endpoints=(*one.endpoints, *([links[one.id]] if one.id in links else [])),
        )
        for one in house.registry
    )
    alerts = tuple(
        AlertRoute("test", frozenset({"admitted", "registered", "discharged"}), NONE, NONE, to, "fhir", ("TREAT",))
        for to in ("org:demo-hospital", "org:demo-pd", *(f"org:{office}" for office in OFFICES))
    )
    inbound = Route(
        "test", frozenset({"hl7v2/ref"}), NONE, NONE, NONE, "org:demo-corresponders", "fhir", ("TREAT",), "policy"
    )
    world.gateway = Gateway(
        replace(
            house,
            registry=registry,
            alerts=alerts,
            routes=(*house.routes, inbound),
            read_feed=feed_reader(packs(), KEY, "America/Los_Angeles", world.clock),
            relay=WireRelay(world),
        )
    )
    return world


def adt(event: str, control_id: str, person: int, number: str, sender: str) -> bytes:
    who = PEOPLE[person]
    at = "20261102093000-0800"
    return (
        f"MSH|^~\\&|{sender}|WARMHANDOFF|GATEWAY|{at}||ADT^{event}|{control_id}|P|2.5.1\rEVN|{event}|{at}\r"
        f"PID|1||{number}^^^HOSPITAL^MR||{who['last_name']}^{who['first_name']}||{who['dob'].replace('-', '')}|F\r"
        f"PV1|1|E|ED^^^X{'|' * 16}V-{control_id}\rDG1|1||F11.20^Opioid dependence^I10C|||A\r"
    ).encode()


def ref(event: str, control_id: str, person: int, number: str) -> bytes:
    who = PEOPLE[person]
    return (
        f"MSH|^~\\&|EHR|HOSPITAL|WARMHANDOFF|GATEWAY|20261102093000-0800||REF^{event}|{control_id}|P|2.5.1\r"
        f"RF1|P|R|Psy|||REF-{person}\rPRD|RP|Sampledoc^Sam\rPRD|RT|Testhelper^Tess\r"
        f"PID|1||{number}^^^HOSPITAL^MR||{who['last_name']}^{who['first_name']}||{who['dob'].replace('-', '')}|F\r"
        "PR1|1||crisis-clinic^Crisis clinic^99WHSVC\r"
    ).encode()


def lived(world: TwoWorld, records: list[Submission], numbers: list[str]) -> bytes:
    """Live the story and return all that the hospital, the police and every peer of the HL7v2 port saw."""
    world.hand_in(records)
    seen: list[Seen] = [world.message(an_answer(number, "A", n)) for n, number in enumerate(numbers)]
    for person in range(3):
        for number in ("M-1", "M-9"):
            for event in ("A01", "A08", "A03", "A11"):
                for sender in ("EHR|HOSPITAL", "CENTER|CRISIS"):
                    control_id = f"{event}{person}{number}{sender[:1]}"
                    seen.append(world.message(adt(event, control_id, person, number, sender)))
    for event in ("I12", "I15", "I14"):
        seen.append(world.message(ref(event, event, 0, "M-1")))
    world.work()
    return without_fresh_ids([*seen, *world.wire.sent])


@pytest.mark.parametrize("release", ["not asked", "deficient", "taken back"])
@pytest.mark.parametrize("office", OFFICES)
def test_what_a_program_wrote_changes_nothing_that_feeds_cause(office: str, release: str) -> None:
    records = [
        contact(1, 0, "verbal", "mental_health"),
        case(2, 0, office, "SUD treatment", "stay sober", RELEASES[release]),
        case(3, 1, office, "SUD treatment", "", RELEASES[release]),
        hidden_contact(4, 0, office, "substance_use"),
        hidden_contact(5, 2, office, "substance_use"),
    ]
    full = a_world(has_program_part=True)
    full.hand_in(records)
    numbers = full.numbers()

    seen_full = lived(a_world(has_program_part=True), records, numbers)
    seen_bare = lived(a_world(has_program_part=False), records, numbers)

    assert seen_full == seen_bare


def test_the_story_has_an_alert_relays_and_answers() -> None:
    """Without them the comparison above would compare nothing."""
    records = [contact(1, 0, "verbal", "mental_health")]
    world = a_world(has_program_part=True)
    world.hand_in(records)

    seen = lived(a_world(has_program_part=True), records, world.numbers())

    assert b"The person was admitted" in seen
    assert seen.count(b"mllp://127.0.0.1:2597") > 3
    assert seen.count(b"MSA|AA|") > 40
