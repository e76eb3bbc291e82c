"""The invented hospital as a registered feed: what it tells of the two people it knows becomes records of theirs."""

from dataclasses import replace
from functools import cache
from typing import Any

from gateway.catalog.hl7v2_packs import Hl7Packs, read_hl7_packs
from gateway.flow.gateway import Gateway
from gateway.model.handoff import Handoff, InputRecord
from gateway.model.partner import Endpoint, Feed, Registry
from gateway.model.route import AlertRoute
from gateway.wiring.feeds import feed_reader
from tests.support.flow_house import KEY, World
from tests.support.hospital_feed import FEED, PEER, a_world_that_knows_two

HOSPITAL = "org:demo-hospital"


@cache
def packs() -> Hl7Packs:
    """The packs of the product."""
    return read_hl7_packs()


def a_feed_world(
    *, feed: Feed = FEED, alerts: tuple[AlertRoute, ...] = (), endpoints: dict[str, tuple[Endpoint, ...]] | None = None
) -> World:
    """Two people were referred to the hospital, which told its numbers M-1 and M-2 of them; its feed is registered."""
    world = a_world_that_knows_two()
    more = endpoints or {}
    registry = Registry(
        replace(
            one,
            feeds=(feed,) if one.id == HOSPITAL else (),
            endpoints=(*one.endpoints, *more.get(one.id, ())),
        )
        for one in world.house.registry
    )
    reader = feed_reader(packs(), KEY, "America/Los_Angeles", world.clock)
    house = replace(world.house, registry=registry, read_feed=reader, alerts=alerts)
    return replace(world, house=house, gateway=Gateway(house))


def told(world: World, message: bytes) -> InputRecord:
    """Let the gateway take a message and do its work; return what became of it."""
    world.gateway.accept_message(message, PEER)
    world.work()
    newest = list(world.database.state.inputs)[-1]
    return world.database.read(lambda tx: tx.inputs.records(newest))[0]


def records(world: World) -> list[Handoff]:
    """Return the records that feeds made."""
    return [one for one in world.database.state.handoffs.values() if one.program == "hl7v2"]


def kept(world: World, kind: str) -> list[dict[str, Any]]:
    """Return the current resources of a type that feeds told, without `meta`."""
    held = [key for each in records(world) for key in world.database.state.contents[each.id] if key[0] == kind]
    bodies = [world.database.state.resources[key].body for key in dict.fromkeys(held)]
    return [{name: value for name, value in body.items() if name != "meta"} for body in bodies if body is not None]
