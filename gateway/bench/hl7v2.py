"""How fast HL7v2 is read, answered and written, each beside a floor of the same run.

The message is an ADT^A01 that has every segment of its grammar (HL7 v2.5.1 ch. 3.3.1) filled; it is of nobody.
"""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

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
    stream = (b"\x0b" + message + b"\x1c\r") * 10
    blocks = ("bytes.split of the stream", lambda: stream.split(b"\x1c\r"))
    yield _row("mllp: 10 messages out of 64 KiB packets", lambda: _unframe(stream), blocks, seconds)


def sample_admission() -> bytes:
    """Make an ADT^A01 of invented people with the segments that a hospital fills."""
    person = "Testperson&van&Testperson^Alma^Rae^^Ms^^L^^^20200101~Mockname^Al^^^^^N"
    address = "1 Example Way^Unit 2^Sample City^WA^98000^USA^H^^KING~2 Sample Road^^Sample City^WA^98001^USA^B"
    doctor = "9999900100^Sampledoc^Sam^S^III^Dr^MD^^NPI&2.999.1&ISO^L^^^NPI^Sample Hospital&2.999.2&ISO"
    code = "R45.851^Suicidal ideations^I10C"
    procedure = "90839^Psychotherapy for crisis^C4"
    place = "ED^01^A^SAMPLE HOSPITAL^^N^B1^1"
    lines = [
        "MSH|^~\\&|ADT^2.999.3^ISO|SAMPLE HOSPITAL^2.999.2^ISO|GATEWAY|WH|20261102101500-0800||ADT^A01^ADT_A01"
        "|M1|P|2.5.1|||AL|NE|USA",
        "SFT|Sample Vendor|1.0|Sample Engine|1.0",
        f"EVN|A01|20261102101500-0800||01^Patient request^HL70062|{doctor}|20261102101400-0800",
        f"PID|1||M-1^5^M11^SAMPLE&2.999.4&ISO^MR~S-2^^^STATE^SR||{person}|Sample^Mother|19900101|F|{person}"
        f"|2106-3^White^HL70005|{address}||206-555-0100^PRN^PH~^NET^Internet^alma@example.org|206-555-0101^WPN^PH"
        "|eng^English|S|||ACC-1^^^SAMPLE^AN",
        f"PD1|S|A|Sample Practice^^001|{doctor}||||||||N",
        f"ROL|1|AD|PP^Primary Care Provider^HL70443|{doctor}|20260101||||||{address}|206-555-0150^WPN^PH",
        *[f"NK1|{n}|{person}|SIS^Sister^HL70063|{address}|206-555-010{n}^PRN^PH||EC^Emergency contact" for n in (1, 2)],
        f"PV1|1|E|{place}|E|||{doctor}|{doctor}|{doctor}|MED||||7|||{doctor}|EM|V-1^^^SAMPLE^VN"
        + "|" * 25
        + "20261102101500-0800",
        f"PV2||^Semi-private|{code}||||||20261104||||Police transport" + "|" * 12 + "2",
        f"ROL|2|AD|AT^Attending^HL70443|{doctor}|20261102||||||{address}|206-555-0151^WPN^PH",
        f"DB1|1|PT|DB-1^^^SAMPLE|Y|20260830|20270930|{place}",
        *[f"OBX|{n}|NM|8867-4^Heart rate^LN||7{n}|/min^^UCUM|60-100|N|||F|||20261102101500|||{doctor}" for n in (1, 2)],
        *[f"AL1|{n}|DA|70618^Penicillin^RXNORM|MO|Hives|20100101" for n in (1, 2)],
        *[f"DG1|{n}||{code}|Suicidal ideations|20261102|A||||||||||{doctor}" for n in (1, 2)],
        f"PR1|1||{procedure}|Psychotherapy for crisis|20261102|D||{doctor}|||{doctor}|{doctor}||1|{code}",
        f"ROL|3|AD|PP^Primary Care Provider^HL70443|{doctor}|20260101||||||{address}|206-555-0152^WPN^PH",
        f"GT1|1|G-1^^^SAMPLE|{person}||{address}|206-555-0100||19900101|F||SLF^Self^HL70063|||||{person}|{address}",
        *[
            f"IN1|{n}|PLAN{n}^Sample plan|PAYER-{n}|Sample Payer|{address}||206-555-0199|GRP-{n}||||20260101|||HMO"
            f"|{person}|SLF|19900101|{address}|||1||||||||||||||POL-{n}"
            for n in (1, 2)
        ],
        f"IN2||999-99-9999|||I^Insurance company|||{person}" + "|" * 20 + f"{person}" + "|" * 14 + "206-555-0198",
        f"ACC|20261102101000||Example Way||Y|N|{doctor}|Found in a park||Y|{address}",
        f"PDA|{code}|{place}|N||{doctor}",
        "ZPV|1|local|values|kept",
    ]
    return "".join(f"{line}\r" for line in lines).encode("ascii")


def _read(raw: bytes) -> list[str]:
    message = read_message(raw)
    assert isinstance(message, Message)
    return [message.text(path) for path in READS]


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
