"""Where the notice stands in each type and version: always by the grammar, byte for byte, last of what is added."""

import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message

from gateway.formats.hl7v2 import Message, read_message
from gateway.formats.hl7v2.labels import labels_of
from gateway.formats.hl7v2.notice_places import with_notice
from gateway.model.labels import ACT_CODE, PART2
from gateway.model.notice import STATEMENT_2
from tests.support.departures import departures

PID = "PID|1||1^^^A^MR||Testperson^Tess"
ORDER = ("ORC|NW|1", "OBR|1|1||57133-1^Referral note^LN")
RESULT = "OBX|1|TX|a^b^L||text||||||F"
MESSAGES: dict[str, tuple[str, ...]] = {
    "ORU^R01^ORU_R01": (PID, "PD1||||||||||||Y", "NTE|1|L|theirs", "PV1|1|O", *ORDER, RESULT),
    "OMG^O19^OMG_O19": (PID, "PV1|1|O", *ORDER, RESULT),
    "ORM^O01^ORM_O01": (PID, "PV1|1|O", *ORDER, RESULT),
    "REF^I12^REF_I12": ("RF1|A|||||1", "PRD|RP", PID, "OBR|1|||a^b^L", RESULT, "NTE|1|L|of the result", "PV1|1|O"),
    "RRI^I12^RRI_I12": ("MSA|AA|1", "RF1|A|||||1", "PRD|RT", PID),
    "SIU^S12^SIU_S12": ("SCH|1|1||||x||||||||||7^Doe||||7^Doe", PID, "RGS|1", "AIS|1||a^b^L"),
    "OSU^O51^OSU_O51": (PID, "ORC|OK|1|||IP"),
    "MDM^T02^MDM_T02": ("EVN||20261102", PID, "PV1|1|O", "TXA|1|CN||||||||||1|||||DO", RESULT),
}
ADMISSION = ("EVN||20261102", PID, "PV1|1|I")


def a_message(kind: str, segments: tuple[str, ...], version: str) -> Message:
    header = f"MSH|^~\\&|A|B|C|D|20261102101500-0800||{kind}|1|P|{version}"
    message = read_message("\r".join((header, *segments, "")).encode())
    assert isinstance(message, Message)
    return message


def noticed(kind: str, segments: tuple[str, ...], version: str = "2.5.1", labels: str = "") -> Message:
    written = with_notice(a_message(kind, segments, version), STATEMENT_2, "To Mercy, for treatment", labels)
    assert written is not None
    message = read_message(written)
    assert isinstance(message, Message)
    return message


@pytest.mark.parametrize("kind", MESSAGES)
def test_what_comes_out_departs_in_nothing_from_the_standard(kind: str) -> None:
    assert departures(noticed(kind, MESSAGES[kind])) == []


# hl7apy reads the choice of ORM (OBR or RQD or RXO ...) as all of them, and has no OSU.
@pytest.mark.parametrize("kind", [kind for kind in MESSAGES if not kind.startswith(("ORM", "OSU"))])
def test_what_comes_out_is_right_by_the_grammar(kind: str) -> None:
    plain = a_message(kind, MESSAGES[kind], "2.5.1").raw.decode()

    parsed = parse_message(noticed(kind, MESSAGES[kind]).raw.decode(), validation_level=VALIDATION_LEVEL.STRICT)

    assert parse_message(plain, validation_level=VALIDATION_LEVEL.STRICT).validate()
    assert parsed.validate()


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("ORU^R01^ORU_R01", "MSH PID PD1 NTE NTE NTE PV1 ORC OBR OBX"),
        ("OMG^O19^OMG_O19", "MSH PID NTE NTE PV1 ORC OBR OBX"),
        ("OSU^O51^OSU_O51", "MSH NTE NTE PID ORC"),
        ("REF^I12^REF_I12", "MSH RF1 PRD PID OBR OBX NTE PV1 NTE NTE"),
        ("RRI^I12^RRI_I12", "MSH MSA RF1 PRD PID NTE NTE"),
        ("SIU^S12^SIU_S12", "MSH SCH NTE NTE PID RGS AIS"),
        ("MDM^T02^MDM_T02", "MSH EVN PID PV1 TXA OBX OBX OBX"),
    ],
)
def test_it_stands_where_the_standard_has_a_place(kind: str, names: str) -> None:
    assert " ".join(segment.id for segment in noticed(kind, MESSAGES[kind]).segments) == names


def test_the_notes_of_one_run_are_one_list() -> None:
    notes = noticed("ORU^R01^ORU_R01", MESSAGES["ORU^R01^ORU_R01"]).named("NTE")

    assert [note.text(1) for note in notes] == ["1", "2", "3"]
    assert notes[-1].text(3) == STATEMENT_2


@pytest.mark.parametrize("version", ["2.6", "2.7", "2.8", "2.8.2"])
@pytest.mark.parametrize("event", ["A01", "A03", "A04", "A08", "A13", "A28", "A31"])
def test_an_admission_has_it_in_arv_from_2_6_on(event: str, version: str) -> None:
    message = noticed(f"ADT^{event}", ADMISSION, version)

    assert [segment.id for segment in message.segments] == ["MSH", "EVN", "PID", "ARV", "ARV", "PV1"]
    assert message.text("ARV[2]-5") == STATEMENT_2
    assert {PART2} <= labels_of(message).of("Condition")


@pytest.mark.parametrize(
    ("kind", "version"),
    [("ADT^A01", "2.5.1"), ("ADT^A01", "2.3"), ("ADT^A11", "2.8"), ("ADT^A40", "2.8"), ("ADT^A01", "2.9"),
     ("MDM^T01", "2.5.1"), ("PPR^PC1", "2.5.1"), ("ACK", "2.8")],
)  # fmt: skip
def test_elsewhere_there_is_no_place_and_none_is_invented(kind: str, version: str) -> None:
    assert with_notice(a_message(kind, ADMISSION, version), STATEMENT_2) is None


def test_labels_go_with_it_and_come_back() -> None:
    for kind, segments in MESSAGES.items():
        message = noticed(kind, segments, labels="R 42CFRPart2 NORDSCLCD")

        assert {PART2, (ACT_CODE, "NORDSCLCD")} <= labels_of(message).of("Observation"), kind


def test_a_scope_that_the_character_set_cannot_hold_does_not_stop_the_notice() -> None:
    written = with_notice(a_message("RRI^I12", MESSAGES["RRI^I12^RRI_I12"], "2.5.1"), STATEMENT_2, "To Zoë's clinic")

    assert written is not None
    assert written.isascii()
    assert STATEMENT_2.encode() in written
