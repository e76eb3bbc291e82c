"""`gateway serve` and `gateway worker`: the processes that stay."""

import gc
import os
import resource
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import click
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from gateway.intake.mllp_listener import listen
from gateway.model.errors import ConfigurationError, GatewayError
from gateway.settings import Settings, read_settings
from gateway.web.http_worker import HttpWorker
from gateway.wiring.installation import Installation, check_configuration, open_installation
from gateway.wiring.logs import log_to_stderr
from gateway.wiring.mllp import check_mllp

_DRAIN_S = 20
_DESCRIPTORS = 4096
"""More than the connections that HTTP and MLLP take together; many systems give a process 1024 unless it asks."""


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """Gunicorn with one worker process that also holds the MLLP listener and the delivery workers.

    On SQLite exactly one process may write, so that the process that takes requests is the one that delivers. If it
    dies, the master starts another, and what was accepted is on disk.
    """

    def __init__(self, settings: Settings, http: socket.socket, mllp: socket.socket) -> None:
        self._settings = settings
        self._address = http.getsockname()[:2]
        self._descriptor = http.detach()  # gunicorn closes it when it has made its own socket of it
        self._mllp = mllp
        self._installation: Installation | None = None
        super().__init__()

    def load_config(self) -> None:
        """Set what this server needs; nothing is read from gunicorn's own files or variables."""
        options: dict[str, Any] = {
            "bind": [f"fd://{self._descriptor}"],
            "workers": 1,
            "worker_class": HttpWorker,
            "threads": self._settings.http.threads,
            "graceful_timeout": _DRAIN_S,
            "timeout": 120,
            "limit_request_line": 8190,
            "limit_request_fields": 64,
            "limit_request_field_size": 65536,  # the application refuses sooner, and in words of its own
            "loglevel": "warning",
            "sendfile": False,  # else a file goes round TimedSocket, to whoever takes it as slowly as they like
            "forwarder_headers": "",  # else a header SCRIPT_NAME opens a path that the proxy in front keeps shut
            "control_socket_disable": True,  # else anybody of this account could stop it by a socket in the home folder
            "proc_name": "gateway",
            "post_worker_init": self._started,
            "worker_exit": self._stopped,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Open the installation in the worker process and return its application."""
        try:
            self._installation = open_installation(self._settings, mllp=self._mllp)
        except (GatewayError, OSError) as error:
            click.echo(f"gateway serve: {error}", err=True)
            sys.exit(Arbiter.APP_LOAD_ERROR)  # tells the master to stop too
        return self._installation.app

    def run(self) -> None:
        """Serve until a signal; exit 2 where the installation cannot be opened, whatever code gunicorn has for it."""
        master = os.getpid()
        try:
            super().run()
        except SystemExit as ended:
            if ended.code == Arbiter.APP_LOAD_ERROR and os.getpid() == master:
                sys.exit(2)
            raise

    def _started(self, worker: Any) -> None:
        assert self._installation is not None
        _keep_what_was_read()
        self._installation.start()
        if worker.age > 1:  # it takes the place of one that died: whoever waited for the line has had it
            return
        click.echo(f"ready http=http://{written(*self._address)} mllp={written(*self._installation.mllp_address)}")
        sys.stdout.flush()

    def _stopped(self, arbiter: Any, worker: Any) -> None:
        if self._installation is not None:
            self._installation.stop(_DRAIN_S)


_config = click.option(
    "--config", "directory", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".",
    show_default=True, help="Configuration directory.",
)  # fmt: skip


@click.command()
@_config
@click.option("--http", "http", metavar="HOST:PORT", help="Where to listen for HTTP; port 0 takes any free one.")
@click.option("--mllp", "mllp", metavar="HOST:PORT", help="Where to listen for HL7v2.")
@click.option("--database", metavar="URL", help="In place of the database of gateway.toml.")
def serve(directory: Path, http: str | None, mllp: str | None, database: str | None) -> None:
    """Take records and messages, deliver, and answer, until SIGTERM.

    Once it accepts, one line goes to stdout: ready http=http://HOST:PORT mllp=HOST:PORT
    """
    log_to_stderr(for_good=True)
    _set_limits()
    try:
        settings = _settings(directory, database)
        http_address, mllp_address = _address(http or settings.http.bind), _address(mllp or settings.mllp.bind)
        check_configuration(settings)
        check_mllp(settings, mllp_address)
        http_socket, mllp_socket = _listening(*http_address), _listening(*mllp_address)
    except GatewayError as error:
        click.echo(f"gateway serve: {error}", err=True)
        sys.exit(2)
    _Server(settings, http_socket, mllp_socket).run()


@click.command()
@_config
@click.option("--database", metavar="URL", help="In place of the database of gateway.toml.")
def worker(directory: Path, database: str | None) -> None:
    """Deliver only, beside any number of `serve` and `worker` processes (PostgreSQL), until SIGTERM."""
    log_to_stderr(for_good=True)
    _set_limits()
    try:
        settings = _settings(directory, database)
        if settings.database_url.startswith("sqlite"):
            raise ConfigurationError(
                "with SQLite only `gateway serve` may write, and it delivers too; set [database] url to PostgreSQL"
            )
        installation = open_installation(settings)
    except GatewayError as error:
        click.echo(f"gateway worker: {error}", err=True)
        sys.exit(2)
    stop = threading.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda *_: stop.set())
    _keep_what_was_read()
    installation.start()
    click.echo(f"ready pid={os.getpid()}")
    sys.stdout.flush()
    stop.wait()
    installation.stop(_DRAIN_S)


def _set_limits() -> None:
    """Let no crash write what is in memory, keys and records, to a disk; and have descriptors for all connections."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    possible = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < possible:
        resource.setrlimit(resource.RLIMIT_NOFILE, (possible, hard))


def _keep_what_was_read() -> None:
    """Let the garbage collector pass over profiles and mappings, which stay for good.

    A look through all of them takes a quarter of a second, in which nobody is answered.
    """
    gc.collect()
    gc.freeze()


def _settings(directory: Path, database: str | None) -> Settings:
    settings = read_settings(directory)
    if database is None:
        return settings
    return settings.model_copy(update={"database": settings.database.model_copy(update={"url": database})})


def _address(stated: str) -> tuple[str, int]:
    host, _, port = stated.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise ConfigurationError(f"{stated}: expected HOST:PORT")
    return host.strip("[]"), int(port)


def written(host: str, port: int) -> str:
    """Write HOST:PORT as it is read back, an IPv6 address in brackets (RFC 3986 section 3.2.2)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _listening(host: str, port: int) -> socket.socket:
    """Listen in the master already, so that a worker that is started anew takes the same address."""
    try:
        return listen(host, port)
    except OSError as error:
        reason = str(error.strerror).partition(" (while")[0]  # create_server repeats the address
        raise ConfigurationError(f"{written(host, port)}: cannot listen there ({reason})") from error
