"""42 CFR 2.11, 2.12(a), (b): whose records are Part 2 records: by their author on that day, never by their content."""

from typing import Any

from tests.support.part2_world import a_condition, answer, ask, handed_to, world, written_by

Json = dict[str, Any]

FLU = a_condition("flu", "J10.1")
BY_QUARRY = (FLU, written_by("quarry", FLU))


def test_what_is_of_an_author_nobody_registered_waits() -> None:
    assert answer(records=(FLU, written_by("nobody", FLU))) == ("HOLD", "ORIGIN_UNKNOWN")


def test_what_nobody_stated_an_author_of_waits() -> None:
    assert answer(records=(FLU,)) == ("HOLD", "ORIGIN_UNKNOWN")


def test_what_is_of_an_unclassified_author_is_treated_as_a_program() -> None:
    unknown = world(quarry={"legal_class": [{"from": "2020-01-01", "part2": "unknown"}]})
    not_yet = world(quarry={"legal_class": [{"from": "2027-01-01", "part2": "no"}]})

    assert answer(records=BY_QUARRY, registry=unknown) == ("DENY", "NO_CONSENT")
    assert answer(records=BY_QUARRY, registry=not_yet) == ("DENY", "NO_CONSENT")


def test_what_is_under_another_law_waits() -> None:
    assert answer(records=(FLU, written_by("veterans", FLU))) == ("HOLD", "OTHER_LAW_38USC7332")


def test_the_origin_counts_by_author_not_by_content() -> None:
    assert answer(records=(FLU, written_by("aspen", FLU))) == ("DENY", "NO_CONSENT")


def test_one_doubtful_item_never_blanks_its_neighbours() -> None:
    other = a_condition("other", "I10")
    records = (*BY_QUARRY, other, written_by("nobody", other))

    record = ask(records=records).record

    assert (record.decision, record.reason, record.withheld) == (
        "PERMIT_REDACTED",
        "ORIGIN_UNKNOWN",
        ("Condition/other",),
    )


def test_the_origin_of_something_computed_is_that_of_its_inputs() -> None:
    score = {"resourceType": "RiskAssessment", "id": "score", "subject": {"reference": "Patient/t1"}}
    entity = {"role": "derivation", "what": {"reference": "Condition/f1120"}}
    made = {
        **written_by("aspen", score),
        "activity": {"coding": [{"code": "transform"}]},
        "agent": [],
        "entity": [entity],
    }

    assert answer(records=(score, made, a_condition(), written_by("aspen", a_condition(), identifier="in"))) == (
        "DENY",
        "NO_CONSENT",
    )
    assert answer(records=(score, made), items=["RiskAssessment/score"]) == ("HOLD", "ORIGIN_UNKNOWN")


def test_what_a_program_received_is_its_record_from_then_on() -> None:
    """42 CFR 2.11, records: created, received or acquired by a program."""
    records = (*BY_QUARRY, handed_to("aspen", FLU, code="referral"))

    assert answer(records=BY_QUARRY) == ("PERMIT", "OK_NOT_PART2")
    assert answer(records=records) == ("DENY", "NO_CONSENT")


def test_words_about_substance_use_alone_make_no_part_2_record() -> None:
    told = a_condition("told", "F11.20")

    assert answer(records=(told, written_by("quarry", told))) == ("PERMIT", "OK_NOT_PART2")


def test_a_program_is_one_on_the_day_its_class_begins() -> None:
    """In its own time zone: the second of November begins at seven or eight in UTC."""
    changing = world(
        quarry={
            "legal_class": [
                {"from": "2020-01-01", "part2": "no", "covered_entity": True},
                {"from": "2026-11-02", "part2": "yes", "covered_entity": True},
            ]
        }
    )

    assert answer(records=BY_QUARRY, registry=changing, at="2026-11-02T07:59:59Z")[0] == "PERMIT"
    assert answer(records=BY_QUARRY, registry=changing, at="2026-11-02T08:00:00Z") == ("DENY", "NO_CONSENT")


def test_a_unit_of_a_hospital_can_be_a_program_and_the_hospital_none() -> None:
    identifier = {"system": "https://warmhandoff.example/id/partner", "value": "quarry-recovery"}
    unit = {
        "id": "org:quarry-recovery",
        "name": "Recovery unit of Nowhere",
        "identifiers": [identifier],
        "legal_class": [{"from": "2020-01-01", "part2": "yes", "covered_entity": True}],
    }
    registry = world(quarry={"units": [unit]})
    of_unit = a_condition("of-unit", "I10")
    records = (*BY_QUARRY, of_unit, written_by("quarry-recovery", of_unit))

    record = ask(records=records, registry=registry).record

    assert (record.decision, record.withheld) == ("PERMIT_REDACTED", ("Condition/of-unit",))
