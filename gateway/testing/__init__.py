"""What a test of the gateway, or of a plug-in for it, puts in the place of the world: a clock, ids, a database."""

from gateway.testing.fixed import CountingIds, FixedClock
from gateway.testing.memory import InMemoryDatabase

__all__ = ["CountingIds", "FixedClock", "InMemoryDatabase"]
