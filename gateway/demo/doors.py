"""The public doors the story goes through: intake and receipts, Consents, Tasks, metrics and MLLP."""

import json
import re
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import requests

from gateway.demo.samples.sample import SampleFile
from gateway.demo.stage import Stage, StageBroken

FHIR_JSON = "application/fhir+json"
_TIMEOUT_S = 30.0
_PAUSE_S = 0.1
_TOKEN_LIVES_S = 240.0
_WORK = re.compile(r'^gateway_work\{lane="([^"]*)",state="([^"]*)"\} (\d+)', re.MULTILINE)

Found = TypeVar("Found")
Resource = dict[str, Any]
Sent = Callable[[str, bytes], None]
"""Keeps bytes that were sent, under a name."""


@dataclass(slots=True)
class Doors:
    """One gateway and its doors, with a token for each client that knocks."""

    stage: Stage
    sent: Sent
    _tokens: dict[str, tuple[str, float]] = field(default_factory=dict)

    @property
    def http(self) -> str:
        """The gateway's base address."""
        if self.stage.gateway is None:
            raise StageBroken("the gateway is not running")
        return self.stage.gateway.http

    def hand_in(self, file: SampleFile, folder: Path) -> str:
        """POST a sample file and return the address of its receipt."""
        content = (folder / file.name).read_bytes()
        self.sent(f"to-gateway-{file.name}", content)
        answer = requests.post(
            f"{self.http}/intake/{file.source}",
            data=content,
            headers={**self._authorization(file.client), "Content-Type": file.media_type},
            timeout=_TIMEOUT_S,
        )
        _expect(answer, 202)
        return str(answer.headers["Location"])

    def receipt(self, file: SampleFile, location: str) -> Resource:
        """Return the receipt once every record in it has an outcome."""

        def look() -> Resource | None:
            answer = requests.get(
                f"{self.http}{location}", headers=self._authorization(file.client), timeout=_TIMEOUT_S
            )
            _expect(answer, 200)
            found: Resource = answer.json()
            return None if found["state"] == "pending" else found

        return wait_for(look, f"the receipt of {file.name}")

    def file_consent(self, client: str, consent: Resource) -> tuple[Resource, str]:
        """POST a Consent; return it as kept, with the ETag to change it by."""
        return self._consent("post", "", client, consent, {}, 201)

    def change_consent(self, client: str, consent: Resource, etag: str) -> tuple[Resource, str]:
        """PUT the next version of a Consent."""
        return self._consent("put", f"/{consent['id']}", client, consent, {"If-Match": etag}, 200)

    def _consent(
        self, method: str, tail: str, client: str, consent: Resource, headers: dict[str, str], status: int
    ) -> tuple[Resource, str]:
        body = json.dumps(consent).encode()
        answer = requests.request(
            method,
            f"{self.http}/fhir/R4/Consent{tail}",
            data=body,
            headers={**self._authorization(client), **headers, "Content-Type": FHIR_JSON},
            timeout=_TIMEOUT_S,
        )
        self.sent(f"to-gateway-consent-{method}.json", body)
        _expect(answer, status)
        kept: Resource = answer.json()
        return kept, str(answer.headers["ETag"])

    def task_status(self, client: str, identifier: str) -> str | None:
        """Return the status of the referral with this number as its recipient reads it; None when it reads nothing."""
        answer = requests.get(
            f"{self.http}/fhir/R4/Task",
            params={"identifier": identifier},
            headers={**self._authorization(client), "Accept": FHIR_JSON},
            timeout=_TIMEOUT_S,
        )
        _expect(answer, 200)
        tasks = [entry["resource"] for entry in answer.json().get("entry", [])]
        return str(tasks[0]["status"]) if tasks else None

    def at_rest(self) -> list[Resource]:
        """List the refused and held work as `gateway dead-letters` tells an operator: `subject` is a Task's id."""
        states = ("--state", "refused", "--state", "held")
        told = self.stage.run("dead-letters", "--config", str(self.stage.configuration), *states, "--json")
        return [json.loads(line) for line in told.splitlines()]

    def read_task(self, client: str, task_id: str) -> tuple[int, list[str]]:
        """Read a Task and return the HTTP status and the issue codes of the answer, if it is an OperationOutcome."""
        answer = requests.get(
            f"{self.http}/fhir/R4/Task/{task_id}", headers=self._authorization(client), timeout=_TIMEOUT_S
        )
        return answer.status_code, [issue["code"] for issue in answer.json().get("issue", [])]

    def work(self) -> Counter[tuple[str, str]]:
        """Count the pieces of work by lane and state, as /metrics tells them."""
        answer = requests.get(f"{self.http}/metrics", timeout=_TIMEOUT_S)
        _expect(answer, 200)
        return Counter({(lane, state): int(count) for lane, state, count in _WORK.findall(answer.text)})

    def say(self, message: bytes) -> str:
        """Send an HL7v2 message over MLLP and return the acknowledgement's MSA-1."""
        if self.stage.gateway is None:
            raise StageBroken("the gateway is not running")
        self.sent("to-gateway-message.hl7", message)
        with socket.create_connection(self.stage.gateway.mllp, timeout=_TIMEOUT_S) as connection:
            connection.sendall(b"\x0b" + message + b"\x1c\r")
            answer = b""
            while not answer.endswith(b"\x1c\r"):
                received = connection.recv(65536)
                if not received:
                    raise StageBroken("MLLP: the gateway closed without an answer")
                answer += received
        segments = [line.split("|") for line in answer[1:-2].decode().split("\r")]
        return next(fields[1] for fields in segments if fields[0] == "MSA")

    def _authorization(self, client: str) -> dict[str, str]:
        token, since = self._tokens.get(client, ("", 0.0))
        if not token or time.monotonic() - since > _TOKEN_LIVES_S:
            token = self.stage.token(client)
            self._tokens[client] = token, time.monotonic()
        return {"Authorization": f"Bearer {token}"}


def wait_for(look: Callable[[], Found | None], what: str, timeout_s: float = 60.0) -> Found:
    """Look until there is something; nothing within the time is `StageBroken`."""
    deadline = time.monotonic() + timeout_s
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise StageBroken(f"{what}: expected within {timeout_s:.0f} s, did not come")
        time.sleep(_PAUSE_S)
    return found


def _expect(answer: requests.Response, status: int) -> None:
    if answer.status_code != status:
        where = f"{answer.request.method} {answer.request.path_url.partition('?')[0]}"
        raise StageBroken(f"{where}: expected {status}, found {answer.status_code}: {answer.text[:300]}")
