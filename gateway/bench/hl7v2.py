"""How fast HL7v2 is read, answered and written, each beside a floor of the same run.

The message is an ADT^A01 that has every segment of its grammar (HL7 v2.5.1 ch. 3.3.1) filled; it is of nobody.
"""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from gateway.bench import hl7v2_maps, message_story, mllp_accept
from gateway.bench.admission import sample_admission
from gateway.formats.hl7v2 import Message, read_message
from gateway.formats.hl7v2.acknowledgement import acknowledge, receive
from gateway.formats.mllp_frames import FrameReader

Row = dict[str, str | float]

READS = (
    "MSH-4.1", "MSH-7.1", "MSH-9.1", "MSH-9.2", "MSH-10", "PID-3.1", "PID-3.4", "PID-5.1.1", "PID-5.2", "PID-7",
    "PID-8", "PV1-2", "PV1-19.1", "PV1-44",
)  # fmt: skip
"""What it takes to know who was admitted where: fourteen fields of three segments."""

_AT = datetime(2026, 11, 2, 18, tzinfo=UTC)
_PACKET_BYTES = 65536


def rows(seconds: float) -> Iterator[Row]:
    """Measure each row for about `seconds` and yield it."""
    message = sample_admission()
    fields = ("str.split of all segments and fields", lambda: _split(message))
    yield _row("hl7v2: parse + 14 reads", lambda: _read(message), fields, seconds, goal=">= 1")
    yield _row("hl7v2: judge and acknowledge", lambda: _answer(message), fields, seconds)
    long, short = _results(1000), _results(100)
    ten_short = ("ten ORU of 100 OBX: a ratio of 1 is linear", lambda: [_read_results(short) for _ in range(10)])
    yield _row("hl7v2: ORU of 1,000 OBX, five fields of each", lambda: _read_results(long), ten_short, seconds, "~ 1")
    stream = (b"\x0b" + message + b"\x1c\r") * 10
    blocks = ("bytes.split of the stream", lambda: stream.split(b"\x1c\r"))
    yield _row("mllp: 10 messages out of 64 KiB packets", lambda: _unframe(stream), blocks, seconds)
    yield from hl7v2_maps.rows(seconds)
    yield from mllp_accept.rows(seconds)
    yield from message_story.rows(seconds)


def _read(raw: bytes) -> list[str]:
    message = read_message(raw)
    assert isinstance(message, Message)
    return [message.text(path) for path in READS]


def _results(count: int) -> bytes:
    lines = [f"OBX|{n}|NM|8867-4^Heart rate^LN||7{n % 10}|/min^^UCUM|60-100|N|||F" for n in range(1, count + 1)]
    return "\r".join(("MSH|^~\\&|L|H|G|W|2026||ORU^R01|O1|P|2.5.1", "PID|1||M-1", "OBR|1", *lines, "")).encode("ascii")


def _read_results(raw: bytes) -> list[str]:
    message = read_message(raw)
    assert isinstance(message, Message)
    places = ("1", "3.1", "3.2", "5", "6.1")
    return [message.text(f"OBX[{n}]-{place}") for n in range(1, len(message.named("OBX")) + 1) for place in places]


def _split(raw: bytes) -> list[list[str]]:
    return [line.split("|") for line in raw.decode("ascii").split("\r")]


def _answer(raw: bytes) -> bytes:
    return acknowledge(raw, receive(raw), "A1", _AT)


def _unframe(stream: bytes) -> int:
    reader = FrameReader(1 << 26)
    return sum(len(reader.feed(stream[at : at + _PACKET_BYTES])) for at in range(0, len(stream), _PACKET_BYTES))


def _row(
    name: str, ours: Callable[[], object], floor: tuple[str, Callable[[], object]], seconds: float, goal: str = ""
) -> Row:
    """Measure both in turns, so that a busy machine slows both; each counts by its best turn."""
    floor_name, floor_work = floor
    turn_s = max(0.05, seconds / 20)
    best_ours = best_floor = 0.0
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        best_ours = max(best_ours, _per_second(ours, turn_s))
        best_floor = max(best_floor, _per_second(floor_work, turn_s))
    return {
        "row": name,
        "per_second": round(best_ours),
        "floor": floor_name,
        "floor_per_second": round(best_floor),
        "ratio": round(best_ours / best_floor, 3),
        "goal": goal,
    }


def _per_second(work: Callable[[], object], seconds: float) -> float:
    began = time.perf_counter()
    count = 0
    while (elapsed := time.perf_counter() - began) < seconds:
        for _ in range(20):
            work()
        count += 20
    return count / elapsed
