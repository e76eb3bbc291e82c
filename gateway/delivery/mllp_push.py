"""Send a disclosure as HL7v2 over MLLP, as REF, OMG or MDM, or pass a message on: one connection for each receiver."""

import ssl
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

from gateway.delivery.mllp_sender import MllpSender, client_tls
from gateway.formats.hl7v2 import Message, read_message
from gateway.formats.hl7v2.acknowledgement import application_answer
from gateway.formats.hl7v2.agreed_field import with_agreed_field
from gateway.formats.hl7v2.referral import write_referral
from gateway.formats.hl7v2.referral_document import write_document
from gateway.formats.hl7v2.referral_order import write_cancellation, write_order
from gateway.formats.hl7v2.times import hl7_time
from gateway.model.disclosure import Disclosure
from gateway.model.errors import TryLater, WillNeverWork
from gateway.model.handoff import DeliveryAction, SendResult
from gateway.model.hl7_header import Hl7Header
from gateway.model.hl7_notice import notice_way
from gateway.model.hl7_parts import PassedOn
from gateway.model.partner import Endpoint
from gateway.model.transport import Envelope
from gateway.tracking.acknowledgement import judge

WriteMessage = Callable[[str, Disclosure, Hl7Header, str], bytes]
"""Write a message of this kind (RRI^I12) from a disclosure; the last is MSH-10 of the message that it answers."""

_EVENTS: dict[DeliveryAction, str] = {"create": "I12", "update": "I13", "cancel": "I14"}
_CONTROL_ID_LENGTH = 20
"""MSH-10 is ST of 20 up to 2.6; receivers that cut it answer with an MSA-2 that matches nothing."""

_OF_360X = frozenset({"OMG", "OSU", "SIU"})
"""Messages that IHE 360X has; each of them names it in MSH-21."""

_MARKED = frozenset({"R", "V"})
"""Levels that MSH-8 may show; a level, never a law or a diagnosis (HL7 table 0177)."""


