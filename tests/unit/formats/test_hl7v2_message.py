"""The codec: nothing lost, nothing shifted, and every place found by its number."""

from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.formats.hl7v2 import Message, State, Unreadable, read_message, split_batch
from gateway.formats.hl7v2.acknowledgement import acknowledge, read_acknowledgement, receive
from gateway.formats.hl7v2.answers import read_admission, read_appointment, read_referral_answer
from gateway.formats.hl7v2.paths import parse_path
from tests.support.shared_data import shared_data

ADMISSION = (
    b"MSH|^~\\&|WARD^2.999.1^ISO|HARBOR|GATEWAY|WH|20261102101500-0800||ADT^A01^ADT_A01|C1|P|2.5.1\r"
    b"EVN|A01|20261102101500\r"
    b'PID|1||M-1^^^HARBOR^MR~S-2^^^STATE^SR||Sample&van^Ann^Q||19900101|F|""||||\r'
    b"ZPD|local|kept\r"
    b"PV1|1|E|ED^01\r"
    b"OBX|1|ST|a\r"
    b"OBX|2|ST|b^c\r"
)


def read(raw: bytes) -> Message:
    message = read_message(raw)
    assert isinstance(message, Message)
    return message


def test_a_path_names_segment_field_repetition_component_and_subcomponent() -> None:
    message = read(ADMISSION)

    assert message.text("PID-3.1") == "M-1"
    assert message.text("PID-3[2].4") == "STATE"
    assert message.text("PID-5.1.2") == "van"
    assert message.text("OBX[2]-3.2") == "c"
    assert message.text("ZPD-2") == "kept"


def test_the_separator_is_field_one_of_the_header_and_its_characters_field_two() -> None:
    message = read(ADMISSION)

    assert message.raw_value("MSH-1") == "|"
    assert message.raw_value("MSH-2") == "^~\\&"
    assert message.text("MSH-3.2") == "2.999.1"
    assert message.text("MSH-10") == "C1"


def test_a_field_is_absent_empty_null_or_valued() -> None:
    message = read(ADMISSION)

    assert message.state("PID-30") is State.ABSENT
    assert message.state("NK1-2") is State.ABSENT
    assert message.state("PID-2") is State.EMPTY
    assert message.state("PID-9") is State.NULL
    assert message.state("PID-8") is State.VALUED
    assert message.text("PID-9") == ""


def test_a_part_without_parts_is_its_own_first_part_and_has_no_second() -> None:
    message = read(ADMISSION)

    assert message.text("PID-8.1.1") == "F"
    assert message.raw_value("PID-8.2") is None
    assert message.raw_value("PID-8[2]") is None


def test_a_place_that_is_not_named_to_its_last_part_is_read_whole() -> None:
    message = read(b"MSH|^~\\&|||||||REF^I12|C1|P|2.5\rNTE|1||Smith & Sons ^ Co\r")

    assert message.text("NTE-3") == "Smith & Sons ^ Co"


def test_all_repetitions_are_read_in_order() -> None:
    message = read(ADMISSION)

    assert message.texts("PID-3.1") == ["M-1", "S-2"]
    assert message.texts("PID-2") == []
    assert message.texts("NK1-2") == []


def test_segments_keep_their_order_with_local_ones_in_place() -> None:
    message = read(ADMISSION)

    assert [segment.id for segment in message.segments] == ["MSH", "EVN", "PID", "ZPD", "PV1", "OBX", "OBX"]
    assert [segment.text(3) for segment in message.named("OBX")] == ["a", "b^c"]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\r\r", b"\n\n"])
@pytest.mark.parametrize("lead", [b"", b"\xef\xbb\xbf", b"\r\n", b"\xef\xbb\xbf\n"])
def test_line_ends_byte_order_mark_and_blank_lines_change_nothing(end: bytes, lead: bytes) -> None:
    raw = lead + ADMISSION.replace(b"\r", end)

    message = read(raw)

    assert message.raw == raw
    assert len(message.segments) == 7
    assert message.text("PV1-3.2") == "01"
    assert message.text("OBX[2]-3.2") == "c"


def test_a_line_feed_inside_a_segment_of_a_message_with_carriage_returns_starts_no_segment() -> None:
    message = read(b"MSH|^~\\&|||||||REF^I12|C1|P|2.5\rNTE|1||one\nPID|1||FORGED\rPID|1||TRUE\r")

    assert message.text("NTE-3") == "one\nPID"
    assert message.text("PID-3") == "TRUE"


def test_separators_are_those_of_the_message() -> None:
    message = read(b"MSH#*?!%#S#F###20260101##ADT*A01#C1#P#2.5\rPID#1##M-1***H?N-2##Sam%van*Ann!F!1\r")

    assert message.text("PID-3[2].1") == "N-2"
    assert message.text("PID-5.1.2") == "van"
    assert message.text("PID-5.2") == "Ann#1"


