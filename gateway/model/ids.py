"""Identifiers that cannot be guessed: a keyed hash of the business key, and random ones in the order of time."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import _Hash

ID_LENGTH = 26
"""Characters of an id: 130 bits of the hash, within FHIR's limit of 64 (FHIR R4 datatypes, id)."""

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_SHIFTS = range((ID_LENGTH - 2) * 5, -1, -10)
_BLOCK_BYTES = 64


def stable_id(key: bytes, *parts: str) -> str:
    """Derive the id of the thing named by `parts` under the installation's secret `key`.

    The same parts give the same id on every import, so that an import is an upsert; without the key an id
    can be neither computed from a known report number nor traced back to one. Each part is length-prefixed,
    so that ("ab", "c") and ("a", "bc") differ. HMAC with SHA-256 (RFC 2104), its first 130 bits in lower-case
    base 32 (RFC 4648).
    """
    inner, outer = _states(key)
    return _derived(inner, outer, parts)


def ids_that_begin(key: bytes, *first: str) -> Callable[..., str]:
    """Return `stable_id` for many names that begin alike: those parts are taken in once."""
    inner, outer = _states(key)
    begun = inner.copy()
    begun.update(_framed(first))
    return lambda *parts: _derived(begun, outer, parts)


def id_in_order(at: datetime, random: str) -> str:
    """Return an id that sorts by when it was made: the millisecond in 11 hexadecimal digits, then random characters.

    For rows that come by the million and whose ids only staff see: those of an hour lie on one page of their index,
    where random ones each read and write a page of their own.
    """
    return f"{int(at.timestamp() * 1000):011x}{random[11 - ID_LENGTH :]}"


def _derived(inner: "_Hash", outer: "_Hash", parts: tuple[str, ...]) -> str:
    inner, outer = inner.copy(), outer.copy()
    inner.update(_framed(parts))
    outer.update(inner.digest())
    # 130 bits are 16 bytes and two bits: 17 bytes, and the six bits that are too many shifted out.
    number = int.from_bytes(outer.digest()[:17], "big") >> 6
    return "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


def _framed(parts: tuple[str, ...]) -> bytes:
    framed = b""
    for part in parts:
        raw = part.encode()
        framed += len(raw).to_bytes(4, "big") + raw
    return framed


@lru_cache(maxsize=8)
def _states(key: bytes) -> "tuple[_Hash, _Hash]":
    """Return both hashes of an HMAC with the key taken in: a message derives dozens of ids under one key."""
    block = (hashlib.sha256(key).digest() if len(key) > _BLOCK_BYTES else key).ljust(_BLOCK_BYTES, b"\0")
    inner, outer = bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)
    return hashlib.sha256(inner), hashlib.sha256(outer)
