"""Batches written: every referral of a Bundle in a file, and answers to a batch."""

from dataclasses import replace
from datetime import UTC, datetime

from gateway.formats.hl7v2 import Message, read_message, split_batch
from gateway.formats.hl7v2.envelopes import batch_answer, batch_begin, batch_end, file_begin, file_end, referrals_of
from gateway.model.hl7_header import Hl7Header
from tests.support.referrals import referral_bundle, referral_resources

HEADER = Hl7Header(("WARMHANDOFF",), ("GATEWAY",), (), (), "20261102101500-0800", "BATCH1")
AT = datetime(2026, 11, 2, 18, 15, tzinfo=UTC)


def test_every_referral_of_a_bundle_is_a_message_of_its_own() -> None:
    first = referral_resources()["request"]
    number = {**first["identifier"][0], "value": "a-second-referral-with-a-long-number"}
    bundle = referral_bundle(second={**first, "id": "s2", "identifier": [number]})

    messages = [read_message(raw) for raw in referrals_of(bundle, HEADER)]

    assert [isinstance(message, Message) and message.text("RF1-6.1") for message in messages] == [
        "wh-ref-1",
        "a-second-referral-with-a-long-number",
    ]
    assert [isinstance(message, Message) and message.text("MSH-10") for message in messages] == [
        "wh-ref-1",
        "l-with-a-long-number",
    ]


def test_a_record_without_a_referral_gives_no_message() -> None:
    assert referrals_of(referral_bundle(request=None), HEADER) == []


def test_messages_between_the_two_segments_are_a_batch_that_counts_right() -> None:
    messages = referrals_of(referral_bundle(), HEADER)

    batch = split_batch(batch_begin(HEADER) + b"".join(messages) + batch_end(1))

    assert [kind for kind, _ in batch.pieces] == ["BHS", "MSH", "BTS"]
    assert batch.pieces[0][1] == b"BHS|^~\\&|WARMHANDOFF|GATEWAY|||20261102101500-0800||||BATCH1\r"
    assert batch.messages == messages
    assert batch.miscounted() == []


def test_a_batch_between_the_file_segments_is_a_file() -> None:
    messages = referrals_of(referral_bundle(), HEADER)

    batch = split_batch(file_begin(HEADER) + batch_begin(HEADER) + b"".join(messages) + batch_end(1) + file_end())

    assert [kind for kind, _ in batch.pieces] == ["FHS", "BHS", "MSH", "BTS", "FTS"]
    assert batch.pieces[0][1] == b"FHS|^~\\&|WARMHANDOFF|GATEWAY|||20261102101500-0800||||BATCH1\r"
    assert batch.miscounted() == []


def test_a_sender_that_is_not_ascii_is_written_as_utf_8() -> None:
    assert "Größe".encode() in batch_begin(replace(HEADER, sending_facility=("Größe",)))


def test_a_batch_whose_messages_ask_for_no_answer_gets_none() -> None:
    batch = split_batch(b"BHS|^~\\&|A|B\rMSH|^~\\&|A|B|||||ADT^A01|1|P|2.5|||NE|NE\rBTS|1\r")

    assert batch_answer(batch, [b""], "K1", AT) == b""


def test_an_empty_batch_that_answers_a_batch_gets_no_answer() -> None:
    batch = split_batch(b"BHS|^~\\&|A|B|||||||B2|B1\rBTS|0\r")

    assert batch_answer(batch, [], "K1", AT) == b""


def test_a_file_header_alone_names_the_sender_too() -> None:
    batch = split_batch(b"FHS#*?!%#A#B#C#D#####F1\rMSH|^~\\&|A|B|||||ADT^A01|1|P|2.5\rFTS|1\r")

    assert batch_answer(batch, [b"MSH|x\r"], "K1", AT).startswith(b"BHS|^~\\&|C|D|A|B|20261102181500+0000||||K1|F1\r")


def test_a_batch_header_that_cannot_be_read_is_answered_all_the_same() -> None:
    batch = split_batch(b"BHS|||||\rMSH|^~\\&|A|B|||||ADT^A01|1|P|2.5\rBTS|1\r")

    assert batch_answer(batch, [b"MSH|x\r"], "K1", AT).endswith(b"MSH|x\rBTS|1\r")


def test_a_miscounted_batch_is_told_in_the_characters_of_its_header() -> None:
    opening = "BHS|^~\\&|A|B|C|D|2026||||Nº1".encode()
    batch = split_batch(opening + b"\rMSH|^~\\&|A|B|C|D|2026||ADT^A02|F12|P|2.5\rBTS|2\r")

    answer = batch_answer(batch, [], "K1", AT)

    assert "MSA|AE|Nº1\r".encode() in answer


def test_every_trailer_that_counts_wrong_is_told_to_the_sender_of_the_batch() -> None:
    batch = split_batch(
        b"FHS|^~\\&|A|B|C|D\rBHS|^~\\&|A|B|C|D|||||B1\rMSH|^~\\&|A|B|||||ADT^A01|1|P|2.5\rBTS|2\rFTS|3\r"
    )

    answered = [read_message(one) for one in split_batch(batch_answer(batch, [], "K1", AT)).messages]

    assert [isinstance(one, Message) and one.text("ERR-2.1") for one in answered] == ["BTS", "FTS"]
    assert [isinstance(one, Message) and one.text("MSH-10") for one in answered] == ["K1-1", "K1-2"]
    assert [isinstance(one, Message) and (one.text("MSH-5"), one.text("MSH-6")) for one in answered] == [("A", "B")] * 2


def of_batch(number: int, *control_ids: str) -> bytes:
    messages = [f"MSH|^~\\&|A|B|C|D|||ADT^A01|{one}|P|2.5\rPID|1\r" for one in control_ids]
    return f"BHS|^~\\&|A|B|C|D|||||B{number}\r{''.join(messages)}BTS|{len(control_ids)}\r".encode()


def test_each_batch_of_a_file_is_answered_by_a_batch_that_names_it() -> None:
    file = split_batch(b"FHS|^~\\&|A|B|C|D|||||F1\r" + of_batch(1, "1", "2") + of_batch(2, "3") + b"FTS|2\r")

    answer = batch_answer(file, [b"MSA|1\r", b"MSA|2\r", b"MSA|3\r"], "K1", AT)

    assert answer.decode().splitlines() == [
        "FHS|^~\\&|C|D|A|B|20261102181500+0000||||K1|F1",
        "BHS|^~\\&|C|D|A|B|20261102181500+0000||||K1-1|B1", "MSA|1", "MSA|2", "BTS|2",
        "BHS|^~\\&|C|D|A|B|20261102181500+0000||||K1-2|B2", "MSA|3", "BTS|1",
        "FTS|2",
    ]  # fmt: skip


def test_batches_that_follow_each_other_without_a_file_are_answered_one_after_the_other() -> None:
    block = split_batch(of_batch(1, "1") + of_batch(2) + of_batch(3, "3").replace(b"BTS|1", b"BTS|7"))

    answer = batch_answer(block, [b"", b"MSA|3\r"], "K1", AT)

    assert [line[:3] for line in answer.decode().splitlines()] == [
        "BHS",
        "BTS",
        "BHS",
        "MSA",
        "MSH",
        "MSA",
        "ERR",
        "BTS",
    ]
    assert [line.rpartition("|")[2] for line in answer.decode().splitlines() if line[:3] == "BHS"] == ["B2", "B3"]
    assert b"ERR||BTS^1^1|102" in answer
