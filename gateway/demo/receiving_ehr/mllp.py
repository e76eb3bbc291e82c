"""The MLLP side: a listener that files a referral before it acknowledges it, and a sender that waits for its answer."""

import hashlib
import socket
import socketserver
from collections.abc import Callable, Iterator
from datetime import datetime

from gateway.demo.receiving_ehr import hl7v2
from gateway.demo.receiving_ehr.front_desk import Names, named, owe_answers
from gateway.demo.receiving_ehr.records import Records

START, END = b"\x0b", b"\x1c\r"
"""Start block; end block and carriage return (HL7 MLLP release 1)."""

_CHUNK = 65536
_LARGEST_BYTES = 64 * 1024 * 1024
_IDLE_S = 120.0


class Intake:
    """What happens to a message that arrived: answered, and filed when it is a referral."""

    def __init__(self, records: Records, now: Callable[[], datetime], names: Names, pace_s: float) -> None:
        self._records = records
        self._now = now
        self._names = names
        self._pace_s = pace_s

    def take(self, raw: bytes) -> bytes | None:
        """Return the acknowledgement of a message once its effects are on disk; None when nothing can be answered."""
        try:
            message = hl7v2.read(raw)
        except hl7v2.Unreadable:
            self._records.add_arrival("hl7v2", raw, "unreadable")
            return None
        sender = message.field("MSH", 3), message.field("MSH", 4), message.control_id
        sha256 = hashlib.sha256(raw).hexdigest()
        with self._records.transaction():
            known = self._records.answered_message(*sender)
            if known is not None and known[0] == sha256:
                return known[1]
            if known is not None:
                # Table 0357, 205: duplicate key identifier. The first message keeps its answer.
                return self._answer(message, raw, "AE", [("MSH^1^10", "205")])
            answer = self._judge(message, raw)
            self._records.remember_message(*sender, sha256, answer)
            return answer

    def _judge(self, message: hl7v2.Message, raw: bytes) -> bytes:
        kind, event = message.type_and_event
        if kind != "REF":
            return self._answer(message, raw, "AR", [("MSH^1^9", "200")])
        if event not in ("I12", "I13", "I14"):
            return self._answer(message, raw, "AR", [("MSH^1^9", "201")])
        missing = hl7v2.missing_elements(message)
        if missing:
            return self._answer(message, raw, "AE", [(location, "101") for location in missing])
        now = self._now()
        arrived = hl7v2.referral_from_message(message, self._records.new_referral_id(), now.date())
        referral = self._records.put_referral(named(arrived, self._names))
        if event == "I14":
            self._records.drop_answers(referral.id, "cancelled by the sender")
        else:
            owe_answers(self._records, referral, now.timestamp(), self._pace_s)
        return self._answer(message, raw, "AA", [])

    def _answer(self, message: hl7v2.Message, raw: bytes, code: str, errors: list[tuple[str, str]]) -> bytes:
        n = self._records.add_arrival("hl7v2", raw, code)
        return hl7v2.acknowledge(message, code, f"{self._records.instance}A{n:06d}", self._now(), errors)


class Listener(socketserver.ThreadingTCPServer):
    """One thread a connection, any number of messages in each."""

    allow_reuse_address = True
    daemon_threads = True
    # A connection that stays open must not hold up the end of the program.
    block_on_close = False

    def __init__(self, address: tuple[str, int], intake: Intake) -> None:
        super().__init__(address, _Conversation)
        self.intake = intake


class _Conversation(socketserver.BaseRequestHandler):
    server: Listener
    request: socket.socket

    def handle(self) -> None:
        self.request.settimeout(_IDLE_S)
        try:
            for raw in frames(self.request):
                answer = self.server.intake.take(raw)
                if answer is None:
                    return
                self.request.sendall(START + answer + END)
        except OSError:
            return


def frames(connection: socket.socket) -> Iterator[bytes]:
    """Yield the content of each complete frame; ends with the connection, or with a frame that is too large."""
    pending = b""
    while len(pending) <= _LARGEST_BYTES:
        content, ended, rest = pending.partition(END)
        if ended:
            yield content.partition(START)[2]
            pending = rest
            continue
        chunk = connection.recv(_CHUNK)
        if not chunk:
            return
        pending += chunk


def send(address: tuple[str, int], raw: bytes, timeout_s: float) -> bytes:
    """Send one message and return the content of the frame that answers; `OSError` when none comes in time."""
    with socket.create_connection(address, timeout=timeout_s) as connection:
        connection.sendall(START + raw + END)
        answer = next(frames(connection), None)
    if answer is None:
        raise ConnectionError("the connection ended without an answer")
    return answer
