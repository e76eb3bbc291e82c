"""Which numbers survive and which end, in every form that says so."""

import pytest

from gateway.formats.hl7v2 import Message, Unreadable, read_message
from gateway.formats.hl7v2.identities import read_identity_changes


def message(event: str, *segments: str) -> Message:
    read = read_message("\r".join((f"MSH|^~\\&|E|H|W|G|2026||ADT^{event}|C1|P|2.5.1", *segments)).encode())
    assert isinstance(read, Message)
    return read


def pairs(event: str, *segments: str) -> list[tuple[list[str], list[str]]]:
    changes = read_identity_changes(message(event, *segments))
    assert not isinstance(changes, Unreadable)
    return [([n.value for n in one.surviving.identifiers], [n.value for n in one.ended]) for one in changes]


def test_each_pair_of_a_message_is_read() -> None:
    found = pairs("A40", "PID|1||M-1~M-2||Sample^Ari", "MRG|M-3~M-4", "PID|2||M-5||Example^Bo", "PV1|1", "MRG|M-6")

    assert found == [(["M-1", "M-2"], ["M-3", "M-4"]), (["M-5"], ["M-6"])]


def test_several_ended_records_may_follow_one_person() -> None:
    assert pairs("A40", "PID|1||M-1", "MRG|M-2", "MRG|M-3") == [(["M-1"], ["M-2"]), (["M-1"], ["M-3"])]


def test_the_only_number_of_an_old_message_is_read() -> None:
    assert pairs("A18", "PID|1||M-1", "MRG||||M-2") == [(["M-1"], ["M-2"])]


def test_an_account_that_moves_ends_no_number_of_a_person() -> None:
    assert pairs("A41", "PID|1||M-1", "MRG|||ACC-1") == [(["M-1"], [])]


def test_a_link_names_two_persons() -> None:
    assert pairs("A24", "PID|1||M-1", "PID|2||M-2") == [(["M-1"], ["M-2"])]


@pytest.mark.parametrize("segments", [(), ("PID|1||M-1",), ("MRG|M-2",), ("PID|1", "MRG|M-2")])
def test_half_a_merge_is_told(segments: tuple[str, ...]) -> None:
    changes = read_identity_changes(message("A40", *segments))

    assert isinstance(changes, Unreadable)
    assert (changes.code, changes.location) == ("100", "MRG")
