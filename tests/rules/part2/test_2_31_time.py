"""42 CFR 2.31(a)(6), (a)(7), (c): when a consent begins, ends, is taken back; whole precisions, local midnights."""

from typing import Any

import pytest

from gateway.catalog.partners import registry_from
from tests.support.part2_world import (
    ACT_REASON,
    EXTENSION,
    PARTNER,
    PARTNERS,
    T0,
    a_consent,
    a_permit,
    a_tpo_consent,
    an_open_visit,
    answer,
    organization,
    recipient,
    taken_back,
    world,
)

Json = dict[str, Any]
GOES = ("PERMIT", "OK_CONSENT")
EXPIRED = ("DENY", "CONSENT_EXPIRED")
NOT_YET = ("DENY", "CONSENT_NOT_YET_EFFECTIVE")


def lasting(start: str, end: str) -> Json:
    return a_consent(provision={"type": "deny", "period": {"start": start, "end": end}, "provision": [a_permit()]})


@pytest.mark.parametrize(
    ("end", "at", "expected"),
    [
        ("2026-11-02T18:00:00Z", "2026-11-02T18:00:00Z", GOES),
        ("2026-11-02T18:00:00Z", "2026-11-02T18:00:00.999Z", GOES),
        ("2026-11-02T18:00:00Z", "2026-11-02T18:00:01Z", EXPIRED),
        ("2026-11-02T18:00:00.5Z", "2026-11-02T18:00:00.599Z", GOES),
        ("2026-11-02T18:00:00.5Z", "2026-11-02T18:00:00.600Z", EXPIRED),
        ("2026-11-02", "2026-11-03T07:59:59Z", GOES),
        ("2026-11-02", "2026-11-03T08:00:00Z", EXPIRED),
        ("2026-11-01", "2026-11-02T07:59:59Z", GOES),
        ("2026-11-01", "2026-11-02T08:00:00Z", EXPIRED),
        ("2026-11", "2026-12-01T07:59:59Z", GOES),
        ("2026-11", "2026-12-01T08:00:00Z", EXPIRED),
        ("2026", "2027-01-01T07:59:59Z", GOES),
        ("2026", "2027-01-01T08:00:00Z", EXPIRED),
    ],
)
def test_an_end_covers_its_whole_precision_in_the_programs_zone(end: str, at: str, expected: tuple[str, str]) -> None:
    assert answer(lasting("2026-09-01", end), at=at) == expected


@pytest.mark.parametrize(
    ("start", "at", "expected"),
    [
        ("2026-11-03", "2026-11-03T07:59:59Z", NOT_YET),
        ("2026-11-03", "2026-11-03T08:00:00Z", GOES),
        ("2026-11-02T18:00:00Z", "2026-11-02T17:59:59Z", NOT_YET),
        ("2026-11-02T18:00:00Z", "2026-11-02T18:00:00Z", GOES),
    ],
)
def test_a_start_is_its_first_instant(start: str, at: str, expected: tuple[str, str]) -> None:
    assert answer(lasting(start, "2026-12-31"), at=at) == expected


def revoked(when: str, method: str = "written", only: tuple[str, ...] = (), **changes: Any) -> Json:
    status = "active" if only else "inactive"
    return a_consent(extensions=[taken_back(when, method, only)], **{"status": status, **changes})


