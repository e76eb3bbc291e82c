"""42 CFR 2.12(d)(1), 2.35: courts that made treatment a condition, and police, who are nobody's treating provider."""

from typing import Any

import pytest

from tests.support.part2_world import (
    EXTENSION,
    a_consent,
    a_permit,
    a_tpo_consent,
    an_open_visit,
    answer,
    ask,
    taken_back,
)

Json = dict[str, Any]
MONITORING = "https://warmhandoff.example/fhir/CodeSystem/purpose|monitoring"
CASE: Json = {"recipient": "org:court", "purpose": [MONITORING], "role": "probation_officer"}


def for_court(
    *extensions: Json, condition: str | None = "disposition", revocable: str | None = "2027-01-01", **more: Any
) -> Json:
    stated = list(extensions)
    if condition:
        stated.append({"url": EXTENSION + "condition-of", "valueCode": condition})
    if revocable:
        stated.append({"url": EXTENSION + "revocable-from", "valueDateTime": revocable})
    permit = a_permit(more.pop("to", "court"), purposes=["own:monitoring"])
    provision = {"type": "deny", "period": more.pop("period", {"end": "2027-06-30"}), "provision": [permit]}
    return a_consent(kind="criminal-justice-referral", extensions=stated, provision=provision, **more)


def test_the_court_may_follow_what_it_ordered() -> None:
    record = ask(for_court(), **CASE).record

    assert (record.decision, record.reason) == ("PERMIT", "OK_CJ_REFERRAL")
    assert {"NO_REDISCLOSE", "PROCEEDINGS_BAR", "NOTICE"} <= set(record.obligations)


@pytest.mark.parametrize("condition", [None, "pre-arrest"])
def test_without_a_condition_of_the_proceedings_it_is_no_such_consent(condition: str | None) -> None:
    assert answer(for_court(condition=condition), **CASE) == ("DENY", "CJ_NOT_ELIGIBLE")


def test_the_arresting_police_have_no_part_in_it() -> None:
    assert answer(for_court(), **{**CASE, "recipient": "org:police"}) == ("DENY", "CJ_NOT_ELIGIBLE")
    assert answer(for_court(to="police"), **{**CASE, "recipient": "org:police"}) == ("DENY", "CJ_NOT_ELIGIBLE")


def test_it_states_how_long() -> None:
    assert answer(for_court(period={"start": "2026-09-01"}), **CASE)[1] == "CONSENT_DEFICIENT:EL_EXPIRY"


def test_it_states_when_it_can_be_taken_back() -> None:
    assert answer(for_court(revocable=None), **CASE)[1] == "CONSENT_DEFICIENT:EL_REVOCATION"


@pytest.mark.parametrize("status", ["active", "inactive"])
def test_until_then_taking_it_back_has_no_effect(status: str) -> None:
    consent = for_court(taken_back("2026-11-01T20:00:00Z"), status=status)

    assert answer(consent, **CASE) == ("PERMIT", "OK_CJ_REFERRAL")
    assert answer(consent, at="2027-01-01T07:59:59Z", **CASE) == ("PERMIT", "OK_CJ_REFERRAL")
    assert answer(consent, at="2027-01-01T08:00:00Z", **CASE) == ("DENY", "CONSENT_REVOKED")


def test_what_is_taken_back_for_somebody_else_is_no_reason_why_a_paper_is_inactive() -> None:
    consent = for_court(taken_back("2026-11-01T20:00:00Z", only=["shelter"]), status="inactive")

    assert answer(consent, **CASE) == ("DENY", "CONSENT_NOT_ACTIVE")


class TestPolice:
    @pytest.mark.parametrize("purpose", ["TREAT", "ETREAT", "HOPERAT", "HLEGAL", "LEGAL", "THREAT", "HPAYMT"])
    def test_may_not_ask_for_this_at_all(self, purpose: str) -> None:
        consents = (a_tpo_consent(), a_consent(a_permit("police", purposes=["TREAT", "HLEGAL"]), id="x"))
        case: Json = {"recipient": "org:police", "facts": [an_open_visit("police")], "purpose": [purpose]}

        assert answer(*consents, **case) == ("DENY", "LE_NO_BASIS")

    def test_may_coordinate_care_with_the_persons_consent_that_names_them(self) -> None:
        consent = a_consent(a_permit("police", purposes=["COC"]))

        assert answer(consent, recipient="org:police", purpose=["COC"]) == ("PERMIT", "OK_CONSENT")
        assert answer(recipient="org:police", purpose=["COC"]) == ("DENY", "NO_CONSENT")

    def test_are_no_members_of_any_class(self) -> None:
        case: Json = {"recipient": "org:police", "purpose": ["COC"], "facts": [an_open_visit("police")]}

        assert answer(a_tpo_consent(), **case) == ("DENY", "RECIPIENT_NOT_TREATING")

    def test_an_officer_at_a_hospital_desk_is_still_an_officer(self) -> None:
        assert answer(a_consent(), role="detective") == ("DENY", "LE_NO_BASIS")

    def test_read_a_proceeding_with_the_consent_for_it(self) -> None:
        consent = a_consent(a_permit("police", purposes=["HLEGAL"]), kind="proceedings")

        assert answer(consent, recipient="org:police", purpose=["HLEGAL"]) == ("PERMIT", "OK_CONSENT")
