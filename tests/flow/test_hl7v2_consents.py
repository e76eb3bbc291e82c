"""CON of a message: it takes back and restricts from its receipt on, it never permits, and what is doubtful waits."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.flow.consents.segments import settle_consents
from gateway.flow.gateway import Gateway
from gateway.flow.people import PERSON_ID, unite
from gateway.model.handoff import Resource
from gateway.model.partner import Endpoint, Registry
from gateway.ports import Transaction
from tests.support.before_the_lock import BeforeTheLock
from tests.support.flow_house import CONTACT, World, without_agreements
from tests.support.hospital_feed import (
    OTHER_CONTACT,
    PEER,
    a_world_that_knows_two,
    adt,
    newest_input,
    person_id,
    rri,
    take,
)

UNASKED = {**CONTACT, "consent_status": "not_asked", "consent_at": ""}


def con(status: str, control_id: str = "C1", *, number: str = "M-1", person: str = "", **fields: str) -> bytes:
    """An A31 of the hospital with one CON; `fields` by number, such as f9 for CON-9."""
    values = {"f1": "1", "f2": "001", "f10": "W", "f11": status, "f13": "20261001", **fields}
    segment = "|".join(["CON", *(values.get(f"f{n}", "") for n in range(1, 26))])
    message = adt("A31", control_id, number=number, person=person, rest="PD1|")
    return message + segment.encode() + b"\r"


@pytest.fixture
def world() -> World:
    return registered(a_world_that_knows_two())


def registered(world: World) -> World:
    """Register the hospital's interface, EHR of HOSPITAL."""
    known = {one.id: one for one in world.house.registry}
    hospital = known["org:demo-hospital"]
    link = Endpoint("hl7v2", "mllp://127.0.0.1:2576", application="EHR", facility="HOSPITAL")
    known["org:demo-hospital"] = replace(hospital, endpoints=(*hospital.endpoints, link))
    world.house = replace(world.house, registry=Registry(known.values()))
    world.gateway = Gateway(world.house)
    return world


def outcome_of_an_update(world: World, n: int = 1) -> tuple[str, str]:
    """Change the record of the n-th person: state and reason of the delivery that follows."""
    world.clock.advance(timedelta(minutes=1))
    changed = {**(CONTACT if n == 1 else OTHER_CONTACT), "primary_issue": "welfare", "phone": "360-555-0199"}
    world.take(changed)
    _, state, reason = world.states()[-1]
    return state, reason


def consents_of(world: World, n: int = 1) -> list[Resource]:
    return [
        one.body for one in world.database.read(lambda tx: tx.resources.of_person(["Consent"], person_id(world, n)))
    ]


def audited(world: World, kind: str) -> list[dict[str, object]]:
    return [dict(entry.data) for entry in world.database.state.audit.values() if entry.kind == kind]


def test_without_a_con_an_update_is_delivered(world: World) -> None:
    assert outcome_of_an_update(world)[0] == "delivered"


def test_a_rescinded_consent_counts_from_the_receipt_and_keeps_the_date_it_states(world: World) -> None:
    """K14; 42 CFR 2.31(c)(3)."""
    taken = take(world, con("X", f13="20200101"))

    assert taken == (
        "converted",
        "CON: rescinded from the receipt of the message on: 1 of the person's consents here; "
        "an update of a known person that tells nothing new",
    )
    assert outcome_of_an_update(world)[0] == "refused"
    [revocation] = [one for one in consents_of(world)[0]["extension"] if one["url"].endswith("part2-revocation")]
    assert revocation["extension"][:2] == [
        {"url": "when", "valueDateTime": "2026-11-02T18:00:00Z"},
        {"url": "method", "valueCode": "written"},
    ]
    assert audited(world, "consent.revoked")[0]["stated"] == "2020-01-01"


def test_a_spoken_one_leaves_the_consent_standing_and_nothing_goes_on_it(world: World) -> None:
    [consent] = consents_of(world)

    take(world, con("X", f4=str(consent["id"]), f10="V"))

    assert consents_of(world)[0]["status"] == "active"
    assert outcome_of_an_update(world)[0] == "refused"


def test_a_revocation_stands_before_its_message_is_acknowledged(world: World) -> None:
    world.gateway.accept_message(con("X"), PEER)

    assert len(audited(world, "consent.revoked")) == 1


