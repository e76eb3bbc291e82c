"""The right answer for every header and mode, in the sender's own terms, with nothing of the message in it."""

from datetime import datetime, timedelta, timezone
from typing import cast

import pytest

from gateway.formats.hl7v2 import Message, read_message
from gateway.formats.hl7v2.acknowledgement import (
    TAKEN,
    acknowledge,
    application_answer,
    owes_application_answer,
    read_acknowledgement,
    read_header,
    receive,
)
from gateway.model.hl7_header import Acknowledgement
from tests.support.shared_data import shared_data

AT = datetime(2026, 11, 2, 10, 15, tzinfo=timezone(timedelta(hours=-8)))


def header(version: str = "2.5.1", kind: str = "ADT^A01^ADT_A01", control_id: str = "C1", **other: str) -> bytes:
    modes = f"{other.get('accept', '')}|{other.get('application', '')}"
    processing = other.get("processing", "P")
    return (
        f"MSH|^~\\&|WARD^2.999.1^ISO|HARBOR|GATEWAY|WH|20261102||{kind}|{control_id}|{processing}|{version}|||"
        f"{modes}||{other.get('charset', '')}\rPID|1||M-1||Sample^Ann\r"
    ).encode()


def answer(frame: bytes) -> bytes:
    return acknowledge(frame, receive(frame), "K1", AT)


def msa_code(frame: bytes) -> str:
    """The code we answer with; "" for no answer at all."""
    content = answer(frame)
    acknowledgement = read_acknowledgement(content) if content else None
    return acknowledgement.code if acknowledgement else ""


def test_an_accepted_message_is_answered_to_its_sender() -> None:
    assert answer(header()) == (
        b"MSH|^~\\&|GATEWAY|WH|WARD^2.999.1^ISO|HARBOR|20261102101500-0800||ACK^A01^ACK|K1|P|2.5.1\rMSA|AA|C1\r"
    )


def test_an_event_that_only_evn_tells_is_the_event_of_the_message() -> None:
    frame = header(version="2.1", kind="ADT").replace(b"\rPID", b"\rEVN|A04|20261102\rPID")

    assert answer(frame).startswith(
        b"MSH|^~\\&|GATEWAY|WH|WARD^2.999.1^ISO|HARBOR|20261102101500-0800||ACK^A04|K1|P|2.1\rMSA|AA|C1"
    )
    assert msa_code(header(version="2.1", kind="ADT")) == "AE"


def test_the_own_id_of_an_answer_has_the_length_that_the_standard_allows() -> None:
    answered = acknowledge(header(), receive(header()), "abcdefghijklmnopqrstuvwxyz", AT)

    assert b"|abcdefghijklmnopqrst|P|" in answered


def test_from_2_5_on_an_error_has_place_code_and_severity_in_err() -> None:
    assert answer(header(kind="XYZ^A01")).split(b"\r")[1:3] == [
        b"MSA|AR|C1",
        b"ERR||MSH^1^9^1^1|200^Unsupported message type^HL70357|E||||Unsupported message type",
    ]


def test_before_2_5_the_text_is_in_msa_and_the_code_in_the_first_field_of_err() -> None:
    assert answer(header("2.3", kind="XYZ^A01")).split(b"\r")[1:3] == [
        b"MSA|AR|C1|Unsupported message type",
        b"ERR|MSH^1^9^200&Unsupported message type&HL70357",
    ]


@pytest.mark.parametrize(
    ("frame", "code", "error"),
    [
        (header(), "AA", ""),
        (header("2.1", kind="ADT^A01"), "AA", ""),
        (header("2.9"), "AA", ""),
        (header("2.5.1^USA^2.999"), "AA", ""),
        (header(""), "AA", ""),
        (header(kind="REF^I14^WRONG_STRUCTURE"), "AA", ""),
        (header(kind="ADT^A60"), "AA", ""),
        (header(processing=""), "AA", ""),
        (header(control_id=""), "AE", "101"),
        (header(control_id="9" * 200), "AE", "102"),
        (header(kind=""), "AE", "101"),
        (header(kind="ADT"), "AE", "101"),
        (header(charset="ISO IR87"), "AE", "207"),
        (header(charset="ASCII").replace(b"Ann", b"\xc5nn"), "AE", "207"),
        (header().replace(b"^~\\&", b"^^\\&"), "AE", "102"),
        (header(kind="XYZ^Z01"), "AR", "200"),
        (header(processing="X"), "AR", "202"),
        (header("3.0"), "AR", "203"),
        (header("1.5"), "AR", "203"),
        (b"hello", "AR", "100"),
    ],
)
def test_original_mode_answers_by_header_alone(frame: bytes, code: str, error: str) -> None:
    acknowledgement = read_acknowledgement(answer(frame))

    assert acknowledgement is not None
    assert (acknowledgement.code, "".join(acknowledgement.error_codes)) == (code, error)


