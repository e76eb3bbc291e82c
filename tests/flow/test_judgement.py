"""One decision after the other: what was read of consents is remembered, and what changed in them is read anew."""

from dataclasses import replace
from datetime import UTC, datetime

from gateway.bench.consent import sample
from gateway.flow.judgement import Matter, judge
from gateway.model.disclosure import Disclosure
from gateway.model.partner import Registry

AT = datetime(2026, 11, 2, 18, tzinfo=UTC)


def a_permitted_matter() -> tuple[Matter, Registry]:
    """A matter of two items under one consent, and the registry it is decided with."""
    registry, asked, records, consents, patient = sample(2)
    matter = Matter(asked, records, consents, [patient], AT, {}, None)
    assert isinstance(judge(matter, registry), Disclosure)
    return matter, registry


def test_a_consent_that_was_taken_back_permits_nothing_any_more() -> None:
    matter, registry = a_permitted_matter()
    entries = [{"resource": {**one["resource"], "status": "inactive"}} for one in matter.consents["entry"]]

    outcome = judge(replace(matter, consents={**matter.consents, "entry": entries}), registry)

    assert outcome.record.decision == "DENY"


def test_a_consent_that_was_changed_where_it_lies_is_read_anew() -> None:
    matter, registry = a_permitted_matter()

    for entry in matter.consents["entry"]:
        entry["resource"]["status"] = "inactive"

    assert judge(matter, registry).record.decision == "DENY"


def test_what_leaves_is_the_same_whether_the_consents_were_read_before_or_not() -> None:
    matter, registry = a_permitted_matter()
    again = sample(2)[0]

    first, second = judge(matter, registry), judge(matter, again)

    assert isinstance(first, Disclosure)
    assert isinstance(second, Disclosure)
    assert first.body == second.body


def test_records_that_were_labeled_before_are_decided_on_alike_and_kept_alike() -> None:
    matter, registry = a_permitted_matter()
    labeled = matter.with_labels(registry)

    first, second = judge(matter, registry), judge(labeled, registry)

    assert isinstance(first, Disclosure)
    assert isinstance(second, Disclosure)
    assert (first.body, first.record) == (second.body, second.record)
    assert matter.written(registry) == labeled.written(registry)


def test_of_a_matter_some_items_are_decided_on_with_the_labels_of_all() -> None:
    registry, asked, records, consents, patient = sample(3)
    matter = Matter(asked, records, consents, [patient], AT, {}, None).with_labels(registry)

    some = matter.only(["Condition/c1"])

    outcome = judge(some, registry)
    assert isinstance(outcome, Disclosure)
    left = [one["resource"]["id"] for one in outcome.content["entry"] if one["resource"]["resourceType"] == "Condition"]
    assert left == ["c1"]
    assert some.labels(registry) is matter.labels(registry)