def test_the_message_taken_again_revokes_nothing_twice(world: World) -> None:
    take(world, con("X"))
    consents = consents_of(world)

    state, _ = take(world, con("X", "C2"))

    assert state == "converted"
    assert consents_of(world) == consents


def test_an_import_does_not_bring_back_what_was_rescinded(world: World) -> None:
    take(world, con("X"))
    outcome_of_an_update(world)

    assert outcome_of_an_update(world)[0] == "refused"


def test_a_sender_who_only_receives_takes_back_what_goes_to_itself(world: World) -> None:
    """The hospital discloses on none of the person's consents: other recipients are not touched."""
    take(world, con("X"))

    [consent] = consents_of(world)
    [revocation] = consent["extension"]
    assert consent["status"] == "active"
    assert revocation["extension"][2]["valueReference"]["display"] == "Exampleville General Hospital"


def test_a_named_form_that_is_not_here_takes_back_all_of_the_senders_and_waits_for_a_look(world: World) -> None:
    state, reason = take(world, con("X", f4="FORM-77"))

    assert (state, "look which one is meant" in reason) == ("quarantined", True)
    assert outcome_of_an_update(world)[0] == "refused"


def test_a_named_form_ends_as_a_whole_and_no_other_does(world: World) -> None:
    [consent] = consents_of(world)

    state, _ = take(world, con("X", f4=str(consent["id"])))

    assert (state, consents_of(world)[0]["status"], consents_of(world, 2)[0]["status"]) == (
        "converted",
        "inactive",
        "active",
    )


def test_a_consent_signed_after_the_receipt_is_a_new_decision(world: World) -> None:
    take(world, con("X"))
    [consent] = consents_of(world)
    signed = {**consent, "id": "signed-later", "dateTime": "2026-11-03T10:00:00-08:00", "extension": []}
    world.database.write(
        lambda tx: tx.resources.put(signed, handoff_id=None, person_id=person_id(world), at=world.clock())
    )

    take(world, con("X", "C2"))

    assert [one["extension"] for one in consents_of(world) if one["id"] == "signed-later"] == [[]]


@pytest.mark.parametrize(("status", "kind"), [("R", "001"), ("A", "110"), ("R", ""), ("R", "LOCAL-RELEASE")])
def test_a_refusal_is_in_force_at_once_for_everything_and_everybody(world: World, status: str, kind: str) -> None:
    state, reason = take(world, con(status, f2=kind))

    assert (state, reason.partition(";")[0]) == (
        "converted",
        "CON: the person refuses disclosure: nothing leaves on any consent",
    )
    assert outcome_of_an_update(world) == ("refused", "EXPLICIT_DENY (42 CFR 2.31(a)(3); 2.13(a))")


def test_a_refusal_of_one_person_is_none_of_another(world: World) -> None:
    take(world, con("R"))

    assert outcome_of_an_update(world, 2)[0] == "delivered"


@pytest.mark.parametrize("fields", [{"f11": "L"}, {"f11": "L", "f9": "not to my brother"}, {"f9": "no HIV results"}])
def test_limits_in_the_persons_own_words_stop_everything_until_somebody_has_read_them(
    world: World, fields: dict[str, str]
) -> None:
    state, reason = take(world, con("A", **fields))

    assert (state, reason.partition(":")[0]) == ("quarantined", "CON-9")
    assert outcome_of_an_update(world)[0] == "refused"
    assert "brother" not in reason


@pytest.mark.parametrize(("status", "kind"), [("Q", "001"), ("", "001"), ("X", "110"), ("R", "111")])
def test_what_nobody_can_tell_to_forbid_or_not_waits_and_stops(world: World, status: str, kind: str) -> None:
    state, reason = take(world, con(status, f2=kind))

    assert (state, reason.partition(":")[0]) == ("quarantined", "CON-11")
    assert outcome_of_an_update(world)[0] == "refused"


