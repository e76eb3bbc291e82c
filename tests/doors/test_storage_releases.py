"""Releases and reviews: one table of tests for every implementation of the store."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.model.release import Release, Review
from gateway.ports import Database, Transaction
from tests.support.stored import AT, a_handoff, a_person, an_input

pytest_plugins = ("tests.support.databases",)


def a_release(release_id: str = "release-1", **changes: Any) -> Release:
    values: dict[str, Any] = {
        "id": release_id, "kind": "emergency", "handoff_id": "handoff-1", "recipient": "org:hospital",
        "organization": "org:operator", "requested_by": "staff-1", "requested_as": "staff",
        "way": "send",
        "evidence": {"nature": "unresponsive", "consent_obtainable": False}, "items": None, "state": "queued",
        "reason": None, "decision_id": None, "created_at": AT, "updated_at": AT,
    }  # fmt: skip
    return Release(**{**values, **changes})


def a_review(review_id: str = "review-1", **changes: Any) -> Review:
    values: dict[str, Any] = {
        "id": review_id, "kind": "second-look", "subject": "release-1", "handoff_id": "handoff-1",
        "recipient": "org:hospital", "organization": "org:operator", "reason": "OK_EMERGENCY", "items": (),
        "raised_by": "staff-1", "opened_at": AT,
    }  # fmt: skip
    return Review(**{**values, **changes})


def keep(store: Database, *things: Release | Review) -> None:
    def save(tx: Transaction) -> None:
        for one in things:
            if isinstance(one, Release):
                tx.releases.save(one)
            else:
                tx.reviews.save(one)

    store.write(save)


@pytest.fixture
def store(database: Database) -> Database:
    def fill(tx: Transaction) -> None:
        tx.inputs.add(an_input())
        tx.people.save(a_person(), AT)
        tx.handoffs.save(a_handoff(), [])

    database.write(fill)
    return database


def test_a_release_comes_back_as_it_was_kept(store: Database) -> None:
    whole, part = a_release(), a_release("release-2", items=("Condition/f1120",), state="legal", approved_by="staff-2")

    keep(store, whole, part)

    assert store.read(lambda tx: tx.releases.get("release-1")) == whole
    assert store.read(lambda tx: tx.releases.get("release-2")) == part
    assert store.read(lambda tx: tx.releases.get("release-3")) is None


def test_a_release_is_written_over(store: Database) -> None:
    keep(store, a_release())

    keep(store, a_release(state="refused", reason="LE_NO_BASIS"))

    kept = store.read(lambda tx: tx.releases.get("release-1"))
    assert kept is not None
    assert (kept.state, kept.reason) == ("refused", "LE_NO_BASIS")


def test_releases_are_listed_newest_first(store: Database) -> None:
    later = a_release("release-2", created_at=AT + timedelta(seconds=1))

    keep(store, a_release(), later)

    assert [one.id for one in store.read(lambda tx: tx.releases.newest())] == ["release-2", "release-1"]
    assert [one.id for one in store.read(lambda tx: tx.releases.newest(1))] == ["release-2"]
    assert [one.id for one in store.read(lambda tx: tx.releases.of_handoff("handoff-1"))] == ["release-2", "release-1"]
    assert store.read(lambda tx: tx.releases.of_handoff("handoff-2")) == []


def test_an_open_review_stands_until_it_is_closed(store: Database) -> None:
    first, second = a_review(), a_review("review-2", opened_at=AT + timedelta(seconds=1), items=("Condition/c",))
    keep(store, second, first)

    closed = replace(first, closed_at=AT + timedelta(hours=1), closed_by="staff-2", note="called the ED")
    keep(store, closed)

    assert store.read(lambda tx: tx.reviews.open()) == [second]
    assert store.read(lambda tx: tx.reviews.get("review-1")) == closed


def test_reviews_are_found_by_what_they_are_about(store: Database) -> None:
    keep(store, a_review(), a_review("review-2", kind="legal"))

    assert len(store.read(lambda tx: tx.reviews.of_subject("release-1"))) == 2
    assert [one.id for one in store.read(lambda tx: tx.reviews.of_subject("release-1", "legal"))] == ["review-2"]
    assert store.read(lambda tx: tx.reviews.of_subject("release-2")) == []
