"""Issue and check the gateway's own bearer tokens: what is in one, and which one is believed.

A token is a JWS under the installation's token key. It carries who the client is and nothing it may do: scopes come
from the registration at the moment of use, so that taking a scope away works at once.
"""

from datetime import datetime

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import OctKey

LIFETIME_S = 300
AUDIENCE = "warm-handoff"
_ALGORITHM = "HS256"
_LEEWAY_S = 5
_LONGEST = 4096
"""Characters of the longest token looked at; ours have about 250."""


class TokenRefused(Exception):
    """The token is not believed. `expired` tells a late one from every other fault."""

    def __init__(self, *, expired: bool) -> None:
        super().__init__("expired" if expired else "not valid")
        self.expired = expired


def issue(client_id: str, key: bytes, *, token_id: str, at: datetime) -> str:
    """Sign a token for a client, good for `LIFETIME_S` seconds from `at`."""
    now = int(at.timestamp())
    claims = {
        "iss": AUDIENCE, "aud": AUDIENCE, "sub": client_id, "iat": now, "exp": now + LIFETIME_S, "jti": token_id,
    }  # fmt: skip
    signed: str = jwt.encode({"alg": _ALGORITHM, "typ": "at+jwt"}, claims, OctKey.import_key(key))
    return signed


def client_of(token: str, key: bytes, *, at: datetime) -> str:
    """Return the client id a token proves.

    The algorithm is fixed here and never read from the token (RFC 8725 section 3.1); a lifetime longer than ours
    is refused although the signature is right.

    Raises:
        TokenRefused: signature, algorithm, issuer, audience, lifetime or shape is not as we make it.
    """
    if len(token) > _LONGEST:
        raise TokenRefused(expired=False)
    now = int(at.timestamp())
    checks = jwt.JWTClaimsRegistry(
        now=now,
        leeway=_LEEWAY_S,
        iss={"essential": True, "value": AUDIENCE},
        aud={"essential": True, "value": AUDIENCE},
        sub={"essential": True},
        iat={"essential": True},
        exp={"essential": True},
    )
    try:
        claims = jwt.decode(token, OctKey.import_key(key), algorithms=[_ALGORITHM]).claims
        checks.validate(claims)
    except ExpiredTokenError:
        raise TokenRefused(expired=True) from None
    except (JoseError, ValueError):
        raise TokenRefused(expired=False) from None
    client = claims["sub"]
    if not isinstance(client, str) or claims["exp"] - claims["iat"] > LIFETIME_S:
        raise TokenRefused(expired=False)
    return client
