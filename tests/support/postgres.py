"""A throw-away PostgreSQL cluster on a Unix socket, from the binaries on this machine.

A test module that needs it says `pytest_plugins = ("tests.support.postgres",)` and takes `postgres_url`.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

_INSTALLED = Path("/usr/lib/postgresql")
_STARTED_WITHIN_S = "60"
_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Path]:
    """Start a cluster and give the folder of its socket; it is stopped and removed at the end of the session."""
    programs = _programs()
    # A short path of its own: a socket's path may have 107 characters, and pytest's folders are for root only.
    home = Path(tempfile.mkdtemp(prefix="gateway-pg-"))
    owner = _owner()
    if owner is not None:
        shutil.chown(home, owner)
    _run(owner, programs / "initdb", "--auth=trust", "--username=gateway", "--no-sync", "-D", home / "data")
    settings = f"-c listen_addresses='' -c unix_socket_directories='{home}' -c fsync=off -c max_connections=200"
    control = (programs / "pg_ctl", "-D", home / "data", "-w", "-t", _STARTED_WITHIN_S)
    _run(owner, *control, "-l", home / "log", "-o", settings, "start")
    try:
        yield home
    finally:
        _run(owner, *control, "-m", "immediate", "stop")
        shutil.rmtree(home)


@pytest.fixture(scope="session")
def new_postgres(postgres_server: Path) -> Callable[[], str]:
    """Give the function that makes an empty database and returns its URL.

    Databases are not dropped: that makes PostgreSQL write a checkpoint, and the whole cluster goes in the end.
    """

    def new_database() -> str:
        name = f"test_{next(_numbers)}"
        with psycopg.connect(host=str(postgres_server), user="gateway", dbname="postgres", autocommit=True) as server:
            server.execute(f"CREATE DATABASE {name}".encode())
        return f"postgresql+psycopg://gateway@/{name}?host={postgres_server}"

    return new_database


@pytest.fixture
def postgres_url(new_postgres: Callable[[], str]) -> str:
    """Give the URL of a new, empty database."""
    return new_postgres()


def _programs() -> Path:
    """Return the folder of the newest PostgreSQL; without one this is a named skip, and a failure in CI."""
    found = sorted(_INSTALLED.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    if on_path := shutil.which("initdb"):
        return Path(on_path).resolve().parent
    reason = "PostgreSQL is not installed here (no initdb under /usr/lib/postgresql or on the path)"
    if os.environ.get("GATEWAY_CI") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def _owner() -> str | None:
    """Return the user to run the cluster as: initdb refuses root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _run(owner: str | None, *command: str | Path) -> None:
    subprocess.run(command, user=owner, cwd="/", check=True, stdout=subprocess.DEVNULL)
