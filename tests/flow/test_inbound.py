"""REF that partners send us: routed like any referral, changed and cancelled by later words, answered where allowed."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from gateway.catalog.hl7v2_packs import Hl7Packs, read_hl7_packs
from gateway.delivery.mllp_push import MllpPush
from gateway.flow.gateway import Gateway
from gateway.flow.moves import move
from gateway.formats.hl7v2 import Message, read_message
from gateway.model.handoff import Handoff, Referral
from gateway.model.partner import Endpoint, LegalClass, Organization, Registry
from gateway.model.route import Route
from gateway.tracking.status import StatusEvent, TaskStatus
from gateway.wiring.feeds import message_writer
from tests.support.departures import departures
from tests.support.feed_world import HOSPITAL, a_feed_world, packs, told
from tests.support.flow_house import World
from tests.support.hospital_feed import adt

NONE: frozenset[str] = frozenset()
LINK_DAY = date(2024, 1, 1)
LINK = Endpoint("hl7v2", "mllp://127.0.0.1:2595", application="EHR", facility="HOSPITAL")
CRISIS = "org:demo-corresponders"
ROUTE = Route(
    "routes.yaml:3", frozenset({"hl7v2/ref"}), NONE, NONE, NONE, CRISIS, "fhir", ("TREAT",),
    "county policy 7: providers refer for treatment",
)  # fmt: skip


def a_world(*, route: Route = ROUTE, crisis: LegalClass | None = None) -> World:
    """The hospital refers to the crisis team, whose system takes FHIR; it takes our answers over HL7v2."""
    endpoint = Endpoint("fhir", "http://127.0.0.1:8099/fhir", verified=LINK_DAY)
    world = a_feed_world(endpoints={HOSPITAL: (replace(LINK, verified=LINK_DAY),), CRISIS: (endpoint,)})

    def as_wanted(one: Organization) -> Organization:
        return replace(one, legal_classes=(crisis,)) if crisis is not None and one.id == CRISIS else one

    registry = Registry(map(as_wanted, world.house.registry))
    house = replace(world.house, routes=(route,), registry=registry)
    world.transport.sent.clear()
    return replace(world, house=house, gateway=Gateway(house))


def ref(
    event: str,
    control_id: str,
    *,
    at: str = "20261102120000-0800",
    note: str = "Please see soon",
    number: str = "REF-77",
) -> bytes:
    return (
        f"MSH|^~\\&|EHR|HOSPITAL|WARMHANDOFF|GATEWAY|{at}||REF^{event}^REF_I12|{control_id}|P|2.5.1\r"
        f"RF1|P|R|Psy|||{number}^EHR^2.999.1^ISO|20261102\rPRD|RP|Sampledoc^Sam|||||9999900100^NPI\r"
        "PRD|RT|Testhelper^Tess\rPID|1||M-5^^^HOSPITAL^MR||Newcomer^Nia||19850607|F\r"
        f"DG1|1||R45.851^Suicidal ideations^I10C|||W\rPR1|1||crisis-clinic^Crisis clinic^99WHSVC\rNTE|1||{note}|RE\r"
    ).encode()


def the_record(world: World) -> Handoff:
    (record,) = [one for one in world.database.state.handoffs.values() if one.program == "hl7v2/ref"]
    return record


def the_referral(world: World) -> Referral:
    (referral,) = [one for one in world.database.state.referrals.values() if one.handoff_id == the_record(world).id]
    return referral


def answers(world: World) -> list[tuple[str, str, str]]:
    """(recipient, message, reply to) of what went back to the sender."""
    return [(d.recipient, e.message, e.in_reply_to) for d, _, e in world.transport.sent if e.message]


def recipient_says(world: World, status: TaskStatus, reason: str | None = None) -> None:
    """Let the crisis team move its Task."""
    referral = the_referral(world)
    world.clock.advance(timedelta(minutes=1))
    event = StatusEvent(status, "recipient", world.clock(), reason=reason)
    assert world.database.write(lambda tx: move(world.house, tx, referral, event, by="test")) is None
    world.work()


def test_a_referral_to_us_goes_where_the_routes_say() -> None:
    world = a_world()

    record = told(world, ref("I12", "Q1"))

    ((disclosure, endpoint, _),) = world.transport.sent
    kinds = {entry["resource"]["resourceType"] for entry in disclosure.content["entry"]}
    assert (record.state, record.handoff_id) == ("converted", the_record(world).id)
    assert (disclosure.recipient, endpoint.transport) == (CRISIS, "fhir")
    assert {"Patient", "ServiceRequest", "Task", "Condition", "Provenance"} <= kinds
    assert (the_record(world).agency, the_record(world).state) == (HOSPITAL, "active")
    assert the_referral(world).status == "requested"


def test_a_sender_that_takes_our_answer_and_has_not_answered_it_is_awaited() -> None:
    world = a_world()
    told(world, ref("I12", "Q1"))
    world.transport.sent.clear()
    world.transport.awaits_application = True
    recipient_says(world, "accepted")
    ((_, _, envelope),) = world.transport.sent

    answer = f"MSH|^~\\&|EHR|HOSPITAL|W|G|20261102130000-0800||ACK|K1|P|2.5.1\rMSA|AE|{envelope.message_id[:20]}\r"
    told(world, answer.encode())

    (work,) = [one for one in world.database.state.work.values() if one.kind == "status"]
    assert (work.state, work.reason) == ("dead", "its application refused: the receiver answered AE")


def test_no_route_leaves_it_to_a_person() -> None:
    world = a_world(route=replace(ROUTE, agency=frozenset({"org:demo-lead"})))

    record = told(world, ref("I12", "Q1"))

    assert (world.transport.sent, the_record(world).state) == ([], "unrouted")
    assert "no route covers" in (record.reason or "")


def test_a_referral_that_waited_for_a_route_goes_when_a_person_asks() -> None:
    world = a_world(route=replace(ROUTE, agency=frozenset({"org:demo-lead"})))
    told(world, ref("I12", "Q1"))
    house = replace(world.house, routes=(ROUTE,))
    mended = replace(world, house=house, gateway=Gateway(house))

    assert mended.gateway.route_again("staff-1", the_record(world).id)
    mended.work()

    assert the_record(world).state == "active"
    assert [disclosure.recipient for disclosure, _, _ in world.transport.sent] == [CRISIS]


def test_without_a_policy_it_waits_for_the_persons_agreement() -> None:
    world = a_world(route=replace(ROUTE, without_agreement=None))

    told(world, ref("I12", "Q1"))

    action, state, reason = world.states()[-1]
    assert world.transport.sent == []
    assert (action, state, reason.partition(" ")[0]) == ("create", "refused", "NO_CONSENT")


def test_of_a_part_2_program_nothing_goes_on_because_it_was_sent_to_us() -> None:
    world = a_world()
    program = LegalClass(LINK_DAY, "yes")
    registry = Registry(
        replace(one, legal_classes=(program,)) if one.id == HOSPITAL else one for one in world.house.registry
    )
    house = replace(world.house, registry=registry)
    world = replace(world, house=house, gateway=Gateway(house))

    told(world, ref("I12", "Q1").replace(b"NTE|1|", b"CON|1|001||||||||||A|20261101|20261101\rNTE|1|", 1))

    assert world.transport.sent == []
    assert world.states()[-1][1] == "refused"


def test_a_sender_nobody_registered_refers_nobody() -> None:
    world = a_world()

    record = told(world, ref("I12", "Q1").replace(b"EHR|HOSPITAL", b"EHR|ELSEWHERE", 1))

    assert (record.state, world.transport.sent) == ("quarantined", [])
    assert "hl7v2/ref" not in {one.program for one in world.database.state.handoffs.values()}


def test_a_change_reaches_the_recipient_and_a_repetition_does_not() -> None:
    world = a_world()
    told(world, ref("I12", "Q1"))

    repeated = told(world, ref("I12", "Q1-again"))
    changed = told(world, ref("I13", "Q2", at="20261102130000-0800", note="Sooner than soon"))

    assert (repeated.state, changed.state) == ("duplicate", "converted")
    assert [action for action, _, _ in world.states()[-2:]] == ["create", "update"]


def test_an_older_word_that_comes_late_changes_nothing() -> None:
    world = a_world()
    told(world, ref("I13", "Q2", at="20261102130000-0800", note="Sooner than soon"))

    late = told(world, ref("I12", "Q1", note="Please see soon"))

    assert (late.state, the_record(world).version) == ("duplicate", 1)


def test_a_cancellation_takes_the_referral_back_from_its_recipient() -> None:
    world = a_world()
    told(world, ref("I12", "Q1"))

    record = told(world, ref("I14", "Q3", at="20261102140000-0800"))

    assert (record.state, the_record(world).state, the_referral(world).status) == (
        "converted",
        "withdrawn",
        "cancelled",
    )
    assert [action for action, _, _ in world.states()[-2:]] == ["create", "cancel"]


def test_a_referral_that_comes_after_its_own_cancellation_stays_cancelled() -> None:
    world = a_world()

    told(world, ref("I14", "Q3", at="20261102140000-0800"))
    record = told(world, ref("I12", "Q1", at="20261102120000-0800"))

    assert (record.state, the_record(world).state, world.transport.sent) == ("duplicate", "withdrawn", [])


def test_what_the_recipient_does_is_told_to_the_sender_under_its_own_number() -> None:
    world = a_world()
    told(world, ref("I12", "Q1"))

    recipient_says(world, "accepted")
    recipient_says(world, "in-progress")

    assert answers(world) == [(HOSPITAL, "RRI^I12", "Q1"), (HOSPITAL, "RRI^I13", "Q1")]
    text = written(world, -2)
    assert b"\rRF1|A|" in text
    assert b"REF-77" in text
    assert b"Co-Responders" not in text


def test_a_rejection_says_why() -> None:
    world = a_world()
    told(world, ref("I12", "Q1"))

    recipient_says(world, "rejected", "no bed")

    assert b"\rRF1|R|" in written(world, -1)


def test_a_question_is_answered_with_how_far_it_is() -> None:
    world = a_world()
    told(world, ref("I12", "Q1"))

    told(world, ref("I15", "Q9"))

    assert answers(world) == [(HOSPITAL, "RRI^I15", "Q1")]
    assert b"\rRF1|P|" in written(world, -1)


def test_that_a_part_2_program_took_the_referral_is_told_to_nobody_without_a_consent() -> None:
    """Its acceptance is the program's word: with one program behind a service it would name the treatment."""
    world = a_world(crisis=LegalClass(LINK_DAY, "yes"))
    told(world, ref("I12", "Q1"))

    recipient_says(world, "accepted")
    told(world, ref("I15", "Q9"))

    assert answers(world) == []
    assert {work.state for work in world.database.state.work.values() if work.kind.startswith("status")} == {"refused"}


