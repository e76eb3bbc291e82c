"""`gateway hl7v2 show` and `send`, as an interface engineer would use them."""

import json
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import main
from gateway.cli.hl7v2 import hl7v2
from tests.doors.mllp_peers import admission, answer, read_blocks, receiver
from tests.support.shared_data import shared_data

TWO = admission(b"C1") + admission(b"C2")


def run(*arguments: object, stdin: bytes | None = None) -> tuple[int, str, str]:
    result = CliRunner().invoke(hl7v2, [str(argument) for argument in arguments], input=stdin)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def two(tmp_path: Path) -> Path:
    file = tmp_path / "two.hl7"
    file.write_bytes(TWO)
    return file


def joined(shown: str) -> list[str]:
    """The segments of one line of `show --json`, put together again."""
    lines = []
    for segment in json.loads(shown)["segments"]:
        name, fields = segment["id"], segment["fields"]
        header = name in ("MSH", "FHS", "BHS")
        lines.append(name + fields[0] + fields[0].join(fields[1:]) if header else "|".join([name, *fields]))
    return lines


def test_json_gives_the_message_again(two: Path) -> None:
    status, out, _ = run("show", two, "--json")

    lines = out.splitlines()
    assert status == 0
    assert len(lines) == 2
    assert json.loads(lines[0])["segments"][0]["fields"][:2] == ["|", "^~\\&"]
    assert "".join(f"{segment}\r" for line in lines for segment in joined(line)).encode() == TWO


def test_json_of_every_public_sample_gives_its_segments_again() -> None:
    files = sorted(shared_data("exchange", "hl7v2").rglob("*.hl7"))

    status, out, _ = run("show", "--json", *files)

    assert status == 0
    for file, line in zip(files, out.splitlines(), strict=True):
        assert joined(line) == [s for s in file.read_text("utf-8-sig").splitlines() if s], file.name


def test_a_path_gives_one_line_a_message(two: Path) -> None:
    assert run("show", two, "--path", "MSH-10")[1] == "C1\nC2\n"
    assert run("show", two, "--path", "PID-5.2")[1] == "Ann\nAnn\n"
    assert run("show", two, "--path", "NK1-2.1")[1] == "\n\n"


def test_a_path_as_json_tells_absent_from_empty(two: Path) -> None:
    _, out, _ = run("show", two, "--path", "PID-2", "--json")

    assert json.loads(out.splitlines()[0]) == {"path": "PID-2", "state": "empty", "value": ""}


def test_what_a_terminal_would_obey_is_written_out(tmp_path: Path) -> None:
    file = tmp_path / "hostile.hl7"
    file.write_bytes(admission(b"C1") + b"ZX\x1b|a\rZXY|\x1b]0;title\x07\x9b31m\r")

    _, all_of_it, _ = run("show", file)
    _, of_one_field, _ = run("show", file, "--path", "ZXY-1")

    assert not {"\x1b", "\x07", "\x9b"} & set(all_of_it + of_one_field)
    assert r"\x1b]0;title\x07\x9b31m" in all_of_it
    assert of_one_field == "\\x1b]0;title\\x07\\x9b31m\n"


def test_what_was_recorded_with_its_frames_is_shown_without_them(tmp_path: Path) -> None:
    file = tmp_path / "recorded.hl7"
    file.write_bytes(b"\x0b" + admission(b"C1") + b"\x1c\r\x0b" + admission(b"C2") + b"\x1c\r")

    status, out, _ = run("show", file, "--json")

    assert status == 0
    assert "".join(f"{segment}\r" for line in out.splitlines() for segment in joined(line)).encode() == TWO


def test_fields_are_shown_with_the_names_of_the_standard(two: Path) -> None:
    _, out, _ = run("show", two)

    assert "two.hl7: message 1: ADT^A01 2.5.1" in out
    assert any(line.split() == ["PID-5", "Patient", "name", "Sample^Ann"] for line in out.splitlines())


def test_standard_input_is_read() -> None:
    assert run("show", "-", "--path", "MSH-10", stdin=TWO)[1] == "C1\nC2\n"


def test_a_batch_is_read_and_a_wrong_count_told(tmp_path: Path) -> None:
    file = tmp_path / "batch.hl7"
    file.write_bytes(b"BHS|^~\\&|A\r" + TWO + b"BTS|3\r")

    status, out, err = run("show", file, "--path", "MSH-10")

    assert (status, out) == (0, "C1\nC2\n")
    assert "BTS-1" in err


