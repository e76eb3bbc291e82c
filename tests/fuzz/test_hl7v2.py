"""The fuzzers of HL7v2, for a few seconds with the same seed each time; longer: `python -m tests.fuzz.hl7v2`."""

import random

import pytest

from tests.fuzz.hl7v2 import codec, corpus, run


def test_mutated_messages_never_surprise_the_gateway() -> None:
    assert run(seconds=10, seed=20261102) > 100


@pytest.mark.parametrize("raw", corpus(), ids=lambda raw: raw.split(b"|F", 1)[-1][:2].decode("ascii", "replace"))
def test_the_corpus_itself_is_read(raw: bytes) -> None:
    codec(raw, random.Random(1))
