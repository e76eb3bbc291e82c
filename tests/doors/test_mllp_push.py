"""The `hl7v2` transport: one REF for a disclosure, and what each acknowledgement makes of the delivery."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from gateway.delivery.mllp_push import MllpPush
from gateway.formats.hl7v2 import Message, read_message
from gateway.model.decision import DecisionRecord
from gateway.model.disclosure import Disclosure
from gateway.model.errors import TryLater, WillNeverWork
from gateway.model.handoff import DeliveryAction
from gateway.model.notice import STATEMENT_2
from gateway.model.partner import Endpoint
from gateway.model.transport import Envelope
from tests.doors.mllp_peers import read_blocks, receiver
from tests.support.referrals import referral_bundle

RECORD = DecisionRecord(
    decision="PERMIT",
    reason="OK_CONSENT",
    section="42 CFR 2.33(a)",
    obligations=(),
    basis=None,
    withheld=(),
    policy_version="2026.1",
    at="2026-11-02T18:00:00Z",
    input_hash="sha256:0",
)
DISCLOSURE = Disclosure(
    content=referral_bundle(),
    body=b"",
    notice=STATEMENT_2,
    notice_number=2,
    confidentiality="R",
    record=RECORD,
    recipient="org:rivercare",
    copies=(),
    purposes=("TREAT",),
    transport="hl7v2",
)
ENVELOPE = Envelope("abcdefghijklmnopqrstuvwxyz", "create", "2026-11-02T18:00:00.123456+00:00")


@contextmanager
def clinic(code: bytes, *rest: bytes) -> Iterator[tuple[MllpPush, Endpoint, list[bytes]]]:
    """A receiver that answers one message with this code and further segments."""
    seen: list[bytes] = []

    def converse(connection: socket.socket) -> None:
        seen.extend(read_blocks(connection, 1))
        control_id = seen[0].split(b"|")[9]
        segments = (b"MSH|^~\\&|E|H|W|G|2026||ACK^I12^ACK|A1|P|2.5.1", b"MSA|" + code + b"|" + control_id, *rest)
        connection.sendall(b"\x0b" + b"\r".join(segments) + b"\r\x1c\r")

    with receiver(converse) as (host, port):
        push = MllpPush(5, application="WARMHANDOFF", facility="GATEWAY", processing_id="T")
        try:
            yield push, Endpoint("hl7v2", f"mllp://{host}:{port}"), seen
        finally:
            push.close()


def sent(seen: list[bytes]) -> Message:
    message = read_message(seen[0])
    assert isinstance(message, Message)
    return message


@pytest.mark.parametrize(("action", "event"), [("create", "I12"), ("update", "I13"), ("cancel", "I14")])
def test_a_disclosure_goes_out_as_one_referral_message(action: DeliveryAction, event: str) -> None:
    with clinic(b"AA") as (push, endpoint, seen):
        result = push.send(DISCLOSURE, endpoint, replace(ENVELOPE, action=action))

    message = sent(seen)
    assert result.code == "AA"
    assert result.sent == seen[0]
    assert b"MSA|AA|" in result.answered
    assert message.text("MSH-9.2") == event
    assert message.text("MSH-10") == "abcdefghijklmnopqrst"
    assert message.text("MSH-7") == "20261102180000+0000"
    assert message.text("MSH-8") == "R"
    assert message.text("MSH-11") == "T"
    assert message.text("RF1-6.1") == "wh-ref-1"
    assert message.named("NTE")[-1].text(3) == STATEMENT_2


def test_a_repetition_has_the_same_bytes() -> None:
    with clinic(b"AA") as (push, endpoint, first):
        push.send(DISCLOSURE, endpoint, ENVELOPE)
    with clinic(b"AA") as (push, endpoint, second):
        push.send(DISCLOSURE, endpoint, ENVELOPE)

    assert first == second


def test_a_level_that_names_no_restriction_is_not_shown() -> None:
    with clinic(b"CA") as (push, endpoint, seen):
        push.send(replace(DISCLOSURE, confidentiality="N"), endpoint, ENVELOPE)

    assert sent(seen).text("MSH-8") == ""


@pytest.mark.parametrize(
    ("code", "rest", "error"),
    [
        (b"AE", (b"ERR||PID^1^3|204^Unknown key identifier^HL70357|E",), WillNeverWork),
        (b"AR", (b"ERR||MSH^1^9|200^Unsupported message type^HL70357|E",), WillNeverWork),
        (b"AR", (b"ERR|||207^Application internal error^HL70357|E",), TryLater),
    ],
)
def test_a_refusal_is_parked_and_a_system_that_is_down_tried_later(
    code: bytes, rest: tuple[bytes, ...], error: type[Exception]
) -> None:
    with clinic(code, *rest) as (push, endpoint, _), pytest.raises(error, match=code.decode()):
        push.send(DISCLOSURE, endpoint, ENVELOPE)


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "mllp://", "mllp://host", "127.0.0.1:2575"])
def test_an_address_that_is_none_is_a_matter_for_a_person(address: str) -> None:
    push = MllpPush(1, application="WARMHANDOFF", facility="GATEWAY", processing_id="P")

    with pytest.raises(WillNeverWork, match="mllp://HOST:PORT"):
        push.send(DISCLOSURE, Endpoint("hl7v2", address), ENVELOPE)


def test_a_partner_in_enhanced_mode_is_asked_for_both_answers_and_awaited() -> None:
    with clinic(b"CA") as (push, endpoint, seen):
        result = push.send(DISCLOSURE, replace(endpoint, acknowledgement="enhanced"), ENVELOPE)

    assert (sent(seen).text("MSH-15"), sent(seen).text("MSH-16")) == ("AL", "AL")
    assert (result.code, result.awaits_application) == ("CA", True)


@pytest.mark.parametrize(("mode", "code"), [("original", b"CA"), ("enhanced", b"AA")])
def test_nothing_is_awaited_where_no_second_answer_will_come(mode: str, code: bytes) -> None:
    with clinic(code) as (push, endpoint, _):
        result = push.send(DISCLOSURE, replace(endpoint, acknowledgement=mode), ENVELOPE)

    assert not result.awaits_application


def test_an_application_answer_echoes_the_header_and_nothing_else() -> None:
    received = b"MSH|^~\\&|EHR|H|WH|G|20261102||ADT^A01|C1|P|2.5.1|||AL|AL\rPID|1||M-1||Sample^Ari\r"

    with clinic(b"CA") as (push, endpoint, seen):
        result = push.acknowledge(received, endpoint, ENVELOPE)

    assert result.code == "CA"
    assert seen == [
        b"MSH|^~\\&|WH|G|EHR|H|20261102180000+0000||ACK^A01^ACK|abcdefghijklmnopqrst|P|2.5.1|||AL|NE\rMSA|AA|C1\r"
    ]


@pytest.mark.parametrize(
    ("kind", "type_"), [("REF", "REF^I12^REF_I12"), ("OMG", "OMG^O19^OMG_O19"), ("MDM", "MDM^T02^MDM_T02")]
)
def test_a_referral_goes_out_as_its_receiver_takes_it(kind: str, type_: str) -> None:
    with clinic(b"AA") as (push, endpoint, seen):
        push.send(DISCLOSURE, replace(endpoint, message=kind), ENVELOPE)

    message = sent(seen)
    assert (message.text("MSH-9"), message.text("MSH-8"), message.text("MSH-12")) == (type_, "R", "2.5.1")
    assert STATEMENT_2.encode() in seen[0]


@pytest.mark.parametrize(("action", "type_"), [("create", "OMG^O19^OMG_O19"), ("cancel", "OSU^O51^OSU_O51")])
def test_360x_is_named_in_what_goes_to_a_receiver_that_speaks_it(action: DeliveryAction, type_: str) -> None:
    with clinic(b"AA") as (push, endpoint, seen):
        push.send(DISCLOSURE, replace(endpoint, message="360X"), replace(ENVELOPE, action=action))

    message = sent(seen)
    assert (message.text("MSH-9"), message.text("MSH-21"), message.text("ORC-2.1")) == (type_, "360X", "wh-ref-1")
    assert STATEMENT_2.encode() in seen[0]


def test_the_notice_stands_in_the_field_agreed_on_too() -> None:
    with clinic(b"AA") as (push, endpoint, seen):
        push.send(DISCLOSURE, replace(endpoint, notice_field="ZNT-2"), ENVELOPE)

    assert sent(seen).text("ZNT-2") == STATEMENT_2


def test_without_a_notice_no_field_is_filled() -> None:
    with clinic(b"AA") as (push, endpoint, seen):
        push.send(replace(DISCLOSURE, notice=""), replace(endpoint, notice_field="ZNT-2"), ENVELOPE)

    assert b"ZNT" not in seen[0]


def test_an_agreed_field_that_we_fill_ourselves_is_a_mistake_of_the_partner_file() -> None:
    push = MllpPush(1, application="WARMHANDOFF", facility="GATEWAY", processing_id="T")

    with pytest.raises(WillNeverWork, match="notice_field"):
        push.send(DISCLOSURE, Endpoint("hl7v2", "mllp://127.0.0.1:9", notice_field="PID-5"), ENVELOPE)
