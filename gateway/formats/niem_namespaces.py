"""Which namespace addresses mean the same NIEM model, 2.0 to 6.0: elements are known by them, never by a prefix."""

import re
from collections.abc import Mapping

# NIEM kept its element names through most releases and changed the address with each. A trailing # is JSON-LD's.
_VERSION = r"\d+(?:\.\d+)*"
_BUILT_IN = {
    "nc": rf"http://niem\.gov/niem/niem-core/{_VERSION}|http://release\.niem\.gov/niem/niem-core/{_VERSION}/"
    rf"|https://docs\.oasis-open\.org/niemopen/ns/model/niem-core/{_VERSION}/",
    "j": rf"http://niem\.gov/niem/domains/jxdm/{_VERSION}|http://release\.niem\.gov/niem/domains/jxdm/{_VERSION}/"
    rf"|https://docs\.oasis-open\.org/niemopen/ns/model/domains/justice/{_VERSION}/",
    "hs": rf"http://release\.niem\.gov/niem/domains/humanServices/{_VERSION}/"
    rf"|https://docs\.oasis-open\.org/niemopen/ns/model/domains/humanServices/{_VERSION}/",
    "em": rf"http://release\.niem\.gov/niem/domains/emergencyManagement/{_VERSION}/"
    rf"|https://docs\.oasis-open\.org/niemopen/ns/model/domains/emergencyManagement/{_VERSION}/",
    "structures": rf"http://niem\.gov/niem/structures/{_VERSION}|http://release\.niem\.gov/niem/structures/{_VERSION}/"
    rf"|https://docs\.oasis-open\.org/niemopen/ns/model/structures/{_VERSION}/",
    "cjis": rf"http://fbi\.gov/cjis/{_VERSION}",
    "nibrs": r"http://fbi\.gov/cjis/nibrs/\d+(?:\.\d+)*",
    "ndexia": r"http://fbi\.gov/cjis/N-DEx/IncidentArrest/\d+(?:\.\d+)*",
    "lexs": r"http://usdoj\.gov/leisp/lexs/\d+(?:\.\d+)*",
    "lexsdigest": r"http://usdoj\.gov/leisp/lexs/digest/\d+(?:\.\d+)*",
    "xsi": r"http://www\.w3\.org/2001/XMLSchema-instance",
}
_PATTERNS = {prefix: re.compile(rf"(?:{pattern})#?") for prefix, pattern in _BUILT_IN.items()}

NIEM_CORE = _PATTERNS["nc"]
"""Matches every address of NIEM core."""


class Namespaces:
    """The names of elements as a mapping writes them: `prefix:local` by the pack's prefixes, then the built-in ones."""

    def __init__(self, declared: Mapping[str, tuple[str, ...]]) -> None:
        """Take the addresses that a pack declares for its own prefixes; they win over the built-in ones."""
        self._prefixes = {uri: prefix for prefix, uris in declared.items() for uri in uris}
        self._names: dict[str, str] = {}

    def name(self, tag: str) -> str:
        """Return the pack's name of a `{namespace}local` tag; one of an unknown namespace stays as it is."""
        name = self._names.get(tag)
        if name is None:
            name = self._names[tag] = self._name(tag)
        return name

    def _name(self, tag: str) -> str:
        if not tag.startswith("{"):
            return tag
        uri, _, local = tag[1:].partition("}")
        prefix = self.prefix(uri)
        return tag if prefix is None else f"{prefix}:{local}"

    def prefix(self, uri: str) -> str | None:
        """Return the pack's prefix of an address, or None when neither pack nor product knows it."""
        declared = self._prefixes.get(uri)
        if declared is not None:
            return declared
        found = next((prefix for prefix, pattern in _PATTERNS.items() if pattern.fullmatch(uri)), None)
        if found is not None:
            self._prefixes[uri] = found
        return found
