"""Something is committed between the finding of a person and the lock: what is done is done on what stands then.

Two persons have become one: nothing may stay behind with who has ended. A record was withdrawn: nobody gets it.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gateway.flow.consents.restrictions import agree_restriction, report_false
from gateway.flow.gateway import Gateway
from gateway.flow.people import unite
from gateway.flow.withdraw import withdraw
from gateway.flow.work import work_once
from gateway.model.caveat import Wish
from gateway.model.consent_life import Revoking
from gateway.model.consult import DENIED, Advice, Consult
from gateway.model.exchange import Answer
from gateway.ports import Transaction
from tests.flow.test_consent_filing import LEAD, a_filed_consent
from tests.support.before_the_lock import BeforeTheLock
from tests.support.consent_desk import (
    KIM,
    PAM,
    a_form,
    a_record_with_release,
    a_refused_referral,
    signed,
)
from tests.support.flow_house import CONTACT, HOSPITAL, POLICE, World, a_world
from tests.support.hospital_feed import OTHER_CONTACT


def joined(world: World) -> tuple[World, BeforeTheLock, str]:
    """The same world with one more person, whom the one of the first record becomes at the next lock."""
    (ended,) = world.database.state.people
    world.take(OTHER_CONTACT)
    (surviving,) = set(world.database.state.people) - {ended}

    def join(tx: Transaction) -> None:
        one, other = tx.people.get(ended), tx.people.get(surviving)
        assert one is not None
        assert other is not None
        unite(tx, one, other, world.clock())

    later, database = interrupted(world, ended, join)
    return later, database, surviving


def interrupted(world: World, person: str, happens: Callable[[Transaction], object]) -> tuple[World, BeforeTheLock]:
    """The same world, in which something happens at the next lock of a person."""
    database = BeforeTheLock(world.database, person, happens)
    house = replace(world.house, database=database)
    return replace(world, house=house, gateway=Gateway(house)), database


def a_filed_no(world: World) -> Callable[[World], object]:
    body = a_filed_consent(world, provision={"type": "deny"})
    return lambda later: later.gateway.file_consent(LEAD, body, None, None)


def a_restriction(world: World) -> Callable[[World], object]:
    (record,) = world.database.state.handoffs
    wish = Wish("agreed", "org:demo-lead", ("org:demo-hospital",), None, "asked for at the desk")
    return lambda later: agree_restriction(later.house, KIM, record, wish)


@pytest.mark.parametrize("what_stops", [a_filed_no, a_restriction])
def test_what_stops_a_disclosure_is_kept_of_who_the_person_is_now(
    what_stops: Callable[[World], Callable[[World], object]],
) -> None:
    world = a_refused_referral()
    say = what_stops(world)
    later, database, surviving = joined(world)
    before = {*world.database.state.resources}

    say(later)

    state = world.database.state
    consents = [one.person_id for key, one in state.resources.items() if key[0] == "Consent" and key not in before]
    assert database.is_done
    assert [*consents, *(one.person_id for one in state.caveats.values())] == [surviving]


def test_a_report_is_of_who_the_person_is_now() -> None:
    world, consent_id = a_record_with_release()
    later, _, surviving = joined(world)

    assert report_false(later.house, PAM, consent_id, "signed by another hand") is None
    assert [one.person_id for one in world.database.state.caveats.values()] == [surviving]


def test_a_revocation_is_of_who_the_person_is_now() -> None:
    world, consent_id = a_record_with_release()
    later, _, surviving = joined(world)

    assert later.gateway.consent_desk.revoke(PAM, consent_id, Revoking("written")) is None
    assert world.database.state.resources["Consent", consent_id].person_id == surviving


def test_a_delivery_is_decided_on_what_the_person_has_said_under_the_other_number() -> None:
    world = a_refused_referral()
    form = signed(world, a_form(world))
    no = a_filed_consent(world, provision={"type": "deny"})
    later, database, surviving = joined(world)
    (patient, *_) = world.database.state.people[surviving].patient_ids
    reference = {"reference": f"Patient/{patient}"}
    filed = world.gateway.file_consent(POLICE, {**no, "patient": reference, "performer": [reference]}, None, None)
    assert isinstance(filed, Answer)
    world.gateway.consent_desk.capture(KIM, form)
    before = len(world.transport.sent)

    while work_once(later.house, "test"):
        pass

    assert database.is_done
    assert world.transport.sent[before:] == []
    refused = [reason.partition(" ")[0] for _, state, reason in world.states() if state == "refused"]
    assert refused == ["EXPLICIT_DENY"] * 2


def a_delivered_referral() -> tuple[World, str]:
    """A program's referral that the hospital has on a consent; the id of its Task."""
    world = a_refused_referral()
    world.gateway.consent_desk.capture(KIM, signed(world, a_form(world)))
    world.work()
    tasks = (key for kind, key in world.database.state.resources if kind == "Task")
    return world, next(one for one in tasks if is_delivered(world, one))


