"""The trace of a mapping as a page shows it: each source field once, with every element that it fills."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class TracedField(NamedTuple):
    """A source field, its value as received, its status, the elements it fills, and the rules that read it."""

    path: str
    value: Any
    status: str
    targets: tuple[str, ...]
    rules: tuple[str, ...]


def by_field(trace: Iterable[Mapping[str, Any]]) -> list[TracedField]:
    """Return the lines of a trace with those of one field, value and status together, in the order they came."""
    gathered: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for line in trace:
        gathered.setdefault((line["path"], str(line.get("value")), line["status"]), []).append(line)
    return [
        TracedField(path, lines[0].get("value"), status, _each_once(lines, "target"), _each_once(lines, "rule"))
        for (path, _, status), lines in gathered.items()
    ]


def _each_once(lines: Iterable[Mapping[str, Any]], name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line[name] for line in lines if line[name]))
