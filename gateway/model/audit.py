"""The audit trail: its rows, the hash that chains each to the one before, and the signed checkpoints over the chain.

A chain shows by itself that a row was changed, removed or inserted. What it cannot show is that it was cut off at its
end, or written anew from the start by somebody who may write to the store. A checkpoint shows that: it names a row
and its hash, under a signature that only the gateway can make.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

GENESIS = "0" * 64
"""The `previous` of the first row, and of the first checkpoint."""

CHECKPOINT_MADE = "audit.checkpoint"
"""The kind of the row that tells of a checkpoint, so that a removed checkpoint is missed."""

DECISIONS_KEPT = ("decision.permit", "decision.refusal")
"""The kinds of the rows that tell of a kept decision: `decision` names it, `record_hash` is that of its record."""

DISCLOSURES_LOGGED = "disclosure.logged"
"""The kind of the rows that tell what was written into the log of disclosures."""

CHECKPOINT_EVERY = 1000
"""Rows after which a checkpoint is due."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that happened. `data` holds ids, codes, counts and hashes; never a name or a value of a record."""

    at: datetime
    kind: str
    """Dotted name: "input.accepted", "decision.permit", "decision.refusal", "delivery.sent", "consent.revoked", ..."""
    actor: str
    """Client id, staff account id, "worker" or "cli"."""
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Link:
    """A row as it stands in the trail. Without an entry its data cannot be read."""

    seq: int
    entry: AuditEntry | None
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class ChainHead:
    """A row of the chain by its hash: note the last one elsewhere, and a chain cut off later is found."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A head of the chain as it was signed. `previous` is the SHA-256 of the token of the checkpoint before."""

    n: int
    seq: int
    hash: str
    at: datetime
    previous: str

    def payload(self) -> bytes:
        """Return what is signed."""
        written = {
            "n": self.n,
            "seq": self.seq,
            "hash": self.hash,
            "at": self.at.astimezone(UTC).isoformat(),
            "previous": self.previous,
        }
        return orjson.dumps(written)


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """The first row at which the chain does not hold."""

    seq: int
    problem: str

    def __str__(self) -> str:
        return f"broken link: row {self.seq} {self.problem}"


@dataclass(frozen=True, slots=True)
class BrokenCheckpoint:
    """The first checkpoint that does not hold, or does not hold of the chain."""

    n: int
    problem: str

    def __str__(self) -> str:
        return f"checkpoint {self.n} {self.problem}"


@dataclass(frozen=True, slots=True)
class BrokenRecord:
    """The first decision or disclosure that is not kept as the chain tells of it."""

    what: str
    problem: str

    def __str__(self) -> str:
        return f"{self.what} {self.problem}"


Broken = BrokenLink | BrokenCheckpoint


def chain_hash(previous: str, seq: int, entry: AuditEntry) -> str:
    """Hash a row together with its predecessor's hash, so that a changed, removed or inserted row is found."""
    body = orjson.dumps(
        {"seq": seq, "at": entry.at.isoformat(), "kind": entry.kind, "actor": entry.actor, "data": dict(entry.data)},
        option=orjson.OPT_SORT_KEYS,
    )
    return hashlib.sha256(previous.encode() + body).hexdigest()


def record_hash(record: Mapping[str, Any]) -> str:
    """Hash the record of a decision, as the row that tells of the decision holds it."""
    return f"sha256:{hashlib.sha256(orjson.dumps(record, option=orjson.OPT_SORT_KEYS)).hexdigest()}"


def disclosures_logged(
    at: datetime, actor: str, logged: Sequence[tuple[str, str, str, str]], instant: datetime
) -> AuditEntry:
    """Return the row that tells what was written into the log of disclosures at once, all as of one `instant`.

    `logged`: message id, decision id, purpose and description of each.
    """
    named = [
        {"message": message, "decision": decision, "purpose": purpose, "description": description}
        for message, decision, purpose, description in logged
    ]
    return AuditEntry(at, DISCLOSURES_LOGGED, actor, {"at": instant.astimezone(UTC).isoformat(), "disclosures": named})


def token_hash(token: str) -> str:
    """Return what the checkpoint after this one names it by."""
    return hashlib.sha256(token.encode()).hexdigest()


