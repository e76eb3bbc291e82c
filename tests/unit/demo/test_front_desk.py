from dataclasses import replace
from datetime import date

import pytest

from gateway.demo.receiving_ehr.front_desk import Names, age_on, known_service, named, placer_identifier, plan
from gateway.demo.receiving_ehr.records import Referral, Subject


def a_referral(service: str, priority: str = "routine", age: int | None = 40) -> Referral:
    return Referral("R1", "fhir", "placer-1", service, priority, age, Subject())


@pytest.mark.parametrize(
    ("referral", "steps"),
    [
        (a_referral("shelter"), ["reject"]),
        (a_referral("shelter", priority="stat"), ["reject"]),
        (a_referral("geriatric-assessment", age=59), ["reject"]),
        (a_referral("geriatric-assessment", age=60), ["accept", "schedule", "complete"]),
        (a_referral("geriatric-assessment", age=None), ["accept", "schedule", "complete"]),
        (a_referral("detox"), ["accept", "admit", "discharge"]),
        (a_referral("mobile-crisis", priority="stat"), ["accept", "admit", "discharge"]),
        (a_referral("crisis-clinic"), ["accept", "schedule", "complete"]),
        (a_referral("crisis-clinic", priority="urgent"), ["accept", "schedule"]),
        (a_referral("case-manager-notice"), ["accept", "start", "complete"]),
        (a_referral("peer-support"), ["accept"]),
        (a_referral("other"), ["accept"]),
    ],
)
def test_first_rule_that_fits_decides(referral: Referral, steps: list[str]) -> None:
    assert [step.name for step in plan(referral)] == steps


def test_steps_that_hl7v2_cannot_say_are_left_out() -> None:
    referral = replace(a_referral("crisis-clinic"), channel="hl7v2")

    assert [step.name for step in plan(referral)] == ["accept", "schedule"]


@pytest.mark.parametrize("service", ["shelter", "housing", "geriatric-assessment"])
def test_rejection_states_its_reason(service: str) -> None:
    (step,) = plan(a_referral(service, age=30))

    assert step.reason.endswith(".")


@pytest.mark.parametrize(
    ("birth_date", "age"),
    [("1966-11-22", 60), ("1966-11-23", 59), ("1966", 60), ("1966-05", 60), ("", None), ("unknown", None)],
)
def test_age_is_counted_from_dates_of_any_precision(birth_date: str, age: int | None) -> None:
    assert age_on(birth_date, date(2026, 11, 22)) == age


def test_service_not_of_ours_is_other() -> None:
    assert known_service(["H2011", "aromatherapy"]) == "other"


def test_names_that_the_sender_left_out_are_ours_and_its() -> None:
    arrived = replace(a_referral("detox"), application="SENDER")

    filled = named(arrived, Names("EHR", "HOSPITAL", "WARMHANDOFF", "GATEWAY"))

    assert (filled.own_application, filled.own_facility) == ("EHR", "HOSPITAL")
    assert (filled.application, filled.facility) == ("SENDER", "GATEWAY")


def test_placer_identifier_is_the_one_of_that_type() -> None:
    placer = {"type": {"coding": [{"code": "PLAC"}]}, "value": "p-1"}
    task = {"resourceType": "Task", "identifier": [{"value": "other"}, placer]}

    assert placer_identifier(task) == "p-1"
