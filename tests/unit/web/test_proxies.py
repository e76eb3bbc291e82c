"""Whose address counts where proxies stand in front."""

from ipaddress import ip_network

import pytest

from gateway.web.proxies import caller

OURS = (ip_network("127.0.0.1"), ip_network("10.1.0.0/16"))


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "counts"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.7", "203.0.113.9"),  # no proxy of ours: it may say what it likes
        ("127.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "1.2.3.4, 198.51.100.7", "198.51.100.7"),  # the first was written by the caller
        ("127.0.0.1", "198.51.100.7, 10.1.2.3", "198.51.100.7"),  # two proxies in a row
        ("127.0.0.1", "2001:db8::7", "2001:db8::7"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.7, somebody", "127.0.0.1"),
        ("127.0.0.1", "10.1.2.3", "10.1.2.3"),
        ("", "198.51.100.7", ""),
    ],
)
def test_the_address_that_counts_is_the_nearest_that_is_none_of_our_proxies(
    peer: str, forwarded_for: str, counts: str
) -> None:
    assert caller(peer, forwarded_for, OURS) == counts
