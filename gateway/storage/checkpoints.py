"""Signed checkpoints of the audit trail: when one is made, and where they lie."""

from collections.abc import Callable

from sqlalchemy import Connection, select

from gateway.model.audit import (
    CHECKPOINT_EVERY,
    CHECKPOINT_MADE,
    GENESIS,
    AuditEntry,
    ChainHead,
    Checkpoint,
    token_hash,
)
from gateway.ports import Clock
from gateway.storage.audit import audit_head, chain, hold_chain
from gateway.storage.tables import audit, audit_checkpoints

Signer = Callable[[bytes], str]
"""Signs a payload and returns the token."""

_LAST = select(audit_checkpoints).order_by(audit_checkpoints.c.n.desc()).limit(1)
_KIND = select(audit.c.kind).order_by(audit.c.seq.desc()).limit(1)


class Checkpoints:
    """Makes a checkpoint in the transaction that crosses a thousand rows, and whenever it is told to."""

    def __init__(self, signer: Signer, clock: Clock) -> None:
        self._signer = signer
        self._clock = clock

    def after(self, connection: Connection, head: ChainHead, added: int) -> None:
        """Make one where the rows just added (the last of them is `head`) made it due."""
        if head.seq // CHECKPOINT_EVERY > (head.seq - added) // CHECKPOINT_EVERY:
            self._sign(connection, head)

    def now(self, connection: Connection) -> None:
        """Make one unless nothing happened since the last."""
        hold_chain(connection)
        if connection.execute(_KIND).scalar() not in (None, CHECKPOINT_MADE):
            self._sign(connection, audit_head(connection))

    def _sign(self, connection: Connection, head: ChainHead) -> None:
        last = connection.execute(_LAST).first()
        n, previous = (1, GENESIS) if last is None else (last.n + 1, token_hash(last.token))
        at = self._clock()
        token = self._signer(Checkpoint(n, head.seq, head.hash, at, previous).payload())
        connection.execute(audit_checkpoints.insert().values(n=n, token=token))
        told = {"checkpoint": n, "seq": head.seq, "hash": head.hash, "token_sha256": token_hash(token)}
        chain(connection, [AuditEntry(at, CHECKPOINT_MADE, "gateway", told)])


def checkpoint_tokens(connection: Connection) -> list[str]:
    """Return every checkpoint's token, the first one first."""
    return list(connection.execute(select(audit_checkpoints.c.token).order_by(audit_checkpoints.c.n)).scalars())
