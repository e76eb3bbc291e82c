"""The `hl7` package of others as our peer: what two programs of one house agree on proves little.

Its client talks to our listener, its server answers our sender, in original and in enhanced mode.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import hl7
import pytest
from hl7.client import MLLPClient
from hl7.mllp import start_hl7_server

from gateway.delivery.mllp_push import MllpPush
from gateway.delivery.mllp_sender import MllpSender
from gateway.flow.gateway import Gateway
from gateway.intake.mllp_listener import MllpListener, listen
from gateway.model.errors import WillNeverWork
from gateway.model.partner import Endpoint, Registry
from tests.doors.mllp_peers import admission
from tests.doors.test_mllp_push import DISCLOSURE, ENVELOPE
from tests.support.flow_house import CONTACT, NOW, World, a_world

_LARGEST = 1 << 24


class TheirServer:
    """Reads messages with their stream reader and answers each with what `answers` gives."""

    def __init__(self, answers: Callable[[Any], list[Any]]) -> None:
        self.received: list[Any] = []
        self.address = ("", 0)
        self._answers = answers
        self._listening = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._listening.wait(10)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await start_hl7_server(self._converse, "127.0.0.1", 0, limit=_LARGEST, encoding="utf-8")
        self.address = server.sockets[0].getsockname()[:2]
        self._listening.set()
        await self._stop.wait()
        server.close()

    async def _converse(self, reader: Any, writer: Any) -> None:
        try:
            while True:
                message = await reader.readmessage()
                self.received.append(message)
                for answer in self._answers(message):
                    writer.writemessage(answer)
                await writer.drain()
        except asyncio.IncompleteReadError:
            writer.close()


@contextmanager
def their_server(answers: Callable[[Any], list[Any]]) -> Iterator[TheirServer]:
    server = TheirServer(answers)
    try:
        yield server
    finally:
        server.close()


@contextmanager
def our_listener(world: World) -> Iterator[tuple[str, int]]:
    listener = MllpListener(listen("127.0.0.1", 0), clock=lambda: NOW, new_id=lambda: "DOOR1")
    listener.start(world.gateway.accept_message, world.gateway.keep_cut)
    try:
        yield listener.address
    finally:
        listener.drain(5)


def told(client: MLLPClient, message: bytes) -> Any:
    """Send by their client and read the answer by their parser."""
    block = client.send_message(message)
    assert (block[:1], block[-2:]) == (b"\x0b", b"\x1c\r")
    return hl7.parse(block[1:-2].decode())


def in_mode(accept: str, application: str, control_id: bytes = b"C1") -> bytes:
    return admission(control_id).replace(b"|2.5.1\r", f"|2.5.1|||{accept}|{application}\r".encode())


def test_their_client_gets_the_answer_of_original_mode_on_one_connection_after_the_other() -> None:
    world = a_world()
    with our_listener(world) as address, MLLPClient(*address) as client:
        answers = [told(client, admission(control_id)) for control_id in (b"C1", b"C2", b"C1")]

    assert [str(answer.segment("MSA")) for answer in answers] == ["MSA|AA|C1", "MSA|AA|C2", "MSA|AA|C1"]
    assert str(answers[0]) == str(answers[2])
    assert str(answers[0].segment("MSH")[9]) == "ACK^A01^ACK"
    assert str(answers[0].segment("MSH")[5]) == "WARD"
    assert len(world.database.state.inputs) == 2


@pytest.mark.parametrize(("accept", "application", "code"), [("AL", "NE", "CA"), ("NE", "AL", "AA"), ("SU", "", "CA")])
def test_their_client_gets_the_answer_it_asks_for_in_enhanced_mode(accept: str, application: str, code: str) -> None:
    with our_listener(a_world()) as address, MLLPClient(*address) as client:
        answer = told(client, in_mode(accept, application))

    assert str(answer.segment("MSA")) == f"MSA|{code}|C1"


def test_their_parser_reads_where_and_why_we_refuse() -> None:
    with our_listener(a_world()) as address, MLLPClient(*address) as client:
        answer = told(client, admission(b"C1").replace(b"ADT^A01^ADT_A01", b"XYZ^A01"))

    error = answer.segment("ERR")
    assert str(answer.segment("MSA")[1]) == "AR"
    assert (str(error[2]), str(error[3])) == ("MSH^1^9^1^1", "200^Unsupported message type^HL70357")


def test_a_message_that_they_built_is_kept_as_they_sent_it() -> None:
    world = a_world()
    built = hl7.parse(admission(b"C7").decode())
    built.assign_field("Grüße & \\F\\ mehr", "PID", 1, 5, 1, 1)
    built.segment("MSH").assign_field("UNICODE UTF-8", 18)
    with our_listener(world) as address, MLLPClient(*address) as client:
        answer = told(client, str(built).encode())

    (stored,) = world.database.state.inputs.values()
    assert str(answer.segment("MSA")) == "MSA|AA|C7"
    assert str(answer.segment("MSH")[18]) == "UNICODE UTF-8"
    assert stored.payload == str(built).encode()


def test_their_server_takes_what_we_send_and_its_answer_is_the_one_to_our_message() -> None:
    def stray_and_right(message: Any) -> list[Any]:
        late = message.create_ack("AE")
        late.assign_field("EARLIER", "MSA", 1, 2)
        return [late, message.create_ack("AA"), message.create_ack("AR")]

    with their_server(stray_and_right) as server, MllpSender(*server.address, timeout_s=10) as sender:
        codes = [sender.send(admission(one)).acknowledgement.code for one in (b"C1", b"C2")]

    assert codes == ["AA", "AA"]
    assert [str(one.segment("MSH")[10]) for one in server.received] == ["C1", "C2"]


def test_their_parser_finds_the_referral_in_what_we_write() -> None:
    with their_server(lambda message: [message.create_ack("AA")]) as server:
        push = MllpPush(10, application="WARMHANDOFF", facility="GATEWAY", processing_id="T")
        result = push.send(DISCLOSURE, Endpoint("hl7v2", "mllp://{}:{}".format(*server.address)), ENVELOPE)
        push.close()

    (message,) = server.received
    assert result.code == "AA"
    assert str(message.segment("MSH")[9]) == "REF^I12^REF_I12"
    assert str(message.segment("RF1")[6]).startswith("wh-ref-1")
    assert str(message).encode() == result.sent


def test_what_their_server_refuses_is_for_a_person() -> None:
    with their_server(lambda message: [message.create_ack("AE")]) as server:
        push = MllpPush(10, application="WARMHANDOFF", facility="GATEWAY", processing_id="T")
        with pytest.raises(WillNeverWork, match="AE"):
            push.send(DISCLOSURE, Endpoint("hl7v2", "mllp://{}:{}".format(*server.address)), ENVELOPE)
        push.close()


@pytest.mark.parametrize(("code", "state"), [("AA", "delivered"), ("AE", "dead")])
def test_enhanced_mode_from_end_to_end_ends_with_their_application_answer(code: str, state: str) -> None:
    with their_server(lambda message: [message.create_ack("CA")]) as server:
        link = Endpoint("hl7v2", "mllp://{}:{}".format(*server.address), application="THEIRS", facility="WARD")
        world = a_world_that_refers_to(link)
        world.take(CONTACT)
        after_commit = world.states()[0][1]
        (referral,) = server.received
        with our_listener(world) as address, MLLPClient(*address) as client:
            application = referral.create_ack(code, message_id="THEIRS-1")
            application.segment("MSH").assign_field("AL", 15)
            answered = told(client, str(application).encode())
        world.work()
        push_of(world).close()

    assert after_commit == "awaiting"
    assert (str(referral.segment("MSH")[15]), str(referral.segment("MSH")[16])) == ("AL", "AL")
    assert str(answered.segment("MSA")) == "MSA|CA|THEIRS-1"
    assert world.states()[0][1] == state


def test_our_application_answer_reaches_their_server_over_the_reply_link() -> None:
    with their_server(lambda message: [message.create_ack("CA")]) as server:
        link = Endpoint("hl7v2", "mllp://{}:{}".format(*server.address), application="WARD", facility="HARBOR")
        world = a_world_that_refers_to(link)
        with our_listener(world) as address, MLLPClient(*address) as client:
            first = told(client, in_mode("AL", "AL"))
        world.work()
        push_of(world).close()

    (second,) = server.received
    assert str(first.segment("MSA")) == "MSA|CA|C1"
    assert str(second.segment("MSA")) == "MSA|AA|C1"


def a_world_that_refers_to(endpoint: Endpoint) -> World:
    """The starter, whose hospital has this endpoint, in enhanced mode, instead of its own."""
    world = a_world()
    old = world.house.registry.organizations["org:demo-hospital"].endpoints[0]
    new = replace(endpoint, acknowledgement="enhanced", verified=old.verified, stores_nte=True)
    registry = Registry(
        replace(one, endpoints=(new,)) if one.id == "org:demo-hospital" else one for one in world.house.registry
    )
    routes = tuple(replace(one, transport="hl7v2") for one in world.house.routes)
    push = MllpPush(10, application="WARMHANDOFF", facility="GATEWAY", processing_id="T")
    house = replace(
        world.house, registry=registry, routes=routes, transports={"hl7v2": push}, acknowledge=push.acknowledge
    )
    return replace(world, house=house, gateway=Gateway(house))


def push_of(world: World) -> MllpPush:
    push = world.house.transports["hl7v2"]
    assert isinstance(push, MllpPush)
    return push
