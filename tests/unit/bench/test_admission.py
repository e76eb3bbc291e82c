"""The messages of the HL7v2 benches are what their rows say: sound, of every mapped segment, of eleven resources."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from gateway.bench.admission import sample_admission, usual_admission
from gateway.catalog.hl7v2_packs import read_hl7_packs
from gateway.catalog.profiles import load_checker
from gateway.formats.hl7v2 import Message, read_message
from gateway.formats.hl7v2.maps import FeedContext, FeedResult, read_feed
from gateway.validation.second_opinion import second_opinion

NOT_MAPPED = {"SFT", "DB1", "GT1", "IN2", "PDA", "ZPV"}
"""Segments of which the pack makes no element."""


def _read(raw: bytes) -> FeedResult:
    message = read_message(raw)
    assert isinstance(message, Message)
    return read_feed(message, read_hl7_packs().packs["adt"], FeedContext(b"key", datetime(2026, 11, 2, tzinfo=UTC)))


def test_the_usual_admission_has_every_mapped_segment_of_the_full_one_and_no_other() -> None:
    full = [segment.id for segment in _read(sample_admission()).message.segments]
    usual = [segment.id for segment in _read(usual_admission()).message.segments]

    assert list(dict.fromkeys(usual)) == [name for name in dict.fromkeys(full) if name not in NOT_MAPPED]


@pytest.mark.parametrize(("admission", "count"), [(usual_admission, 12), (sample_admission, 17)])
def test_an_admission_becomes_valid_resources(admission: Callable[[], bytes], count: int) -> None:
    result = _read(admission())

    assert len(result.resources) == count
    assert load_checker().check(result.bundle(), {}).errors == ()
    assert len(second_opinion(result.bundle())) == 0