@pytest.mark.parametrize("mode", ["W", "V", "T", ""])
def test_an_active_consent_is_kept_unverified_and_permits_nothing(mode: str) -> None:
    """K17: a spoken consent is none, and neither is one that a system says is written."""
    world = registered(a_world_that_knows_two())
    before = outcome_of_an_update(world)
    world.take({**UNASKED, "contact_id": "C-3", "primary_issue": "welfare"})
    unasked = world.states()[-1]

    state, reason = take(world, con("A", f10=mode))

    assert (state, "get the form" in reason) == ("converted", True)
    kept = next(one for one in consents_of(world) if "con-segment" in str(one.get("meta")))
    assert (kept["status"], kept["verification"]) == ("active", [{"verified": False}])
    assert (before[0], world.states()[-1]) == ("delivered", unasked)


def test_a_consent_of_con_never_lifts_a_refusal(world: World) -> None:
    take(world, con("R"))
    take(world, con("A", "C2"))

    assert outcome_of_an_update(world)[0] == "refused"


def test_a_pending_consent_is_a_proposal(world: World) -> None:
    take(world, con("P"))

    assert [one["status"] for one in consents_of(world)] == ["active", "proposed"]
    assert outcome_of_an_update(world)[0] == "delivered"


@pytest.mark.parametrize("reason", ["E", "PJ"])
def test_a_bypass_flag_is_no_emergency_record(world: World, reason: str) -> None:
    """K16; 42 CFR 2.51(c)."""
    before = consents_of(world)

    state, told = take(world, con("B", f20=reason))

    assert (state, "no emergency record" in told) == ("skipped", True)
    assert consents_of(world) == before
    [claim] = audited(world, "consent.bypass-claimed")
    assert (claim["reason"], claim["person"], claim["sender"]) == (reason, person_id(world), "org:demo-hospital")


@pytest.mark.parametrize("status", ["A", "R", "X", "L"])
def test_a_consent_to_a_procedure_says_nothing_about_disclosure(world: World, status: str) -> None:
    before = consents_of(world)

    assert take(world, con(status, f2="035"))[0] == "skipped"
    assert consents_of(world) == before


@pytest.mark.parametrize("status", ["R", "X", "L"])
def test_a_person_who_is_only_possibly_known_is_protected_until_decided(world: World, status: str) -> None:
    state, reason = take(world, con(status, number="M-7", person="Sample^Ari||19900102|F"))

    assert (state, "only possibly known" in reason) == ("quarantined", True)
    assert outcome_of_an_update(world, 1)[0] == "refused"
    assert outcome_of_an_update(world, 2)[0] == "delivered"


def test_what_a_consent_allows_to_a_person_only_possibly_known_is_not_kept(world: World) -> None:
    before = consents_of(world)

    take(world, con("A", number="M-7", person="Sample^Ari||19900102|F"))

    assert consents_of(world) == before


def test_a_con_about_nobody_we_know_stops_nothing(world: World) -> None:
    assert take(world, con("R", number="M-9", person="Stranger^Max||19700101|M"))[0] == "skipped"


def test_a_sender_nobody_registered_stops_and_waits() -> None:
    world = a_world_that_knows_two()
    own = person_number(world)

    state, reason = take(world, con("X", number=own).replace(b"EHR|HOSPITAL", b"STRANGER|ELSEWHERE"))

    assert (state, "MSH-3 and MSH-4" in reason) == ("quarantined", True)
    assert outcome_of_an_update(world)[0] == "refused"


def person_number(world: World) -> str:
    person = world.database.read(lambda tx: tx.people.get(person_id(world)))
    assert person is not None
    return next(value for system, value in person.identifiers if system == PERSON_ID)


def test_what_a_person_confirms_stands_and_what_it_does_not_mean_is_lifted(world: World) -> None:
    take(world, con("R", number="M-7", person="Sample^Ari||19900102|F"))
    waiting = newest_input(world)

    assert not settle_consents(world.house, "staff-1", waiting, person_id(world, 2))
    assert not settle_consents(without_agreements(world).house, "staff-1", waiting, person_id(world))
    assert settle_consents(world.house, "staff-1", waiting, person_id(world))

    assert outcome_of_an_update(world)[0] == "refused"
    assert not settle_consents(world.house, "staff-1", waiting, None)


def test_what_a_person_sets_aside_stops_nothing_any_more(world: World) -> None:
    take(world, con("L", f9="in my own words"))
    waiting = newest_input(world)
    stopped = outcome_of_an_update(world)

    assert settle_consents(world.house, "staff-1", waiting, None)

    world.work()
    assert (stopped[0], world.states()[-1][1]) == ("refused", "delivered")
    [settled] = audited(world, "consent.settled")
    assert settled == {"input": waiting, "person": None}


