"""In-memory repositories of referrals, work, decisions, messages and the audit trail."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from typing import Any

import orjson

from gateway.model.accounting import Disclosed, HandedOver, NewDecision, StoredDecision
from gateway.model.audit import AuditEntry
from gateway.model.handoff import (
    DeliveryAction,
    MessageKey,
    Referral,
    StoredInput,
    Work,
    WorkKind,
    WorkState,
)
from gateway.ports import Claim, DroppedCount, NewWork, SeenMessage
from gateway.testing.state import KeptDisclosure, Lane, State, claimable_lane, insist, must_exist


class InMemoryReferrals:
    """`ports.Referrals` on a state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def get(self, referral_id: str) -> Referral | None:
        """Return a referral by the id of its Task."""
        return self._state.referrals.get(referral_id)

    def save(self, referral: Referral) -> None:
        """Insert or update a referral."""
        same = self.by_identifier(referral.identifier, referral.recipient)
        insist(same is None or same.id == referral.id, "an identifier names one referral at a recipient")
        insist(referral.handoff_id in self._state.handoffs, "a referral is made from a handoff")
        self._state.referrals[referral.id] = referral

    def of_handoff(self, handoff_id: str) -> list[Referral]:
        """Return the referrals made from a handoff, oldest change first."""
        return [referral for referral in self._oldest_first() if referral.handoff_id == handoff_id]

    def of_person(self, person_id: str) -> list[Referral]:
        """Return the referrals about a person, oldest change first."""
        return [referral for referral in self._oldest_first() if referral.person_id == person_id]

    def by_identifier(self, identifier: str, recipient: str) -> Referral | None:
        """Return the referral with this placer identifier at this recipient."""
        for referral in self._state.referrals.values():
            if (referral.identifier, referral.recipient) == (identifier, recipient):
                return referral
        return None

    def of_people(self, person_ids: Sequence[str]) -> list[Referral]:
        """Return the referrals about these persons, oldest change first."""
        return [referral for referral in self._oldest_first() if referral.person_id in person_ids]

    def holding(self, recipient: str, resource_type: str, resource_id: str) -> list[Referral]:
        """Return the referrals to a recipient from handoffs that hold this resource, newest change first."""
        key = (resource_type, resource_id)
        return [
            referral
            for referral in reversed(self._oldest_first())
            if referral.recipient == recipient and key in self._state.contents.get(referral.handoff_id, ())
        ]

    def of_recipient(self, recipient: str, status: str | None, since: datetime | None) -> list[Referral]:
        """Return the referrals addressed to a recipient that changed at `since` or later, oldest change first."""
        return [
            referral
            for referral in self._oldest_first()
            if referral.recipient == recipient
            and status in (None, referral.status)
            and (since is None or referral.updated_at >= since)
        ]

    def in_order(self, after: str, but: Collection[str], limit: int) -> list[str]:
        """Return the ids that follow `after` of referrals whose status is none of `but`, in order."""
        open_ones = (one.id for one in self._state.referrals.values() if one.id > after and one.status not in but)
        return sorted(open_ones)[:limit]

    def _oldest_first(self) -> list[Referral]:
        return sorted(self._state.referrals.values(), key=lambda referral: (referral.updated_at, referral.id))


