"""Requests to recipients and how far they have come."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select

from gateway.model.handoff import Referral
from gateway.storage.instants import from_micros, to_micros
from gateway.storage.json_text import dump, load
from gateway.storage.prepared import Prepared
from gateway.storage.remembered import Remembered
from gateway.storage.tables import handoff_resources, referrals
from gateway.storage.upsert import write_over

_GET = Prepared(select(referrals).where(referrals.c.id == bindparam("key")))
_OLDEST_FIRST = (referrals.c.updated_at, referrals.c.id)
_OF_HANDOFF = Prepared(select(referrals).where(referrals.c.handoff_id == bindparam("key")).order_by(*_OLDEST_FIRST))
_OF_PERSON = Prepared(select(referrals).where(referrals.c.person_id == bindparam("key")).order_by(*_OLDEST_FIRST))
_BY_IDENTIFIER = Prepared(
    select(referrals).where(
        referrals.c.identifier == bindparam("identifier"), referrals.c.recipient == bindparam("recipient")
    )
)
_OF_RECIPIENT = select(referrals).where(referrals.c.recipient == bindparam("recipient")).order_by(*_OLDEST_FIRST)
_OF_PEOPLE = (
    select(referrals).where(referrals.c.person_id.in_(bindparam("persons", expanding=True))).order_by(*_OLDEST_FIRST)
)
_HOLDING = (
    select(referrals)
    .join(handoff_resources, handoff_resources.c.handoff_id == referrals.c.handoff_id)
    .where(
        handoff_resources.c.type == bindparam("type"),
        handoff_resources.c.id == bindparam("id"),
        referrals.c.recipient == bindparam("recipient"),
    )
    .order_by(referrals.c.updated_at.desc(), referrals.c.id.desc())
)
_IN_ORDER = (
    select(referrals.c.id)
    .where(referrals.c.id > bindparam("after"), referrals.c.status.not_in(bindparam("but", expanding=True)))
    .order_by(referrals.c.id)
    .limit(bindparam("most"))
)


class SqlReferrals:
    """`ports.Referrals` on one database connection."""

    def __init__(self, connection: Connection, remembered: Remembered) -> None:
        self._connection = connection
        self._remembered = remembered

    def get(self, referral_id: str) -> Referral | None:
        """Return a referral by the id of its Task."""
        known = self._remembered.referrals
        if referral_id not in known:
            known[referral_id] = self._first(_GET, {"key": referral_id})
        return known[referral_id]

    def save(self, referral: Referral) -> None:
        """Insert or update a referral."""
        before = self._remembered.referral_for_certain(referral.id)
        self._remembered.referrals[referral.id] = referral
        self._remember_of_person(referral, before)
        write_over(self._connection, referrals, _row_of(referral), _row_of(before) if before else None)

    def of_handoff(self, handoff_id: str) -> list[Referral]:
        """Return the referrals made from a handoff, oldest change first."""
        return [_referral(row) for row in _OF_HANDOFF.all(self._connection, {"key": handoff_id})]

    def of_person(self, person_id: str) -> list[Referral]:
        """Return the referrals about a person, oldest change first."""
        known = self._remembered.referrals_of
        if person_id not in known:
            found = [_referral(row) for row in _OF_PERSON.all(self._connection, {"key": person_id})]
            self._remembered.referrals.update({referral.id: referral for referral in found})
            known[person_id] = found
        return list(known[person_id])

    def by_identifier(self, identifier: str, recipient: str) -> Referral | None:
        """Return the referral with this placer identifier at this recipient."""
        return self._first(_BY_IDENTIFIER, {"identifier": identifier, "recipient": recipient})

    def of_people(self, person_ids: Sequence[str]) -> list[Referral]:
        """Return the referrals about these persons, oldest change first."""
        return [_referral(row) for row in self._connection.execute(_OF_PEOPLE, {"persons": list(person_ids)})]

    def holding(self, recipient: str, resource_type: str, resource_id: str) -> list[Referral]:
        """Return the referrals to a recipient from handoffs that hold this resource, newest change first."""
        return self._all(_HOLDING, {"recipient": recipient, "type": resource_type, "id": resource_id})

    def of_recipient(self, recipient: str, status: str | None, since: datetime | None) -> list[Referral]:
        """Return the referrals addressed to a recipient that changed at `since` or later, oldest change first."""
        statement = _OF_RECIPIENT
        if status is not None:
            statement = statement.where(referrals.c.status == status)
        if since is not None:
            statement = statement.where(referrals.c.updated_at >= to_micros(since))
        return self._all(statement, {"recipient": recipient})

    def in_order(self, after: str, but: Collection[str], limit: int) -> list[str]:
        """Return the ids that follow `after` of referrals whose status is none of `but`, in order."""
        wanted = {"after": after, "but": sorted(but), "most": limit}
        return list(self._connection.execute(_IN_ORDER, wanted).scalars())

    def _remember_of_person(self, referral: Referral, before: Referral | None) -> None:
        """Let what is known of a person's referrals tell of this one too, where it is certain whose it was."""
        known = self._remembered.referrals_of
        if before is None or before.person_id != referral.person_id:
            known.clear()
        elif referral.person_id in known:
            theirs = [referral if one.id == referral.id else one for one in known[referral.person_id]]
            known[referral.person_id] = sorted(theirs, key=lambda one: (one.updated_at, one.id))

    def _first(self, statement: Prepared, parameters: dict[str, str]) -> Referral | None:
        row = statement.first(self._connection, parameters)
        return None if row is None else _referral(row)

    def _all(self, statement: Select[Any], parameters: dict[str, str]) -> list[Referral]:
        return [_referral(row) for row in self._connection.execute(statement, parameters)]


def _row_of(referral: Referral) -> dict[str, Any]:
    return {
        "id": referral.id,
        "handoff_id": referral.handoff_id,
        "service_request_id": referral.service_request_id,
        "identifier": referral.identifier,
        "person_id": referral.person_id,
        "recipient": referral.recipient,
        "transport": referral.transport,
        "purpose": dump(referral.purpose).decode(),
        "status": referral.status,
        "business_status": referral.business_status,
        "reason": referral.reason,
        "external_id": referral.external_id,
        "without_agreement": referral.without_agreement,
        "via": referral.via,
        "updated_at": to_micros(referral.updated_at),
    }


def _referral(row: Any) -> Referral:
    return Referral(
        **{**row._asdict(), "purpose": tuple(load(row.purpose.encode())), "updated_at": from_micros(row.updated_at)}
    )
