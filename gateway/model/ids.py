"""Stable identifiers that cannot be guessed: a keyed hash of the business key."""

import base64
import hashlib
import hmac

ID_LENGTH = 26
"""Characters of an id: 130 bits of the hash, within FHIR's limit of 64 (FHIR R4 datatypes, id)."""


def stable_id(key: bytes, *parts: str) -> str:
    """Derive the id of the thing named by `parts` under the installation's secret `key`.

    The same parts give the same id on every import, so that an import is an upsert; without the key an id
    can be neither computed from a known report number nor traced back to one. Each part is length-prefixed,
    so that ("ab", "c") and ("a", "bc") differ.
    """
    message = b"".join(len(raw).to_bytes(4, "big") + raw for raw in (part.encode() for part in parts))
    digest = hmac.digest(key, message, hashlib.sha256)
    return base64.b32encode(digest).decode("ascii").lower()[:ID_LENGTH]
