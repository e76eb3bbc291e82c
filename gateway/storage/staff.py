"""Staff accounts of the console, their one-time links and their sessions.

Links and sessions are known here by the SHA-256 of their token only: who reads the database can use neither.
Passwords arrive and are kept as argon2 hashes; this room never sees one.
"""

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, delete, insert, select, update

from gateway.storage.database import SqlDatabase
from gateway.storage.instants import to_micros
from gateway.storage.tables import login_links, sessions, staff

LINK_LIFETIME = timedelta(hours=24)
SESSION_LIFETIME = timedelta(hours=12)
SESSION_IDLE = timedelta(minutes=30)
"""CJIS Security Policy: a session locks after 30 minutes without use."""

_TOUCH_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Staff:
    """A member of staff who may use the console."""

    id: str
    name: str
    role: str
    password_hash: str | None
    """argon2 hash; None until the first visit."""
    organization: str | None = None
    """Registry id of whoever employs them; None: the operator."""


class StaffAccounts:
    """Accounts, links and sessions in the database."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    def invite(self, name: str, role: str, at: datetime, organization: str | None = None) -> str:
        """Create the account if there is none of this name, and return the token of a fresh one-time link.

        The link of an existing account lets its owner set a new password; the old one works until then, and role and
        organization stay what they are (`assign` changes them).
        """
        token = secrets.token_urlsafe(32)

        def write(connection: Connection) -> None:
            staff_id = connection.execute(select(staff.c.id).where(staff.c.name == name)).scalar()
            if staff_id is None:
                staff_id = secrets.token_hex(13)
                values = {"id": staff_id, "name": name, "role": role, "organization": organization}
                connection.execute(insert(staff).values(**values, created_at=to_micros(at)))
            row = {"token_hash": _hash(token), "staff_id": staff_id, "expires_at": to_micros(at + LINK_LIFETIME)}
            connection.execute(insert(login_links).values(**row))

        self._database.change(write)
        return token

    def invited(self, token: str, at: datetime) -> Staff | None:
        """Return whose link this is; None when it is unknown, used or late."""
        return self._one(select(staff).join(login_links).where(*_good_link(token, at)))

    def set_password(self, token: str, password_hash: str, at: datetime) -> Staff | None:
        """Use up a link: set the password and end every session of the account. None: the link is not good."""

        def write(connection: Connection) -> Staff | None:
            row = connection.execute(select(staff).join(login_links).where(*_good_link(token, at))).one_or_none()
            if row is None:
                return None
            link = login_links.c.token_hash == _hash(token)
            connection.execute(update(login_links).where(link).values(used_at=to_micros(at)))
            connection.execute(update(staff).where(staff.c.id == row.id).values(password_hash=password_hash))
            connection.execute(delete(sessions).where(sessions.c.staff_id == row.id))
            return replace(_staff(row), password_hash=password_hash)

        return self._database.change(write)

    def assign(self, name: str, role: str, organization: str | None) -> bool:
        """Give an account another role and organization, and end its sessions; False: there is none of this name."""

        def write(connection: Connection) -> bool:
            staff_id = connection.execute(select(staff.c.id).where(staff.c.name == name)).scalar()
            if staff_id is None:
                return False
            connection.execute(update(staff).where(staff.c.id == staff_id).values(role=role, organization=organization))
            connection.execute(delete(sessions).where(sessions.c.staff_id == staff_id))
            return True

        return self._database.change(write)

    def everyone(self) -> list[Staff]:
        """Return every account, by name."""
        query = select(staff).order_by(staff.c.name)
        return self._database.query(lambda connection: [_staff(row) for row in connection.execute(query)])

    def by_name(self, name: str) -> Staff | None:
        """Return the account of this login name."""
        return self._one(select(staff).where(staff.c.name == name))

    def open_session(self, staff_id: str, at: datetime) -> str:
        """Open a session and return its token; sessions that have ended are swept out on the way."""
        token = secrets.token_urlsafe(32)
        now = to_micros(at)

        def write(connection: Connection) -> None:
            connection.execute(delete(sessions).where(sessions.c.seen_at <= to_micros(at - SESSION_IDLE)))
            row = {"token_hash": _hash(token), "staff_id": staff_id, "created_at": now, "seen_at": now}
            connection.execute(insert(sessions).values(**row))

        self._database.change(write)
        return token

    def in_session(self, token: str, at: datetime) -> Staff | None:
        """Return who is logged in with this token and note the use; None once idle or over its lifetime."""
        session = sessions.c.token_hash == _hash(token)
        query = (
            select(staff, sessions.c.seen_at)
            .join(sessions)
            .where(
                session,
                sessions.c.seen_at > to_micros(at - SESSION_IDLE),
                sessions.c.created_at > to_micros(at - SESSION_LIFETIME),
            )
        )
        row = self._database.query(lambda connection: connection.execute(query).one_or_none())
        if row is None:
            return None
        if row.seen_at <= to_micros(at - _TOUCH_EVERY):
            touch = update(sessions).where(session).values(seen_at=to_micros(at))
            self._database.change(lambda connection: connection.execute(touch))
        return _staff(row)

    def close_session(self, token: str) -> None:
        """End a session; unknown tokens are no matter."""
        gone = delete(sessions).where(sessions.c.token_hash == _hash(token))
        self._database.change(lambda connection: connection.execute(gone))

    def _one(self, query: Select[Any]) -> Staff | None:
        row = self._database.query(lambda connection: connection.execute(query).one_or_none())
        return _staff(row) if row is not None else None


def _good_link(token: str, at: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        login_links.c.token_hash == _hash(token),
        login_links.c.used_at.is_(None),
        login_links.c.expires_at > to_micros(at),
    )


def _staff(row: Row[Any]) -> Staff:
    return Staff(row.id, row.name, row.role, row.password_hash, row.organization)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
