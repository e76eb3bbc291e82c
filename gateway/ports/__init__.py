"""The protocols through which `flow` reaches the world. Doors implement them, `wiring` chooses who does.

A `Transaction` groups the repositories of one database transaction. `Database.write` returns only after its work
is durable on disk; a change made inside it is seen by nobody until then. Signatures and what they promise, no logic.
"""

from gateway.ports.clock import Clock, NewId
from gateway.ports.oversight import Audit, Caveats, ConsentTerms, Decisions, Releases, Reviews
from gateway.ports.records import Brought, Handoffs, Inputs, People, Referrals, Resources, Sighted, StoredResource
from gateway.ports.store import Database, SharedWork, Transaction
from gateway.ports.work import CLOCKS_APART, Claim, DroppedCount, Feeds, Messages, NewWork, Outbox, SeenMessage

__all__ = [
    "CLOCKS_APART",
    "Audit",
    "Brought",
    "Caveats",
    "Claim",
    "Clock",
    "ConsentTerms",
    "Database",
    "Decisions",
    "DroppedCount",
    "Feeds",
    "Handoffs",
    "Inputs",
    "Messages",
    "NewId",
    "NewWork",
    "Outbox",
    "People",
    "Referrals",
    "Releases",
    "Resources",
    "Reviews",
    "SeenMessage",
    "SharedWork",
    "Sighted",
    "StoredResource",
    "Transaction",
]