class TestRevocation:
    def test_it_counts_from_its_receipt(self) -> None:
        assert answer(revoked(T0)) == ("DENY", "CONSENT_REVOKED")

    def test_a_version_that_comes_later_does_not_exist_yet(self) -> None:
        later = revoked("2026-11-02T19:00:00Z", meta={"versionId": "2", "lastUpdated": "2026-11-02T19:00:00Z"})

        assert answer(a_consent(), later) == ("PERMIT", "OK_CONSENT")
        assert answer(a_consent(), later, at="2026-11-02T19:00:00Z") == ("DENY", "CONSENT_REVOKED")

    def test_the_order_of_versions_does_not_matter(self) -> None:
        newer = revoked("2026-10-01T00:00:00Z", meta={"versionId": "2", "lastUpdated": "2026-10-01T00:00:00Z"})

        assert answer(newer, a_consent()) == answer(a_consent(), newer) == ("DENY", "CONSENT_REVOKED")

    @pytest.mark.parametrize(
        "meta",
        [
            {"versionId": "1", "lastUpdated": "2026-09-01T17:00:00Z"},
            {"versionId": "2", "lastUpdated": "2026-10-01T10:00:00"},
            {"lastUpdated": "2026-09-01T17:00:00Z"},
        ],
    )
    def test_where_nobody_can_tell_which_version_is_the_latest_nothing_leaves(self, meta: Json) -> None:
        taken_back = revoked("2026-10-01T00:00:00Z", meta=meta)

        assert answer(a_consent(), taken_back) == ("DENY", "UNPARSEABLE")
        assert answer(taken_back, a_consent()) == ("DENY", "UNPARSEABLE")

    def test_a_spoken_one_holds_until_it_is_written(self) -> None:
        assert answer(revoked("2026-10-01T00:00:00Z", "oral")) == ("HOLD", "CONSENT_REVOKED")

    def test_a_partial_one_stops_its_recipient_only(self) -> None:
        consent = revoked(
            "2026-10-01T00:00:00Z",
            only=("quarry",),
            provision={
                "type": "deny",
                "period": {"end": "2026-12-31"},
                "provision": [a_permit("mercy", "quarry")],
            },
        )

        assert answer(consent) == ("PERMIT", "OK_CONSENT")
        assert answer(consent, recipient="org:quarry") == ("DENY", "CONSENT_REVOKED")

    def test_a_partial_one_stops_the_units_of_its_recipient(self) -> None:
        unit = {"id": "org:mercy-ward", "name": "Ward of Mercy", "identifiers": [{"system": PARTNER, "value": "ward"}]}
        case: Json = {"recipient": "org:mercy-ward", "registry": world(mercy={"units": [unit]})}
        provision = {"type": "deny", "period": {"end": "2026-12-31"}, "provision": [a_permit("ward")]}

        assert answer(a_consent(provision=provision), **case) == ("PERMIT", "OK_CONSENT")
        assert answer(revoked("2026-10-01T00:00:00Z", only=("mercy",), provision=provision), **case) == (
            "DENY",
            "CONSENT_REVOKED",
        )

    @pytest.mark.parametrize(("of", "reason"), [("all", "CONSENT_REVOKED"), (["Consent/paper"], "CONSENT_REVOKED")])
    def test_one_that_came_on_paper_counts_too(self, of: Any, reason: str) -> None:
        fact = {"type": "revocation", "of": of, "method": "written", "received": "2026-10-01T00:00:00Z"}

        assert answer(a_consent(), facts=[fact])[1] == reason

    def test_all_my_consents_means_those_given_until_then(self) -> None:
        fact = {"type": "revocation", "of": "all", "method": "written", "received": "2026-08-01T00:00:00Z"}

        assert answer(a_consent(), facts=[fact]) == ("PERMIT", "OK_CONSENT")

    def test_an_earlier_permit_in_a_cache_is_no_authority(self) -> None:
        cached = {"type": "earlier_decision", "decision": "PERMIT", "at": "2026-11-02T17:59:00Z"}

        assert answer(revoked(T0), facts=[cached]) == ("DENY", "CONSENT_REVOKED")


