"""Relays: what a feed tells of people we know goes on to others, decided at the sending, once, and never by guess."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.flow.gateway import Gateway
from gateway.flow.messages.answers import take_messages
from gateway.flow.messages.numbers import number_system
from gateway.flow.releases.reviews import close_review
from gateway.flow.staff.proof import accounting, replay
from gateway.flow.work import work_once
from gateway.formats.hl7v2 import Message, read_message
from gateway.model.accounting import Wanted
from gateway.model.errors import TryLater, WillNeverWork
from gateway.model.handoff import Person
from gateway.model.notice import STATEMENT_2
from gateway.model.partner import Registry
from gateway.model.staff import Member
from gateway.testing.state import State
from tests.support.counted import CountedDatabase, FailingDatabase
from tests.support.feed_world import told
from tests.support.hospital_feed import PEER, adt, newest_input, person_id
from tests.support.part2_world import a_consent, a_permit, labels
from tests.support.relay_world import (
    ASPEN,
    GLUCOSE,
    LANE,
    PERSON,
    SCREEN,
    TO_MERCY,
    Exchange,
    an_exchange,
    result,
)

LEE = Member("staff-lee", "Lee", "privacy-officer", "org:operator")
WITHOUT_SUD = a_consent(a_permit(provision=[{"type": "deny", "securityLabel": labels("SUD")}]))
UNVERIFIED = a_consent(verification=[{"verified": False}])
NO = a_consent(id="no", provision={"type": "deny"})


def test_a_hospitals_result_goes_on_whole_in_our_own_envelope() -> None:
    exchange = an_exchange()

    told(exchange.world, result(*GLUCOSE))

    msh, *rest = exchange.lines()
    [work] = exchange.relays()
    assert rest == [PERSON, *GLUCOSE]
    assert msh == (
        f"MSH|^~\\&|WARMHANDOFF|GATEWAY|EHR|MERCY|20261102100000-0800||ORU^R01|{work.message_id[:20]}|P|2.5.1"
    )
    assert (work.lane, work.state) == (LANE, "delivered")


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("20261102095900-0800", "20261102100000-0800"), ("20261102095900", "20261102100000"),
     ("20261102125900-0500", "20261102130000-0500")],
)  # fmt: skip
def test_times_without_an_offset_go_on_meaning_what_their_sender_meant(theirs: str, ours: str) -> None:
    exchange = an_exchange()

    told(exchange.world, result(*GLUCOSE).replace(b"20261102095900-0800", theirs.encode()))

    assert exchange.lines()[0].split("|")[6] == ours


def test_characters_agreed_on_with_the_sender_are_named_to_the_receiver() -> None:
    exchange = an_exchange()
    registry = Registry(
        replace(one, feeds=tuple(replace(feed, charset="8859/2") for feed in one.feeds))
        for one in exchange.world.house.registry
    )
    house = replace(exchange.world.house, registry=registry)
    world = replace(exchange.world, house=house, gateway=Gateway(house))

    told(world, result(*GLUCOSE).replace(b"Glucose", "Poziom: duży".encode("iso8859-2")))

    (sent,) = exchange.relay.sent
    message = read_message(sent)
    assert isinstance(message, Message)
    assert (message.text("MSH-18"), message.text("OBX-3.2")) == ("8859/2", "Poziom: duży")


def test_a_programs_result_goes_on_with_consent_and_its_notice() -> None:
    exchange = an_exchange()
    exchange.file(a_consent())

    told(exchange.world, result(*GLUCOSE, *SCREEN, sender=ASPEN))

    assert SCREEN[1] in exchange.lines()
    assert any(STATEMENT_2 in line for line in exchange.lines())


def test_what_the_consent_leaves_out_goes_as_a_whole_group() -> None:
    exchange = an_exchange()
    exchange.file(WITHOUT_SUD)

    told(exchange.world, result(*GLUCOSE, *SCREEN, sender=ASPEN))

    assert [line[:3] for line in exchange.lines()] == ["MSH", "PID", "NTE", "NTE", "OBR", "OBX"]
    assert "positive" not in "".join(exchange.lines())


def test_a_programs_result_without_consent_is_refused() -> None:
    exchange = an_exchange()

    told(exchange.world, result(*GLUCOSE, sender=ASPEN))

    assert exchange.relay.sent == []
    assert exchange.states() == [("refused", "DISCLOSER_NOT_NAMED (42 CFR 2.31(a)(2))")]


def test_a_consent_that_comes_later_lets_it_go_when_a_person_asks() -> None:
    exchange = an_exchange()
    told(exchange.world, result(*GLUCOSE, sender=ASPEN))
    exchange.file(a_consent())
    exchange.world.work()
    assert exchange.relay.sent == []

    assert exchange.world.gateway.replay("staff-lee", exchange.relays()[0].id)
    exchange.world.work()

    assert GLUCOSE[1] in exchange.lines()


def test_a_revocation_between_queue_and_sending_wins() -> None:
    exchange = an_exchange()
    exchange.file(a_consent())
    exchange.pause(True)
    told(exchange.world, result(*GLUCOSE, sender=ASPEN))

    exchange.file(NO)
    exchange.pause(False)

    assert exchange.relay.sent == []
    assert [state for state, _ in exchange.states()] == ["refused"]


def test_a_con_in_the_message_stops_the_message_itself() -> None:
    """What it forbids is committed before the message is acknowledged, and so before it could be passed on."""
    exchange = an_exchange()
    refusal = "CON|1|001||||||||W|R||20261101"

    told(exchange.world, adt("A31", "C1", rest="PD1|") + refusal.encode() + b"\r")

    assert exchange.relay.sent == []
    assert [state for state, _ in exchange.states()] == ["refused"]


@pytest.mark.parametrize(
    ("person", "reason"),
    [
        ("PID|1||X-9^^^HOSPITAL^MR||Nobody^Noel||20000101|M", "it is about nobody we know"),
        (
            "PID|1||X-9^^^HOSPITAL^MR||Sample^Ari||19900102|F",
            "it is about a person who is only possibly known: decide who it is",
        ),
        (
            "PID|1||M-1^^^HOSPITAL^MR~M-2^^^HOSPITAL^MR||Sample^Ari||19900102|F",
            "its numbers are those of several persons here: decide whose it is",
        ),
    ],
)
def test_without_one_known_person_it_waits_for_a_person(person: str, reason: str) -> None:
    """Nobody's consent could be looked up, though HIPAA would let a provider have it (45 CFR 164.506(c)(2))."""
    exchange = an_exchange()

    told(exchange.world, result(*GLUCOSE, person=person))

    assert exchange.relay.sent == []
    assert exchange.states() == [("held", reason)]