def test_a_fifth_encoding_character_is_the_truncation_mark() -> None:
    message = read(b"MSH|^~\\&#|S|F|||20260101||ADT^A01|C1|P|2.7\rNTE|1||a\\P\\b\r")

    assert message.text("NTE-3") == "a#b"


def test_a_doubled_escape_character_in_the_header_is_read_as_one() -> None:
    message = read(b"MSH|^~\\\\&|S|F|||20260101||ADT^A01|C1|P|2.5\rNTE|1||a\\T\\b\r")

    assert message.text("NTE-3") == "a&b"
    assert message.raw_value("MSH-2") == "^~\\\\&"


@pytest.mark.parametrize("name", ["UNICODE UTF-8", "utf-8", "UNICODE UTF-8~8859/1", "", '""'])
def test_characters_are_decoded_by_the_declared_set(name: str) -> None:
    raw = f"MSH|^~\\&|||||||ADT^A01|C1|P|2.5||||||{name}\rPID|||||Ångström\r".encode()

    assert read(raw).text("PID-5") == "Ångström"


def test_latin_1_is_read_as_declared_and_windows_1252_is_a_marked_guess() -> None:
    body = "MSH|^~\\&|||||||ADT^A01|C1|P|2.5||||||{}\rPID|||||Müller\r"

    declared = read(body.format("8859/1").encode("latin-1"))
    undeclared = read(body.format("").encode("latin-1"))

    assert (declared.text("PID-5"), declared.guessed_charset) == ("Müller", False)
    assert (undeclared.text("PID-5"), undeclared.guessed_charset) == ("Müller", True)


def test_a_sender_that_states_no_set_is_read_by_the_one_agreed_with_it() -> None:
    asked = []

    def agreed(application: str, facility: str) -> str:
        asked.append((application, facility))
        return "8859/2"

    def of(pid: bytes, charset: bytes = b"") -> Message | Unreadable:
        return read_message(b"MSH|^~\\&|A^B|H|||||ADT^A01|C1|P|2.5||||||%s\rPID|||||%s\r" % (charset, pid), agreed)

    polish, stated, plain = of(b"Ko\xb3o"), of(b"M\xfcller", b"8859/1"), of(b"Miller")

    assert isinstance(polish, Message)
    assert isinstance(stated, Message)
    assert isinstance(plain, Message)
    assert [one.text("PID-5") for one in (polish, stated, plain)] == ["Koło", "Müller", "Miller"]
    assert not polish.guessed_charset
    assert asked == [("A", "H")]


def test_bytes_that_do_not_fit_the_set_agreed_on_are_not_read() -> None:
    message = read_message(b"MSH|^~\\&|A|H|||||ADT^A01|C1|P|2.5\rPID|||||M\xfcller\r", lambda *_: "UNICODE UTF-8")

    assert isinstance(message, Unreadable)
    assert (message.code, message.location) == ("207", "MSH-18")


def test_a_set_whose_second_bytes_look_like_delimiters_is_decoded_before_it_is_split() -> None:
    raw = "MSH|^~\\&|||||||ADT^A01|C1|P|2.5||||||BIG-5\rPID|||||許|M\r".encode("big5")

    assert b"\\" in raw.partition(b"PID")[2]
    assert read(raw).text("PID-5") == "許"


@pytest.mark.parametrize(
    ("raw", "code", "location"),
    [
        (b"", "100", "MSH"),
        (b"GET / HTTP/1.1\r\n", "100", "MSH"),
        (b"\xff\xfeM\x00S\x00H\x00", "100", "MSH"),
        (b"MSH", "102", "MSH-2"),
        (b"MSH|^^\\&|S", "102", "MSH-2"),
        (b"MSHA^~\\&AS", "102", "MSH-2"),
        (b"MSH|^~\\&|||||||ADT^A01|C1|P|2.5||||||ASCII\rPID|||||M\xfcller\r", "207", "MSH-18"),
        (b"MSH|^~\\&|||||||ADT^A01|C1|P|2.5||||||UNICODE UTF-8\rPID|||||M\xfcller\r", "207", "MSH-18"),
        (b"MSH|^~\\&|||||||ADT^A01|C1|P|2.5||||||ISO IR87\rPID|||||x\r", "207", "MSH-18"),
        (b"MSH|^~\\&|||||||ADT^A01|C1|P|2.5||||||~ISO IR87\rPID|||||\x1b$B;3ED\x1b(B\r", "207", "MSH-18"),
        (b"MSH|^~\\&|||||||ADT^A01|C1|P|2.5\rPID|||||\x1b$B;3ED\x1b(B\r", "207", "MSH-18"),
        (b"MSH|^~\\&|||||||ADT^A01|C1|P|2.5\rPID|||||\x81\r", "207", "MSH-18"),
    ],
)
def test_what_cannot_be_read_is_a_value_with_code_and_place(raw: bytes, code: str, location: str) -> None:
    outcome = read_message(raw)

    assert isinstance(outcome, Unreadable)
    assert (outcome.code, outcome.location) == (code, location)


