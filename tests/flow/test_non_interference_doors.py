"""Non-interference by the doors that nobody of the outside opens alone: feeds, look-ups, and time that passes.

Random courses as in `test_non_interference`, in the house of `test_feed_non_interference`: feeds tell of people, alert
and are passed on, an officer asks about what the department handed in, days go by and what was stopped is looked at
again. `NON_INTERFERENCE_EXAMPLES` and `NON_INTERFERENCE_SEED` count here too (docs/proofs.md).
"""

from datetime import timedelta

from hypothesis import given, seed, settings
from hypothesis import strategies as st

from gateway.flow.gateway import Gateway
from tests.flow.test_feed_non_interference import a_world, adt
from tests.flow.test_non_interference import COURSES, RUNS, SEED, WORLDS, page, submissions, take
from tests.support.courses import Guessed, Step, assert_alike
from tests.support.two_worlds import (
    OFFICE,
    POLICE,
    Seen,
    Submission,
    TwoWorld,
    contact,
    mixed_contact,
)

_EVENTS = ("A01", "A03", "A08", "A11")
_SENDERS = ("EHR|HOSPITAL", "CENTER|CRISIS")
_KNOWN = ("answer", "put", "revoke", "again", "search", "receipt")
_STEP = st.tuples(
    st.sampled_from(["feed", "feed", "look-up", "night", *_KNOWN]), st.integers(0, 10_000), st.integers(0, 10_000)
)
_COURSE = st.lists(_STEP, min_size=2, max_size=4)


@seed(f"{SEED}/doors")
@given(records=submissions(unrouted=True), courses=st.lists(_COURSE, min_size=COURSES, max_size=COURSES))
@settings(parent=WORLDS, max_examples=max(RUNS // 1600, 1))
def test_feeds_look_ups_and_nights_tell_nothing_of_what_is_withheld(
    records: list[Submission], courses: list[list[Step]]
) -> None:
    assert_alike(lambda is_full: a_world(has_program_part=is_full), records, courses, taken)


def taken(world: TwoWorld, records: list[Submission], number: int, step: Step, guessed: Guessed) -> list[Seen]:
    """Take one step and return what came back."""
    kind, one, other = step
    if kind == "feed":
        event, sender = _EVENTS[one % len(_EVENTS)], _SENDERS[other % len(_SENDERS)]
        return [world.message(adt(event, f"F{number}", one % 3, ("M-1", "M-9")[other % 2], sender))]
    if kind == "look-up":
        return [look_up(world, receipt) for receipt in world.inputs_of(POLICE)]
    if kind == "night":
        world.clock.advance(timedelta(days=1 + one % 40))
        started = Gateway(world.gateway.house)
        for _ in range(2):
            started.do_chores()
            world.work()
        return []
    return take(world, records, number, step, guessed)


def look_up(world: TwoWorld, receipt: str) -> Seen:
    """Ask as the police about the first record that was handed in under a receipt."""
    asked = {"receipt": receipt, "record": 1}
    return world.http(POLICE, "POST", "/lookup", asked, media_type="application/json")


def test_each_of_these_steps_does_something() -> None:
    """Without that the comparison above would compare nothing."""
    world = a_world(has_program_part=True)
    records = [contact(1, 0, "verbal", "mental_health")]
    world.hand_in(records)
    guessed = Guessed.of(world)
    sent = len(world.wire.sent)

    answered = taken(world, records, 0, ("answer", 0, 0), guessed)
    fed = taken(world, records, 1, ("feed", 0, 0), guessed)
    told = taken(world, records, 2, ("look-up", 0, 0), guessed)

    assert b"|AA|" in answered[0][0]
    assert b"|AA|" in fed[0][0]
    assert (told[0][0], len(world.wire.sent) > sent) == (200, True)


def test_an_operators_page_names_nobody_whom_only_the_programs_part_points_to() -> None:
    records = [mixed_contact(0, 0, OFFICE, "verbal", "substance_use", "SUD treatment")]
    pages = []
    for has_program_part in (True, False):
        world = a_world(has_program_part=has_program_part)
        world.hand_in(records)
        (record,) = world.state.handoffs
        pages.append(page(world, record))

    assert pages[0] == pages[1]
    assert {one["resourceType"] for one in pages[0]["resources"]} >= {"Organization", "Task"}
