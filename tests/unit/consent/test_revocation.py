"""When a consent is taken back, for whom, and which of several ways of it counts; and what replaces what."""

from typing import Any

import pytest

from gateway.consent import compile_consents, read_switches
from gateway.consent.supersession import in_being
from gateway.model.fhir_time import instant
from tests.support.part2_world import (
    EXTENSION,
    OWN,
    PERSON,
    T0,
    a_consent,
    a_permit,
    answer,
    bundle,
    taken_back,
    world,
)

Json = dict[str, Any]
REVOKED = ("DENY", "CONSENT_REVOKED")
SPOKEN = ("HOLD", "CONSENT_REVOKED")
GOOD = ("PERMIT", "OK_CONSENT")


def inside(when: str | None = "2026-10-01T00:00:00Z", method: str = "written", to: str | None = None) -> Json:
    return taken_back(when, method, [to] if to else [])


def fact(of: Any = "all", method: str = "written", **changes: Any) -> Json:
    return {"type": "revocation", "of": of, "method": method, "received": "2026-10-01T00:00:00Z", **changes}


class TestWrittenIntoTheConsent:
    def revoked(self, *revocations: Json, **case: Any) -> tuple[str, str]:
        return answer(a_consent(a_permit("mercy", "plan"), extensions=list(revocations)), **case)

    def test_counts_from_its_instant(self) -> None:
        assert self.revoked(inside(T0)) == REVOKED
        assert self.revoked(inside("2026-11-02T18:00:01Z")) == GOOD
        assert self.revoked(inside(None)) == REVOKED
        assert self.revoked(inside("2026-11-02T18:00:01Z"), inside(T0)) == REVOKED

    def test_that_says_nothing_more_takes_everything_back(self) -> None:
        assert self.revoked({"url": EXTENSION + "revocation"}) == REVOKED

    def test_spoken_waits_until_it_is_written(self) -> None:
        assert self.revoked(inside(method="oral")) == SPOKEN
        assert self.revoked(inside(method="oral"), inside()) == REVOKED
        assert self.revoked(inside(), inside(method="oral")) == REVOKED
        assert self.revoked(inside(method="electronic")) == REVOKED

    def test_for_one_recipient_leaves_the_others(self) -> None:
        assert self.revoked(inside(to="mercy")) == REVOKED
        assert self.revoked(inside(to="plan")) == GOOD
        assert self.revoked(inside(to="plan"), via=["org:plan"]) == REVOKED

    def test_of_a_consent_that_is_inactive_counts_whatever_its_instant(self) -> None:
        later = inside("2026-11-03T00:00:00Z")

        assert answer(a_consent(status="inactive", extensions=[later])) == REVOKED


class TestToldAsAFact:
    @pytest.mark.parametrize(
        ("change", "outcome"),
        [
            ({}, REVOKED),
            ({"method": "oral"}, SPOKEN),
            ({"of": ["Consent/paper"]}, REVOKED),
            ({"of": ["https://warmhandoff.example/fhir/Consent/paper"]}, REVOKED),
            ({"of": ["Consent/other"]}, GOOD),
            ({"received": "2026-11-03T00:00:00Z"}, GOOD),
            ({"received": T0}, REVOKED),
            ({"received": "2026-10-01"}, REVOKED),
            ({"received": "2026-08-31T00:00:00Z"}, GOOD),
            ({"received": "2026-09-01T16:00:00Z"}, REVOKED),
            ({"of": ["Consent/paper"], "received": "2026-08-31T00:00:00Z"}, REVOKED),
        ],
    )
    def test_takes_back_what_was_given_until_then(self, change: Json, outcome: tuple[str, str]) -> None:
        assert answer(a_consent(), facts=[fact(**change)]) == outcome

    def test_takes_back_a_consent_nobody_dated(self) -> None:
        assert answer(a_consent(dateTime=None), facts=[fact(received="2026-08-31T00:00:00Z")]) == REVOKED

    def test_counts_from_when_it_can_be_taken_back(self) -> None:
        def from_when(instant: str) -> tuple[str, str]:
            revocable = {"url": EXTENSION + "revocable-from", "valueDateTime": instant}
            condition = {"url": EXTENSION + "condition-of", "valueCode": "parole"}
            permit = a_permit("court", purposes=["own:monitoring"])
            consent = a_consent(permit, kind="criminal-justice-referral", extensions=[condition, revocable])
            return answer(consent, facts=[fact()], recipient="org:court", purpose=[OWN + "purpose|monitoring"])

        assert from_when(T0) == REVOKED
        assert from_when("2026-11-02T18:00:01Z") == ("PERMIT", "OK_CJ_REFERRAL")


