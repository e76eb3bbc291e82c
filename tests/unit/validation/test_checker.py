"""The checker as others call it: which profile is asked of what, and what it leaves alone."""

import copy
from concurrent.futures import ThreadPoolExecutor

from gateway.catalog.profiles import load_checker
from gateway.validation import Checker
from tests.unit.validation import examples
from tests.unit.validation.examples import PROFILE

WITHOUT_IDENTIFIER = {key: value for key, value in examples.patient().items() if key != "identifier"}


def test_our_profiles_are_asked_unless_others_are_named(checker: Checker) -> None:
    asked = [finding.location for finding in checker.check(WITHOUT_IDENTIFIER).errors]

    assert asked == ["Patient.identifier"]
    assert checker.check(WITHOUT_IDENTIFIER, {}).is_valid


def test_a_claimed_profile_is_asked_too(checker: Checker) -> None:
    claiming = WITHOUT_IDENTIFIER | {"meta": {"profile": [PROFILE + "wh-patient|0.1.0"]}}

    assert [finding.location for finding in checker.check(claiming, {}).errors] == ["Patient.identifier"]


def test_one_fault_seen_by_two_profiles_is_told_once(checker: Checker) -> None:
    claiming = WITHOUT_IDENTIFIER | {"meta": {"profile": [PROFILE + "wh-patient"]}}

    assert len(checker.check(claiming).errors) == 1


def test_a_claimed_profile_that_is_not_at_hand_is_a_warning_and_r4_is_asked(checker: Checker) -> None:
    claiming = {"resourceType": "Goal", "meta": {"profile": ["https://x.example/p"]}}

    found = checker.check(claiming, {})

    assert [(item.severity, item.rule) for item in found if item.rule == "profile-unknown"] == [
        ("warning", "profile-unknown")
    ]
    assert not found.is_valid


def test_a_profile_of_another_type_is_an_error(checker: Checker) -> None:
    claiming = examples.goal() | {"meta": {"profile": [PROFILE + "wh-task"]}}

    assert [finding.rule for finding in checker.check(claiming, {}).errors] == ["profile-type"]


def test_contained_resources_are_parts_and_not_held_to_our_profiles(checker: Checker) -> None:
    goal = examples.goal()
    goal["contained"] = [{"resourceType": "Patient", "id": "x"}]
    goal["subject"] = {"reference": "#x"}

    assert checker.check(goal).errors == ()


def test_a_check_leaves_the_resource_as_it_was(checker: Checker) -> None:
    bundle = examples.bundle()
    bundle["entry"][3]["resource"]["occurrenceTiming"] = {"repeat": {"duration": 2, "durationUnit": "h"}}
    before = copy.deepcopy(bundle)

    checker.check(bundle)

    assert bundle == before


def test_a_checker_is_shared_between_threads() -> None:
    checker = load_checker()

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: checker.check(examples.bundle()).errors, range(64)))

    assert set(results) == {()}


def test_a_checker_tells_which_profiles_it_knows(checker: Checker) -> None:
    assert checker.type_of(PROFILE + "wh-task|0.1.0") == "Task"
    assert checker.type_of("https://x.example/p") is None
