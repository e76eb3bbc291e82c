"""How a place in a message is named: `PID-3[2].1.2`, `OBX[4]-5.1`, `MSH-10`."""

import re
from typing import Final

_SYNTAX = re.compile(
    r"(?P<segment>[A-Z][A-Z0-9]{2})(?:\[(?P<occurrence>[1-9][0-9]{0,5})\])?"
    r"-(?P<field>[1-9][0-9]{0,3})(?:\[(?P<repetition>[1-9][0-9]{0,4})\])?"
    r"(?:\.(?P<component>[1-9][0-9]{0,3})(?:\.(?P<subcomponent>[1-9][0-9]{0,3}))?)?"
)


Path = tuple[str, int, int, int, int, int]
"""Segment, its occurrence, field, component, subcomponent, repetition: counted from 1 as in the standard; component or
subcomponent 0 is not named, the whole. A bare tuple, because it is unpacked for every field that is read."""


def parse_path(path: str) -> Path:
    """Read a path; occurrence and repetition default to the first. Raises ValueError on anything else."""
    match = _SYNTAX.fullmatch(path)
    if match is None:
        raise ValueError(f"expected a path like PID-3[2].1.2 or OBX[4]-5, found {path[:40]!r}")
    part = match.groupdict()
    return (
        part["segment"],
        int(part["occurrence"] or 1),
        int(part["field"]),
        int(part["component"] or 0),
        int(part["subcomponent"] or 0),
        int(part["repetition"] or 1),
    )


class _Places(dict[str, Path]):
    """Paths that were read before: a look-up costs a third of a call to a cached function, and every field is one."""

    def __missing__(self, path: str) -> Path:
        if len(self) >= _MOST_PLACES:
            self.clear()
        place = self[path] = parse_path(path)
        return place


_MOST_PLACES = 4096
PLACES: Final = _Places()
"""`PLACES[path]` is `parse_path(path)`, remembered."""
