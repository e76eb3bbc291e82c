"""Two persons become one between the finding of a person and the lock: nothing may stay behind with who has ended."""

from collections.abc import Callable
from dataclasses import replace

import orjson
import pytest

from gateway.flow.consents.restrictions import agree_restriction, report_false
from gateway.flow.gateway import Gateway
from gateway.flow.work import work_once
from gateway.model.caveat import Wish
from gateway.model.consent_life import Revoking
from gateway.model.consult import DENIED, Advice, Consult
from tests.flow.test_consent_filing import LEAD, a_filed_consent
from tests.flow.test_consents import (
    KIM,
    PAM,
    a_form,
    a_record_with_release,
    a_refused_referral,
    signed,
)
from tests.support.flow_house import HOSPITAL, World
from tests.support.hospital_feed import OTHER_CONTACT
from tests.support.joined import JoinedBeforeTheLock


def joined(world: World) -> tuple[World, JoinedBeforeTheLock]:
    """The same world with one more person, whom the one of the first record becomes at the next lock."""
    (ended,) = world.database.state.people
    world.take(OTHER_CONTACT)
    (surviving,) = set(world.database.state.people) - {ended}
    database = JoinedBeforeTheLock(world.database, world.clock, ended, surviving)
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
    later, database = joined(world)
    before = {*world.database.state.resources}

    say(later)

    state = world.database.state
    consents = [one.person_id for key, one in state.resources.items() if key[0] == "Consent" and key not in before]
    assert database.is_done
    assert [*consents, *(one.person_id for one in state.caveats.values())] == [database.surviving]


def test_a_report_is_of_who_the_person_is_now() -> None:
    world, consent_id = a_record_with_release()
    later, database = joined(world)

    assert report_false(later.house, PAM, consent_id, "signed by another hand") is None
    assert [one.person_id for one in world.database.state.caveats.values()] == [database.surviving]


def test_a_revocation_is_of_who_the_person_is_now() -> None:
    world, consent_id = a_record_with_release()
    later, database = joined(world)

    assert later.gateway.consent_desk.revoke(PAM, consent_id, Revoking("written")) is None
    assert world.database.state.resources["Consent", consent_id].person_id == database.surviving


def test_a_delivery_is_decided_on_what_the_person_has_said_under_the_other_number() -> None:
    world = a_refused_referral()
    form = signed(world, a_form(world))
    no = a_filed_consent(world, provision={"type": "deny"})
    later, database = joined(world)
    (patient, *_) = world.database.state.people[database.surviving].patient_ids
    reference = {"reference": f"Patient/{patient}"}
    world.gateway.file_consent(LEAD, {**no, "patient": reference, "performer": [reference]}, None, None)
    world.gateway.consent_desk.capture(KIM, form)
    before = len(world.transport.sent)

    while work_once(later.house, "test"):
        pass

    assert database.is_done
    assert world.transport.sent[before:] == []
    refused = [reason.partition(" ")[0] for _, state, reason in world.states() if state == "refused"]
    assert refused == ["EXPLICIT_DENY"] * 2


def a_delivered_referral_and_a_no() -> tuple[World, str, JoinedBeforeTheLock]:
    """What the hospital has, while its person becomes, before the next lock, somebody whose program says no."""
    world = a_refused_referral()
    world.gateway.consent_desk.capture(KIM, signed(world, a_form(world)))
    no = a_filed_consent(world, provision={"type": "deny"})
    world.work()
    task = next(key for kind, key in world.database.state.resources if kind == "Task" and is_delivered(world, key))
    later, database = joined(world)
    (patient, *_) = world.database.state.people[database.surviving].patient_ids
    reference = {"reference": f"Patient/{patient}"}
    world.gateway.file_consent(LEAD, {**no, "patient": reference, "performer": [reference]}, None, None)
    return later, task, database


def is_delivered(world: World, task: str) -> bool:
    return any(one.state == "delivered" for one in world.database.read(lambda tx: tx.outbox.of_subject(task)))


def test_a_search_is_answered_by_what_the_person_has_said_under_the_other_number() -> None:
    later, task, database = a_delivered_referral_and_a_no()
    parameters = [("_id", task)]
    before = orjson.loads(
        Gateway(replace(later.house, database=database.inner)).search(HOSPITAL, "Task", parameters).body
    )

    found = orjson.loads(later.gateway.search(HOSPITAL, "Task", parameters).body)

    assert (before["total"], found["total"]) == (1, 0)
    assert database.is_done


def test_a_read_is_answered_by_what_the_person_has_said_under_the_other_number() -> None:
    later, task, database = a_delivered_referral_and_a_no()

    assert later.gateway.read(HOSPITAL, "Task", task) is None
    assert database.is_done


def test_a_consult_is_answered_by_what_the_person_has_said_under_the_other_number() -> None:
    later, _, database = a_delivered_referral_and_a_no()
    (patient,) = later.database.state.people[database.ended].patient_ids
    question = Consult(patient=(f"Patient/{patient}",), purpose=("TREAT",))
    before = Gateway(replace(later.house, database=database.inner)).consult(HOSPITAL, question)

    after = later.gateway.consult(HOSPITAL, question)

    assert isinstance(before, Advice)
    assert (before.is_permitted, after) == (True, DENIED)
    assert database.is_done
