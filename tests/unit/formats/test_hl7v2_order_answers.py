"""OSU: how a receiver answers a referral that went out as an order."""

import pytest

from gateway.formats.hl7v2 import Message, Unreadable, read_message
from gateway.formats.hl7v2.order_answers import read_order_answer
from gateway.model.hl7_answer import ReferralAnswer


def an_answer(orc: str, *notes: str, kind: str = "OSU^O51") -> Message:
    lines = (f"MSH|^~\\&|E|H|W|G|20261102110000-0800||{kind}|1|P|2.5.1", "PID|1||M-1^^^H^MR||Sample^Ari", orc, *notes)
    message = read_message("\r".join((*lines, "")).encode())
    assert isinstance(message, Message)
    return message


@pytest.mark.parametrize(
    ("code", "status"),
    [("IP", "accepted"), ("SC", "in-progress"), ("A", "in-progress"), ("CM", "completed"), ("CA", "rejected"),
     ("DC", "rejected"), ("HD", "requested")],
)  # fmt: skip
def test_the_order_status_says_what_was_decided(code: str, status: str) -> None:
    read = read_order_answer(an_answer(f"ORC|SC|R-1^WARMHANDOFF|H-9||{code}"))

    assert isinstance(read, ReferralAnswer)
    assert (read.status, read.referral, read.external_id) == (status, "R-1", "H-9")


@pytest.mark.parametrize(("code", "visit"), [("SC", "booked"), ("A", "done"), ("IP", None), ("CM", None)])
def test_the_order_status_says_how_far_the_visit_is(code: str, visit: str | None) -> None:
    read = read_order_answer(an_answer(f"ORC|SC|R-1|||{code}"))

    assert isinstance(read, ReferralAnswer)
    assert read.visit == visit


@pytest.mark.parametrize("code", ["", "IP", "A"])
def test_a_note_that_comes_before_the_last_word_says_that_the_visit_was(code: str) -> None:
    """IHE 360X PCC-59."""
    note = "OBX|1|ED|11488-4^Consult note^LN||^text^plain^Base64^eA==||||||F"

    read = read_order_answer(an_answer(f"ORC|SC|R-1|||{code}", note, kind="OMG^O19"))

    assert isinstance(read, ReferralAnswer)
    assert (read.status, read.visit) == ("in-progress", "done")


@pytest.mark.parametrize(
    ("control", "status"), [("OK", "accepted"), ("UA", "rejected"), ("OC", "rejected"), ("CR", "rejected")]
)
def test_where_no_status_is_told_the_order_control_says_it(control: str, status: str) -> None:
    read = read_order_answer(an_answer(f"ORC|{control}|R-1"))

    assert isinstance(read, ReferralAnswer)
    assert read.status == status


def test_when_and_why_are_read() -> None:
    orc = "ORC|SC|R-1|||CA||||20261102100000|||7^Welcome^Nora||||FULL^No capacity"

    read = read_order_answer(an_answer(orc, "NTE|1||try again in May"))

    assert isinstance(read, ReferralAnswer)
    assert read.at == "2026-11-02T10:00:00-08:00"
    assert read.reason == "No capacity\ntry again in May"


@pytest.mark.parametrize(
    ("orc", "kind", "location"),
    [
        ("ORC|SC|||H-9|IP", "OSU^O51", "ORC-2"),
        ("ORC|SC|R-1", "OSU^O51", "ORC-5"),
        ("ORC|SC|R-1|||ER", "OSU^O51", "ORC-5"),
        ("ORC|UC|R-1|||IP", "OSU^O51", "ORC-1"),
        ("ORC|SC|R-1|||IP", "ORU^R01", "MSH-9"),
    ],
)
def test_what_does_not_say_it_is_told_with_its_place(orc: str, kind: str, location: str) -> None:
    read = read_order_answer(an_answer(orc, kind=kind))

    assert isinstance(read, Unreadable)
    assert read.location == location