def test_one_number_that_two_partners_gave_to_two_people_is_nobodys() -> None:
    exchange = an_exchange()
    theirs = (number_system("org:demo-clinic", "HOSPITAL"), "M-1")
    other = Person("other", "Example", "Bo", None, None, None, None, ("p-other",), (theirs,))
    exchange.world.database.write(lambda tx: tx.people.save(other, exchange.world.clock()))

    told(exchange.world, result(*GLUCOSE))

    assert [state for state, _ in exchange.states()] == ["held"]


@pytest.mark.parametrize(
    "message",
    [
        result(*GLUCOSE, "PID|2||M-2^^^HOSPITAL^MR||Example^Bo", *GLUCOSE),
        adt("A40", "M1", rest="MRG|M-2^^^HOSPITAL^MR"),
        adt("A08", "M2", rest="MRG|M-2^^^HOSPITAL^MR"),
        adt("A24", "M3", rest="PID|2||M-2^^^HOSPITAL^MR||Example^Bo"),
    ],
    ids=["two persons", "merge", "ended numbers in an update", "link"],
)
def test_what_is_about_several_persons_is_not_passed_on(message: bytes) -> None:
    exchange = an_exchange()

    told(exchange.world, message)

    assert exchange.relay.sent == []
    assert [state for state, _ in exchange.states()] == ["refused"]


