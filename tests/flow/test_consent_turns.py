"""What a consent says changes with the clock: what it stopped is decided again by itself, at that very instant."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.consent import compile_consents
from gateway.flow.consents.sweep import AT_ONCE, sweep
from gateway.flow.consents.terms import EXPIRY, keep_watch_of_record, next_turn
from gateway.model.consent_directive import Directive
from gateway.model.consent_life import ConsentTerm, Revoking
from gateway.model.fhir_time import instant
from gateway.ports import Transaction
from tests.flow.test_consent_filing import HOSPITAL_ACTOR, a_filed_consent, file
from tests.support.consent_desk import KIM, a_form, a_refused_referral, capture, signed, states, stored
from tests.support.flow_house import World
from tests.support.part2_world import a_consent, a_permit, answer, bundle
from tests.support.part2_world import world as registry_of_rules

NEW_YEAR = datetime(2027, 1, 1, 8, 0, tzinfo=UTC)
"""Its first instant in Washington."""
AN_INSTANT = timedelta(microseconds=1)
YES = a_permit(actor=[HOSPITAL_ACTOR])
NO = {"type": "deny", "actor": [HOSPITAL_ACTOR]}


def closed(*nested: dict[str, Any], start: str = "2026-09-01") -> dict[str, Any]:
    return {"type": "deny", "period": {"start": start, "end": "2027-06-30"}, "provision": list(nested)}


def begun(start: str) -> dict[str, Any]:
    """A consent whose one permission has no end."""
    return {"type": "deny", "provision": [{**YES, "period": {"start": start}}]}


def until(end: str, provision: dict[str, Any]) -> dict[str, Any]:
    return {**provision, "period": {"end": end}}


def swept_at(world: World, at: datetime) -> set[str]:
    world.clock.at = at
    while sweep(world.house):
        pass
    world.work()
    return states(world)


@pytest.mark.parametrize(
    "consent",
    [
        pytest.param({"provision": closed(YES, start="2027-01-01")}, id="all of it begins"),
        pytest.param({"provision": closed({**YES, "period": {"start": "2027-01-01"}})}, id="what it permits begins"),
        pytest.param({"provision": closed(YES, until("2026-12-31", NO))}, id="what it refuses besides ends"),
        pytest.param({"provision": closed(YES), "dateTime": "2027-01-01T00:00:00-08:00"}, id="it is dated ahead"),
    ],
)
def test_what_a_consent_stopped_goes_at_the_first_instant_it_may(consent: dict[str, Any]) -> None:
    world = a_refused_referral()
    file(world, **consent)

    before = swept_at(world, NEW_YEAR - AN_INSTANT)

    assert (before, swept_at(world, NEW_YEAR)) == ({"refused"}, {"delivered"})


def test_what_a_no_stopped_goes_when_the_no_ends() -> None:
    world = a_refused_referral()
    file(world, provision=until("2026-12-31", NO))
    file(world, provision=closed(YES))

    before = swept_at(world, NEW_YEAR - AN_INSTANT)

    assert (before, swept_at(world, NEW_YEAR)) == ({"refused"}, {"delivered"})


@pytest.mark.parametrize(
    ("consent", "turns_at"),
    [
        ({"provision": closed(YES, start="2027-01-01")}, NEW_YEAR),
        ({"provision": closed({**YES, "period": {"start": "2027-01-01"}})}, NEW_YEAR),
        ({"provision": begun("2026-11-03")}, datetime(2026, 11, 3, 8, 0, tzinfo=UTC)),
        ({"provision": begun("2026-01-05T10:30:00-08:00")}, None),
        ({"dateTime": "2026-11-03"}, datetime(2026, 11, 3, 8, 0, tzinfo=UTC)),
        ({"dateTime": "some day"}, None),
        ({"dateTime": "2026-11-02T23:00"}, None),
        ({}, None),
    ],
)
def test_of_a_consent_inside_a_record_the_turn_is_kept_too(consent: dict[str, Any], turns_at: datetime | None) -> None:
    world = a_refused_referral()
    kept = {**a_filed_consent(world, **consent), "id": "of-a-record"}

    world.database.write(lambda tx: keep_watch_of_record(world.house, tx, [kept]))

    term = world.database.state.consent_terms.get("of-a-record")
    assert (term.turns_at if term else None) == turns_at


def test_a_second_look_finds_nothing_to_do() -> None:
    world = a_refused_referral()
    file(world, provision=closed(YES, start="2027-01-01"))
    swept_at(world, NEW_YEAR)
    decided = len(world.database.state.decisions)

    swept_at(world, NEW_YEAR + timedelta(minutes=10))

    assert len(world.database.state.decisions) == decided


def test_a_consent_taken_back_before_it_begins_opens_nothing() -> None:
    world = a_refused_referral()
    consent_id = file(world, provision=closed(YES, start="2027-01-01"))
    world.gateway.consent_desk.revoke(KIM, consent_id, Revoking("written"))

    assert swept_at(world, NEW_YEAR) == {"refused"}


def test_a_no_outlives_the_yes_on_the_same_paper() -> None:
    world = a_refused_referral()
    consent_id = file(world, provision={"type": "deny", "provision": [until("2026-12-31", YES), NO]})
    capture(world, signed(world, a_form(world)))

    after = swept_at(world, NEW_YEAR)

    assert stored(world, consent_id)["status"] == "active"
    assert after == {"refused"}


def test_a_consent_whose_last_part_has_ended_is_marked() -> None:
    world = a_refused_referral()
    parts = [until("2026-12-31", YES), until("2027-01-31", NO)]
    consent_id = file(world, provision={"type": "deny", "provision": parts})

    swept_at(world, NEW_YEAR)
    in_between = stored(world, consent_id)["status"]
    swept_at(world, datetime(2027, 2, 1, 8, 0, tzinfo=UTC))

    assert (in_between, stored(world, consent_id)["status"]) == ("active", "inactive")


def test_the_turns_of_consents_that_are_gone_are_forgotten_a_look_at_a_time() -> None:
    world = a_refused_referral()

    def put(tx: Transaction) -> None:
        for number in range(AT_ONCE + 1):
            tx.consent_terms.put(ConsentTerm(f"nobodys-{number:03}", None, turns_at=world.clock()))

    world.database.write(put)

    assert [sweep(world.house), sweep(world.house)] == [True, False]
    assert world.database.state.consent_terms == {}


_DAYS = [f"2026-11-{day:02}" for day in range(1, 11)]
_START = st.sampled_from(_DAYS[2:8]).map(lambda day: {"start": day})
_END = st.sampled_from(_DAYS[2:8]).map(lambda day: {"end": day})
_PERIOD = st.just({}) | st.just({}) | _START | _END
_RULE = st.tuples(st.sampled_from(["permit", "permit", "deny"]), _PERIOD).map(
    lambda one: {**a_permit("mercy"), "type": one[0], "period": one[1]}
)
_TREE = st.tuples(_RULE, st.lists(_RULE, max_size=2)).map(lambda one: {**one[0], "provision": one[1]})
_PAPER = st.tuples(_PERIOD, st.lists(_TREE, min_size=1, max_size=2), st.sampled_from([None, None, None, *_DAYS])).map(
    lambda one: a_consent(
        provision={"type": "deny", "period": one[0], "provision": one[1]},
        extensions=[{"url": EXPIRY, "valueCode": "none"}],
        **({"dateTime": f"{one[2]}T12:00:00Z"} if one[2] else {}),
    )
)


@given(papers=st.lists(_PAPER, min_size=1, max_size=2), first=st.integers(0, 4), last=st.integers(5, 9))
@settings(max_examples=150, deadline=None)
def test_whatever_begins_to_go_has_a_turn_before_it(papers: list[dict[str, Any]], first: int, last: int) -> None:
    """Else it would wait for a day, or for somebody's import."""
    consents = [{**paper, "id": f"paper-{n}"} for n, paper in enumerate(papers)]
    before, after = (f"{_DAYS[n]}T18:00:00Z" for n in (first, last))
    goes = [answer(*consents, at=at)[0] == "PERMIT" for at in (before, after)]

    turns = [next_turn(one, instant(before)) for one in directives(consents)]
    assert goes != [False, True] or min(turn for turn in turns if turn is not None) <= instant(after)


def directives(consents: list[dict[str, Any]]) -> list[Directive]:
    return [versions[-1] for versions in compile_consents(bundle(*consents), registry_of_rules()).histories]
