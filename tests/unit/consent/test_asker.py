"""Who acts for whom when records are sent: units of units, associates, services, our own worker."""

from typing import Any

import pytest

from gateway.model.partner import Registry
from tests.support.part2_world import (
    ASPEN_RECORDS,
    a_condition,
    a_consent,
    a_permit,
    alone,
    answer,
    ask,
    handed_to,
    recipient,
    world,
    written_by,
)

Json = dict[str, Any]
STOPPED = ("DENY", "IDENTITY_MISMATCH")
PERMITTED = ("PERMIT", "OK_CONSENT")


def nested() -> Registry:
    """Quarry is a unit of Plan, and Plan of Exchange."""
    return world(quarry={"parent": "org:plan"}, plan={"parent": "org:exchange"})


class TestTheWholeOfAUnit:
    @pytest.mark.parametrize(("by", "outcome"), [
        ("org:plan", PERMITTED), ("org:exchange", PERMITTED), ("org:mercy", STOPPED),
    ])  # fmt: skip
    def test_asks_for_its_units_however_deep(self, by: str, outcome: tuple[str, str]) -> None:
        consent = a_consent(a_permit("quarry"))

        assert answer(consent, recipient="org:quarry", by=by, registry=nested()) == outcome

    @pytest.mark.parametrize(("by", "outcome"), [
        ("org:plan", PERMITTED), ("org:exchange", PERMITTED), ("org:birch", STOPPED),
    ])  # fmt: skip
    def test_sends_what_its_units_hold(self, by: str, outcome: tuple[str, str]) -> None:
        registry = world(aspen={"parent": "org:plan"}, plan={"parent": "org:exchange"})

        assert answer(a_consent(), by=by, registry=registry) == outcome

    def test_is_not_the_other_way_round(self) -> None:
        consent = a_consent(a_permit("exchange"))

        assert answer(consent, recipient="org:exchange", by="org:quarry", registry=nested()) == STOPPED


class TestOurOwnWorker:
    def test_carries_what_it_was_handed_and_nobody_else_does(self) -> None:
        theirs = a_condition("theirs", "J10.1")
        records = [theirs, written_by("quarry", theirs)]

        assert answer(records=records, by="org:aspen", role="worker") == ("PERMIT", "OK_NOT_PART2")
        assert answer(records=records, by="org:aspen", role="clerk") == STOPPED

    def test_carries_nothing_for_who_is_not_registered(self) -> None:
        assert answer(a_consent(), by="org:nobody", role="worker") == STOPPED


class TestOneOfUnknownOrigin:
    def test_is_held_at_its_own_step_whoever_asks(self) -> None:
        orphan = a_condition("orphan")
        held = a_condition("held")
        records = [*ASPEN_RECORDS, orphan, held, written_by("quarry", held), handed_to("nobody", held)]

        record = ask(a_consent(), records=records, by="org:aspen").record

        assert (record.decision, record.reason) == ("PERMIT_REDACTED", "ORIGIN_UNKNOWN")
        assert record.held == ("Condition/held", "Condition/orphan")


class TestAPersonWhoAsksAlone:
    def test_sends_the_own_records_and_nobody_elses(self) -> None:
        assert answer(a_consent(), requester=alone()) == PERMITTED
        assert answer(a_consent(), requester=alone("RelatedPerson/s")) == STOPPED

    def test_is_known_by_the_whole_address_too(self) -> None:
        here = "https://warmhandoff.example/fhir/Patient/t1"

        assert answer(a_consent(), requester=alone(here)) == PERMITTED


def test_an_exchange_passes_on_to_its_participants_what_goes_through_it() -> None:
    through = a_consent(a_permit("relay", provision=[{"type": "permit", "actor": [recipient("mercy")]}]))

    assert answer(through, by="org:relay", via=["org:relay"]) == ("PERMIT", "OK_INTERMEDIARY")
    assert answer(a_consent(), by="org:relay") == STOPPED
    to_quarry = a_consent(a_permit("relay", provision=[{"type": "permit", "actor": [recipient("quarry")]}]))
    assert answer(to_quarry, recipient="org:quarry", by="org:relay", via=["org:relay"]) == STOPPED