def is_delivered(world: World, task: str) -> bool:
    return any(one.state == "delivered" for one in world.database.read(lambda tx: tx.outbox.of_subject(task)))


def a_delivered_referral_and_a_no() -> tuple[World, str, BeforeTheLock]:
    """What the hospital has, while its person becomes, at the next lock, somebody whose program says no."""
    world, task = a_delivered_referral()
    no = a_filed_consent(world, provision={"type": "deny"})
    later, database, surviving = joined(world)
    (patient, *_) = world.database.state.people[surviving].patient_ids
    reference = {"reference": f"Patient/{patient}"}
    filed = world.gateway.file_consent(POLICE, {**no, "patient": reference, "performer": [reference]}, None, None)
    assert isinstance(filed, Answer)
    return later, task, database


def a_withdrawal() -> tuple[World, str, World, BeforeTheLock]:
    """What the hospital has, while its record is withdrawn at the next lock of its person."""
    world, task = a_delivered_referral()
    ((person, record),) = ((one.person_id, one) for one in world.database.state.handoffs.values())
    assert person is not None
    return world, task, *interrupted(world, person, lambda tx: withdraw(world.house, tx, record))


def found(world: World, kind: str, key: str) -> list[dict[str, Any]]:
    return list(world.gateway.search(HOSPITAL, kind, [("_id", key)]).resources)


def test_a_search_is_answered_by_what_the_person_has_said_under_the_other_number() -> None:
    later, task, database = a_delivered_referral_and_a_no()
    now = replace(later, gateway=Gateway(replace(later.house, database=database.inner)))
    before = found(now, "Task", task)

    after = found(later, "Task", task)

    assert (len(before), after) == (1, [])
    assert database.is_done


def test_a_search_tells_what_was_withdrawn_as_withdrawn() -> None:
    now, task, later, database = a_withdrawal()
    (before,) = found(now, "Task", task)

    (after,) = found(later, "Task", task)

    assert (before["status"], after["status"]) == ("requested", "cancelled")
    assert database.is_done


def test_a_read_gives_nothing_of_what_was_withdrawn() -> None:
    now, _, later, database = a_withdrawal()
    goal = next(key for kind, key in now.database.state.resources if kind == "Goal")
    before = now.gateway.read(HOSPITAL, "Goal", goal)

    after = later.gateway.read(HOSPITAL, "Goal", goal)

    assert before is not None
    assert after is None
    assert database.is_done


def test_a_consult_tells_nothing_of_what_was_withdrawn() -> None:
    now, _, later, database = a_withdrawal()
    (patient,) = (key for kind, key in now.database.state.resources if kind == "Patient")
    question = Consult(patient=(f"Patient/{patient}",), purpose=("TREAT",), types=frozenset({"Goal"}))
    before = now.gateway.consult(HOSPITAL, question)

    after = later.gateway.consult(HOSPITAL, question)

    assert isinstance(before, Advice)
    assert (before.is_permitted, after) == (True, DENIED)
    assert database.is_done


@pytest.mark.parametrize(("client_id", "is_surviving"), [("K-1", True), ("K-3", False)])
def test_no_record_is_of_who_has_become_another(client_id: str, is_surviving: bool) -> None:
    """A known Patient is known to be who it has become; who only resembled the ended person resembles nobody now."""
    world = a_world()
    world.take(CONTACT)
    later, database, surviving = joined(world)

    taken = later.take({**CONTACT, "contact_id": "C-3", "client_id": client_id})

    (record,) = world.database.read(lambda tx: tx.inputs.records(taken.input_id))
    person = world.database.state.handoffs[str(record.handoff_id)].person_id
    assert database.is_done
    assert person != database.person
    assert (person == surviving) is is_surviving
