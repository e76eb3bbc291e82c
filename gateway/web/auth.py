"""Prove who calls: a bearer token in the Authorization header, checked against the registration as it is now."""

from collections.abc import Callable

from flask import g, request

from gateway.model.caller import Caller
from gateway.model.exchange import Problem, RequestRefused
from gateway.ports import Clock
from gateway.settings import Client
from gateway.web.tokens import TokenRefused, client_of

_NO_LOGIN = Problem(401, "login", None, "Expected a bearer token of this gateway in the Authorization header.")
_EXPIRED = Problem(401, "expired", None, "The token has expired.")


def bearer(registered: Callable[[str], Client | None], key: bytes, clock: Clock) -> Callable[[], Caller]:
    """Build the `authenticate` that the doors are given.

    It returns the caller of the current request or raises `RequestRefused` with 401. A client that is no longer
    registered is refused like a forged token, and scopes are those registered now.
    """

    def authenticate() -> Caller:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise RequestRefused(_NO_LOGIN)
        try:
            client = registered(client_of(token.strip(), key, at=clock()))
        except TokenRefused as refused:
            raise RequestRefused(_EXPIRED if refused.expired else _NO_LOGIN) from None
        if client is None:
            raise RequestRefused(_NO_LOGIN)
        g.client = client.id
        return Caller(
            client=client.id,
            organization=client.organization,
            scopes=frozenset(client.scopes),
            person=(client.id, client.person_role),
            authenticated_as=client.organization,
        )

    return authenticate
