"""Mutate messages and see that nothing but `Unreadable` ever comes of it: `python -m tests.fuzz.hl7v2 --seconds 600`.

Every input is made from the corpus by a seeded random number generator, so a failure is found again by its number.
"""

import argparse
import gc
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from gateway.flow.gateway import Gateway
from gateway.formats.hl7v2 import Message, Unreadable, read_message
from gateway.formats.hl7v2.acknowledgement import acknowledge, read_acknowledgement, receive
from gateway.formats.hl7v2.batches import split_batch
from gateway.formats.hl7v2.conformance import conformance_of
from gateway.formats.hl7v2.envelopes import batch_answer
from gateway.formats.mllp_frames import Event, Frame, FrameReader, frame
from gateway.model.hl7_header import PeerAddress
from tests.support.feed_world import a_feed_world
from tests.support.flow_house import NOW, World

CORPUS = Path(__file__).parent / "corpus"
PEER = PeerAddress("127.0.0.1", 5000)
LONGEST_BYTES = 200_000
MOST_SECONDS = 2.0
"""Of processor time for one input."""
_A_WORLD_LASTS = 60

TOKENS = (
    b"\r", b"\n", b"\r\n", b"|", b"^", b"~", b"\\", b"&", b"#", b'""', b"\x0b", b"\x1c", b"\x1c\r", b"\x0bMSH|",
    b"MSH|", b"MSH", b"FHS|^~\\&|", b"BHS|", b"BTS|9", b"FTS|", b"PID|", b"CON|1|", b"MSA|AA|", b"ERR|", b"\\F\\",
    b"\\X0D\\", b"\\X0B1C\\", b"\\.br\\", b"\\.sp99999999\\", b"\\.sk-5\\", b"\\E\\", b"\\C2842\\", b"\x00", b"\x1b$B",
    b"\xff\xfe", b"\xef\xbb\xbf", b"\xc3\x28", b"\xed\xa0\x80", b"\xe2\x80\xa8", b"UNICODE UTF-8", b"8859/5",
    b"GB 18030-2000", b"2.5.1^USA", b"2.99", b"|" * 300, b"^" * 300, b"~" * 300, b"&" * 300, b"9" * 400, b"ADT^A40",
    b"RRI^I12", b"ACK", b"20261102101500-0800", b"99999999999999", b"-", b"0",
)  # fmt: skip


def corpus() -> list[bytes]:
    """Return the messages that everything is made of."""
    return [path.read_bytes() for path in sorted(CORPUS.glob("*.hl7"))]


def mutations(seeds: list[bytes], chance: random.Random) -> Iterator[bytes]:
    """Make one input after the other, for ever: first what the corpus holds, then changes of it upon changes."""
    yield from seeds
    while True:
        made = chance.choice(seeds)
        for _ in range(1 + int(chance.expovariate(0.4))):
            made = chance.choice(_CHANGES)(made, seeds, chance)[:LONGEST_BYTES]
        yield made


Change = Callable[[bytes, list[bytes], random.Random], bytes]


def _span(made: bytes, chance: random.Random) -> tuple[int, int]:
    begin = chance.randrange(len(made) + 1)
    return begin, min(len(made), begin + int(chance.expovariate(0.1)))


def _put(made: bytes, _: list[bytes], chance: random.Random) -> bytes:
    begin, end = _span(made, chance)
    return made[:begin] + chance.choice(TOKENS) + made[chance.choice((begin, end)) :]


def _cut(made: bytes, _: list[bytes], chance: random.Random) -> bytes:
    begin, end = _span(made, chance)
    return made[:begin] + made[end:]


def _truncate(made: bytes, _: list[bytes], chance: random.Random) -> bytes:
    return made[: _span(made, chance)[0]]


def _repeat(made: bytes, _: list[bytes], chance: random.Random) -> bytes:
    begin, end = _span(made, chance)
    return made[:begin] + made[begin:end] * chance.choice((2, 3, 50)) + made[end:]


def _flip(made: bytes, _: list[bytes], chance: random.Random) -> bytes:
    changed = bytearray(made)
    for _time in range(min(len(made), chance.choice((1, 1, 4)))):
        changed[chance.randrange(len(made))] = chance.randrange(256)
    return bytes(changed)


def _swap_lines(made: bytes, _: list[bytes], chance: random.Random) -> bytes:
    lines = made.split(b"\r")
    chance.shuffle(lines)
    return b"\r".join(lines)


def _splice(made: bytes, seeds: list[bytes], chance: random.Random) -> bytes:
    other = chance.choice(seeds)
    return made[: _span(made, chance)[0]] + other[_span(other, chance)[0] :]


def _substitute(made: bytes, _: list[bytes], chance: random.Random) -> bytes:
    return made.replace(bytes([chance.choice(b"|^~\\&\r")]), bytes([chance.randrange(256)]))


_CHANGES: tuple[Change, ...] = (_put, _put, _cut, _truncate, _repeat, _flip, _swap_lines, _splice, _substitute)


def codec(raw: bytes, _: random.Random) -> None:
    """What can be read keeps its bytes, shows every place, and says the same when written out and read again."""
    message = read_message(raw)
    if isinstance(message, Unreadable):
        return
    assert message.raw is raw
    for segment in message.segments:
        for field in range(len(segment.fields)):
            for repetition in range(1, min(segment.repetitions(field), 5) + 1):
                segment.text(field, 1, 1, repetition)
                segment.state(field, 2, 0, repetition)
    written = message.normalized()
    again = read_message(written)
    assert isinstance(again, Message), "what was written out is no message any more"
    assert again.normalized() == written
    assert [one.fields for one in again.segments] == [one.fields for one in message.segments]