class InMemoryOutbox:
    """`ports.Outbox` on a state."""

    def __init__(self, state: State) -> None:
        self._state = state

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
        used = any(work.message_id == message_id for work in self._state.work.values())
        insist(not used, "a message id is used once")
        self._state.lanes.setdefault(lane, Lane())
        key = len(self._state.work) + 1
        self._state.work[key] = Work(
            key, lane, kind, subject, action, message_id, state, 0, reason, version, created_at=at, updated_at=at
        )
        return key

    def add_all(self, work: Sequence[NewWork]) -> None:
        """Enqueue pieces of work, in this order."""
        for one in work:
            self.add(**asdict(one))

    def add_once(self, work: NewWork) -> None:
        """Enqueue work, unless work of this lane, kind and subject is ready already."""
        same = (work.lane, work.kind, work.subject, "ready")
        if all((one.lane, one.kind, one.subject, one.state) != same for one in self._state.work.values()):
            self.add(**asdict(work))

    def claim(self, owner: str, now: datetime, lease: timedelta, limit: int = 25) -> Claim | None:
        """Lease one due, unpaused lane that has ready (or orphaned `sending`) work; None when there is none."""
        name = claimable_lane(self._state, now, owner, lease)
        if name is None:
            return None
        self._state.lanes[name] = replace(self._state.lanes[name], owner=owner, lease_until=now + lease)
        waiting = [work for work in self._state.work.values() if work.lane == name and _is_unfinished(work)]
        return Claim(name, owner, tuple(waiting[:limit]), self._state.lanes[name].failures)

    def owns(self, claim: Claim, now: datetime, lease: timedelta) -> bool:
        """Extend the lease if this owner still has the lane; False: stop, another worker took over."""
        lane = self._state.lanes[claim.lane]
        if lane.owner != claim.owner:
            return False
        self._state.lanes[claim.lane] = replace(lane, lease_until=now + lease)
        return True

    def get(self, work_id: int) -> Work | None:
        """Return one piece of work."""
        return self._state.work.get(work_id)

    def finish(self, work_ids: Sequence[int], at: datetime) -> None:
        """Move pieces of work to `delivered`."""
        for one in work_ids:
            self.set_state(one, "delivered", None, at)

    def set_state(self, work_id: int, state: WorkState, reason: str | None, at: datetime) -> None:
        """Move work to another state. `sending` counts a try; `ready` from a resting state counts anew."""
        work = must_exist(self._state.work.get(work_id), "piece of work", work_id)
        tries = work.tries + 1 if state == "sending" else work.tries
        if state == "ready" and work.state != "sending":
            tries = 0
        self._state.work[work_id] = replace(work, state=state, reason=reason, tries=tries, updated_at=at)

    def back_off(self, lane: str, due: datetime, failures: int = 0) -> None:
        """Let a lane rest until `due`; `failures` is how many of its tries have failed in a row by now."""
        resting = must_exist(self._state.lanes.get(lane), "lane", lane)
        self._state.lanes[lane] = replace(resting, due=due, failures=failures)

    def release(self, claim: Claim) -> None:
        """Give a lane back; does nothing when another worker took it over meanwhile."""
        lane = self._state.lanes[claim.lane]
        if lane.owner == claim.owner:
            self._state.lanes[claim.lane] = replace(lane, owner=None)

    def pause(self, lane: str, paused: bool) -> None:
        """Stop or resume a lane; one that has no work yet starts paused."""
        self._state.lanes[lane] = replace(self._state.lanes.get(lane, Lane()), paused=paused)

    def of_subject(self, subject: str) -> list[Work]:
        """Return the work made for a referral or an input, oldest first; not the reading of a message."""
        return [work for work in self._state.work.values() if work.subject == subject and work.kind != "answer"]

    def sent_as(self, control_id: str) -> list[Work]:
        """Return the work that is sent under this MSH-10, the first 20 characters of its message id."""
        sent = (work for work in self._state.work.values() if work.kind != "answer")
        return [work for work in sent if work.message_id[:20] == control_id]

    def of_states(self, states: Sequence[WorkState], limit: int = 500) -> list[Work]:
        """Return work in these states, oldest first (dead letters, held, refused)."""
        return [work for work in self._state.work.values() if work.state in states][:limit]