def test_while_nobody_has_said_whom_it_is_about_its_sender_is_told_nothing_of_it() -> None:
    world = a_world()
    told(world, ref("I12", "Q1"))
    record = the_record(world)
    world.database.state.handoffs[record.id] = replace(record, state="held", hold_reason="possible match")

    recipient_says(world, "accepted")
    meanwhile = answers(world)
    world.gateway.resolve_match("staff-kim", record.id, None)
    world.work()

    assert (meanwhile, [message for _, message, _ in answers(world)]) == ([], ["RRI^I12"])


def test_a_question_about_nothing_is_not_answered() -> None:
    world = a_world()

    record = told(world, ref("I15", "Q9", number="REF-99"))

    assert (record.state, answers(world)) == ("skipped", [])


def test_the_senders_number_of_the_person_is_learned() -> None:
    world = a_world()
    told(world, ref("I12", "Q1"))

    person = world.database.state.people[the_record(world).person_id or ""]

    assert "M-5" in {value for _, value in person.identifiers}


@pytest.mark.parametrize("missing", ["RF1|", "PID|"])
def test_what_is_no_referral_waits_for_a_person(missing: str) -> None:
    world = a_world()
    lines = [line for line in ref("I12", "Q1").decode().split("\r") if not line.startswith(missing)]

    record = told(world, "\r".join(lines).encode())

    assert (record.state, world.transport.sent) == ("quarantined", [])