def read_checkpoints(
    tokens: Iterable[str], opened: Callable[[str], bytes | None]
) -> list[Checkpoint] | BrokenCheckpoint:
    """Read all checkpoints in their order; `opened` gives what a token signs, None where no known key signed it.

    They are numbered without a gap, and each names the one before by its hash.
    """
    found: list[Checkpoint] = []
    previous = GENESIS
    for n, token in enumerate(tokens, 1):
        signed = opened(token)
        if signed is None:
            return BrokenCheckpoint(n, "is not signed by a known key")
        one = read_checkpoint(signed)
        if one.n != n:
            return BrokenCheckpoint(n, f"is missing: the next one has number {one.n}")
        if one.previous != previous:
            return BrokenCheckpoint(n, "does not follow the checkpoint before it")
        found.append(one)
        previous = token_hash(token)
    return found


def read_checkpoint(signed: bytes) -> Checkpoint:
    """Read what a checkpoint signs."""
    written = orjson.loads(signed)
    at = datetime.fromisoformat(written["at"])
    return Checkpoint(written["n"], written["seq"], written["hash"], at, written["previous"])


def check_trail(
    links: Iterable[Link], checkpoints: Sequence[Checkpoint] | None = None, known: Sequence[ChainHead] = ()
) -> ChainHead | Broken:
    """Walk the whole chain once and return its head, or the first thing that does not hold.

    `checkpoints` are those of the trail itself, all of them; None: nobody can tell what was signed, and only the
    chain is checked. `known` are heads noted elsewhere that the chain must still hold. Memory stays flat: of the rows
    only the hashes that are asked about are kept.
    """
    asked = {one.seq for one in checkpoints or ()} | {one.seq for one in known}
    hashes: dict[int, str] = {}
    told: dict[int, int] = {}
    head = ChainHead(0, GENESIS)
    for link in links:
        problem = _problem(link, head)
        if problem is not None:
            return BrokenLink(head.seq + 1, problem)
        head = ChainHead(link.seq, link.hash)
        if link.seq in asked:
            hashes[link.seq] = link.hash
        if link.entry is not None and link.entry.kind == CHECKPOINT_MADE:
            told[link.entry.data["checkpoint"]] = link.seq
    broken: Broken | None = _unknown_head(known, hashes, head)
    if broken is None and checkpoints is not None:
        broken = _unsigned(checkpoints, hashes, told, head)
    return broken or head


def _problem(link: Link, before: ChainHead) -> str | None:
    if link.seq != before.seq + 1:
        return f"is missing: the next row has number {link.seq}"
    if link.previous != before.hash:
        return "does not follow the row before it"
    if link.entry is None:
        return "has unreadable data"
    if chain_hash(link.previous, link.seq, link.entry) != link.hash:
        return "has other content than was written"
    return None


def _unknown_head(known: Sequence[ChainHead], hashes: Mapping[int, str], head: ChainHead) -> BrokenLink | None:
    for noted in known:
        if noted.seq > head.seq:
            return BrokenLink(head.seq + 1, f"and all after it are missing: number {noted.seq} was noted as written")
        if hashes.get(noted.seq, GENESIS) != noted.hash:
            return BrokenLink(noted.seq, "is not the row whose hash was noted")
    return None


def _unsigned(
    checkpoints: Sequence[Checkpoint], hashes: Mapping[int, str], told: Mapping[int, int], head: ChainHead
) -> BrokenCheckpoint | None:
    for one in checkpoints:
        if one.seq > head.seq:
            return BrokenCheckpoint(one.n, f"signs row {one.seq}, but the trail ends at row {head.seq}: it was cut off")
        if hashes[one.seq] != one.hash:
            return BrokenCheckpoint(one.n, f"signs another row {one.seq} than stands there: the trail was rewritten")
    signed = {one.n for one in checkpoints}
    for n, seq in told.items():
        if n not in signed:
            return BrokenCheckpoint(n, f"is missing: row {seq} tells that it was made")
    last = checkpoints[-1].seq if checkpoints else 0
    if head.seq - last > 2 * CHECKPOINT_EVERY:
        return BrokenCheckpoint(
            len(checkpoints) + 1, f"is missing: rows {last + 1} to {head.seq} are under no checkpoint"
        )
    return None