def batches(raw: bytes, _: random.Random) -> None:
    """No byte is lost in cutting a batch, and its answer is a batch, a file or nothing, which counts right."""
    batch = split_batch(raw)
    assert b"".join(content for _, content in batch.pieces) == raw
    if batch.is_batch:
        answers = [acknowledge(one, receive(one), "K1", NOW) for one in batch.messages]
        answered = batch_answer(batch, answers, "K2", NOW)
        assert answered[:3] in (b"", b"BHS", b"FHS")
        assert split_batch(answered).miscounted() == []


def frames(raw: bytes, chance: random.Random) -> None:
    """Any cut of a stream gives the same blocks, and each can go out again unless it holds block marks."""
    stream = b"\x0b" + raw + b"\x1c\r"
    whole = FrameReader(50_000)
    expected = whole.feed(stream) + whole.close()
    pieces = FrameReader(50_000)
    found: list[Event] = []
    at = 0
    while at < len(stream):
        step = chance.choice((1, 2, 3, 100, 5000))
        found += pieces.feed(stream[at : at + step])
        at += step
    found += pieces.close()
    assert found == expected
    assert pieces.discarded_bytes == whole.discarded_bytes
    for event in expected:
        if isinstance(event, Frame) and b"\x0b" not in event.content and b"\x1c" not in event.content:
            assert FrameReader(LONGEST_BYTES).feed(frame(event.content)) == [event]


def answers(raw: bytes, _: random.Random) -> None:
    """An answer can be read by its receiver, matches the message it answers, and is short."""
    read_acknowledgement(raw)
    reception = receive(raw)
    answer = acknowledge(raw, reception, "K1", NOW)
    if not answer:
        return
    read = read_acknowledgement(answer)
    assert read is not None, "an answer that nobody can read"
    message = read_message(raw)
    if isinstance(message, Message):
        # Control characters cannot go back: one of them could end the block.
        sent = (message.raw_value("MSH-10") or "").strip()
        assert not sent.isprintable() or sent.encode(message.codec) in answer
    assert len(answer) <= 4096 + 40 * len(raw[: raw.find(b"\r") if b"\r" in raw else None])
    assert answer.count(b"\rMSA") == 1


def standard(raw: bytes, _: random.Random) -> None:
    """Whatever can be read can be held against the standard."""
    message = read_message(raw)
    if isinstance(message, Message):
        assert all(one.location and one.rule for one in conformance_of(message))


class Acceptance:
    """The gateway takes it, answers, does what follows, shows it, and answers the same when it comes again.

    It knows two people, and all packs: what is about them becomes records.
    """

    def __init__(self) -> None:
        self._world: World | None = None
        self._taken = 0

    def __call__(self, raw: bytes, _: random.Random) -> None:
        """Raise whatever the gateway did not foresee: the house of the tests passes it on."""
        if self._world is None or self._taken % _A_WORLD_LASTS == 0:
            self._world = a_feed_world()
        self._taken += 1
        gateway: Gateway = self._world.gateway
        first = gateway.accept_message(raw, PEER)
        self._world.work()
        page = gateway.console_message(("staff-1", "staff"), next(reversed(self._world.database.state.inputs)))
        assert page is not None
        assert all(one.status and one.rule for one in page.fields)
        header = receive(raw).header
        if header is not None and header.control_id and b"|AE|" not in first:
            assert gateway.accept_message(raw, PEER) == first
        # A queue that grows without end would make every further input slower.
        waiting = self._world.database.read(lambda tx: tx.outbox.of_states(["ready", "sending"]))
        assert waiting == []


Target = Callable[[bytes, random.Random], None]


def targets() -> dict[str, Target]:
    """Return what is tried, by name; the last is the slowest."""
    return {
        "codec": codec, "batches": batches, "frames": frames, "answers": answers, "standard": standard,
        "acceptance": Acceptance(),
    }  # fmt: skip


def run(seconds: float, seed: int) -> int:
    """Try inputs for so long and return how many; raises AssertionError with the input that did it."""
    chance = random.Random(seed)
    tried = 0
    ends_at = time.monotonic() + seconds
    chosen = targets()
    # A collection that looks through all that other tests have left behind would count as the time of an input.
    gc.collect()
    gc.freeze()
    for raw in mutations(corpus(), chance):
        if time.monotonic() >= ends_at:
            break
        tried += 1
        for name, target in chosen.items():
            if name == "acceptance" and tried % 10:
                continue
            _try(name, target, raw, chance, tried)
    gc.unfreeze()
    return tried


def _try(name: str, target: Target, raw: bytes, chance: random.Random, number: int) -> None:
    began = time.thread_time()
    try:
        target(raw, chance)
    except Exception as error:
        raise AssertionError(f"{name} failed on input {number} ({type(error).__name__}): {raw!r}") from error
    took_s = time.thread_time() - began
    assert took_s < MOST_SECONDS, f"{name} took {took_s:.1f} s for input {number}: {raw[:2000]!r}"


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=None, help="default: another one each time")
    chosen = parser.parse_args()
    seed = chosen.seed if chosen.seed is not None else time.time_ns()
    print(f"seed {seed}", file=sys.stderr)
    print(f"{run(chosen.seconds, seed)} inputs")


if __name__ == "__main__":
    main()
