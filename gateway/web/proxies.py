"""Whose request a proxy in front brings: the address that counts, where it has a part in something.

Without this, whoever guesses passwords has the address of the proxy, and uses up the tries of everybody behind it.
"""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from itertools import pairwise

Network = IPv4Network | IPv6Network


def caller(peer: str, forwarded_for: str, proxies: Sequence[Network]) -> str:
    """Return the address nearest to us that is none of our proxies; each of these adds, at the end, who asked it.

    What is written there before that anybody could have written.
    """
    hops = [peer, *(one.strip() for one in reversed(forwarded_for.split(",")))]
    for hop, further in pairwise(hops):
        if not _is_one_of(hop, proxies) or not _is_address(further):
            return hop
    return hops[-1]


def _is_one_of(address: str, networks: Sequence[Network]) -> bool:
    return _is_address(address) and any(ip_address(address) in network for network in networks)


def _is_address(written: str) -> bool:
    try:
        ip_address(written)
    except ValueError:
        return False
    return True
