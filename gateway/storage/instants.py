"""Instants in the store: microseconds since the epoch, so that SQLite and PostgreSQL keep exactly the same."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(at: datetime) -> int:
    """Return an aware instant as microseconds since the epoch; a naive one raises `ValueError`."""
    if at.tzinfo is None:
        raise ValueError("expected an aware datetime, found a naive one: the store keeps instants, not wall clocks")
    return (at - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the instant, in UTC, that `to_micros` wrote."""
    return _EPOCH + timedelta(microseconds=micros)
