"""Who may read /metrics: whoever shows its key, and without one whoever calls on this machine.

The counts of work and refusals by destination are the operator's: somebody who asks for a person and watches them
would see what an answer must not tell (42 CFR 2.13(c)(2)).
"""

from hmac import compare_digest
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from flask import request

from gateway.model.exchange import Problem, RequestRefused

_FORWARDED = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip")
"""Headers by which proxies tell for whom they ask."""

_NOT_OPEN = Problem(401, "login", None, "Expected the key of /metrics as bearer token (http.metrics_key).")


def require_metrics_key(key: bytes | None, base_url: str) -> None:
    """Refuse the current request (401) unless it shows the key or, where there is none, comes from this machine.

    A proxy on this machine brings the requests of others, and a browser those of pages from elsewhere that gave their
    name our address. So once `base_url` is an address that others can reach, for a request that names whom it was
    forwarded for, and under any name but this machine's, being on this machine is not enough.
    """
    if key is None:
        asked_at = urlsplit(f"//{request.host}").hostname
        hosts = (urlsplit(base_url).hostname, asked_at, request.remote_addr)
        may_read = _is_direct() and all(_is_loopback(host) for host in hosts)
    else:
        scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
        may_read = scheme.lower() == "bearer" and compare_digest(shown.strip().encode(), key.hex().encode())
    if not may_read:
        raise RequestRefused(_NOT_OPEN)


def _is_direct() -> bool:
    return not any(name in request.headers for name in _FORWARDED)


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        address = ip_address(host or "")
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback
