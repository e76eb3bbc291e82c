"""From bytes to a stored, routed handoff: once, whole, and never stopped by a neighbour."""

from dataclasses import replace
from datetime import timedelta

import orjson

from gateway.catalog import shipped
from gateway.flow.accept import convert
from gateway.flow.gateway import Gateway
from gateway.model.exchange import Accepted, KeyReused
from gateway.model.partner import Organization
from tests.flow.test_message_page import with_registry
from tests.support.flow_house import CONTACT, POLICE, World, a_world, csv_of


def test_the_same_file_twice_has_one_effect() -> None:
    world = a_world()

    first, second = world.take(CONTACT), world.take(CONTACT)

    assert (second.input_id, second.repeated) == (first.input_id, True)
    assert len(world.transport.sent) == 1


def test_the_same_record_in_another_file_is_a_duplicate() -> None:
    world = a_world()
    world.take(CONTACT)

    other = world.take(CONTACT, {**CONTACT, "contact_id": "C-2", "client_id": "K-2", "last_name": "Other"})

    receipt = world.gateway.receipt(POLICE, other.input_id)
    assert receipt is not None
    assert [record["state"] for record in receipt["records"]] == ["duplicate", "converted"]


def test_an_idempotency_key_with_other_content_is_refused() -> None:
    world = a_world()
    world.gateway.accept("http", "co-responder-contact", "demo-agency", "text/csv", b"a", "key-1")

    again = world.gateway.accept("http", "co-responder-contact", "demo-agency", "text/csv", b"b", "key-1")

    assert isinstance(again, KeyReused)


def test_an_idempotency_key_is_remembered_of_content_that_was_here_before_it() -> None:
    world = a_world()

    def post(payload: bytes, key: str | None) -> Accepted | KeyReused:
        return world.gateway.accept("http", "co-responder-contact", "demo-agency", "text/csv", payload, key)

    first = post(b"a", None)
    assert isinstance(first, Accepted)
    assert [post(b"a", "key-1"), post(b"a", "key-2")] == [Accepted(first.input_id, repeated=True)] * 2

    assert [post(b"b", "key-1"), post(b"c", "key-2")] == [KeyReused(), KeyReused()]
    assert [post(b"a", "key-1"), post(b"a", "key-2")] == [Accepted(first.input_id, repeated=True)] * 2
    assert [one.payload for one in world.database.state.inputs.values()] == [b"a"]


def test_a_bad_record_is_quarantined_and_its_neighbours_go_on() -> None:
    world = a_world()
    future = {**CONTACT, "contact_id": "C-9", "contact_date": "2031-01-01T10:00:00"}

    accepted = world.take(future, CONTACT)

    receipt = world.gateway.receipt(POLICE, accepted.input_id)
    assert receipt is not None
    assert [record["state"] for record in receipt["records"]] == ["quarantined", "converted"]
    assert len(world.transport.sent) == 1


def test_a_receipt_tells_law_enforcement_nothing_of_the_person() -> None:
    world = a_world()

    accepted = world.take(CONTACT)

    assert world.gateway.receipt(POLICE, accepted.input_id) == {
        "id": accepted.input_id,
        "state": "converted",
        "records": [{"n": 1, "state": "converted", "reason": None, "ids": []}],
    }


def test_a_referral_that_no_route_covers_holds_the_record_for_a_person() -> None:
    world = a_world()

    world.take({**CONTACT, "referral_service": "housing"})

    handoff = world.database.read(lambda tx: tx.handoffs.get(_only_handoff(world)))
    assert handoff is not None
    assert (handoff.state, world.transport.sent) == ("unrouted", [])
    assert "no route" in (handoff.hold_reason or "")


def test_what_waited_for_a_route_goes_when_the_record_comes_again_and_a_route_covers_it() -> None:
    world = a_world()
    housing, other = {**CONTACT, "referral_service": "housing"}, {**CONTACT, "contact_id": "C-2"}
    world.take(housing)
    still = world.take(housing, {**other, "last_name": "Other"})
    rule = next(one for one in world.house.routes if one.to == "org:demo-hospital")
    house = replace(world.house, routes=(replace(rule, service=frozenset({"housing"})),))
    mended = replace(world, house=house, gateway=Gateway(house))

    routed = mended.take(housing, {**other, "last_name": "Third"})
    again = mended.take(housing, {**other, "last_name": "Fourth"})

    assert [_first_of(world, one) for one in (still, routed, again)] == ["duplicate", "converted", "duplicate"]
    handoff = world.database.read(lambda tx: tx.handoffs.get(next(iter(world.database.state.handoffs))))
    assert handoff is not None
    assert (handoff.state, handoff.hold_reason) == ("active", None)
    assert sum(b"housing" in disclosure.body for disclosure, _, _ in world.transport.sent) == 1


def test_what_waited_for_a_route_goes_when_a_person_asks_after_a_route_covers_it() -> None:
    world = a_world()
    world.take({**CONTACT, "referral_service": "housing"}, {**CONTACT, "contact_id": "C-2"})
    waiting = next(one.id for one in world.database.state.handoffs.values() if one.state == "unrouted")
    rule = next(one for one in world.house.routes if one.to == "org:demo-hospital")
    house = replace(world.house, routes=(replace(rule, service=frozenset({"housing"})),))
    mended = replace(world, house=house, gateway=Gateway(house))
    sent = len(world.transport.sent)

    assert world.gateway.route_again("staff-1", waiting)
    world.work()
    assert (world.database.state.handoffs[waiting].state, len(world.transport.sent)) == ("unrouted", sent)

    assert mended.gateway.route_again("staff-1", waiting)
    mended.work()

    handoff = world.database.state.handoffs[waiting]
    assert (handoff.state, handoff.hold_reason, len(world.transport.sent)) == ("active", None, sent + 1)
    assert not mended.gateway.route_again("staff-1", waiting)
    assert not mended.gateway.route_again("staff-1", "nothing")


def test_a_file_that_is_no_table_waits_in_quarantine() -> None:
    world = a_world()

    accepted = world.gateway.accept(
        "http", "co-responder-contact", "demo-agency", "text/csv", b"\x00\x01\x02" * 99, None
    )
    world.work()

    receipt = world.gateway.receipt(POLICE, accepted.input_id)
    assert receipt is not None
    assert receipt["state"] == "quarantined"


def test_a_person_who_is_only_possibly_known_is_held_until_somebody_decides() -> None:
    world = a_world()
    world.take(CONTACT)
    look_alike = {**CONTACT, "contact_id": "C-2", "client_id": "K-2", "phone": ""}

    accepted = world.take(look_alike)
    held = world.database.read(lambda tx: tx.inputs.records(accepted.input_id))[0].handoff_id
    before = len(world.transport.sent)
    resolved = world.gateway.resolve_match("staff", str(held), None)
    world.work()

    assert (before, resolved, len(world.transport.sent)) == (1, True, 2)


def test_who_has_become_another_is_nobody_that_a_later_record_may_be_about() -> None:
    world = a_world()
    world.take(CONTACT)
    (known,) = world.database.state.people
    look_alikes = [{**CONTACT, "contact_id": f"C-{n}", "client_id": f"K-{n}", "phone": ""} for n in (2, 3)]

    first = _held_by(world, look_alikes[0])
    resolved = world.gateway.resolve_match("staff", first, known)
    page = world.gateway.console_record(("staff", "admin"), _held_by(world, look_alikes[1]))

    assert resolved
    assert page is not None
    assert [one["person_id"] for one in page["candidates"]] == [known]


