"""Content that tries to be more than content: delimiters, ends of segments and frames, markup, and endless text.

Whatever somebody's name or words hold, a message has the segments it would have with a harmless name, and what
arrives is what was written or nothing.
"""

import os
from dataclasses import replace
from functools import cache
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.two_worlds import GOOD_RELEASE, Submission, TwoWorld, case, contact

EXAMPLES = int(os.environ.get("HOSTILE_EXAMPLES", "25"))

HOSTILE = {
    "delimiters": "A|B^C~D\\E&F",
    "a segment of its own": "Sample\rPID|2||EVIL||Other^Person",
    "an end of frame": "Sample\x1c\r\x0bMSH|^~\\&|EVIL",
    "escape sequences": "\\F\\\\X0D\\PID|9\\.br\\",
    "a delete": '""',
    "markup": "<script>alert('x')</script>&lt;img src=x onerror=y>",
    "a formula": '=HYPERLINK("http://evil.example")',
    "right to left": "\u202eelpmaS\u202c \u05d0\u05d1",
    "emoji": "Sample \U0001f469\u200d\U0001f692\U0001f3fd",
    "line separators": "Sample\u2028PID\u2029\x85OBX",
    "combining": "Z\u0351\u0300\u0301algo" * 20,
    "a template": "{{7*7}}${7*7}%s%n",
}


COLUMNS = ("last_name", "first_name", "goals", "address", "city", "phone")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_message_has_the_segments_of_a_harmless_one(text: str) -> None:
    (sent,) = messages("hl7v2", dict.fromkeys(COLUMNS, text))

    assert shape(sent) == shape(harmless())


@settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=60))
def test_no_text_at_all_breaks_out_of_its_field(text: str) -> None:
    for sent in messages("hl7v2", {"last_name": text, "goals": text}):
        assert shape(sent) == shape(harmless())


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_name_arrives_by_fhir_as_it_was_written_or_not_at_all(text: str) -> None:
    for sent in messages("fhir", {"last_name": text}):
        (patient,) = of_type(sent, "Patient")
        assert patient["name"][0]["family"].split() == text.split()


def test_a_text_of_ten_megabytes_stops_nobody_else() -> None:
    world = TwoWorld("fhir", has_program_part=True)

    world.hand_in([a_case({"goals": "x" * 10_000_000}), contact(1, 1, "verbal", "suicide")])

    assert b"Zztest" in world.wire.sent[-1][1]


def a_case(changes: dict[str, str]) -> Submission:
    made = case(1, 0, "demo-lead", "medical", "a place to sleep", GOOD_RELEASE)
    return replace(made, full={**made.full, **changes})


def messages(transport: Any, changes: dict[str, str]) -> list[bytes]:
    """Return what goes out for a case whose columns hold this; nothing where the record waits for a person."""
    world = TwoWorld(transport, has_program_part=True)
    world.hand_in([a_case(changes)])
    return [message for _, message in world.wire.sent][:1]


@cache
def harmless() -> bytes:
    return messages("hl7v2", {"address": "1 Sample Street", "city": "Exampleville"})[0]


def shape(message: bytes) -> list[bytes]:
    """Return the names of the segments, read with nothing but the split of bytes; notes count once however many.

    No byte in it ends a segment, a frame or a line but the CR after each segment.
    """
    *lines, rest = message.split(b"\r")
    assert rest == b""
    assert not set(message) & {0x00, 0x0A, 0x0B, 0x1C}
    assert all(line[3:4] == b"|" for line in lines)
    names = [line[:3] for line in lines]
    return [name for n, name in enumerate(names) if name != b"NTE" or names[n - 1] != b"NTE"]


def of_type(sent: bytes, kind: str) -> list[dict[str, Any]]:
    return [e["resource"] for e in orjson.loads(sent)["entry"] if e["resource"]["resourceType"] == kind]