def test_what_cannot_be_taken_apart_is_refused_and_the_refusal_is_kept() -> None:
    exchange = an_exchange()

    told(exchange.world, result(*GLUCOSE, "OBX|2|NM||||||||F"))

    assert exchange.relay.sent == []
    assert exchange.states() == [("refused", "UNPARSEABLE (fail closed)")]
    assert _replayed(exchange) == [()]


def test_what_waits_for_a_person_itself_is_held() -> None:
    """An A31 that says another name than ours: who it is about is for a person."""
    exchange = an_exchange()

    told(exchange.world, adt("A31", "U1", person="Other^Olga||19700101|F", rest="PD1|"))

    assert exchange.relay.sent == []
    assert exchange.states() == [("held", "its own reading waits for a person")]


def test_what_nobody_registered_sends_is_passed_on_to_nobody() -> None:
    exchange = an_exchange()

    told(exchange.world, result(*GLUCOSE, sender="STRANGER|LAB"))

    assert exchange.relays() == []


def test_a_message_of_training_is_passed_on_to_nobody() -> None:
    exchange = an_exchange()

    told(exchange.world, result(*GLUCOSE).replace(b"|O1|P|", b"|O1|T|"))

    assert exchange.relays() == []


def test_what_comes_without_the_certificate_of_its_feed_is_passed_on_to_nobody() -> None:
    exchange = an_exchange()
    registry = Registry(
        replace(one, feeds=tuple(replace(feed, certificates=frozenset({"ab" * 32})) for feed in one.feeds))
        for one in exchange.world.house.registry
    )
    house = replace(exchange.world.house, registry=registry)

    told(replace(exchange.world, house=house, gateway=Gateway(house)), result(*GLUCOSE))

    assert exchange.relays() == []


def test_a_type_no_rule_names_is_passed_on_to_nobody() -> None:
    exchange = an_exchange(replace(TO_MERCY, types=frozenset({"ADT"})))

    told(exchange.world, result(*GLUCOSE))

    assert exchange.relays() == []


def test_each_receiver_gets_a_message_of_its_own_and_its_own_decision() -> None:
    """Quarry has no hl7v2 endpoint any more; that is no matter of Mercy's."""
    exchange = an_exchange(TO_MERCY, replace(TO_MERCY, to="org:quarry"))

    told(exchange.world, result(*GLUCOSE))

    assert len(exchange.relay.sent) == 1
    assert [(one.lane, one.state) for one in exchange.relays()] == [(LANE, "delivered"), ("org:quarry/hl7v2", "dead")]


def test_the_same_message_again_has_no_second_effect() -> None:
    exchange = an_exchange()
    told(exchange.world, result(*GLUCOSE))

    exchange.world.gateway.accept_message(result(*GLUCOSE), PEER)
    take_messages(exchange.world.house, [newest_input(exchange.world)], lambda tx: True)
    exchange.world.work()

    assert len(exchange.relay.sent) == 1
    assert len(exchange.relays()) == 1


def test_a_repeated_sending_has_the_same_bytes_and_the_same_number() -> None:
    exchange = an_exchange()
    exchange.relay.failures.append(TryLater("no answer in time"))
    told(exchange.world, result(*GLUCOSE))

    exchange.world.clock.at = datetime(2026, 11, 2, 19, 0, tzinfo=UTC)
    exchange.world.work()

    assert exchange.relay.tried == [exchange.relay.sent[0]] * 2
    assert exchange.states() == [("delivered", "")]


def test_what_a_receiver_refuses_is_a_dead_letter_that_a_person_replays() -> None:
    exchange = an_exchange()
    exchange.relay.failures.append(WillNeverWork("AE"))
    told(exchange.world, result(*GLUCOSE))
    assert exchange.states() == [("dead", "AE")]

    exchange.world.gateway.replay("staff-lee", exchange.relays()[0].id)
    exchange.world.work()

    assert exchange.relay.tried == [exchange.relay.sent[0]] * 2


