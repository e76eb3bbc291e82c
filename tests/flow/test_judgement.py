"""One decision after the other: what was read of consents is remembered, and what changed in them is read anew."""

from dataclasses import replace
from datetime import UTC, datetime

import orjson

from gateway.bench.consent import sample
from gateway.flow.compiled import CompiledConsents
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


def a_text(note: str) -> bytes:
    """An empty Bundle of consents that differs from another by its note."""
    return orjson.dumps({"resourceType": "Bundle", "type": "collection", "id": note, "entry": []})


def test_only_the_last_used_consents_are_remembered() -> None:
    registry, remembered = Registry([]), CompiledConsents(most=2)
    first, second = (remembered.of(a_text(one), registry) for one in "ab")

    again = remembered.of(a_text("a"), registry)
    remembered.of(a_text("c"), registry)

    assert again is first
    assert remembered.of(a_text("a"), registry) is first
    assert remembered.of(a_text("b"), registry) is not second


def test_what_is_remembered_of_consents_is_bounded_by_what_is_written_in_them() -> None:
    registry, size = Registry([]), len(a_text("a"))
    remembered = CompiledConsents(most_bytes=2 * size)
    first = remembered.of(a_text("a"), registry)

    too_large = remembered.of(a_text("a" * 3 * size), registry)

    assert remembered.of(a_text("a" * 3 * size), registry) is not too_large
    assert remembered.of(a_text("a"), registry) is first
    for one in "bcd":
        remembered.of(a_text(one), registry)
    assert remembered.size_bytes == 2 * size
    assert remembered.of(a_text("a"), registry) is not first


def test_another_registry_reads_the_same_consents_anew() -> None:
    remembered = CompiledConsents()

    assert remembered.of(a_text("a"), Registry([])) is not remembered.of(a_text("a"), Registry([]))
