"""Accounts, one-time links and sessions, on both engines."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from gateway.storage.database import SqlDatabase
from gateway.storage.staff import LINK_LIFETIME, SESSION_IDLE, StaffAccounts
from gateway.storage.tables import login_links, sessions
from tests.support.stored import AT

pytest_plugins = ("tests.support.databases",)


@pytest.fixture
def accounts(sql_database: SqlDatabase) -> StaffAccounts:
    return StaffAccounts(sql_database)


def test_a_link_is_good_once(accounts: StaffAccounts) -> None:
    link = accounts.invite("robin", "admin", AT)

    first, second = (accounts.set_password(link, f"hash-{n}", AT) for n in range(2))

    assert first is not None
    assert (first.name, first.role, first.password_hash) == ("robin", "admin", "hash-0")
    assert second is None
    assert accounts.by_name("robin") == first


def test_a_link_ends(accounts: StaffAccounts) -> None:
    link = accounts.invite("robin", "admin", AT)

    assert accounts.invited(link, AT + LINK_LIFETIME - timedelta(seconds=1)) is not None
    assert accounts.invited(link, AT + LINK_LIFETIME) is None
    assert accounts.set_password(link, "hash", AT + LINK_LIFETIME) is None


def test_a_second_link_is_for_the_same_account(accounts: StaffAccounts) -> None:
    first, second = (accounts.invited(accounts.invite("robin", "admin", AT), AT) for _ in range(2))

    assert first == second


def test_a_session_is_found_by_its_token_until_it_is_closed(accounts: StaffAccounts) -> None:
    accounts.invite("robin", "admin", AT)
    robin = accounts.by_name("robin")
    assert robin is not None

    token = accounts.open_session(robin.id, AT)

    assert accounts.in_session(token, AT) == robin
    assert accounts.in_session(token + "x", AT) is None
    accounts.close_session(token)
    assert accounts.in_session(token, AT) is None


def test_use_keeps_a_session_open(accounts: StaffAccounts) -> None:
    accounts.invite("robin", "admin", AT)
    robin = accounts.by_name("robin")
    assert robin is not None
    token = accounts.open_session(robin.id, AT)
    almost = SESSION_IDLE - timedelta(seconds=1)

    assert accounts.in_session(token, AT + almost) is not None
    assert accounts.in_session(token, AT + almost * 2) is not None
    assert accounts.in_session(token, AT + almost * 2 + SESSION_IDLE) is None


def test_ended_sessions_are_swept_out_by_the_next_login(accounts: StaffAccounts, sql_database: SqlDatabase) -> None:
    accounts.invite("robin", "admin", AT)
    robin = accounts.by_name("robin")
    assert robin is not None
    accounts.open_session(robin.id, AT)

    accounts.open_session(robin.id, AT + timedelta(days=1))

    assert len(sql_database.query(lambda connection: list(connection.execute(select(sessions))))) == 1


def test_the_database_knows_neither_links_nor_sessions(accounts: StaffAccounts, sql_database: SqlDatabase) -> None:
    link = accounts.invite("robin", "admin", AT)

    stored = sql_database.query(lambda connection: list(connection.scalars(select(login_links.c.token_hash))))

    assert link not in stored
    assert [len(each) for each in stored] == [64]


def test_an_account_is_the_operators_unless_it_is_said_whose(accounts: StaffAccounts) -> None:
    accounts.invite("robin", "admin", AT)
    accounts.invite("kim", "privacy-officer", AT, "org:lead")

    robin, kim = accounts.by_name("robin"), accounts.by_name("kim")

    assert robin is not None
    assert robin.organization is None
    assert kim is not None
    assert (kim.role, kim.organization) == ("privacy-officer", "org:lead")
    assert [one.name for one in accounts.everyone()] == ["kim", "robin"]


def test_another_role_ends_the_sessions_of_the_old_one(accounts: StaffAccounts) -> None:
    accounts.invite("robin", "admin", AT)
    robin = accounts.by_name("robin")
    assert robin is not None
    token = accounts.open_session(robin.id, AT)

    assert accounts.assign("robin", "staff", "org:lead")

    assert accounts.in_session(token, AT) is None
    assert not accounts.assign("nobody", "admin", None)