def test_messages_of_a_person_stay_in_order() -> None:
    exchange = an_exchange()
    exchange.pause(True)
    for event, control_id in (("A01", "E1"), ("A02", "E2"), ("A03", "E3")):
        told(exchange.world, adt(event, control_id))

    exchange.pause(False)

    assert [sent.split(b"|")[8] for sent in exchange.relay.sent] == [b"ADT^A01", b"ADT^A02", b"ADT^A03"]


def test_what_no_feed_passes_on_any_more_is_not_passed_on() -> None:
    exchange = an_exchange()
    exchange.pause(True)
    told(exchange.world, result(*GLUCOSE))

    changed = exchange.with_rules()
    changed.pause(False)

    assert changed.relay.sent == []
    assert [state for state, _ in changed.states()] == ["dead"]


def test_a_message_with_no_place_for_its_notice_is_held() -> None:
    exchange = an_exchange()
    exchange.file(a_consent())
    admission = adt("A01", "E1").replace(b"EHR|HOSPITAL", b"LIS|ASPEN", 1)

    told(exchange.world, admission)

    assert exchange.relay.sent == []
    assert exchange.states() == [("held", "NOTICE_UNATTACHABLE (42 CFR 2.32(a))")]


def test_a_receiver_that_takes_it_and_has_not_answered_is_awaited() -> None:
    exchange = an_exchange()
    exchange.relay.awaits_application = True
    told(exchange.world, result(*GLUCOSE))
    [work] = exchange.relays()
    assert work.state == "awaiting"

    answer = f"MSH|^~\\&|EHR|MERCY|W|G|20261102120000-0800||ACK|K1|P|2.5.1\rMSA|AA|{work.message_id[:20]}\r"
    told(exchange.world, answer.encode())

    assert exchange.states() == [("delivered", "")]


def test_what_holds_goes_before_a_person_and_the_rest_goes_on() -> None:
    exchange = an_exchange()
    exchange.file(UNVERIFIED)
    of_aspen = ("OBR|2|P2|F2|58410-2^Blood count^LN", "OBX|1|NM|718-7^Hemoglobin^LN||14|g/dL|||||F||||aspen")

    told(exchange.world, result(*GLUCOSE, *of_aspen))

    assert [line for line in exchange.lines() if line[:2] == "OB"] == [*GLUCOSE]
    [review] = exchange.world.database.state.reviews.values()
    assert (review.kind, review.recipient, review.reason) == ("held", "org:mercy", "CONSENT_UNVERIFIED")


def test_what_was_settled_goes_on_under_a_number_of_its_own() -> None:
    exchange = an_exchange()
    exchange.file(UNVERIFIED)
    of_aspen = ("OBR|2|P2|F2|58410-2^Blood count^LN", "OBX|1|NM|718-7^Hemoglobin^LN||14|g/dL|||||F||||aspen")
    told(exchange.world, result(*GLUCOSE, *of_aspen))
    [review] = exchange.world.database.state.reviews.values()

    exchange.file(a_consent())
    close_review(exchange.world.house, LEE, review.id, "compared with the scan", again=True)
    exchange.world.work()

    first, second = exchange.relay.sent
    assert of_aspen[1].encode() not in first
    assert of_aspen[1].encode() in second
    assert len({one.message_id for one in exchange.relays()}) == 2


def test_what_was_passed_on_stands_in_the_accounting_without_what_was_withheld() -> None:
    """42 CFR 2.25; 45 CFR 164.528(b)."""
    exchange = an_exchange()
    exchange.file(WITHOUT_SUD)
    told(exchange.world, result(*GLUCOSE, *SCREEN, sender=ASPEN))

    house, wanted = exchange.world.house, Wanted(person=person_id(exchange.world))
    since, until = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    told_of = accounting(house.database, house.registry, house.clock, "staff-lee", wanted, since, until)

    assert told_of is not None
    [one] = [each for each in told_of.disclosures if each.recipient == "org:mercy"]
    assert (one.part, one.occasion, one.purpose, one.consent, one.is_confirmed) == (
        "consent", "a message ORU^R01 passed on", "TREAT", "paper", True,
    )  # fmt: skip
    assert one.content == "1 Observation, 1 Patient, 1 ServiceRequest"


