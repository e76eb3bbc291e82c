"""42 CFR 2.31(c)(2): a consent made to be too much is no consent, and costs no more than any other to find out."""

import time
from typing import Any

import pytest

from tests.support.part2_world import EXTENSION, a_consent, a_permit, answer, labels

Json = dict[str, Any]

UNREADABLE = ("DENY", "UNPARSEABLE")
BOUND_S = 10
"""Far above what any of these needs, far below what a search without bound would take."""


def nested(depth: int) -> Json:
    provision: Json = a_permit()
    for _ in range(depth):
        provision = {"type": "permit", "provision": [provision]}
    return provision


def superseding(number: int, of: int) -> Json:
    link = {"url": EXTENSION + "supersedes", "valueReference": {"reference": f"Consent/c{(number + 1) % of}"}}
    return a_consent(id=f"c{number}", extensions=[link])


HOSTILE: dict[str, list[Json]] = {
    "provisions 10,000 deep": [a_consent(nested(10_000))],
    "provisions 20 deep": [a_consent(nested(20))],
    "3,000 provisions": [a_consent(*[a_permit() for _ in range(3000)])],
    "1,000 that supersede each other in a circle": [superseding(n, 1000) for n in range(1000)],
    "one that supersedes itself": [superseding(0, 1)],
    "50 MB": [a_consent(text={"status": "generated", "div": "x" * 50_000_000})],
    "300,000 unknown labels": [a_consent(a_permit(securityLabel=labels(*[f"L{n}" for n in range(300_000)])))],
    "its own contained self": [a_consent(organization=[{"reference": "#nothing"}])],
    "a list where an object stands": [a_consent(provision=[a_permit()])],
    "an object where a list stands": [a_consent(performer={"reference": "Patient/t1"})],
    "no status": [a_consent(without=["status"])],
}


@pytest.mark.parametrize("what", HOSTILE)
def test_it_is_unreadable_or_permits_nothing_in_bounded_time(what: str) -> None:
    begin = time.process_time()

    decision = answer(*HOSTILE[what])[0]

    assert decision == "DENY"
    assert time.process_time() - begin < BOUND_S


@pytest.mark.parametrize("what", ["provisions 10,000 deep", "1,000 that supersede each other in a circle", "50 MB"])
def test_a_good_consent_beside_it_does_not_count(what: str) -> None:
    """It could be a refusal."""
    assert answer(a_consent(id="good"), *HOSTILE[what]) == UNREADABLE