class InMemoryDecisions:
    """`ports.Decisions` on a state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, decisions: Sequence[NewDecision]) -> None:
        """Keep decisions, each with the canonical input that gave it."""
        for one in decisions:
            self._state.decisions[one.decision_id] = replace(one, record=dict(one.record))

    def of_handoff(self, handoff_id: str) -> list[Mapping[str, Any]]:
        """Return the decision records of a handoff, newest first, with id, recipient, channel, referral, work."""
        made = [kept for kept in self._state.decisions.values() if kept.handoff_id == handoff_id]
        made.sort(key=lambda kept: (kept.at, kept.decision_id), reverse=True)
        return [
            {
                **kept.record, "id": kept.decision_id, "recipient": kept.recipient, "channel": kept.channel,
                "referral": kept.referral_id, "work": kept.work_id,
            }
            for kept in made
        ]  # fmt: skip

    def last_sent(self, referral_id: str) -> Mapping[str, Any] | None:
        """Return the record of the newest decision on which a referral was sent; None where none permitted it."""
        made = [one for one in self._state.decisions.values() if one.referral_id == referral_id and one.work_id]
        sent = [one for one in made if one.record["decision"].startswith("PERMIT")]
        return max(sent, key=lambda kept: (kept.at, kept.decision_id)).record if sent else None

    def get(self, decision_id: str) -> StoredDecision | None:
        """Return one decision with the input it was made from."""
        kept = self._state.decisions.get(decision_id)
        return None if kept is None else _stored(kept)

    def disclosed(self, person_id: str, since: datetime, until: datetime) -> list[Disclosed]:
        """Return what was disclosed about a person, or may have been, in [since, until), oldest first."""
        return [one for one in self._log_about(person_id) if since <= one.intended_at < until]

    def received(self, recipient: str, message_id: str) -> Disclosed | None:
        """Return one disclosure, or what may have been one, to this recipient."""
        mine = (one for one in self._log() if one.decision.recipient == recipient)
        return next((one for one in mine if one.message_id == message_id), None)

    def received_between(
        self, recipient: str, since: datetime, until: datetime | None, limit: int, after: Disclosed | None = None
    ) -> list[Disclosed]:
        """Return what was disclosed to a recipient, or may have been, in [since, until), the `limit` oldest."""
        mine = (one for one in self._log() if one.decision.recipient == recipient)
        if after is not None:
            last = (after.intended_at, after.message_id)
            mine = (one for one in mine if (one.intended_at, one.message_id) > last)
        return [one for one in mine if since <= one.intended_at and (until is None or one.intended_at < until)][:limit]

    def received_about(self, recipient: str, person_id: str) -> list[Disclosed]:
        """Return of what was disclosed to a recipient about a person the newest of each record and channel."""
        newest: dict[tuple[str | None, str], str] = {}
        mine = [one for one in self._log_about(person_id) if one.decision.recipient == recipient]
        for one in mine:
            place = (self._state.decisions[one.decision.id].handoff_id, one.decision.channel)
            newest[place] = max(newest.get(place, ""), one.decision.id)
        return [one for one in mine if one.decision.id in newest.values()]

    def bases_received(self, recipient: str, person_id: str) -> set[tuple[str, str]]:
        """Return on what anything was disclosed to a recipient about a person, by type and id."""
        mine = [one.decision for one in self._log_about(person_id) if one.decision.recipient == recipient]
        bases = [one.record.get("basis") or {} for one in mine]
        return {(str(one.get("type", "")), str(one.get("id", ""))) for one in bases}

    def _log_about(self, person_id: str) -> list[Disclosed]:
        return [one for one in self._log() if one.decision.person_id == person_id]

    def _log(self) -> list[Disclosed]:
        """Return the whole log of disclosures, oldest first."""
        found = [
            Disclosed(
                message_id=one.message_id,
                purpose=one.purpose,
                description=one.description,
                intended_at=one.intended_at,
                confirmed_at=one.confirmed_at,
                decision=_stored(self._state.decisions[one.decision_id]),
            )
            for one in self._state.disclosures.values()
        ]
        return sorted(found, key=lambda one: (one.intended_at, one.message_id))

    def intend(self, *, decision_id: str, message_id: str, purpose: str, description: str, at: datetime) -> None:
        """Write that a disclosure is about to leave; a repeated try keeps the instant of the first."""
        insist(decision_id in self._state.decisions, "a disclosure follows a decision")
        before = self._state.disclosures.get(message_id)
        new = KeptDisclosure(message_id, decision_id, purpose, description, intended_at=at)
        if before is not None:
            new = replace(before, decision_id=decision_id, purpose=purpose, description=description)
        self._state.disclosures[message_id] = new

    def confirm(self, *, message_id: str, code: str, sent: bytes, answered: bytes, at: datetime) -> None:
        """Write that a disclosure has left and what the receiver answered; it must have been intended."""
        intended = must_exist(self._state.disclosures.get(message_id), "intended disclosure", message_id)
        self._state.disclosures[message_id] = replace(
            intended, confirmed_at=at, code=code, sent=sent, answered=answered
        )

    def hand_over(self, disclosures: Sequence[HandedOver]) -> None:
        """Write disclosures that leave with the commit."""
        for one in disclosures:
            insist(one.decision_id in self._state.decisions, "a disclosure follows a decision")
            insist(one.message_id not in self._state.disclosures, "what is handed over is a message of its own")
            self._state.disclosures[one.message_id] = KeptDisclosure(
                one.message_id, one.decision_id, one.purpose, one.description, one.at, one.at, one.code, one.sent
            )


class InMemoryAudit:
    """`ports.Audit` on a state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def append(self, entry: AuditEntry) -> None:
        """Add a row; content that is not JSON is refused."""
        data = orjson.loads(orjson.dumps(dict(entry.data)))
        self._state.audit[len(self._state.audit) + 1] = replace(entry, data=data)


