"""How many messages of each feed were about nobody we know and not stored, by day."""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import Connection, bindparam, select

from gateway.ports import DroppedCount
from gateway.storage.tables import feed_counts
from gateway.storage.upsert import upsert_adding

_SINCE = (
    select(feed_counts)
    .where(feed_counts.c.day >= bindparam("since"))
    .order_by(feed_counts.c.day.desc(), feed_counts.c.organization, feed_counts.c.feed)
)


class SqlFeeds:
    """`ports.Feeds` on one database connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add_dropped(self, counts: Iterable[DroppedCount]) -> None:
        """Add to the counts of their feeds and days."""
        rows = [
            {"organization": one.organization, "feed": one.feed, "day": one.day.isoformat(), "dropped": one.dropped}
            for one in counts
        ]
        if rows:
            self._connection.execute(upsert_adding(self._connection.dialect.name, feed_counts, "dropped"), rows)

    def dropped(self, since: date) -> list[DroppedCount]:
        """Return the counts from that day on, newest day first, each day by organization and feed."""
        rows = self._connection.execute(_SINCE, {"since": since.isoformat()})
        return [DroppedCount(row.organization, row.feed, date.fromisoformat(row.day), row.dropped) for row in rows]