class TestReplacing:
    def replacing(self, *older: str, **changes: Any) -> Json:
        links = [{"url": EXTENSION + "supersedes", "valueReference": {"reference": f"Consent/{one}"}} for one in older]
        return a_consent(extensions=links, **changes)

    def in_being(self, *consents: Json) -> list[tuple[str, bool]]:
        compiled = compile_consents(bundle(*consents), world())
        found = in_being(compiled, {f"{PERSON}|T1"}, instant(T0), read_switches(None))
        return [(one.id, one.readable) for one in found]

    def test_needs_a_link_and_no_later_date(self) -> None:
        assert self.in_being(a_consent(id="b"), a_consent(id="a")) == [("a", True), ("b", True)]
        assert self.in_being(a_consent(id="old"), self.replacing("old", id="new")) == [("new", True)]

    @pytest.mark.parametrize("status", ["draft", "rejected", "entered-in-error"])
    def test_is_nothing_a_paper_not_in_force_does(self, status: str) -> None:
        assert self.in_being(a_consent(id="old"), self.replacing("old", id="new", status=status)) == [
            ("new", True),
            ("old", True),
        ]

    def test_by_one_that_is_no_longer_active_takes_permits_and_lifts_no_refusal(self) -> None:
        refusal = a_consent(id="old", provision={"type": "deny"})

        assert self.in_being(a_consent(id="old"), self.replacing("old", id="new", status="inactive")) == [("new", True)]
        assert self.in_being(refusal, self.replacing("old", id="new", status="inactive")) == [
            ("new", True),
            ("old", True),
        ]
        assert self.in_being(refusal, self.replacing("old", id="new")) == [("new", True)]

    def test_by_one_nobody_verified_lifts_no_refusal(self) -> None:
        refusal = a_consent(id="old", provision={"type": "deny"})
        doubtful = self.replacing("old", id="new", verification=[{"verified": False}])

        assert self.in_being(refusal, doubtful) == [("new", True), ("old", True)]

    def test_by_two_is_done_by_the_one_that_can_be_relied_on(self) -> None:
        refusal = a_consent(id="old", provision={"type": "deny"})
        sure, doubtful = self.replacing("old", id="a"), self.replacing("old", id="b", status="inactive")

        assert self.in_being(refusal, sure, doubtful) == [("a", True), ("b", True)]

    def test_by_one_nobody_can_read_does_nothing(self) -> None:
        unreadable = self.replacing("old", id="new", implicitRules="urn:x")

        assert self.in_being(a_consent(id="old"), unreadable) == [("new", False), ("old", True)]

    def test_in_a_circle_makes_all_that_lead_into_it_unreadable(self) -> None:
        one, other = self.replacing("b", id="a"), self.replacing("a", id="b")
        leading_in, beside = self.replacing("a", id="c"), self.replacing("e", id="d")

        assert self.in_being(one, other, leading_in, beside, a_consent(id="e")) == [
            ("a", False),
            ("b", False),
            ("c", False),
            ("d", True),
        ]

    def test_of_what_is_not_here_changes_nothing(self) -> None:
        assert self.in_being(self.replacing("gone", id="new")) == [("new", True)]
