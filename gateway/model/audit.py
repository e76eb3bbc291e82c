"""The audit trail's row: what happened, to which ids, and the hash that chains it to the row before."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

GENESIS = "0" * 64
"""The `previous` of the first row."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that happened. `data` holds ids, codes, counts and hashes; never a name or a value of a record."""

    at: datetime
    kind: str
    """Dotted name: "input.accepted", "decision.permit", "decision.refusal", "delivery.sent", "consent.revoked", ..."""
    actor: str
    """Client id, staff account id, "worker" or "cli"."""
    data: Mapping[str, Any]


def chain_hash(previous: str, seq: int, entry: AuditEntry) -> str:
    """Hash a row together with its predecessor's hash, so that a changed, removed or inserted row is found."""
    body = orjson.dumps(
        {"seq": seq, "at": entry.at.isoformat(), "kind": entry.kind, "actor": entry.actor, "data": dict(entry.data)},
        option=orjson.OPT_SORT_KEYS,
    )
    return hashlib.sha256(previous.encode() + body).hexdigest()
