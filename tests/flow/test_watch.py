"""Feeds of a whole population: what is dropped, what never is, and that no answer tells which (docs/hl7v2.md)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest

from gateway.flow.gateway import Gateway
from gateway.flow.messages.watch import GROUP
from gateway.flow.people import PERSON_ID
from gateway.model.partner import Endpoint, Feed, Registry
from gateway.ports import Transaction
from tests.support.flow_house import World
from tests.support.hospital_feed import PEER, a_world_that_knows_two, adt, person_id

T = TypeVar("T")

STRANGER = "Stranger^Max||19700101|M"
LINK = Endpoint("hl7v2", "mllp://127.0.0.1:2595", application="EHR", facility="HOSPITAL")


def a_watched_world(*, unwatched: str = "drop", endpoint: Endpoint | None = None) -> World:
    """The hospital's EHR sends about everybody it sees; two of them are known here as M-1 and M-2."""
    world = a_world_that_knows_two()
    feed = Feed("EHR", "HOSPITAL", keeps_unwatched=unwatched == "keep")
    registry = Registry(
        replace(one, feeds=(feed,), endpoints=(*one.endpoints, *([endpoint] if endpoint else ())))
        if one.id == "org:demo-hospital"
        else one
        for one in world.house.registry
    )
    house = replace(world.house, registry=registry)
    return replace(world, house=house, gateway=Gateway(house))


def is_dropped(world: World, message: bytes) -> bool:
    before = len(world.database.state.inputs)
    world.gateway.accept_message(message, PEER)
    world.work()
    return len(world.database.state.inputs) == before


def dropped(world: World) -> list[tuple[str, str, str, int]]:
    since = world.clock().date() - timedelta(days=7)
    counts = world.database.read(lambda tx: tx.feeds.dropped(since))
    return [(one.organization, one.feed, one.day.isoformat(), one.dropped) for one in counts]


def test_an_admission_of_nobody_we_know_is_answered_counted_and_not_stored() -> None:
    world = a_watched_world()
    before = world.database.state.copy()

    answer = world.gateway.accept_message(adt("A01", "E1", number="M-9", person=STRANGER), PEER)
    after = world.database.state.copy()
    world.gateway.finish()

    assert b"MSA|AA|E1" in answer
    assert before == after
    assert dropped(world) == [("org:demo-hospital", "EHR^HOSPITAL", "2026-11-02", 1)]


def test_a_feed_that_states_nothing_keeps_everything() -> None:
    world = a_watched_world(unwatched="keep")

    assert not is_dropped(world, adt("A01", "E1", number="M-9", person=STRANGER))


def test_a_sender_that_nobody_registered_keeps_everything() -> None:
    world = a_watched_world()
    message = adt("A01", "E1", number="M-9", person=STRANGER).replace(b"EHR|HOSPITAL", b"EHR|ELSEWHERE", 1)

    assert not is_dropped(world, message)


