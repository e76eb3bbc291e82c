"""What a message is about, when it was said, and of what its event says nothing."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from gateway.formats.hl7v2 import Message, read_message
from gateway.formats.hl7v2.statements import said_at, thing_of, unsaid_in, withdrawn_by

CAME = datetime(2026, 11, 2, 18, tzinfo=UTC)
PACIFIC = timezone(timedelta(hours=-8))


def message(kind: str, body: str = "", at: str = "20261102120000-0800") -> Message:
    found = read_message(f"MSH|^~\\&|EHR|H|WH|G|{at}||{kind}|E1|P|2.5.1\r{body}".encode())
    assert isinstance(found, Message)
    return found


@pytest.mark.parametrize(
    ("kind", "body", "thing"),
    [
        ("ADT^A01", f"PID|1||M-1\rPV1|1|E{'|' * 17}V-1\r", ("visit", "V-1")),
        ("ORU^R01", f"PID|1||M-1\rPV1|1|E{'|' * 17}V-1\rORC|RE|P-1|F-1\r", ("visit", "V-1")),
        ("ORU^R01", "PID|1||M-1\rORC|RE|P-1|F-1\r", ("order", "P-1")),
        ("ORU^R01", "PID|1||M-1\rOBR|1||F-1\r", ("order", "F-1")),
        ("MDM^T02", "PID|1||M-1\rTXA|1|DS||||||||||DOC-1\r", ("document", "DOC-1")),
        ("SIU^S12", "SCH|AP-1|AF-1\rPID|1||M-1\r", ("appointment", "AP-1")),
        ("SIU^S12", "SCH||AF-1\rPID|1||M-1\r", ("appointment", "AF-1")),
        ("PPR^PC1", "PID|1||M-1\rPRB|AD||F32.9|PR-1\r", ("plan", "PR-1")),
        ("ADT^A31", "PID|1||M-1\r", ("person", "M-1")),
        ("ORU^R01", "PID|1||M-1\r", ("message", "E1")),
    ],
)
def test_messages_belong_together_by_the_most_lasting_number(kind: str, body: str, thing: tuple[str, str]) -> None:
    assert thing_of(message(kind, body)) == thing


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        ("ADT^A01", "EVN|A01|20261102110000-0800\r", datetime(2026, 11, 2, 11, tzinfo=PACIFIC)),
        ("ADT^A01", "EVN|A01|20261102110000\r", datetime(2026, 11, 2, 11, tzinfo=PACIFIC)),
        ("ADT^A01", "EVN|A01\r", datetime(2026, 11, 2, 12, tzinfo=PACIFIC)),
        ("ADT^A01", "EVN|A01|20261102\r", datetime(2026, 11, 2, tzinfo=PACIFIC)),
        ("ORU^R01", f"OBR|1{'|' * 21}20261102100000-0800\r", datetime(2026, 11, 2, 10, tzinfo=PACIFIC)),
    ],
)
def test_a_message_is_of_when_its_event_was_recorded(kind: str, body: str, said: datetime) -> None:
    assert said_at(message(kind, body), CAME) == said


def test_a_message_without_any_time_is_of_when_it_came() -> None:
    assert said_at(message("ADT^A01", at=""), CAME) == CAME


def test_times_without_an_offset_are_compared_as_they_stand() -> None:
    earlier, later = (said_at(message("ADT^A01", at=at), CAME) for at in ("20261102120000", "20261102130000"))

    assert (earlier < later, earlier.tzinfo) == (True, UTC)


@pytest.mark.parametrize(
    ("kind", "unsaid"),
    [
        ("ADT^A01", set()),
        ("ADT^A11", set()),
        ("ADT^A08", {"Encounter.status"}),
        ("MDM^T02", {"Encounter.status"}),
        ("ORU^R01", {"Encounter.status", "ServiceRequest.status"}),
    ],
)
def test_only_events_of_a_visit_tell_how_far_it_is(kind: str, unsaid: set[str]) -> None:
    assert unsaid_in(message(kind)) == unsaid


def test_a_cancelled_discharge_takes_back_the_end_of_the_visit() -> None:
    assert withdrawn_by(message("ADT^A13")) == (
        "Encounter.period.end", "Encounter.hospitalization.dischargeDisposition",
    )  # fmt: skip
    assert withdrawn_by(message("ADT^A03")) == ()