@pytest.mark.parametrize("path", ["PID", "PID-", "pid-5", "PID-0", "PID-5.0", "PID-5[0]", "PID-5.1.1.1", "PID 5", ""])
def test_a_path_that_means_nothing_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="expected a path"):
        parse_path(path)


def test_every_public_sample_keeps_its_bytes_and_every_segment() -> None:
    files = sorted(shared_data("exchange", "hl7v2").rglob("*.hl7"))

    assert len(files) >= 54
    for file in files:
        raw = file.read_bytes()
        batch = split_batch(raw)
        assert b"".join(content for _, content in batch.pieces) == raw
        lines = [line for line in raw.decode("utf-8-sig").splitlines() if line.strip()]
        message = read(batch.messages[0])
        assert len(batch.messages) == 1
        assert Counter(segment.id for segment in message.segments) == Counter(line[:3] for line in lines), file.name


def test_a_joined_segment_is_the_line_it_came_from() -> None:
    for file in sorted(shared_data("exchange", "hl7v2").rglob("*.hl7")):
        raw = file.read_bytes().decode("utf-8-sig")
        message = read(file.read_bytes())
        separator = message.separators.field
        joined = [
            segment.id + separator + separator.join(segment.fields[2:])
            if segment.id == "MSH"
            else separator.join(segment.fields)
            for segment in message.segments
        ]
        assert joined == [line for line in raw.splitlines() if line], file.name


NOISE = st.lists(
    st.sampled_from(
        [
            "|",
            "^",
            "~",
            "&",
            "\\",
            "\r",
            "\n",
            '""',
            "PID",
            "PV1",
            "RF1|A|",
            "EVN",
            "MSH|",
            "1",
            "x",
            "\\F\\",
            "\\X0D\\",
            "é",
        ]
    ),
    max_size=40,
).map("".join)
PLACES = st.tuples(
    st.sampled_from(["MSH", "PID", "PV1"]), *[st.integers(1, 3)] * 3, st.integers(0, 3), st.integers(1, 3)
)


@given(NOISE, PLACES)
def test_a_path_and_a_segment_read_the_same(noise: str, place: tuple[str, int, int, int, int, int]) -> None:
    message = read(f"MSH|^~\\&|a^b{'|' * 16}{noise}".encode())
    name, occurrence, field, repetition, component, subcomponent = place
    inner = f".{component}.{subcomponent}" if component else ""
    found = message.named(name)

    text = message.text(f"{name}[{occurrence}]-{field}[{repetition}]{inner}")

    if occurrence > len(found):
        assert text == ""
    else:
        wanted = (component, subcomponent) if component else (0, 0)
        assert text == found[occurrence - 1].text(field, *wanted, repetition)


@given(st.one_of(st.binary(max_size=80), NOISE.map(str.encode), NOISE.map(lambda noise: f"MSH|^~\\&|{noise}".encode())))
def test_no_bytes_at_all_stop_the_readers_or_the_answer(raw: bytes) -> None:
    content = acknowledge(raw, receive(raw), "K1", datetime(2026, 11, 2, tzinfo=UTC))
    message = read_message(raw)

    assert content == b"" or read_acknowledgement(content) is not None
    assert b"".join(piece for _, piece in split_batch(raw).pieces) == raw
    if isinstance(message, Message):
        for reader in (read_referral_answer, read_admission, read_appointment):
            reader(message)
        assert isinstance(read_message(message.normalized()), Message)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"OBX|1|ST|a||b\r" * 20_001, "expected at most 20000 segments"),
        (b"PID|1||M-1^^^H^MR\r" * 501, "expected at most 500 segments PID"),
        (b"CON|1|001|||||||W|R\r" * 501, "expected at most 500 segments CON"),
        (
            b"PID|1||" + b"~".join([b"M-1^^^HOSPITAL^MR"] * 502) + b"\r",
            "expected at most 500 repetitions in segments about people",
        ),
    ],
)
def test_a_message_that_would_keep_everybody_waiting_is_not_read(body: bytes, reason: str) -> None:
    outcome = read_message(b"MSH|^~\\&|||||||ADT^A01|C1|P|2.5\r" + body)

    assert isinstance(outcome, Unreadable)
    assert (outcome.code, outcome.location, outcome.reason) == ("207", "", reason)


def test_long_reports_and_many_lines_of_text_are_read() -> None:
    lines = b"NTE|1||" + b"~".join([b"a line of text"] * 5000) + b"\r"

    message = read(b"MSH|^~\\&|||||||ORU^R01|C1|P|2.5\rPID|1||M-1~M-2\r" + lines + b"OBX|1|ST|a||b\r" * 15_000)

    assert message.text("OBX[15000]-5") == "b"