@pytest.mark.parametrize(
    ("accept", "application", "good", "bad"),
    [
        ("AL", "NE", "CA", "CE"),
        ("AL", "", "CA", "CE"),
        ("ER", "NE", "", "CE"),
        ("SU", "NE", "CA", ""),
        ("NE", "NE", "", ""),
        ("NE", "AL", "AA", "AE"),
        ("", "ER", "", "AE"),
        ("ALWAYS", "NE", "CA", "CE"),
        ("AL", "AL", "CA", "CE"),
    ],
)
def test_enhanced_mode_answers_as_asked(accept: str, application: str, good: str, bad: str) -> None:
    assert msa_code(header(accept=accept, application=application)) == good
    assert msa_code(header(accept=accept, application=application, kind="ADT")) == bad


def test_the_application_answer_follows_as_a_message_of_its_own() -> None:
    frame = header(accept="AL", application="AL")

    content = application_answer(frame, "K2", AT)

    assert b"|K2|" in content
    assert read_acknowledgement(content) == Acknowledgement("AA", "C1")
    assert read_header(cast(Message, read_message(content))).accept_acknowledgment == "AL"


@pytest.mark.parametrize(
    ("accept", "application", "kind", "owed"),
    [
        ("AL", "AL", "ADT^A01", True),
        ("SU", "SU", "ADT^A01", True),
        ("AL", "ER", "ADT^A01", False),
        ("AL", "NE", "ADT^A01", False),
        ("NE", "AL", "ADT^A01", False),
        ("AL", "AL", "ADT", False),
        ("AL", "AL", "ACK^A01", False),
    ],
)
def test_a_second_answer_is_owed_only_after_a_ca_and_where_it_is_asked_for(
    accept: str, application: str, kind: str, owed: bool
) -> None:
    frame = header(accept=accept, application=application, kind=kind)

    assert owes_application_answer(receive(frame)) is owed


def test_an_acknowledgement_is_not_acknowledged_unless_it_asks() -> None:
    assert msa_code(header(kind="ACK^A01^ACK")) == ""
    assert msa_code(header(kind="ACK")) == ""
    assert msa_code(header(kind="ACK^A01^ACK", accept="AL", application="NE")) == "CA"


def test_the_answer_uses_the_senders_separators_and_characters() -> None:
    frame = "MSH#*?!%#Größe#F#G#W#2026##ADT*A01#C1#P#2.5#####DEU#8859/1\r".encode("latin-1")

    assert answer(frame).startswith("MSH#*?!%#G#W#Größe#F#20261102101500-0800##ACK*A01*ACK#K1".encode("latin-1"))


def test_an_undeclared_set_is_answered_in_kind() -> None:
    frame = "MSH|^~\\&|Größe|F|G|W|2026||ADT^A01|C1|P|2.5\r".encode()

    assert "Größe".encode() in answer(frame)


def test_no_word_of_the_content_is_in_an_error() -> None:
    for frame in (header(kind="SECRET^X"), header("9.SECRET"), header(charset="ASCII") + b"NTE|1||SECRET\xff\r"):
        content = answer(frame)

        assert b"SECRET" not in content.replace(b"|9.SECRET\r", b"\r").replace(b"ACK^X", b"")
        assert b"Sample" not in content


def test_a_message_that_cannot_be_read_is_still_answered_by_its_id() -> None:
    frame = header(charset="ISO IR87", control_id="MY-ID", version="2.3")

    assert b"MSA|AE|MY-ID|" in answer(frame)


@pytest.mark.parametrize("delimiters", [b"^^\\&", b"^", b"^~\\&##"])
def test_delimiters_that_contradict_each_other_do_not_hide_which_message_is_answered(delimiters: bytes) -> None:
    content = answer(header(control_id="MY-ID").replace(b"^~\\&", delimiters))

    assert b"|WARD" in content
    assert b"MSA|AE|MY-ID\r" in content


@pytest.mark.parametrize(
    "frame", [b"", b"\xff" * 50, b"MSH", b"MSH|", b"MSH|^~\\&", b"MSH\x00\x01\x02\x03\x04", b"MSHA" * 30]
)
def test_anything_at_all_gets_an_answer_that_can_be_read(frame: bytes) -> None:
    acknowledgement = read_acknowledgement(answer(frame))

    assert acknowledgement is not None
    assert acknowledgement.code in ("AE", "AR")


def test_answers_to_us_are_read_in_old_and_new_form() -> None:
    old = b"MSH|^~\\&|E|H|G|W|2026||ACK|A1|P|2.3\rMSA|AR|C1|no such type\rERR|MSH^1^9^200&Unsupported&HL70357\r"
    new = (
        b"MSH|^~\\&|E|H|G|W|2026||ACK^I12^ACK|A1|P|2.5.1\rMSA|AE|C1\r"
        b"ERR||PID^1^3|204^Unknown key^HL70357|E||||patient not found\rERR||PID^1^5|101|W\r"
    )

    assert read_acknowledgement(old) == Acknowledgement("AR", "C1", ("200",), "no such type")
    assert read_acknowledgement(new) == Acknowledgement("AE", "C1", ("204", "101"), "patient not found")


