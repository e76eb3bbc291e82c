"""How fast an ADT^A01 becomes FHIR by its pack, is checked, and is written again; and whether a long ORU is linear.

The admission twice: as most senders fill it, and with all that fits in. Its floor splits every field of the message
and parses the same Bundle from JSON: whoever reads HL7v2 into FHIR has to look at all fields and to make all those
objects.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import orjson

from gateway.bench.admission import sample_admission, sample_results, usual_admission
from gateway.bench.turns import Row, row
from gateway.catalog.hl7v2_packs import read_hl7_packs
from gateway.catalog.profiles import load_checker
from gateway.formats import fhir_json
from gateway.formats.hl7v2 import Message, read_message
from gateway.formats.hl7v2.maps import (
    CompiledPack,
    FeedContext,
    FeedResult,
    OutgoingContext,
    Sender,
    read_feed,
    write_message,
)
from gateway.model.hl7_header import Hl7Header
from gateway.validation import Checker
from gateway.validation.second_opinion import second_opinion

_CONTEXT = FeedContext(
    b"the key of the benchmark",
    datetime(2026, 11, 2, 18, tzinfo=UTC),
    Sender("https://warmhandoff.example/id/partner", "sample-hospital"),
)
_HEADER = Hl7Header(("WH",), ("WH",), ("EHR",), ("SAMPLE HOSPITAL",), "20261102101500-0800", "M1")


def rows(seconds: float) -> Iterator[Row]:
    """Measure each row for about `seconds` of processor time and yield it."""
    packs, checker = read_hl7_packs().packs, load_checker()
    for filled, raw in (("usual fields", usual_admission()), ("all fields", sample_admission())):
        yield from _of_admission(filled, raw, packs["adt"], checker, seconds)
    yield _of_results(packs["oru"], seconds)


def _of_admission(filled: str, raw: bytes, pack: CompiledPack, checker: Checker, seconds: float) -> Iterator[Row]:
    def read() -> FeedResult:
        return _read(raw, pack)

    def read_and_check() -> FeedResult:
        result = read()
        checker.check(result.bundle(), {})
        return result

    def read_and_model() -> None:
        second_opinion(read_and_check().bundle())

    resources = read().resources
    encoded = fhir_json.dumps(read().bundle())

    def floor() -> object:
        return [line.split("|") for line in raw.decode("ascii").split("\r")], orjson.loads(encoded)

    what = f"ADT_A01, {filled} -> Bundle of {len(resources)} resources"
    beside = ("split of all fields, and the same Bundle parsed from JSON", floor)
    yield row(f"hl7v2: {what}", read, beside, seconds, ">= 2,000/s")
    yield row(f"hl7v2: {what}, checked", read_and_check, beside, seconds, ">= 1,000/s")
    yield row(f"hl7v2: {what}, checked, R4B models", read_and_model, beside, seconds, ">= 500/s")
    outgoing = OutgoingContext(_HEADER)
    yield row(
        f"hl7v2: Bundle -> ADT_A01, {filled}",
        lambda: write_message("ADT^A01", resources, pack, outgoing),
        beside,
        seconds,
    )


def _of_results(pack: CompiledPack, seconds: float) -> Row:
    long, short = sample_results(1000), sample_results(100)
    ten_short = ("ten ORU of 100 OBX: a ratio of 1 is linear", lambda: [_read(short, pack) for _ in range(10)])
    return row("hl7v2: ORU of 1,000 OBX -> Bundle", lambda: _read(long, pack), ten_short, seconds, "~ 1")


def _read(raw: bytes, pack: CompiledPack) -> FeedResult:
    message = read_message(raw)
    assert isinstance(message, Message)
    return read_feed(message, pack, _CONTEXT)
