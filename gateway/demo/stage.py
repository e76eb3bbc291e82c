"""The processes of the demonstration: a gateway and a stand-in EHR, started as a user would start them, and stopped."""

import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

_STOP_S = 30.0
_COMMAND_S = 60.0

# A demonstration does not wait for minutes between two tries, and its outage is no reason for a dead letter.
_DELIVERY = {"back_off_base_s": "0.2", "back_off_cap_s": "1", "max_tries": "500"}


class StageBroken(Exception):
    """A process of the demonstration did not do what a user would see it do; the text says which and where to look."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where somebody takes what is sent to a hospital and to a clinic."""

    fhir: str
    """Base address of a FHIR server."""
    mllp: str
    """HOST:PORT of an MLLP listener."""


@dataclass(slots=True)
class Program:
    """A running process that printed its ready line."""

    process: "subprocess.Popen[str]"
    http: str
    mllp: tuple[str, int]

    def stop(self) -> int:
        """End it with SIGTERM, wait, and return its exit status; one that does not end is killed."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            if self.process.stdout is not None:
                self.process.stdout.close()


@dataclass(slots=True)
class Stage:
    """A directory with everything the demonstration runs in."""

    directory: Path
    login_link: str = ""
    gateway: Program | None = None
    ehr: Program | None = None
    _logs: list[IO[bytes]] = field(default_factory=list)

    @property
    def configuration(self) -> Path:
        """The gateway's configuration directory."""
        return self.directory / "gateway"

    @property
    def token_file(self) -> Path:
        """Where the stand-in EHR finds its bearer token."""
        return self.directory / "ehr-token"

    def start_gateway(self, receivers: Addresses) -> Program:
        """Write the starter configuration, point its partners to the receivers, and serve on free ports."""
        told = self.run("init", str(self.configuration))
        self.login_link = _login_path(told)
        configure(self.configuration, receivers)
        self.gateway = self._start(
            "gateway", [*_GATEWAY, "serve", "--config", str(self.configuration), "--http", "127.0.0.1:0", "--mllp",
                        "127.0.0.1:0"],
        )  # fmt: skip
        return self.gateway

    def start_ehr(self, listen: Addresses) -> Program:
        """Start the stand-in EHR on these addresses."""
        if self.gateway is None:
            raise StageBroken("the stand-in EHR answers a gateway: start that first")
        self.write_token()
        address = urlsplit(listen.fhir)
        host, port = self.gateway.mllp
        self.ehr = self._start(
            "ehr", [sys.executable, "-m", "gateway.demo.receiving_ehr", "--http", address.netloc, "--mllp",
                    listen.mllp, "--gateway", self.gateway.http, "--gateway-mllp", f"{host}:{port}", "--token-file",
                    str(self.token_file), "--data", str(self.directory / "ehr")],
        )  # fmt: skip
        return self.ehr

    def stop_ehr(self) -> None:
        """Stop the stand-in EHR; what it holds stays on disk."""
        if self.ehr is not None:
            self.ehr.stop()
            self.ehr = None

    def token(self, client: str) -> str:
        """Return a fresh bearer token of a registered client, as an operator would get it."""
        return self.run("token", client, "--config", str(self.configuration)).strip()

    def write_token(self) -> None:
        """Renew the token with which the stand-in EHR writes Tasks; tokens live for five minutes."""
        fresh = self.token_file.with_suffix(".new")
        fresh.write_text(self.token("demo-ehr"))
        fresh.replace(self.token_file)

    def run(self, *arguments: str) -> str:
        """Run a `gateway` command to its end and return what it printed; a non-zero exit is `StageBroken`."""
        done = subprocess.run([*_GATEWAY, *arguments], capture_output=True, text=True, timeout=_COMMAND_S, check=False)
        if done.returncode != 0:
            raise StageBroken(f"gateway {arguments[0]} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
        return done.stdout

    def close(self) -> None:
        """Stop whatever still runs."""
        for program in (self.ehr, self.gateway):
            if program is not None:
                program.stop()
        for log in self._logs:
            log.close()

    def _start(self, name: str, command: list[str]) -> Program:
        log = (self.directory / f"{name}.log").open("ab")
        self._logs.append(log)
        # A session of its own: Ctrl-C reaches the story alone, which then ends its processes in order.
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, env=_environment(), start_new_session=True
        )
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
        except KeyboardInterrupt:  # nobody else knows of it yet
            _kill_all_of(process)
            raise
        ready = re.fullmatch(r"ready http=(\S+) mllp=(\S+):(\d+)\s*", line)
        if ready is None:
            _kill_all_of(process)
            tail = (self.directory / f"{name}.log").read_text(errors="replace")[-1500:]
            raise StageBroken(f"{name}: expected its ready line, found none. Its log ends:\n{tail}")
        return Program(process, ready[1], (ready[2], int(ready[3])))


_GATEWAY = [sys.executable, "-m", "gateway"]


def _kill_all_of(process: "subprocess.Popen[str]") -> None:
    """End a process that leads a session of its own, and the workers it has started, at once."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def free_address() -> str:
    """Return HOST:PORT of a loopback port that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return f"127.0.0.1:{probe.getsockname()[1]}"


def configure(directory: Path, receivers: Addresses) -> None:
    """Edit the starter configuration as its owner would: addresses of two partners, quick retries."""
    _edit(directory / "partners" / "demo-hospital.yaml", r'address: "http://[^"]*"', f'address: "{receivers.fhir}"')
    _edit(
        directory / "partners" / "demo-clinic.yaml", r'address: "mllp://[^"]*"', f'address: "mllp://{receivers.mllp}"'
    )
    settings = directory / "gateway.toml"
    for name, value in _DELIVERY.items():
        _edit(settings, rf"(?m)^{name} = \S+", f"{name} = {value}")


def _edit(path: Path, pattern: str, replacement: str) -> None:
    text = path.read_text(encoding="utf-8")
    edited, count = re.subn(pattern, lambda _: replacement, text)
    if count != 1:
        raise StageBroken(f"{path.name}: expected one line like {pattern}, found {count}")
    path.write_text(edited, encoding="utf-8")


def _login_path(told: str) -> str:
    link = re.search(r"https?://[^\s/]+(/console/\S+)", told)
    if link is None:
        raise StageBroken("gateway init: expected a one-time login link, found none")
    return link[1]


def _environment() -> dict[str, str]:
    """Return the environment without settings of another installation."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
