"""What is said of a message whose parts came to different ends."""

from gateway.flow.messages.outcomes import joined

RECORD = ("converted", "kept as a record of the person: Encounter", "handoff-1")
UNMAPPED = ("skipped", "unmapped: expected an admission, discharge, registration, transfer or their change", None)
THERE = ("converted", "the referral is there already", "handoff-2")
DOUBT = ("quarantined", "admission-cancelled: decide with them", "handoff-3")


def test_what_came_of_it_is_not_contradicted_by_what_another_part_is_not() -> None:
    assert joined(UNMAPPED, RECORD) == RECORD


def test_a_message_of_which_nothing_came_says_so() -> None:
    assert joined(UNMAPPED, None) == UNMAPPED


def test_of_what_waits_only_the_reason_to_wait_is_told() -> None:
    assert joined(THERE, DOUBT, RECORD) == ("quarantined", "admission-cancelled: decide with them", "handoff-3")


def test_everything_that_came_of_it_is_told() -> None:
    assert joined(THERE, RECORD) == (
        "converted", "the referral is there already; kept as a record of the person: Encounter", "handoff-2",
    )  # fmt: skip