def test_a_confirmed_revocation_counts_from_the_receipt_of_its_message(world: World) -> None:
    take(world, con("X", number="M-7", person="Sample^Ari||19900102|F"))
    world.clock.advance(timedelta(days=1))

    assert settle_consents(world.house, "staff-1", newest_input(world), person_id(world))

    revoked = next(one for one in consents_of(world) if "con-segment" not in str(one.get("meta")))
    assert revoked["extension"][0]["extension"][0]["valueDateTime"] == "2026-11-02T18:00:00Z"


def test_a_con_in_any_message_is_read_and_the_rest_of_the_message_still_counts(world: World) -> None:
    segment = con("X").rpartition(b"CON")[2]

    state, reason = take(world, adt("A01", "V1") + b"CON" + segment)

    assert (state, "rescinded" in reason) == ("converted", True)
    assert outcome_of_an_update(world)[0] == "refused"


def test_no_word_of_a_con_is_in_the_reason_or_the_trail(world: World) -> None:
    take(world, con("L", f9="SECRETWORDS", f5="SECRETTEXT", f24="Secretname^Sam"))

    trail = str(list(world.database.state.audit.values()))
    outcome = world.database.read(lambda tx: tx.inputs.records(newest_input(world)))[0]
    assert "SECRET" not in trail + str(outcome.reason)


def test_a_person_who_becomes_known_before_the_turn_of_the_message_is_the_only_one_stopped(world: World) -> None:
    """The acceptance that tells the number waits in the queue while the refusal comes: nobody else stays stopped."""
    refusal = con("R", number="M-5", person="Sample^Ari||19900102|F")
    world.gateway.accept_message(refusal, PEER)
    stopped = [one["status"] for one in consents_of(world) if "con-segment" in str(one.get("meta"))]
    person = world.database.read(lambda tx: tx.people.get(person_id(world, 2)))
    assert person is not None
    known_now = replace(
        person, identifiers=(*person.identifiers, ("urn:warm-handoff:record-number:org:demo-hospital:HOSPITAL", "M-5"))
    )
    world.database.write(lambda tx: tx.people.save(known_now, world.clock()))

    world.work()

    assert stopped == ["active"]
    assert outcome_of_an_update(world, 1)[0] == "delivered"
    assert outcome_of_an_update(world, 2)[0] == "refused"


def test_the_person_of_the_record_a_message_moved_is_whom_its_con_is_about(world: World) -> None:
    """An RRI names a referral of ours; its PID may have a number nobody has told yet."""
    referral = next(
        entry["resource"]["identifier"][0]["value"]
        for entry in world.transport.sent[0][0].content["entry"]
        if entry["resource"]["resourceType"] == "Task"
    )
    answer = (
        rri(referral, "9", "R9").replace(b"M-9^^^HOSPITAL", b"").replace(b"||9^^^HOSPITAL^MR||", b"||||Nobody^Else")
    )
    segment = b"CON" + con("R").rpartition(b"CON")[2]

    state, reason = take(world, answer + segment)

    assert (state, "refuses disclosure" in reason) == ("converted", True)
    assert outcome_of_an_update(world, 1)[0] == "refused"
    assert outcome_of_an_update(world, 2)[0] == "delivered"


@pytest.mark.parametrize("status", ["R", "X"])
def test_what_a_con_forbids_is_kept_of_who_the_person_is_now(world: World, status: str) -> None:
    """A merge is committed between the finding of the person and the lock."""
    ended, surviving = person_id(world, 1), person_id(world, 2)

    def join(tx: Transaction) -> None:
        one, other = tx.people.get(ended), tx.people.get(surviving)
        assert one is not None
        assert other is not None
        unite(tx, one, other, world.clock())

    database = BeforeTheLock(world.database, ended, join)
    house = replace(world.house, database=database)

    take(replace(world, house=house, gateway=Gateway(house)), con(status))

    kept = world.database.read(lambda tx: tx.resources.of_person(["Consent"], surviving))
    left = world.database.read(lambda tx: tx.resources.of_person(["Consent"], ended))
    forbids = [one.body["provision"]["type"] == "deny" or "part2-revocation" in str(one.body) for one in kept]
    assert database.is_done
    assert left == []
    assert any(forbids)
