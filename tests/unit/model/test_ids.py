"""Ids are an HMAC in base 32: held against the standard library's, which is what others would use to check one."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.model.ids import id_in_order, ids_that_begin, stable_id


@given(st.binary(min_size=1, max_size=100), st.lists(st.text(max_size=50), min_size=1, max_size=6))
def test_an_id_is_the_beginning_of_an_hmac_in_base_32(key: bytes, parts: list[str]) -> None:
    message = b"".join(len(part.encode("utf-8", "surrogatepass")).to_bytes(4, "big") + part.encode() for part in parts)
    expected = base64.b32encode(hmac.digest(key, message, hashlib.sha256)).decode().lower()[:26]

    assert stable_id(key, *parts) == expected


def test_where_a_part_ends_is_part_of_the_id() -> None:
    assert stable_id(b"key", "ab", "c") != stable_id(b"key", "a", "bc")
    assert stable_id(b"key", "ab", "c") != stable_id(b"other", "ab", "c")


def test_ids_that_begin_alike_are_the_same_ids() -> None:
    named = ids_that_begin(b"secret", "hl7v2", "sample-hospital")

    assert named("Patient", "7") == stable_id(b"secret", "hl7v2", "sample-hospital", "Patient", "7")
    assert named("Patient", "8") != named("Patient", "7")
    assert named() == stable_id(b"secret", "hl7v2", "sample-hospital")


def test_ids_in_order_sort_by_the_millisecond_and_keep_what_is_random() -> None:
    noon = datetime(2026, 11, 2, 12, tzinfo=UTC)
    made = [id_in_order(noon + timedelta(milliseconds=n), letter * 26) for n, letter in enumerate("zya")]

    assert made == ["1a19c217200zzzzzzzzzzzzzzz", "1a19c217201yyyyyyyyyyyyyyy", "1a19c217202aaaaaaaaaaaaaaa"]
