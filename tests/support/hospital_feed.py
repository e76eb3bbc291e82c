"""What the invented hospital of the tests sends: ADT of any event about people it knows by its own numbers."""

from dataclasses import replace
from typing import Any

from gateway.flow.gateway import Gateway
from gateway.model.hl7_header import PeerAddress
from gateway.model.partner import Feed, Registry
from tests.support.flow_house import CONTACT, World, a_world

PEER = PeerAddress("127.0.0.1", 5000)
FEED = Feed("EHR", "HOSPITAL")
OTHER_CONTACT = {
    **CONTACT, "contact_id": "C-2", "client_id": "K-2", "last_name": "Example", "first_name": "Bo", "dob": "1985-05-05",
    "phone": "360-555-0102",
}  # fmt: skip
NAMES = {"M-1": "Sample^Ari||19900102|F", "M-2": "Example^Bo||19850505|F"}


def adt(
    event: str,
    control_id: str,
    *,
    number: str = "M-1",
    person: str = "",
    rest: str = "",
    at: str = "20261102120000-0800",
) -> bytes:
    """An ADT of the hospital; `person` is PID-5 to PID-8 and on, `rest` what follows PID."""
    return (
        f"MSH|^~\\&|EHR|HOSPITAL|WARMHANDOFF|GATEWAY|{at}||ADT^{event}|{control_id}|P|2.5.1\rEVN|{event}|{at}\r"
        f"PID|1||{number}^^^HOSPITAL^MR||{person or NAMES.get(number, '')}\r{rest or 'PV1|1|E|ED^^^HOSPITAL'}\r"
    ).encode()


def rri(referral: str, number: str, control_id: str) -> bytes:
    """The hospital's acceptance, by which it tells its number of the person."""
    return (
        f"MSH|^~\\&|EHR|HOSPITAL|WARMHANDOFF|GATEWAY|20261102110000-0800||RRI^I12|{control_id}|P|2.5.1\r"
        f"RF1|A|||||{referral}^WARMHANDOFF|||20261102110000-0800||H-{number}\rPRD|RT|Welcome^Nora\r"
        f"PID|1||{number}^^^HOSPITAL^MR||{NAMES.get(number, '')}\r"
    ).encode()


def take(world: World, message: bytes) -> tuple[str, str]:
    """Let the gateway take a message; return its state and reason."""
    acknowledged = world.gateway.accept_message(message, PEER)
    assert b"|AA|" in acknowledged or b"|AE|" in acknowledged
    world.work()
    newest = list(world.database.state.inputs)[-1]
    record = world.database.read(lambda tx: tx.inputs.records(newest))[0]
    return record.state, record.reason or ""


def with_feed(world: World, organization: str = "org:demo-hospital", feed: Feed = FEED) -> World:
    """The same world, in which this feed is that organization's and nobody else's."""
    registry = Registry(replace(one, feeds=(feed,) if one.id == organization else ()) for one in world.house.registry)
    house = replace(world.house, registry=registry)
    return replace(world, house=house, gateway=Gateway(house))


def a_world_that_knows_two() -> World:
    """Two people were referred to the hospital, and it told its numbers of both: M-1 and M-2."""
    world = with_feed(a_world())
    world.take(CONTACT)
    world.take(OTHER_CONTACT)
    for n, (disclosure, _, _) in enumerate(list(world.transport.sent), 1):
        assert (
            take(world, rri(_task(disclosure.content)["identifier"][0]["value"], f"M-{n}", f"R{n}"))[0] == "converted"
        )
    return world


def referral_status(world: World, n: int = 1) -> str:
    """Status of the referral of the n-th person."""
    task_id = _task(world.transport.sent[n - 1][0].content)["id"]
    referral = world.database.read(lambda tx: tx.referrals.get(task_id))
    assert referral is not None
    return referral.status


def person_id(world: World, n: int = 1) -> str:
    """Id of the person whom the n-th referral is about."""
    task_id = _task(world.transport.sent[n - 1][0].content)["id"]
    referral = world.database.read(lambda tx: tx.referrals.get(task_id))
    assert referral is not None
    return referral.person_id


def newest_input(world: World) -> str:
    """Id of the message that came last."""
    return list(world.database.state.inputs)[-1]


def _task(content: dict[str, Any]) -> dict[str, Any]:
    return next(e["resource"] for e in content["entry"] if e["resource"]["resourceType"] == "Task")