class TestExpiryByEvent:
    TREATMENT = [{"url": EXTENSION + "expiry", "valueCode": "end-of-treatment"}]

    def episode(self, status: str, end: str | None = None) -> Json:
        return {
            "resourceType": "EpisodeOfCare",
            "id": f"care-{status}",
            "status": status,
            "patient": {"reference": "Patient/t1"},
            "managingOrganization": organization("aspen"),
            "period": {"start": "2026-06-01", **({"end": end} if end else {})},
        }

    def test_it_lasts_while_treatment_lasts(self) -> None:
        facts = [an_open_visit("mercy"), self.episode("active")]

        assert answer(a_tpo_consent(extensions=self.TREATMENT), facts=facts) == ("PERMIT", "OK_TPO")

    def test_it_ends_with_the_treatment(self) -> None:
        facts = [an_open_visit("mercy"), self.episode("finished", "2026-10-20")]

        assert answer(a_tpo_consent(extensions=self.TREATMENT), facts=facts) == ("DENY", "CONSENT_EXPIRED")

    def test_a_treatment_that_was_over_before_is_not_meant(self) -> None:
        facts = [an_open_visit("mercy"), self.episode("finished", "2025-01-10")]

        assert answer(a_tpo_consent(extensions=self.TREATMENT), facts=facts) == ("PERMIT", "OK_TPO")

    @pytest.mark.parametrize("end", [None, "2026-11-02", "2026-12-31"])
    def test_one_of_which_nobody_can_tell_when_it_was_over_ends_a_yes_and_no_refusal(self, end: str | None) -> None:
        facts = [an_open_visit("mercy"), self.episode("finished", end)]
        refusal = a_consent(
            id="no", extensions=self.TREATMENT, provision={"type": "deny", "actor": [recipient("mercy")]}
        )

        assert answer(a_tpo_consent(extensions=self.TREATMENT), facts=facts) == ("DENY", "CONSENT_EXPIRED")
        assert answer(a_consent(), refusal, facts=facts) == ("DENY", "EXPLICIT_DENY")

    def test_a_study_that_is_over_ends_no_refusal_for_the_time_of_a_study(self) -> None:
        end = [{"url": EXTENSION + "expiry", "valueCode": "end-of-research-study"}]
        refusal = a_consent(id="no", extensions=end, provision={"type": "deny", "actor": [recipient("mercy")]})
        study = {"resourceType": "ResearchStudy", "id": "s", "status": "completed"}

        assert answer(a_consent(), refusal, facts=[study]) == ("DENY", "EXPLICIT_DENY")

    def test_a_research_consent_ends_with_the_study(self) -> None:
        permit = a_permit("campus", purposes=["HRESCH"])
        end = [{"url": EXTENSION + "expiry", "valueCode": "end-of-research-study"}]
        consent = a_consent(provision={"type": "deny", "provision": [permit]}, extensions=end)
        study = {"resourceType": "ResearchStudy", "id": "s", "status": "completed"}

        assert answer(consent, recipient="org:campus", purpose=["HRESCH"]) == ("PERMIT", "OK_CONSENT")
        assert answer(consent, recipient="org:campus", purpose=["HRESCH"], facts=[study])[1] == "CONSENT_EXPIRED"


@pytest.mark.parametrize(
    ("zone", "outcome"), [("America/New_York", ("PERMIT", "OK_CONSENT")), ("America/Denver", ("DENY", "EXPLICIT_DENY"))]
)
def test_the_days_of_whoever_is_not_registered_are_those_of_the_installation(
    zone: str, outcome: tuple[str, str]
) -> None:
    refusal = {"type": "deny", "actor": [recipient("mercy")], "period": {"end": "2026-11-02"}}
    no = a_consent(id="no", organization=[organization("nobody-knows")], provision=refusal)

    assert answer(a_consent(), no, at="2026-11-03T06:30:00Z", registry=registry_from(PARTNERS, zone=zone)) == outcome


def test_a_nested_refusal_ends_with_its_own_period() -> None:
    refusal = {"type": "deny", "period": {"end": "2021-01-01"}}
    permit = a_permit(provision=[refusal], period={"end": "2026-12-31"})

    assert answer(a_consent(provision=permit)) == ("PERMIT", "OK_CONSENT")


def test_purpose_codes_live_in_their_own_system() -> None:
    assert answer(a_consent(), purpose=[f"{ACT_REASON}|TREAT"]) == ("PERMIT", "OK_CONSENT")
    assert answer(a_consent(), purpose=["urn:x|TREAT"]) == ("DENY", "PURPOSE_NOT_COVERED")