@pytest.mark.parametrize("consents", [[], [a_consent()], [WITHOUT_SUD], [UNVERIFIED]])
def test_a_decision_on_a_message_can_be_made_again(consents: list[dict[str, object]]) -> None:
    exchange = an_exchange()
    for consent in consents:
        exchange.file(consent)

    told(exchange.world, result(*GLUCOSE, *SCREEN, sender=ASPEN))

    assert _replayed(exchange) == [()]


def _replayed(exchange: Exchange) -> list[tuple[str, ...]]:
    """Make every decision on a relay again; return what differs."""
    house, works = exchange.world.house, {one.id for one in exchange.relays()}
    kept = [one for one in exchange.world.database.state.decisions.values() if one.work_id in works]
    replays = [replay(house.database, house.registry, house.clock, "test", one.decision_id) for one in kept]
    return [one.differences for one in replays if one is not None]


def test_no_look_up_that_fails_while_a_relay_is_prepared_lets_it_go() -> None:
    exchange = an_exchange()
    exchange.file(a_consent())
    exchange.world.gateway.pause("test", LANE, True)
    told(exchange.world, result(*GLUCOSE, sender=ASPEN))
    exchange.world.gateway.pause("test", LANE, False)
    queued, counted = exchange.world.database.state, CountedDatabase(exchange.world.database)
    work_once(replace(exchange.world.house, database=counted), "test")
    asked = counted.asked[: counted.asked.index("decisions.confirm")]
    assert len(exchange.relay.sent) == 1
    assert {"inputs.get", "people.by_number", "people.lock", "resources.of_person", "decisions.intend"} <= {*asked}

    for call in sorted({*asked, "commit"} - {"write"}):
        exchange.world.database.state = queued
        exchange.relay.sent.clear()
        failing = FailingDatabase(exchange.world.database, call)
        with suppress(TryLater):
            work_once(replace(exchange.world.house, database=failing, report=lambda work, error: None), "test")
        assert exchange.relay.sent == [], call


_PLANTED = st.tuples(
    st.sampled_from(
        ("OBX|2|ST|X1^Other^L||{}||||||F", "DG1|1||{}", "AL1|1|DA|{}", "PR1|1||{}", "NTE|1|L|{}", "ZZZ|1|{}")
    ),
    st.sampled_from(("methadone", "meth\\X61\\done", "metha^done", "F11.20^x^I10C", "buprenorphine&naloxone")),
    st.text(st.sampled_from("abzXNTE09 ^~&\\.é\t'\"<"), max_size=12),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_PLANTED, min_size=1, max_size=4))
def test_what_is_withheld_changes_no_byte_of_what_is_passed_on(planted: list[tuple[str, str, str]]) -> None:
    """42 CFR 2.13(c): a receiver cannot tell whether anything was withheld."""
    exchange = _two_results()
    segments = [shape.format(f"{secret} {text}") for shape, secret, text in planted]

    told(exchange.world, result(*GLUCOSE, sender=ASPEN))
    told(exchange.world, result(*GLUCOSE, *segments, sender=ASPEN, control_id="O2"))

    bare, full = (sent.split(b"|", 10) for sent in exchange.relay.sent)
    assert (full[:9], full[10:]) == (bare[:9], bare[10:])


_STARTED: list[tuple[Exchange, State]] = []


def _two_results() -> Exchange:
    """Return the same exchange as nothing had come yet; its store keeps what it held, so that one is enough."""
    if not _STARTED:
        exchange = an_exchange()
        exchange.file(WITHOUT_SUD)
        _STARTED.append((exchange, exchange.world.database.state))
    exchange, state = _STARTED[0]
    exchange.world.database.state = state
    exchange.relay.sent.clear()
    return exchange