class MllpPush:
    """The `hl7v2` transport. `application` and `facility` are MSH-3 and MSH-4 of what we send.

    `tls` is for endpoints mllps://; without it the system's authorities count and we show no certificate.
    """

    scheme = "hl7v2"

    def __init__(
        self,
        timeout_s: float,
        *,
        application: str,
        facility: str,
        processing_id: str,
        tls: ssl.SSLContext | None = None,
        write: WriteMessage | None = None,
    ) -> None:
        self._timeout_s = timeout_s
        self._application = application
        self._facility = facility
        self._processing_id = processing_id
        self._tls = tls
        self._write = write
        self._senders: dict[tuple[str, int], MllpSender] = {}
        self._lock = threading.Lock()

    def send(self, disclosure: Disclosure, endpoint: Endpoint, envelope: Envelope) -> SendResult:
        """Send one message and wait for its acknowledgement, which says received and never accepted.

        Raises:
            TryLater: no connection, no matching answer in time, or AR for the receiver's state.
            WillNeverWork: AE, or AR for type, event, processing id or version.
        """
        return self._sent(self._written(disclosure, endpoint, envelope), endpoint)

    def acknowledge(self, received: bytes, endpoint: Endpoint, envelope: Envelope) -> SendResult:
        """Send the application answer to a message of this partner, and wait for its accept answer.

        It echoes the header of what came and says nothing else. Raises as `send`.
        """
        at = datetime.fromisoformat(envelope.created_at)
        return self._sent(application_answer(received, envelope.message_id[:_CONTROL_ID_LENGTH], at), endpoint)

    def relay(self, passed_on: PassedOn, endpoint: Endpoint) -> SendResult:
        """Send what may go of somebody else's message, as it is, and wait for the answer. Raises as `send`."""
        return self._sent(passed_on.content, endpoint)

    def header(self, endpoint: Endpoint, envelope: Envelope) -> Hl7Header:
        """Return the envelope of what we send there: the same over every try; without the kind of the message."""
        asked = "AL" if endpoint.acknowledgement == "enhanced" else ""
        return Hl7Header(
            sending_application=(self._application,),
            sending_facility=(self._facility,),
            receiving_application=(endpoint.application,),
            receiving_facility=(endpoint.facility,),
            time=hl7_time(datetime.fromisoformat(envelope.created_at)),
            control_id=envelope.message_id[:_CONTROL_ID_LENGTH],
            processing_id=self._processing_id,
            version=endpoint.version or "2.5.1",
            accept_acknowledgment=asked,
            application_acknowledgment=asked,
        )

    def close(self) -> None:
        """Close every connection; a `send` after it opens another."""
        with self._lock:
            for sender in self._senders.values():
                sender.close()

    def _sent(self, message: bytes, endpoint: Endpoint) -> SendResult:
        answered = self._sender(endpoint).send(message)
        outcome = judge(answered.acknowledgement)
        if outcome.kind == "try-later":
            raise TryLater(outcome.reason)
        if outcome.kind == "refused-park":
            raise WillNeverWork(outcome.reason)
        code = answered.acknowledgement.code
        awaits = code == "CA" and endpoint.acknowledgement == "enhanced"
        return SendResult(code=code, sent=message, answered=answered.content, awaits_application=awaits)

    def _written(self, disclosure: Disclosure, endpoint: Endpoint, envelope: Envelope) -> bytes:
        header = replace(
            self.header(endpoint, envelope),
            trigger_event=_EVENTS[envelope.action],
            security=disclosure.confidentiality if disclosure.confidentiality in _MARKED else "",
        )
        written = (
            self._other(disclosure, endpoint, header, envelope)
            if envelope.message
            else _as_message(disclosure, endpoint, header, envelope.action)
        )
        return _with_notice_field(written, endpoint.notice_field, disclosure.notice) if disclosure.notice else written

    def _other(self, disclosure: Disclosure, endpoint: Endpoint, header: Hl7Header, envelope: Envelope) -> bytes:
        """Write what is no referral by the pack that writes such messages."""
        if self._write is None:
            raise WillNeverWork(f"nothing here writes messages {envelope.message}")
        code, _, event = envelope.message.partition("^")
        if disclosure.notice and not endpoint.notice_field and notice_way(code, event, header.version) is None:
            raise WillNeverWork(f"a message {envelope.message} {header.version} has no place for the notice it owes")
        profile = endpoint.message if endpoint.message == "360X" and code in _OF_360X else ""
        kind = replace(header, message_code=code, trigger_event=event, profile=profile)
        return self._write(envelope.message, disclosure, kind, envelope.in_reply_to)

    def _sender(self, endpoint: Endpoint) -> MllpSender:
        with self._lock:
            key = endpoint.address, endpoint.mllp_release
            sender = self._senders.get(key)
            if sender is None:
                sender = self._senders[key] = self._connect(endpoint)
            return sender

    def _connect(self, endpoint: Endpoint) -> MllpSender:
        parts = urlsplit(endpoint.address)
        if parts.scheme not in ("mllp", "mllps") or not parts.hostname or not parts.port:
            raise WillNeverWork("expected an endpoint address mllp://HOST:PORT or mllps://HOST:PORT")
        tls = (self._tls or client_tls(None)) if parts.scheme == "mllps" else None
        release_2 = endpoint.mllp_release == 2
        return MllpSender(parts.hostname, parts.port, tls, self._timeout_s, release_2=release_2)


def _as_message(disclosure: Disclosure, endpoint: Endpoint, header: Hl7Header, action: DeliveryAction) -> bytes:
    """Write the referral as this receiver takes it."""
    if endpoint.message == "OMG":
        return write_order(disclosure.content, disclosure.notice, header, action)
    if endpoint.message == "360X":
        header = replace(header, profile=endpoint.message)
        if action == "cancel":
            return write_cancellation(disclosure.content, disclosure.notice, header)
        return write_order(disclosure.content, disclosure.notice, header, action)
    if endpoint.message == "MDM":
        return write_document(disclosure.content, disclosure.notice, header, action)
    return write_referral(disclosure.content, disclosure.notice, header)


def _with_notice_field(written: bytes, place: str, notice: str) -> bytes:
    message = read_message(written) if place else None
    if not isinstance(message, Message):
        return written
    try:
        return with_agreed_field(message, place, notice)
    except ValueError as error:
        raise WillNeverWork(f"notice_field of the endpoint: {error}") from error