class InMemoryMessages:
    """`ports.Messages` on a state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def seen(self, key: MessageKey) -> SeenMessage | None:
        """Return the message that is known by a key."""
        if key not in self._state.messages:
            return None
        one = self._state.inputs[self._state.messages[key]]
        return SeenMessage(one.id, one.sha256, one.answer or b"", one.received_at, one.state)

    def add(self, arrived: Sequence[StoredInput]) -> dict[MessageKey, SeenMessage]:
        """Keep messages that are known by different keys; return which message is known by each of these keys now."""
        keys = [one.known_by for one in arrived if one.known_by]
        insist(len({*keys}) == len(arrived), "messages are added by keys that differ")
        for one, key in zip(arrived, keys, strict=True):
            if key not in self._state.messages:
                self._state.messages[key] = one.id
                self._state.inputs[one.id] = one
        return {key: seen for key in keys if (seen := self.seen(key)) is not None}

    def forget(self, input_ids: Iterable[str]) -> None:
        """Let nothing be known by the keys of these messages any more; what came stays."""
        for input_id in input_ids:
            stored = must_exist(self._state.inputs.get(input_id), "input", input_id)
            if stored.known_by is not None:
                del self._state.messages[stored.known_by]
            self._state.inputs[input_id] = replace(stored, known_by=None)


class InMemoryFeeds:
    """`ports.Feeds` on a state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add_dropped(self, counts: Iterable[DroppedCount]) -> None:
        """Add to the counts of their feeds and days."""
        for one in counts:
            key = (one.organization, one.feed, one.day)
            self._state.dropped[key] = self._state.dropped.get(key, 0) + one.dropped

    def dropped(self, since: date) -> list[DroppedCount]:
        """Return the counts from that day on, newest day first, each day by organization and feed."""
        found = [DroppedCount(*key, count) for key, count in self._state.dropped.items() if key[2] >= since]
        return sorted(found, key=lambda one: (-one.day.toordinal(), one.organization, one.feed))


def _stored(kept: NewDecision) -> StoredDecision:
    return StoredDecision(
        kept.decision_id, kept.at, kept.recipient, kept.person_id, kept.channel, dict(kept.record), kept.inputs
    )


def _is_unfinished(work: Work) -> bool:
    return work.state in ("ready", "sending")
