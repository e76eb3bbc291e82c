"""CON: what each status, type and mode means, and which person it is about."""

import pytest

from gateway.formats.hl7v2 import Message, read_message
from gateway.formats.hl7v2.consent_segments import has_consents, read_consents
from gateway.model.hl7_consent import ConsentStatement


def con(**fields: str) -> str:
    values = {"f1": "1", "f2": "001", "f11": "A", **fields}
    return "|".join(["CON", *(values.get(f"f{n}", "") for n in range(1, 26))])


def read(*segments: str) -> tuple[ConsentStatement, ...]:
    header = "MSH|^~\\&|A|B|C|D|20261102120000-0800||ADT^A31|1|P|2.5.1"
    message = read_message("\r".join((header, *segments, "")).encode())
    assert isinstance(message, Message)
    return read_consents(message)


@pytest.mark.parametrize(
    ("fields", "act"),
    [
        ({"f11": "A"}, "permits"),
        ({"f11": "A^Active^HL70498"}, "permits"),
        ({"f11": "L"}, "limits"),
        ({"f11": "A", "f9": "not to Bo"}, "limits"),
        ({"f11": "P"}, "proposes"),
        ({"f11": "R"}, "refuses"),
        ({"f11": " x "}, "rescinds"),
        ({"f11": "B"}, "bypasses"),
        ({"f11": "7"}, "is-unclear"),
        ({"f11": ""}, "is-unclear"),
        ({"f11": '""'}, "is-unclear"),
        ({"f2": "110", "f11": "A"}, "refuses"),
        ({"f2": "111", "f11": "L"}, "refuses"),
        ({"f2": "110", "f11": "P"}, "proposes"),
        ({"f2": "110", "f11": "X"}, "is-unclear"),
        ({"f2": "110", "f11": "R"}, "is-unclear"),
        ({"f2": "35", "f11": "R"}, "is-of-treatment"),
        ({"f2": "1137", "f11": "R"}, "is-of-treatment"),
        ({"f2": "1", "f11": "R"}, "refuses"),
        ({"f2": "79", "f11": "R"}, "refuses"),
        ({"f2": "138", "f11": "R"}, "refuses"),
        ({"f2": "ROI", "f11": "R"}, "refuses"),
        ({"f2": "", "f11": "R"}, "refuses"),
    ],
)
def test_status_and_type_say_what_it_does(fields: dict[str, str], act: str) -> None:
    [statement] = read("PID|1||1", con(**fields))

    assert statement.act == act


@pytest.mark.parametrize(("mode", "expected"), [("W", "written"), ("V", "oral"), ("T", "oral"), ("", "electronic")])
def test_a_telephone_is_a_voice(mode: str, expected: str) -> None:
    [statement] = read("PID|1||1", con(f10=mode))

    assert statement.mode == expected


def test_every_field_that_counts_is_read_decoded() -> None:
    [statement] = read(
        "PID|1||N-1^^^B^MR||Sample^Ari",
        con(f3="ROI 2024", f4="77^CLINIC", f9="no\\T\\never~and not^here", f13="202610011200", f15="2027", f20="E"),
    )

    assert (statement.form, statement.form_number, statement.limitations) == (
        "ROI 2024",
        "77",
        "no&never\nand not^here",
    )
    assert (statement.decided_at, statement.ends_at, statement.bypass_reason) == (
        "2026-10-01T12:00:00-08:00",
        "2027",
        "E",
    )


def test_a_con_is_about_the_person_of_the_pid_before_it() -> None:
    statements = read("PID|1||N-1", con(), "PID|2||N-2", con(f1="2"), con(f1="3", f11="X"))

    people = [one.person.identifiers[0].value for one in statements if one.person]
    assert (people, [one.number for one in statements]) == (["N-1", "N-2", "N-2"], [1, 2, 3])


def test_a_con_before_any_pid_is_about_the_first_and_without_one_about_nobody() -> None:
    assert [one.person.identifiers[0].value for one in read(con(), "PID|1||N-1") if one.person] == ["N-1"]
    assert [one.person for one in read(con())] == [None]


@pytest.mark.parametrize(("content", "has"), [(b"MSH|x\rCON|1", True), (b"MSH|x\nCON|1", True), (b"MSH|CON", False)])
def test_whether_a_message_may_hold_one_is_seen_without_reading_it(content: bytes, has: bool) -> None:
    assert has_consents(content) is has
