"""Consents compiled once for all decisions that rest on the same words: a search, a page, one partner after another.

They are known by every byte that is written in them and by the registry: what was taken back, replaced or filed since
is another text, and never met here.
"""

import threading
from collections import OrderedDict

import orjson

from gateway.consent import compile_consents
from gateway.model.consent_directive import Consents
from gateway.model.partner import Registry

_MOST = 512
_MOST_BYTES = 8 * 1024 * 1024
"""What is compiled takes about seven times the room of what is written; the consents of most people are 3 to 5 KB."""


class CompiledConsents:
    """The last used compiled consents: at most so many, of so many bytes of writing together. Threads share it."""

    def __init__(self, most: int = _MOST, most_bytes: int = _MOST_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._known: OrderedDict[tuple[bytes, Registry], Consents] = OrderedDict()
        self._bytes = 0
        self._guard = threading.Lock()

    @property
    def size_bytes(self) -> int:
        """Return the bytes of writing of all that is remembered."""
        return self._bytes

    def of(self, written: bytes, registry: Registry) -> Consents:
        """Return consents compiled that are given as JSON, so that what is remembered of them is shared with nobody."""
        key = (written, registry)
        with self._guard:
            known = self._known.get(key)
            if known is not None:
                self._known.move_to_end(key)
                return known
        made = compile_consents(orjson.loads(written), registry)
        if len(written) <= self._most_bytes:
            self._remember(key, made)
        return made

    def _remember(self, key: tuple[bytes, Registry], made: Consents) -> None:
        with self._guard:
            if key not in self._known:
                self._bytes += len(key[0])
            self._known[key] = made
            while len(self._known) > self._most or self._bytes > self._most_bytes:
                (dropped, _), _ = self._known.popitem(last=False)
                self._bytes -= len(dropped)
