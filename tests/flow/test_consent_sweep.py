"""The ends of consents: marked once they have passed, reminded of once before, and never what a decision waits for."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

import pytest

from gateway.flow.chores import Chores
from gateway.flow.consents.sweep import AT_ONCE, EVERY, sweep
from gateway.flow.messages.watch import DropCounts
from gateway.model.consent_form import Expiry
from gateway.model.consent_life import ConsentTerm, Revoking
from gateway.model.errors import TryLater
from gateway.ports import Database, Transaction
from tests.support.consent_desk import (
    KIM,
    a_form,
    a_record_with_release,
    a_refused_referral,
    capture,
    hand_in,
    signed,
    states,
    stored,
    told,
)
from tests.support.counted import CountedDatabase, FailingDatabase
from tests.support.flow_house import World

T = TypeVar("T")

AFTER = datetime(2027, 1, 1, 8, 0, tzinfo=UTC)
"""The first instant after 31 December in Washington."""
A_MONTH_BEFORE = datetime(2026, 12, 2, 7, 59, tzinfo=UTC)
"""Thirty days before that, and a minute."""


def a_year_end_consent(world: World) -> str:
    return capture(world, signed(world, a_form(world)))


def kinds(world: World) -> list[str]:
    return [entry.kind for entry in world.database.audit if entry.kind in ("consent.expired", "consent.reminded")]


def test_a_consent_whose_end_has_passed_is_marked_with_a_row_of_the_trail() -> None:
    world = a_refused_referral()
    consent_id = a_year_end_consent(world)
    world.clock.at = AFTER

    sweep(world.house)

    assert stored(world, consent_id)["status"] == "inactive"
    assert told(world, "consent.expired") == [{"consent": consent_id, "version": 2, "ended": "2027-01-01T08:00:00Z"}]


def test_until_its_last_instant_it_is_left_alone() -> None:
    world = a_refused_referral()
    consent_id = a_year_end_consent(world)
    world.clock.at = AFTER - timedelta(microseconds=1)

    sweep(world.house)

    assert stored(world, consent_id)["status"] == "active"


def test_the_decision_does_not_wait_for_the_sweep() -> None:
    world = a_refused_referral()
    a_year_end_consent(world)
    world.clock.at = AFTER

    hand_in(world, "find work")

    assert world.states()[-1][1:] == ("refused", "CONSENT_EXPIRED (42 CFR 2.31(c)(1))")
    assert kinds(world) == []


def test_staff_are_reminded_once_for_each_end() -> None:
    world = a_refused_referral()
    consent_id = a_year_end_consent(world)
    world.clock.at = A_MONTH_BEFORE
    sweep(world.house)
    early = kinds(world)

    world.clock.at = A_MONTH_BEFORE + timedelta(hours=12)
    for _ in range(3):
        sweep(world.house)

    assert early == []
    assert told(world, "consent.reminded") == [{"consent": consent_id, "ends": "2027-01-01T08:00:00Z"}]
    assert [one.consent_id for one in world.gateway.consent_desk.ending(KIM).lines] == [consent_id]


def test_a_site_says_how_long_before() -> None:
    world = a_refused_referral()
    a_year_end_consent(world)

    sweep(replace(world.house, consent_reminder_days=90))

    assert kinds(world) == ["consent.reminded"]


def test_a_consent_with_another_end_is_reminded_of_again_and_one_taken_back_no_more() -> None:
    world = a_refused_referral()
    older = a_year_end_consent(world)
    world.clock.at = datetime(2026, 12, 20, tzinfo=UTC)
    sweep(world.house)
    later = a_form(world, expiry=Expiry(on=date(2027, 1, 15)), supersedes=(older,))
    newer = capture(world, signed(world, later))
    sweep(world.house)
    world.gateway.consent_desk.revoke(KIM, newer, Revoking("written"))

    sweep(world.house)

    assert [one["consent"] for one in told(world, "consent.reminded")] == [older, newer]
    assert world.gateway.consent_desk.ending(KIM).lines == ()


def test_a_consent_without_a_date_never_ends_by_the_sweep() -> None:
    world = a_refused_referral()
    consent_id = capture(world, signed(world, a_form(world, expiry=Expiry(event="none"))))
    world.clock.at = datetime(2099, 1, 1, tzinfo=UTC)

    sweep(world.house)

    assert stored(world, consent_id)["status"] == "active"
    assert world.database.state.consent_terms == {}


def test_a_sweep_cut_off_in_the_middle_is_done_again_and_repeats_nothing() -> None:
    world = a_refused_referral()
    first = capture(world, signed(world, a_form(world)))
    second = capture(world, signed(world, a_form(world)))
    world.clock.at = AFTER
    before = world.database.state
    sweep(world.house)
    after = world.database.state
    # A crash between the two: the first is written, the second is not.
    world.database.state = replace(
        before,
        resources={**before.resources, ("Consent", first): after.resources["Consent", first]},
        consent_terms={second: before.consent_terms[second]},
    )

    sweep(world.house)

    assert {stored(world, one)["meta"]["versionId"] for one in (first, second)} == {"2"}
    assert world.database.state.consent_terms == {}


def test_a_term_whose_consent_is_gone_is_forgotten() -> None:
    world = a_refused_referral()
    world.database.write(lambda tx: tx.consent_terms.put(ConsentTerm("nobodys", world.clock())))

    sweep(world.house)

    assert world.database.state.consent_terms == {}


def test_more_than_one_look_can_do_is_done_in_the_next() -> None:
    world = a_refused_referral()

    def put(tx: Transaction) -> None:
        for number in range(AT_ONCE + 1):
            tx.consent_terms.put(ConsentTerm(f"nobodys-{number:03}", world.clock()))

    world.database.write(put)

    assert [sweep(world.house), sweep(world.house)] == [True, False]


def test_the_gateway_looks_by_itself() -> None:
    world = a_refused_referral()
    consent_id = a_year_end_consent(world)
    chores = Chores(DropCounts())
    chores.do_due(world.house)
    world.clock.at = AFTER

    chores.do_due(world.house)

    assert stored(world, consent_id)["status"] == "inactive"
    assert states(world) == {"delivered"}


def with_one_that_is_gone(world: World) -> None:
    """Let a consent be due before all others that is no longer here."""
    world.database.write(lambda tx: tx.consent_terms.put(ConsentTerm("gone", ends_at=world.clock())))


@dataclass
class FailsFirst:
    """A database whose first writing fails in a way nobody foresaw."""

    inner: Database
    writings: int = 0

    def write(self, work: Callable[[Transaction], T]) -> T:
        self.writings += 1
        if self.writings == 1:
            raise KeyError
        return self.inner.write(work)

    def read(self, work: Callable[[Transaction], T]) -> T:
        return self.inner.read(work)


def test_a_consent_that_cannot_be_looked_at_keeps_no_other_from_its_end() -> None:
    world = a_refused_referral()
    consent_id = a_year_end_consent(world)
    with_one_that_is_gone(world)
    world.clock.at = AFTER

    with pytest.raises(KeyError):
        sweep(replace(world.house, database=FailsFirst(world.database)))

    assert stored(world, consent_id)["status"] == "inactive"


def test_a_consent_that_cannot_be_looked_at_is_tried_now_and_then_and_keeps_no_other_chore_from_its_turn() -> None:
    world = a_refused_referral()
    with_one_that_is_gone(world)
    counted = CountedDatabase(FailingDatabase(world.database, "consent_terms.drop", KeyError("nobody foresaw it")))
    chores, house = Chores(DropCounts()), replace(world.house, database=counted)

    with pytest.raises(KeyError):
        chores.do_due(house)
    chores.do_due(house)

    assert counted.asked.count("referrals.in_order") == 1
    world.clock.advance(EVERY)
    with pytest.raises(KeyError):
        chores.do_due(house)


def test_where_the_database_does_not_answer_the_look_is_due_at_once_again() -> None:
    world = a_refused_referral()
    consent_id = a_year_end_consent(world)
    chores = Chores(DropCounts())
    world.clock.at = AFTER
    with pytest.raises(TryLater):
        chores.do_due(replace(world.house, database=FailingDatabase(world.database, "consent_terms.ending")))

    chores.do_due(world.house)

    assert stored(world, consent_id)["status"] == "inactive"


def test_a_consent_of_a_record_is_left_as_its_agency_wrote_it() -> None:
    world, consent_id = a_record_with_release()
    world.clock.at = datetime(2027, 10, 22, tzinfo=UTC)

    sweep(world.house)
    sweep(world.house)

    assert stored(world, consent_id)["status"] == "active"
    assert told(world, "consent.expired") == [{"consent": consent_id, "ended": "2027-10-21T07:00:00Z"}]