@pytest.mark.parametrize(
    "content", [b"", b"MSH|^~\\&|||||||ACK|1|P|2.5\r", b"MSH|^~\\&|||||||ACK|1|P|2.5\rMSA|XX|C1\r"]
)
def test_what_is_no_answer_is_none(content: bytes) -> None:
    assert read_acknowledgement(content) is None


def test_every_public_sample_is_of_a_type_we_take_and_gets_the_answer_of_its_mode() -> None:
    answers = {}
    for file in sorted(shared_data("exchange", "hl7v2").rglob("*.hl7")):
        raw = file.read_bytes()
        message = read_message(raw)
        assert isinstance(message, Message)
        assert read_header(message).message_code in TAKEN
        answers[file.name] = msa_code(raw)

    assert answers.pop("ADT-A40-02.hl7") == ""
    assert answers.pop("ORU-R01-01.hl7") == "CA"
    assert answers.pop("MDM-T02-03.hl7") == "CA"
    assert answers.pop("sample_unix.hl7") == "CA"
    assert set(answers.values()) == {"AA"}


@pytest.mark.parametrize("control_id", [b"A^B", b"A\\T\\B", b"F\\X0D\\4", b"a&b"])
def test_the_message_id_goes_back_letter_by_letter(control_id: bytes) -> None:
    content = b"MSH|^~\\&|A|B|C|D|2026||ADT^A01|" + control_id + b"|P|2.5.1\rPID|1\r"

    answer = acknowledge(content, receive(content), "K1", AT)

    assert b"\rMSA|AA|" + control_id + b"\r" in answer


@pytest.mark.parametrize("characters", [b"^~", b"^~&", b"^~\\"])
def test_a_sender_without_subcomponents_is_told_the_code_alone(characters: bytes) -> None:
    content = b"MSH|" + characters + b"|A|B|C|D|2026||XYZ^A01|M1|P|2.3\rPID|1\r"

    answer = acknowledge(content, receive(content), "K1", AT)

    assert b"\rERR|MSH^1^9^200\r" in answer


@pytest.mark.parametrize(
    ("stated", "answered", "has_err_3"),
    [
        ("2.1", "2.1", False),
        ("2.2", "2.2", False),
        ("2.3", "2.3", False),
        ("2.3.1", "2.3.1", False),
        ("2.4", "2.4", False),
        ("2.5", "2.5", True),
        ("2.5.1", "2.5.1", True),
        ("2.5.1^USA^2.999", "2.5.1", True),
        ("2.5.7", "2.5.7", True),
        ("2.6", "2.6", True),
        ("2.7.1", "2.7.1", True),
        ("2.8.2", "2.8.2", True),
        ("2.9", "2.9", True),
        ("", "2.5.1", True),
    ],
)
def test_every_version_is_answered_in_itself(stated: str, answered: str, *, has_err_3: bool) -> None:
    taken = cast(Message, read_message(answer(header(stated))))
    refused = cast(Message, read_message(answer(header(stated, kind="XYZ^A01"))))

    assert (taken.text("MSA-1"), taken.text("MSH-12")) == ("AA", answered)
    assert (refused.text("MSA-1"), refused.text("MSH-12")) == ("AR", answered)
    assert (refused.text("ERR-3.1") == "200") is has_err_3
    assert (refused.text("ERR-1.4.1") == "200") is not has_err_3
    assert (refused.text("MSA-3") == "") is has_err_3


def test_the_application_answer_has_the_version_separators_and_characters_of_its_message() -> None:
    frame = "MSH#*?!%#Größe#F#G#W#2026##ADT*A01#C1#P#2.3###AL#AL##8859/1\r".encode("latin-1")

    content = application_answer(frame, "K2", AT)

    assert content == (
        "MSH#*?!%#G#W#Größe#F#20261102101500-0800##ACK*A01#K2#P#2.3###AL#NE##8859/1\rMSA#AA#C1\r".encode("latin-1")
    )


def test_a_delimiter_inside_the_name_of_the_character_set_is_no_obstacle() -> None:
    frame = "MSH|_~\\/|A|B|C|D|2026||ADT_A31|F8|P|2.5.1||||||8859/1\rPID|1||M-1||Grüße\r".encode("latin-1")

    content = answer(frame)

    assert content.endswith(b"||||||8859/1\rMSA|AA|F8\r")
    assert read_acknowledgement(content.replace(b"8859/1", b"8859\\T\\1")) == Acknowledgement("AA", "F8")