@pytest.mark.parametrize("content", [b"", b"hello\n", b"MSH|^^^^|x\r"])
def test_what_is_no_message_is_told_and_gives_status_1(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file.hl7"
    file.write_bytes(content)

    status, out, err = run("show", file, "--json")

    assert (status, out) == (1, "")
    assert "file.hl7" in err
    assert "hello" not in err


def test_a_message_with_wrong_characters_is_shown_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "file.hl7"
    file.write_bytes(b"MSH|^~\\&|||||||ADT^A01|C1|P|2.5||||||UNICODE UTF-8\rPID|||||M\xfcller\r")

    status, out, err = run("show", file, "--path", "PID-5")

    assert (status, out) == (1, "Müller\n")
    assert "MSH-18 207" in err


def test_characters_that_are_guessed_are_shown_and_told(tmp_path: Path) -> None:
    file = tmp_path / "file.hl7"
    file.write_bytes(b"MSH|^~\\&|||||||ADT^A01|C1|P|2.5\rPID|||||M\xfcller\r")

    status, out, err = run("show", file, "--path", "PID-5")

    assert (status, out) == (0, "Müller\n")
    assert "read as Windows-1252" in err


def test_wrong_use_gives_status_2(two: Path) -> None:
    assert run("show", two, "--path", "PID")[0] == 2
    assert run("show")[0] == 2
    assert run("show", two.parent / "nowhere.hl7")[0] == 2
    assert run("send", two, "--to", "nowhere")[0] == 2
    assert run("send", two)[0] == 2


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "1e9"])
def test_a_time_nobody_can_wait_is_wrong_use(two: Path, seconds: str) -> None:
    status, out, err = run("send", two, "--to", "127.0.0.1:1", "--timeout", seconds)

    assert (status, out) == (2, "")
    assert "expected more than 0 and at most 3600 seconds" in err


@pytest.mark.parametrize("option", ["--tls-ca", "--tls-key"])
def test_a_file_that_is_no_pem_and_a_key_alone_are_wrong_use(two: Path, option: str) -> None:
    status, out, err = run("send", two, "--to", "127.0.0.1:1", option, two)

    assert (status, out) == (2, "")
    assert ("expected PEM files that belong together" in err) or ("expected --tls-cert beside it" in err)


def test_what_the_sender_logs_is_no_line_of_the_answers(two: Path) -> None:
    def late(connection: socket.socket) -> None:
        for control_id in (b"C1", b"C2"):
            read_blocks(connection, 1)
            connection.sendall(answer(b"AA", b"ANOTHER") + answer(b"AA", control_id))

    with receiver(late) as (host, port):
        result = CliRunner().invoke(main, ["hl7v2", "send", str(two), "--to", f"{host}:{port}"])

    assert [json.loads(line)["code"] for line in result.stdout.splitlines()] == ["AA", "AA"]
    assert '"event": "mllp_answers_discarded"' in result.stderr


def test_each_answer_is_one_line_and_all_accepted_gives_status_0(two: Path) -> None:
    seen: list[bytes] = []

    def clinic(connection: socket.socket) -> None:
        for control_id in (b"C1", b"C2"):
            seen.extend(read_blocks(connection, 1))
            connection.sendall(answer(b"AA", control_id))

    with receiver(clinic) as (host, port):
        status, out, _ = run("send", two, "--to", f"{host}:{port}")

    answers = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert seen == [admission(b"C1"), admission(b"C2")]
    assert [(line["control_id"], line["code"], line["text"]) for line in answers] == [
        ("C1", "AA", ""),
        ("C2", "AA", ""),
    ]
    assert all(line["ms"] >= 0 for line in answers)


def test_a_refusal_is_printed_the_rest_is_sent_and_the_status_is_1(two: Path) -> None:
    def clinic(connection: socket.socket) -> None:
        for code, control_id in ((b"AE", b"C1"), (b"AA", b"C2")):
            read_blocks(connection, 1)
            connection.sendall(answer(code, control_id))

    with receiver(clinic) as (host, port):
        status, out, _ = run("send", two, "--to", f"{host}:{port}")

    assert status == 1
    assert [json.loads(line)["code"] for line in out.splitlines()] == ["AE", "AA"]


def test_nothing_overtakes_a_message_without_an_answer(two: Path) -> None:
    seen: list[bytes] = []

    def clinic(connection: socket.socket) -> None:
        seen.extend(read_blocks(connection, 1))

    with receiver(clinic) as (host, port):
        status, out, err = run("send", two, "--to", f"{host}:{port}", "--timeout", "2")

    assert status == 1
    assert seen == [admission(b"C1")]
    assert json.loads(out)["code"] is None
    assert "nothing after it was sent" in err


def test_a_message_that_asks_for_no_answer_is_not_waited_for(tmp_path: Path) -> None:
    silent = admission(b"C1").replace(b"|2.5.1\r", b"|2.5.1|||NE|NE\r")
    file = tmp_path / "silent.hl7"
    file.write_bytes(silent + admission(b"C2"))
    seen: list[bytes] = []

    def clinic(connection: socket.socket) -> None:
        seen.extend(read_blocks(connection, 2))
        connection.sendall(answer(b"AA", b"C2"))

    with receiver(clinic) as (host, port):
        status, out, _ = run("send", file, "--to", f"{host}:{port}", "--timeout", "5")

    assert status == 1
    assert seen == [silent, admission(b"C2")]
    assert [json.loads(line)["code"] for line in out.splitlines()] == [None, "AA"]
    assert json.loads(out.splitlines()[0])["text"] == "the message asks for no answer"


def test_files_with_line_feeds_are_sent_with_carriage_returns(tmp_path: Path) -> None:
    file = tmp_path / "unix.hl7"
    file.write_bytes(b"\xef\xbb\xbf" + admission(b"C1").replace(b"\r", b"\r\n") + b"\r\n")
    seen: list[bytes] = []

    def clinic(connection: socket.socket) -> None:
        seen.extend(read_blocks(connection, 1))
        connection.sendall(answer(b"CA", b"C1"))

    with receiver(clinic) as (host, port):
        status, _, _ = run("send", file, "--to", f"{host}:{port}")

    assert status == 0
    assert seen == [admission(b"C1")]
