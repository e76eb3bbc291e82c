"""Later words replace, late ones only add, two quotes take away."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from gateway.tracking.retold import Element, Json, Last, Saying, last_of, retell, worded

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SUD = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "SUD"}


def visit(**elements: object) -> Json:
    return {"resourceType": "Encounter", "id": "v", **elements}


KNOWN = {"Encounter/v": Last(visit(status="in-progress", period={"start": "a"}, type=["x"]), NOON)}


def after(resource: Json, at: datetime, emptied: Sequence[Element] = (), unsaid: frozenset[str] = frozenset()) -> Last:
    return retell(KNOWN, Saying([resource], at, emptied, unsaid=unsaid)).changed["Encounter/v"]


def test_something_new_is_taken_as_said() -> None:
    told = retell({}, Saying([visit(status="planned")], NOON))

    assert told.changed == {"Encounter/v": Last(visit(status="planned"), NOON)}
    assert told.late == frozenset()


def test_a_later_word_replaces_element_by_element_and_leaves_the_rest() -> None:
    last = after(visit(status="finished", period={"start": "a", "end": "b"}), NOON + HOUR)

    assert last == Last(visit(status="finished", period={"start": "a", "end": "b"}, type=["x"]), NOON + HOUR)


def test_a_word_of_the_same_instant_counts_as_later() -> None:
    assert after(visit(status="finished"), NOON).resource["status"] == "finished"


def test_a_late_word_only_adds_what_is_missing() -> None:
    told = retell(KNOWN, Saying([visit(status="planned", reasonCode=["r"])], NOON - HOUR))

    assert told.changed["Encounter/v"].resource == visit(
        status="in-progress", period={"start": "a"}, type=["x"], reasonCode=["r"]
    )
    assert told.changed["Encounter/v"].at == NOON
    assert told.late == {"Encounter/v"}


def test_two_quotes_take_away_and_a_late_word_does_not_bring_it_back() -> None:
    emptied = after(visit(), NOON + HOUR, emptied=[("Encounter/v", "Encounter.type[].text"), ("Other/v", "x.status")])
    again = retell({"Encounter/v": emptied}, Saying([visit(type=["y"])], NOON))

    assert emptied.resource == visit(status="in-progress", period={"start": "a"})
    assert again.changed["Encounter/v"].resource == emptied.resource


def test_what_was_taken_away_may_be_said_again_later() -> None:
    emptied = after(visit(), NOON + HOUR, emptied=[("Encounter/v", "Encounter.type[]")])

    again = retell({"Encounter/v": emptied}, Saying([visit(type=["y"])], NOON + 2 * HOUR)).changed["Encounter/v"]

    assert again == Last(visit(status="in-progress", period={"start": "a"}, type=["y"]), NOON + 2 * HOUR)


def test_two_quotes_beside_a_new_value_of_the_same_element_leave_the_value() -> None:
    last = after(visit(type=["y"]), NOON + HOUR, emptied=[("Encounter/v", "Encounter.type[]")])

    assert last.resource["type"] == ["y"]


def test_an_inner_element_is_taken_away_alone() -> None:
    ended = {"Encounter/v": Last(visit(status="finished", period={"start": "a", "end": "b"}), NOON)}

    told = retell(
        ended, Saying([visit(status="in-progress")], NOON + HOUR, withdrawn=[("Encounter/v", "Encounter.period.end")])
    )

    assert told.changed["Encounter/v"].resource == visit(status="in-progress", period={"start": "a"})


def test_an_element_of_which_nothing_is_left_goes_whole() -> None:
    ended = {"Encounter/v": Last(visit(period={"end": "b"}, hospitalization={"destination": "d"}), NOON)}

    told = retell(
        ended,
        Saying(
            [visit()], NOON + HOUR,
            withdrawn=[("Encounter/v", "Encounter.period.end"), ("Encounter/v", "Encounter.hospitalization.origin")],
        ),
    )  # fmt: skip

    assert told.changed["Encounter/v"].resource == visit(hospitalization={"destination": "d"})


def test_a_default_that_the_event_does_not_speak_of_changes_nothing_known() -> None:
    unsaid = frozenset({"Encounter.status"})

    known = after(visit(status="unknown"), NOON + HOUR, unsaid=unsaid)
    new = retell({}, Saying([visit(status="unknown")], NOON, unsaid=unsaid))

    assert known.resource["status"] == "in-progress"
    assert new.changed["Encounter/v"].resource["status"] == "unknown"


def test_labels_are_only_ever_added_by_late_words_too() -> None:
    labeled = {"Encounter/v": Last(visit(meta={"security": [SUD]}), NOON)}
    other = {"system": "x", "code": "R"}

    for at in (NOON - HOUR, NOON + HOUR):
        told = retell(labeled, Saying([visit(meta={"security": [other]})], at))
        assert told.changed["Encounter/v"].resource["meta"]["security"] == [SUD, other]
    unlabeled = retell(labeled, Saying([visit()], NOON + HOUR))
    assert unlabeled.changed["Encounter/v"].resource["meta"]["security"] == [SUD]


def test_the_last_word_is_written_down_and_read_again() -> None:
    last = Last(visit(), NOON, frozenset({"type"}))

    written = worded([("Encounter/v", last)])

    assert written == {"Encounter/v": {"at": "2026-11-02T12:00:00+00:00", "emptied": ["type"]}}
    assert last_of(visit(), written["Encounter/v"]) == last


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({"valueQuantity": {"value": 5}}, {"valueString": "five"}),
        ({"deceasedBoolean": True}, {"deceasedDateTime": "2026-11-02"}),
        ({"onsetString": "last week"}, {"onsetDateTime": "2026-10-26"}),
    ],
)
def test_a_value_of_another_type_takes_the_place_of_the_one_before(before: Json, now: Json) -> None:
    known = {"Encounter/v": Last(visit(**before), NOON)}

    later = retell(known, Saying([visit(**now)], NOON + HOUR)).changed["Encounter/v"].resource
    late = retell(known, Saying([visit(**now)], NOON - HOUR)).changed["Encounter/v"].resource

    assert (later, late) == (visit(**now), visit(**before))


def test_two_quotes_for_a_value_take_it_away_whatever_its_type_and_late_words_do_not_bring_it_back() -> None:
    result = {"resourceType": "Observation", "id": "o", "status": "final"}
    known = {"Observation/o": Last({**result, "valueQuantity": {"value": 5}}, NOON)}

    emptied = retell(known, Saying([result], NOON + HOUR, [("Observation/o", "Observation.value[x]")])).changed
    late = retell(emptied, Saying([{**result, "valueString": "five"}], NOON)).changed

    assert emptied["Observation/o"].resource == result
    assert late["Observation/o"].resource == result
