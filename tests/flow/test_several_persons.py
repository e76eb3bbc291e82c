"""A record that names several persons goes back to its source: nobody here can say which of its parts is whose."""

from typing import Any

from gateway.demo.samples.rms import COLUMNS
from gateway.model.exchange import Accepted
from gateway.model.handoff import Handoff
from tests.flow.test_meanwhile import interrupted
from tests.support.flow_house import POLICE, World, a_world, csv_of

REASON = "it names several persons and does not say whom it describes: hand in a record for each"


def a_crisis(pin: str, name: str) -> dict[str, str]:
    """One row of a records system: one person of a crisis."""
    return dict.fromkeys(COLUMNS, "") | {
        "XML_CRISIS_ID": "880011", "GO_ID": "202600000900011", "REPORT_YEAR": "2026", "REPORT_NUMBER": "900011",
        "REPORTED_ON_DATE": "10/30/2026", "REPORTED_ON_TIME": "1600", "CHBK_MANIA": "X", "PIN": pin, "SURNAME": name,
        "G1": "Pat", "DOB": "01/02/1990", "SEX": "F", "CHBK_DISPO_CRISIS_CLINIC": "X",
    }  # fmt: skip


BOTH = (a_crisis("440110", "SAMPLE"), a_crisis("440111", "EXAMPLE"))


def take(world: World, *rows: dict[str, str]) -> str:
    accepted = world.gateway.accept("http", "seattle-rms-crisis", "demo-agency", "text/csv", csv_of(*rows), None)
    assert isinstance(accepted, Accepted)
    world.work()
    return accepted.input_id


def the_record(world: World) -> Handoff:
    return next(iter(world.database.state.handoffs.values()))


def receipt(world: World, input_id: str) -> dict[str, Any]:
    found = world.gateway.receipt(POLICE, input_id)
    assert found is not None
    return {name: found["records"][0][name] for name in ("state", "reason", "ids")}


def test_it_waits_and_refers_nobody() -> None:
    world = a_world()

    take(world, *BOTH)

    assert (the_record(world).state, the_record(world).person_id) == ("held", None)
    assert the_record(world).hold_reason == (
        "the record names 2 persons and does not say whom it describes: give it back"
    )
    assert world.states() == []


def test_once_it_is_given_back_nobody_waits_and_its_source_finds_the_reason_in_its_receipt() -> None:
    world = a_world()
    input_id = take(world, *BOTH)

    given = [world.gateway.give_back("staff-kim", the_record(world).id) for _ in range(2)]

    assert given == [True, False]
    assert (the_record(world).state, the_record(world).hold_reason) == ("withdrawn", REASON)
    assert receipt(world, input_id) == {"state": "skipped", "reason": REASON, "ids": []}


def test_the_same_record_again_stays_given_back() -> None:
    world = a_world()
    take(world, *BOTH)
    world.gateway.give_back("staff-kim", the_record(world).id)

    again = take(world, *BOTH, {**a_crisis("440112", "NOBODY"), "XML_CRISIS_ID": "880012", "GO_ID": "1"})

    assert the_record(world).state == "withdrawn"
    assert receipt(world, again)["reason"] == REASON


def test_mended_it_takes_its_road() -> None:
    world = a_world()
    take(world, *BOTH)
    world.gateway.give_back("staff-kim", the_record(world).id)

    mended = take(world, BOTH[0])

    (patient,) = (key for kind, key in world.database.state.contents[the_record(world).id] if kind == "Patient")
    assert (the_record(world).state, receipt(world, mended)["state"]) == ("active", "converted")
    assert world.database.state.resources["Patient", patient].body["name"][0]["family"] == "SAMPLE"
    assert len(world.states()) == 1


def test_a_record_that_is_mended_while_it_is_given_back_stays_as_it_is() -> None:
    world = a_world()
    take(world, *BOTH)
    record = the_record(world).id
    later, database = interrupted(
        world, f"record {record}", lambda tx: tx.handoffs.set_state(record, "active", None, world.clock())
    )

    given = later.gateway.give_back("staff-kim", record)

    assert (given, database.is_done, the_record(world).state) == (False, True, "active")


def test_a_record_that_waits_for_another_reason_is_not_given_back() -> None:
    world = a_world()
    take(world, BOTH[0])

    assert not world.gateway.give_back("staff-kim", the_record(world).id)
    assert the_record(world).state == "active"