def written(world: World, n: int, *, theirs: Hl7Packs | None = None, notice: str = "") -> bytes:
    """Write what went back as the transport does, hold it against the standard, and return it.

    `theirs` are packs with partners' files, `notice` is one that it must bear.
    """
    disclosure, endpoint, envelope = world.transport.sent[n]
    write = message_writer(theirs or packs())
    push = MllpPush(1, application="WARMHANDOFF", facility="GATEWAY", processing_id="P", write=write)
    raw = push._written(replace(disclosure, notice=notice or disclosure.notice), endpoint, envelope)
    message = read_message(raw)
    assert isinstance(message, Message)
    assert departures(message) == []
    return raw


@pytest.mark.parametrize(("partner", "charset"), [("demo-hospital", b"8859/1"), ("another-hospital", b"")])
def test_an_answer_is_written_as_its_receivers_file_says_and_keeps_the_notice(
    tmp_path: Path, partner: str, charset: bytes
) -> None:
    world = a_world()
    told(world, ref("I12", "Q1"))
    recipient_says(world, "accepted")
    folder = tmp_path / "hl7v2" / "rri"
    folder.mkdir(parents=True)
    (folder / f"{partner}.yaml").write_text("charset: 8859/1\nrows: {NTE-3: {to: 'Observation.note[].text'}}\n")

    text = written(world, -1, theirs=read_hl7_packs(tmp_path), notice="An invented notice")

    assert (text.partition(b"\r")[0].split(b"|") + [b""] * 18)[17] == charset
    assert b"|P|An invented notice|NOTICE^" in text


def test_a_sender_that_refers_somebody_may_go_on_telling_of_them() -> None:
    """Its feed tells of the same patient number: both have their own copy, and neither stops or changes the other."""
    world = a_world()
    told(world, ref("I12", "I-1"))
    referred = [one for one in world.database.state.contents[the_record(world).id] if one[0] == "Patient"]
    before = world.database.state.resources[referred[0]].body or {}

    admitted = told(world, adt("A01", "I-2", number="M-5", person="Newcomer^Nia^New||19850607|F", rest="PV1|1|E"))
    again = told(world, ref("I13", "I-3", at="20261102130000-0800", note="Very soon"))
    discharged = told(world, adt("A03", "I-4", number="M-5", person="Newcomer^Nia||19850607|F", rest="PV1|1|E"))

    assert [admitted.state, again.state, discharged.state] == ["converted"] * 3
    after = world.database.state.resources[referred[0]].body or {}
    assert after["name"] == before["name"] == [{"family": "Newcomer", "given": ["Nia"]}]