def test_an_operator_without_agreements_is_not_told_whom_a_record_resembles_and_decides_nothing() -> None:
    """Who is known may be known from a Part 2 program's record (42 CFR 2.12(c)(4), 2.13(c))."""
    served = a_world()
    served.take(CONTACT)
    (known,) = served.database.state.people
    held = _held_by(served, {**CONTACT, "contact_id": "C-2", "client_id": "K-2", "phone": ""})
    world = with_registry(served, operator=replace(_operator(served), agreements=()))

    page = world.gateway.console_record(("staff", "admin"), held)
    resolved = [world.gateway.resolve_match("staff", held, one) for one in (known, None)]

    assert page is not None
    assert (page["candidates"], page["decided_elsewhere"]) == ([], True)
    assert page["handoff"].hold_reason == "possible match: it may be about somebody who is known already"
    assert resolved == [False, False]


def _operator(world: World) -> Organization:
    found = world.house.registry.get("org:operator")
    assert found is not None
    return found


def _held_by(world: World, contact: dict[str, str]) -> str:
    accepted = world.take(contact)
    return str(world.database.read(lambda tx: tx.inputs.records(accepted.input_id))[0].handoff_id)


def _first_of(world: World, accepted: Accepted) -> str:
    receipt = world.gateway.receipt(POLICE, accepted.input_id)
    assert receipt is not None
    state: str = receipt["records"][0]["state"]
    return state


def _only_handoff(world) -> str:  # type: ignore[no-untyped-def]
    inputs = world.gateway.accept(
        "http",
        "co-responder-contact",
        "demo-agency",
        "text/csv",
        csv_of({**CONTACT, "referral_service": "housing"}),
        None,
    )
    return world.database.read(lambda tx: tx.inputs.records(inputs.input_id))[0].handoff_id


def test_a_worker_that_lost_its_lease_stops_in_the_middle_of_a_file() -> None:
    world = a_world()
    accepted = world.gateway.accept("http", "co-responder-contact", "demo-agency", "text/csv", csv_of(CONTACT), None)

    finished = convert(world.house, accepted.input_id, lambda tx: False)

    assert not finished
    assert world.database.read(lambda tx: tx.inputs.records(accepted.input_id)) == []


def test_what_is_in_quarantine_is_read_anew_when_it_is_handed_in_again() -> None:
    world = a_world()
    tomorrow = {**CONTACT, "contact_date": "2026-11-03T10:00:00"}
    accepted = world.take(tomorrow)

    world.clock.advance(timedelta(days=2))
    again = world.take(tomorrow)

    receipt = world.gateway.receipt(POLICE, accepted.input_id)
    assert receipt is not None
    assert (again.input_id, again.repeated) == (accepted.input_id, True)
    assert [record["state"] for record in receipt["records"]] == ["converted"]


def test_an_older_snapshot_that_comes_late_changes_nothing() -> None:
    world = a_world()
    newer = shipped("mappings", "eido", "examples", "01-a-crisis-call-and-where-it-went.in.json").read_bytes()
    stamp = orjson.loads(newer)["lastUpdateTimeStamp"]
    older = newer.replace(stamp.encode(), b"2020" + stamp[4:].encode())
    world.gateway.accept("http", "eido", "demo-agency", "application/json", newer, None)
    world.work()

    late = world.gateway.accept("http", "eido", "demo-agency", "application/json", older, None)
    world.work()

    assert isinstance(late, Accepted)
    record = world.database.read(lambda tx: tx.inputs.records(late.input_id))[0]
    assert (record.state, record.reason) == ("duplicate", "an older snapshot of a record that is here")


def test_a_client_cannot_overwrite_the_record_of_an_agency_it_does_not_hand_in_for() -> None:
    world = a_world()
    world.take(CONTACT)
    stranger = csv_of({**CONTACT, "last_name": "Somebody", "first_name": "Else", "consent_status": "refused"})

    accepted = world.gateway.accept("http", "co-responder-contact", "demo-ehr", "text/csv", stranger, None)
    world.work()

    assert isinstance(accepted, Accepted)
    record = world.database.read(lambda tx: tx.inputs.records(accepted.input_id))[0]
    assert record.state == "quarantined"
    assert world.states() == [("create", "delivered", "")]
