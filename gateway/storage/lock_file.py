"""One writing process for one SQLite file: a lock the kernel drops with the process, even after `kill -9`."""

import fcntl
import os
from pathlib import Path

from gateway.model.errors import ConfigurationError


class LockFile:
    """An exclusive lock on `<database>.lock`, held until `release`."""

    def __init__(self, database: Path) -> None:
        """Take the lock, or raise `ConfigurationError` naming the process that has it."""
        path = database.with_name(database.name + ".lock")
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._descriptor, 20).decode("ascii", "replace").strip() or "unknown"
            os.close(self._descriptor)
            raise ConfigurationError(
                f"the database {database} is already being written by process {holder}: stop that one first, "
                "or set a PostgreSQL database in gateway.toml to run several"
            ) from None
        os.truncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode("ascii"), 0)

    def release(self) -> None:
        """Give the lock back. The file stays: removing it would let two processes lock two files of one name."""
        os.close(self._descriptor)
