"""Work in lanes: one lane a destination, strict order inside it, leases with fencing.

A lane is owned by at most one worker at a time; that is what keeps the order. Work of a dead worker stays `sending`
in a lane whose lease ends: whoever claims the lane next meets that work first. The order of two pieces of work is the
order of their ids; two transactions that must not overtake each other lock the same person before they add.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    null,
    or_,
    select,
    update,
)

from gateway.model.handoff import DeliveryAction, Work, WorkKind, WorkState
from gateway.ports import CLOCKS_APART, Claim, NewWork
from gateway.storage.effects import Effects, must_exist
from gateway.storage.instants import from_micros, to_micros
from gateway.storage.prepared import Prepared
from gateway.storage.tables import lanes, outbox, sent_as
from gateway.storage.upsert import insert_if_absent, upsert

# Written out, not bound: neither database uses the partial index for a condition it cannot read.
_UNFINISHED: ColumnElement[bool] = literal_column("outbox.state IN ('ready', 'sending')")
_HAS_WORK = exists().where(outbox.c.lane == lanes.c.name, _UNFINISHED)
_OPEN = (lanes.c.paused == 0, _HAS_WORK)
_IN_NO_HAND = or_(lanes.c.owner.is_(None), lanes.c.owner == bindparam("by"))

_STANDING: ColumnElement[bool] = literal_column("outbox.state IN ('awaiting', 'refused', 'held', 'dead')")
_INDEXED = (
    (frozenset({"ready", "sending"}), _UNFINISHED),
    (frozenset({"awaiting", "refused", "held", "dead"}), _STANDING),
)

# The lane leased longest ago comes first, so that no busy destination starves the others. Who asks has nothing in hand:
# a lane that is leased to them is one that they could not give back, as the database did not answer.
CLAIMABLE = (
    select(lanes.c.name, lanes.c.failures)
    .where(
        or_(
            and_(lanes.c.due <= bindparam("now"), or_(_IN_NO_HAND, lanes.c.lease_until <= bindparam("now"))),
            and_(_IN_NO_HAND, lanes.c.lease_until > bindparam("latest")),  # the clock was set back since
        ),
        *_OPEN,
    )
    .order_by(lanes.c.lease_until, lanes.c.name)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_NEXT_DUE = Prepared(
    select(
        func.min(
            case(
                (lanes.c.owner.is_(None), lanes.c.due),
                (lanes.c.lease_until > lanes.c.due, lanes.c.lease_until),
                else_=lanes.c.due,
            )
        )
    ).where(*_OPEN)
)
_LEASE = Prepared(
    update(lanes)
    .where(lanes.c.name == bindparam("lane"))
    .values(owner=bindparam("new_owner"), lease_until=bindparam("until"))
)
_EXTEND = Prepared(
    update(lanes)
    .where(lanes.c.name == bindparam("lane"), lanes.c.owner == bindparam("by"))
    .values(lease_until=bindparam("until"))
)
_RELEASE = Prepared(
    update(lanes).where(lanes.c.name == bindparam("lane"), lanes.c.owner == bindparam("by")).values(owner=null())
)
_BACK_OFF = Prepared(
    update(lanes).where(lanes.c.name == bindparam("lane")).values(due=bindparam("until"), failures=bindparam("failed"))
)
WAITING = (
    select(outbox).where(outbox.c.lane == bindparam("lane"), _UNFINISHED).order_by(outbox.c.id).limit(bindparam("most"))
)
_CLAIM = Prepared(CLAIMABLE)
_WAIT = Prepared(WAITING)
_NEW_COLUMNS = [column for column in outbox.columns if column is not outbox.c.id]
_NEW_ROW = outbox.insert().values({column.name: bindparam(column.name) for column in _NEW_COLUMNS})
_INSERT = Prepared(_NEW_ROW.returning(outbox.c.id))
_INSERT_ALL = Prepared(_NEW_ROW)
_GET = Prepared(select(outbox).where(outbox.c.id == bindparam("key")))
NOT_READING: ColumnElement[bool] = literal_column("outbox.kind <> 'answer'")
_INSERT_UNLESS_READY = Prepared(
    outbox.insert().from_select(
        [column.name for column in _NEW_COLUMNS],
        select(*(bindparam(column.name, type_=column.type) for column in _NEW_COLUMNS)).where(
            ~exists().where(
                outbox.c.subject == bindparam("subject"),
                NOT_READING,
                outbox.c.lane == bindparam("lane"),
                outbox.c.kind == bindparam("kind"),
                outbox.c.state == "ready",
            )
        ),
    )
)
OF_SUBJECT = select(outbox).where(outbox.c.subject == bindparam("key"), NOT_READING).order_by(outbox.c.id)
_OF_SUBJECT = Prepared(OF_SUBJECT)
SENT_AS = select(outbox).where(sent_as == bindparam("key"), NOT_READING).order_by(outbox.c.id)
_SENT_AS = Prepared(SENT_AS)
_SET_STATE = Prepared(
    update(outbox)
    .where(outbox.c.id == bindparam("key"))
    .values(
        state=bindparam("new_state"),
        reason=bindparam("why"),
        updated_at=bindparam("now"),
        # A try is counted when it begins; work reopened from a resting state starts counting anew.
        tries=case(
            (bindparam("new_state") == "sending", outbox.c.tries + 1),
            ((bindparam("new_state") == "ready") & (outbox.c.state != "sending"), 0),
            else_=outbox.c.tries,
        ),
    )
)


class SqlOutbox:
    """`ports.Outbox` on one database connection."""

    def __init__(self, connection: Connection, effects: Effects) -> None:
        self._connection = connection
        self._effects = effects
        self._opened: set[str] = set()
        """Lanes that are there for certain until the transaction ends."""

    def add(
        self,
        *,
        lane: str,
        kind: WorkKind,
        subject: str,
        action: DeliveryAction,
        message_id: str,
        version: int,
        at: datetime,
        state: WorkState = "ready",
        reason: str | None = None,
    ) -> int:
        """Enqueue work; it is visible to workers once the transaction commits."""
        self._open_lanes({lane})
        new = NewWork(lane, kind, subject, action, message_id, version, at)
        made = _INSERT.first(self._connection, _new_row(new, state, reason))
        self._effects.woke |= state == "ready"
        assert made is not None, "an insert returns its key"
        return int(made.id)

    def add_all(self, work: Sequence[NewWork]) -> None:
        """Enqueue pieces of work, in this order."""
        if work:
            self._open_lanes({one.lane for one in work})
            _INSERT_ALL.run_many(self._connection, [_new_row(one, "ready", None) for one in work])
            self._effects.woke = True

    def add_once(self, work: NewWork) -> None:
        """Enqueue work, unless work of this lane, kind and subject is ready already; one question either way."""
        self._open_lanes({work.lane})
        _INSERT_UNLESS_READY.run(self._connection, _new_row(work, "ready", None))
        self._effects.woke = True

    def claim(self, owner: str, now: datetime, lease: timedelta, limit: int = 25) -> Claim | None:
        """Lease one due, unpaused lane that has ready (or orphaned `sending`) work; None when there is none.

        `owner` must be different for every worker on every machine: it is what fences a late worker off. A worker that
        asks holds no lane any more.
        """
        until = now + lease
        asked = {"now": to_micros(now), "by": owner, "latest": to_micros(until + CLOCKS_APART)}
        found = _CLAIM.first(self._connection, asked)
        if found is None:
            return None
        lane, failures = found
        _LEASE.run(self._connection, {"lane": lane, "new_owner": owner, "until": to_micros(until)})
        rows = _WAIT.all(self._connection, {"lane": lane, "most": limit})
        return Claim(lane, owner, tuple(_work(row) for row in rows), failures)

    def owns(self, claim: Claim, now: datetime, lease: timedelta) -> bool:
        """Extend the lease if this owner still has the lane; False: stop, another worker took over."""
        lease_until = {"lane": claim.lane, "by": claim.owner, "until": to_micros(now + lease)}
        return _EXTEND.run(self._connection, lease_until) == 1

    def get(self, work_id: int) -> Work | None:
        """Return one piece of work."""
        row = _GET.first(self._connection, {"key": work_id})
        return None if row is None else _work(row)

    def set_state(self, work_id: int, state: WorkState, reason: str | None, at: datetime) -> None:
        """Move work to another state. `sending` counts a try; `ready` from a resting state counts anew."""
        changed = _SET_STATE.run(
            self._connection, {"key": work_id, "new_state": state, "why": reason, "now": to_micros(at)}
        )
        must_exist(changed, "piece of work", work_id)
        self._effects.woke |= state == "ready"

    def finish(self, work_ids: Sequence[int], at: datetime) -> None:
        """Move pieces of work to `delivered`."""
        done = {"new_state": "delivered", "why": None, "now": to_micros(at)}
        _SET_STATE.run_many(self._connection, [{"key": key, **done} for key in work_ids])

    def back_off(self, lane: str, due: datetime, failures: int = 0) -> None:
        """Let a lane rest until `due`; `failures` is how many of its tries have failed in a row by now."""
        rest = {"lane": lane, "until": to_micros(due), "failed": failures}
        must_exist(_BACK_OFF.run(self._connection, rest), "lane", lane)

    def release(self, claim: Claim) -> None:
        """Give a lane back; does nothing when another worker took it over meanwhile."""
        _RELEASE.run(self._connection, {"lane": claim.lane, "by": claim.owner})

    def pause(self, lane: str, paused: bool) -> None:
        """Stop or resume a lane; one that has no work yet starts paused."""
        statement = upsert(self._connection.dialect.name, lanes, ("paused",))
        self._connection.execute(statement, {**_new_lane(lane), "paused": int(paused)})
        self._effects.woke |= not paused

    def of_subject(self, subject: str) -> list[Work]:
        """Return the work made for a referral or an input, oldest first; not the reading of a message."""
        return [_work(row) for row in _OF_SUBJECT.all(self._connection, {"key": subject})]

    def sent_as(self, control_id: str) -> list[Work]:
        """Return the work that is sent under this MSH-10, the first 20 characters of its message id."""
        return [_work(row) for row in _SENT_AS.all(self._connection, {"key": control_id})]

    def of_states(self, states: Sequence[WorkState], limit: int = 500) -> list[Work]:
        """Return work in these states, oldest first (dead letters, held, refused)."""
        found = select(outbox).where(in_states(*states)).order_by(outbox.c.id).limit(limit)
        return [_work(row) for row in self._connection.execute(found)]

    def _open_lanes(self, names: Collection[str]) -> None:
        # In one order, or two processes could each wait for a lane that the other one makes.
        if lane_rows := [_new_lane(name) for name in sorted(set(names) - self._opened)]:
            insert_if_absent(self._connection.dialect.name, lanes).run_many(self._connection, lane_rows)
            self._opened.update(names)


def _new_row(work: NewWork, state: WorkState, reason: str | None) -> dict[str, Any]:
    at = to_micros(work.at)
    return {
        "lane": work.lane,
        "kind": work.kind,
        "subject": work.subject,
        "action": work.action,
        "message_id": work.message_id,
        "state": state,
        "tries": 0,
        "reason": reason,
        "version": work.version,
        "created_at": at,
        "updated_at": at,
    }


def in_states(*states: WorkState) -> ColumnElement[bool]:
    """Build the condition that work is in one of these states; where one index has them all, it is named."""
    indexed = [index for within, index in _INDEXED if within.issuperset(states)]
    return and_(outbox.c.state.in_(states), *indexed)


def next_due(connection: Connection) -> datetime | None:
    """Return when the next lane with work can be claimed (maybe already); None: there is no work to wait for."""
    (micros,) = _NEXT_DUE.all(connection, {})[0]
    return None if micros is None else from_micros(micros)


def _new_lane(name: str) -> dict[str, Any]:
    return {"name": name, "due": 0, "owner": None, "lease_until": 0, "paused": 0, "failures": 0}


def _work(row: Any) -> Work:
    return Work(
        **{**row._asdict(), "created_at": from_micros(row.created_at), "updated_at": from_micros(row.updated_at)}
    )
