"""How fast HL7v2 is read, answered and written, each beside a floor of the same run.

The messages (`gateway.bench.admission`) are of nobody.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from gateway.bench import hl7v2_maps, message_story, mllp_accept
from gateway.bench.admission import sample_admission, sample_results
from gateway.bench.turns import Row, row
from gateway.formats.hl7v2 import Message, read_message
from gateway.formats.hl7v2.acknowledgement import acknowledge, receive
from gateway.formats.mllp_frames import FrameReader

READS = (
    "MSH-4.1", "MSH-7.1", "MSH-9.1", "MSH-9.2", "MSH-10", "PID-3.1", "PID-3.4", "PID-5.1.1", "PID-5.2", "PID-7",
    "PID-8", "PV1-2", "PV1-19.1", "PV1-44",
)  # fmt: skip
"""What it takes to know who was admitted where: fourteen fields of three segments."""

RESULT_READS = ((1, 0), (3, 1), (3, 2), (5, 0), (6, 1))
"""What it takes to know a result: five places (field, component; 0 the whole field) of each OBX."""

_AT = datetime(2026, 11, 2, 18, tzinfo=UTC)
_PACKET_BYTES = 65536


def rows(seconds: float) -> Iterator[Row]:
    """Measure each row for about `seconds` and yield it."""
    message = sample_admission()
    fields = ("str.split of all segments and fields", lambda: _split(message))
    yield row("hl7v2: parse + 14 reads", lambda: _read(message), fields, seconds, goal=">= 1")
    yield row("hl7v2: judge and acknowledge", lambda: _answer(message), fields, seconds)
    long, short = sample_results(1000), sample_results(100)
    ten_short = ("ten ORU of 100 OBX: a ratio of 1 is linear", lambda: [_read_results(short) for _ in range(10)])
    yield row("hl7v2: ORU of 1,000 OBX, five fields of each", lambda: _read_results(long), ten_short, seconds, "~ 1")
    stream = (b"\x0b" + message + b"\x1c\r") * 10
    blocks = ("bytes.split of the stream", lambda: stream.split(b"\x1c\r"))
    yield row("mllp: 10 messages out of 64 KiB packets", lambda: _unframe(stream), blocks, seconds)
    yield from hl7v2_maps.rows(seconds)
    yield from mllp_accept.rows(seconds)
    yield from message_story.rows(seconds)


def _read(raw: bytes) -> list[str]:
    message = read_message(raw)
    assert isinstance(message, Message)
    return [message.text(path) for path in READS]


def _read_results(raw: bytes) -> list[str]:
    message = read_message(raw)
    assert isinstance(message, Message)
    return [result.text(field, component) for result in message.named("OBX") for field, component in RESULT_READS]


def _split(raw: bytes) -> list[list[str]]:
    return [line.split("|") for line in raw.decode("ascii").split("\r")]


def _answer(raw: bytes) -> bytes:
    return acknowledge(raw, receive(raw), "A1", _AT)


def _unframe(stream: bytes) -> int:
    reader = FrameReader(1 << 26)
    return sum(len(reader.feed(stream[at : at + _PACKET_BYTES])) for at in range(0, len(stream), _PACKET_BYTES))