def test_every_event_is_dropped_but_those_that_change_who_is_who() -> None:
    world = a_watched_world()
    events = [f"A{number:02}" for number in range(1, 63)]

    kept = [event for event in events if not is_dropped(world, adt(event, event, number="M-9", person=STRANGER))]

    assert kept == [
        "A18", "A24", "A30", "A34", "A35", "A36", "A37", "A39", "A40", "A41", "A42", "A43", "A44", "A45", "A46", "A47",
        "A48", "A49", "A50", "A51",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def watched() -> World:
    """One world for messages that leave nothing behind by which a later one could be known."""
    return a_watched_world()


@pytest.mark.parametrize(
    "pid",
    [
        "PID|1||M-1^^^HOSPITAL^MR||Stranger^Max||19700101|M",
        "PID|1||M-9^^^HOSPITAL^MR~M-1^^^ELSEWHERE^MR||Stranger^Max||19700101|M",
        "PID|1|M-1|M-9^^^HOSPITAL^MR||Stranger^Max||19700101|M",
        "PID|1||M-9^^^HOSPITAL^MR|M-8~M-1|Stranger^Max||19700101|M",
        "PID|1||M-9^^^HOSPITAL^MR||Stranger^Max||19700101|M" + "|" * 10 + "M-1^^^HOSPITAL^AN",
        "PID|1||M-9^^^HOSPITAL^MR||Baby^Max||20261102|M" + "|" * 13 + "M-1^^^HOSPITAL^MR",
        "PID|1||M-9^^^HOSPITAL^MR||Stranger^Max||19700101|M\rMRG|M-1^^^HOSPITAL^MR",
        "PID|1||M-9^^^HOSPITAL^MR||Stranger^Max||19700101|M\rNK1|1" + "|" * 32 + "M-1^^^HOSPITAL^MR",
        "PID|1||M-9^^^HOSPITAL^MR||Sample^Ari||19900102|F",
        "PID|1||M-9^^^HOSPITAL^MR||SAMPLE^A||19900102",
        "PID|1||M-9^^^HOSPITAL^MR||Ari^Sample||19900102",
        "PID|1||M-9^^^HOSPITAL^MR||Sample^Ari||1990",
        "PID|1||M-9^^^HOSPITAL^MR||Sample^Ari",
        "PID|1||M-9^^^HOSPITAL^MR||Married^Ari~Sample^Ari^^^^^M||19900102|F",
        "PID|1||M-9^^^HOSPITAL^MR||Married^Ari||19900102|F|Sample^Ari",
        "PID|1||M-9^^^HOSPITAL^MR||Stranger^Max||19700101|M\rPID|2||M-1^^^HOSPITAL^MR||Sample^Ari||19900102|F",
        "PID|1||M-9^^^HOSPITAL^MR",
        "ZZZ|no person at all",
    ],
)
def test_whoever_could_be_known_is_never_dropped(pid: str, watched: World) -> None:
    message = adt("A02", f"E{len(watched.database.state.inputs)}").decode()
    header, _, rest = message.partition("PID|")

    assert not is_dropped(watched, f"{header}{pid}\r{rest.partition(chr(13))[2]}".encode())


def test_somebody_of_a_known_name_who_was_born_on_another_day_is_a_stranger() -> None:
    world = a_watched_world()

    assert is_dropped(world, adt("A01", "E1", number="M-9", person="Sample^Ari||19700101|F"))


def test_our_own_number_under_any_name_is_never_dropped() -> None:
    world = a_watched_world()
    person = world.database.read(lambda tx: tx.people.get(person_id(world)))
    assert person is not None
    own = next(value for system, value in person.identifiers if system == PERSON_ID)

    assert not is_dropped(world, adt("A01", "E1", number=own, person=STRANGER))


def test_the_surviving_number_of_a_merge_that_waits_is_never_dropped() -> None:
    world = a_watched_world()
    bears_it = adt("A01", "E2", number="M-9", person=STRANGER)

    before = is_dropped(world, bears_it)
    world.gateway.accept_message(adt("A40", "E1", number="M-9", rest="MRG|M-1^^^HOSPITAL^MR"), PEER)
    world.work()

    assert before
    assert not is_dropped(world, bears_it.replace(b"|E2|", b"|E3|"))


@pytest.mark.parametrize(
    "message",
    [
        b"MSH|^~\\&|EHR|HOSPITAL|WARMHANDOFF|GATEWAY|20261102120000-0800||ORU^R01|E1|P|2.5.1\r"
        b"PID|1||M-9^^^HOSPITAL^MR||Stranger^Max||19700101|M\rOBR|1\r",
        b"MSH|^~\\&|EHR|HOSPITAL|WARMHANDOFF|GATEWAY|20261102120000-0800||RRI^I12|E1|P|2.5.1\rRF1|A\r",
        b"MSH|^~\\&|EHR|HOSPITAL|WARMHANDOFF|GATEWAY|yesterday||ADT^A01|E1|P|2.5.1\r"
        b"PID|1||M-9^^^HOSPITAL^MR||Stranger^Max||19700101|M\r",
        b"MSH|^~\\&|EHR|HOSPITAL|WARMHANDOFF|GATEWAY|20261102120000-0800||ADT^A01||P|2.5.1\r"
        b"PID|1||M-9^^^HOSPITAL^MR||Stranger^Max||19700101|M\r",
    ],
)
def test_what_is_no_readable_adt_is_kept(message: bytes, watched: World) -> None:
    assert not is_dropped(watched, message)


def test_a_message_whose_sender_waits_for_an_application_answer_is_kept_and_gets_it() -> None:
    world = a_watched_world(endpoint=LINK)
    message = adt("A01", "E1", number="M-9", person=STRANGER).replace(b"|2.5.1\r", b"|2.5.1|||AL|AL\r", 1)

    kept = not is_dropped(world, message)

    assert (kept, len(world.transport.acknowledged)) == (True, 1)


def test_a_dropped_message_in_enhanced_mode_gets_its_accept_answer() -> None:
    world = a_watched_world()
    message = adt("A01", "E1", number="M-9", person=STRANGER).replace(b"|2.5.1\r", b"|2.5.1|||AL|NE\r", 1)

    assert b"MSA|CA|E1" in world.gateway.accept_message(message, PEER)


def test_the_same_message_again_gets_the_same_bytes_dropped_or_kept_and_also_after_a_crash() -> None:
    world = a_watched_world()
    stranger, known = adt("A01", "E1", number="M-9", person=STRANGER), adt("A01", "E2")

    first = [world.gateway.accept_message(one, PEER) for one in (stranger, known)]
    world.clock.advance(timedelta(days=1))
    restarted = Gateway(world.house)
    again = [restarted.accept_message(one, PEER) for one in (stranger, known)]

    assert first == again


def test_no_answer_tells_whether_its_person_is_known() -> None:
    """The same messages to a gateway that knows the person and to one that does not."""
    knows, knows_not = a_watched_world(), a_watched_world()
    _forget_everybody(knows_not)
    messages = [
        adt("A01", "E1"), adt("A08", "E1"), adt("A03", "E3"), adt("A03", "E3"), adt("A40", "E1"),
        adt("A01", "E5").replace(b"|2.5.1\r", b"|2.5.1|||AL|NE\r", 1),
        b"MSH|^~\\&|EHR|HOSPITAL|||20261102||ADT|E5|P|9\r",
    ]  # fmt: skip

    answers = [[_without_id(w.gateway.accept_message(one, PEER)) for one in messages] for w in (knows, knows_not)]

    assert answers[0] == answers[1]
    assert len(knows_not.database.state.inputs) < len(knows.database.state.inputs)


def test_the_same_id_with_other_content_is_kept_for_a_person_though_its_sender_is_not_told() -> None:
    world = a_watched_world()
    world.gateway.accept_message(adt("A01", "E1"), PEER)

    answer = world.gateway.accept_message(adt("A03", "E1"), PEER)

    newest = list(world.database.state.inputs.values())[-1]
    assert b"MSA|AA|E1" in answer
    assert (newest.state, "205" in (newest.reason or "")) == ("quarantined", True)


class Counting:
    """A database that counts how often it is written."""

    def __init__(self, world: World) -> None:
        self._database = world.database
        self.writes = 0

    def write(self, work: Callable[[Transaction], T]) -> T:
        self.writes += 1
        return self._database.write(work)

    def read(self, work: Callable[[Transaction], T]) -> T:
        return self._database.read(work)


def test_dropping_writes_nothing_but_its_counts_in_groups() -> None:
    world = a_watched_world()
    counting = Counting(world)
    gateway = Gateway(replace(world.house, database=counting))

    for number in range(GROUP + 1):
        gateway.accept_message(adt("A08", f"E{number}", number=f"N-{number}", person=STRANGER), PEER)

    assert counting.writes == 1
    assert dropped(world)[0][3] == GROUP


def test_a_count_is_written_when_it_has_waited_long_enough() -> None:
    world = a_watched_world()
    world.gateway.accept_message(adt("A08", "E1", number="M-9", person=STRANGER), PEER)

    world.gateway.do_chores()
    early = dropped(world)
    world.clock.advance(timedelta(seconds=31))
    world.gateway.do_chores()

    assert (early, dropped(world)[0][3]) == ([], 1)


def _forget_everybody(world: World) -> None:
    world.database.state.people.clear()


def _without_id(answer: bytes) -> bytes:
    """Leave out MSH-7 and MSH-10 of an answer that is no acceptance: it is made anew each time."""
    fields = answer.split(b"|")
    return answer if b"MSA|AA|" in answer or b"MSA|CA|" in answer else b"|".join(fields[:6] + fields[7:9] + fields[10:])
