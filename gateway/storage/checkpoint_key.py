"""The key that signs checkpoints of the audit trail, and who can check with what is public of it.

A checkpoint leaves as a compact JWS (RFC 7515) under Ed25519 (RFC 8037, named as in RFC 9864), so that whoever has
the public key can check it with a library of their own.
"""

import base64
from collections.abc import Sequence
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from gateway.model.errors import ConfigurationError

_ALGORITHM = "Ed25519"
_PKCS8 = bytes.fromhex("302e020100300506032b657004220420")
"""What stands before the 32 bytes of an Ed25519 private key (RFC 8410 section 7)."""


class CheckpointKey:
    """Signs checkpoints. Made from the 32 bytes of `secrets/audit.key`."""

    def __init__(self, seed: bytes) -> None:
        body = base64.b64encode(_PKCS8 + seed[:32])
        self._key = OKPKey.import_key(b"-----BEGIN PRIVATE KEY-----\n" + body + b"\n-----END PRIVATE KEY-----\n")
        self.id: str = self._key.thumbprint()

    def __call__(self, payload: bytes) -> str:
        """Sign a payload and return the token."""
        header = {"alg": _ALGORITHM, "kid": self.id}
        token: str = jws.serialize_compact(header, payload, self._key, algorithms=[_ALGORITHM])
        return token

    def public(self) -> dict[str, Any]:
        """Return the public key as a JWK (RFC 7517); its id is its thumbprint (RFC 7638)."""
        return {**self._key.as_dict(private=False), "kid": self.id, "alg": _ALGORITHM, "use": "sig"}


class KnownKeys:
    """Opens tokens that one of these public keys (JWKs) signed."""

    def __init__(self, keys: Sequence[dict[str, Any]]) -> None:
        try:
            self._keys = [OKPKey.import_key(key) for key in keys]
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(
                f"expected an Ed25519 public key as `gateway audit key` prints it ({type(error).__name__})"
            ) from None

    def __call__(self, token: str) -> bytes | None:
        """Return what a token signs, or None. The algorithm is ours, never the token's (RFC 8725 section 3.1)."""
        for key in self._keys:
            try:
                payload: bytes = jws.deserialize_compact(token, key, algorithms=[_ALGORITHM]).payload
            except (JoseError, ValueError):
                continue
            return payload
        return None
