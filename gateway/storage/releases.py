"""Releases with their evidence, and what a second person has to look at."""

from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, select

from gateway.model.release import Release, Review, ReviewKind
from gateway.storage.instants import from_micros, to_micros
from gateway.storage.json_text import dump, load
from gateway.storage.tables import releases, reviews
from gateway.storage.upsert import upsert

_NEWEST_FIRST = (releases.c.created_at.desc(), releases.c.id.desc())
_GET = select(releases).where(releases.c.id == bindparam("key"))
_NEWEST = select(releases).order_by(*_NEWEST_FIRST)
_OF_HANDOFF = select(releases).where(releases.c.handoff_id == bindparam("key")).order_by(*_NEWEST_FIRST)

_OLDEST_FIRST = (reviews.c.opened_at, reviews.c.id)
_GET_REVIEW = select(reviews).where(reviews.c.id == bindparam("key"))
_OPEN = select(reviews).where(reviews.c.closed_at.is_(None)).order_by(*_OLDEST_FIRST)
_OF_SUBJECT = select(reviews).where(reviews.c.subject == bindparam("key")).order_by(*_OLDEST_FIRST)


class SqlReleases:
    """`ports.Releases` on one database connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, release_id: str) -> Release | None:
        """Return a release."""
        row = self._connection.execute(_GET, {"key": release_id}).first()
        return None if row is None else _release(row)

    def save(self, release: Release) -> None:
        """Insert or update a release."""
        row = {column.name: getattr(release, column.name) for column in releases.columns}
        row |= {
            "evidence": dump(release.evidence),
            "items": dump(release.items),
            "created_at": to_micros(release.created_at),
            "updated_at": to_micros(release.updated_at),
        }
        self._connection.execute(upsert(self._connection.dialect.name, releases), row)

    def newest(self, limit: int = 200) -> list[Release]:
        """Return releases, newest first."""
        return self._all(_NEWEST.limit(limit), {})

    def of_handoff(self, handoff_id: str) -> list[Release]:
        """Return the releases of a record, newest first."""
        return self._all(_OF_HANDOFF, {"key": handoff_id})

    def _all(self, statement: Select[Any], parameters: dict[str, str]) -> list[Release]:
        return [_release(row) for row in self._connection.execute(statement, parameters)]


class SqlReviews:
    """`ports.Reviews` on one database connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, review_id: str) -> Review | None:
        """Return a review."""
        row = self._connection.execute(_GET_REVIEW, {"key": review_id}).first()
        return None if row is None else _review(row)

    def save(self, review: Review) -> None:
        """Insert or update a review."""
        row = {column.name: getattr(review, column.name) for column in reviews.columns}
        row |= {
            "items": dump(review.items),
            "opened_at": to_micros(review.opened_at),
            "closed_at": to_micros(review.closed_at) if review.closed_at is not None else None,
        }
        self._connection.execute(upsert(self._connection.dialect.name, reviews), row)

    def open(self) -> list[Review]:
        """Return what nobody has closed yet, oldest first."""
        return [_review(row) for row in self._connection.execute(_OPEN)]

    def of_subject(self, subject: str, kind: ReviewKind | None = None) -> list[Review]:
        """Return the reviews of a release or referral, oldest first."""
        found = [_review(row) for row in self._connection.execute(_OF_SUBJECT, {"key": subject})]
        return [one for one in found if kind in (None, one.kind)]


def _release(row: Row[Any]) -> Release:
    items = load(row.items)
    read = {
        "evidence": load(row.evidence),
        "items": None if items is None else tuple(items),
        "created_at": from_micros(row.created_at),
        "updated_at": from_micros(row.updated_at),
    }
    return Release(**{**row._mapping, **read})


def _review(row: Row[Any]) -> Review:
    read = {
        "items": tuple(load(row.items)),
        "opened_at": from_micros(row.opened_at),
        "closed_at": from_micros(row.closed_at) if row.closed_at is not None else None,
    }
    return Review(**{**row._mapping, **read})
