"""What the standard calls a field, for people who read messages; from hl7apy's tables, which read nothing here."""

from functools import lru_cache

import hl7apy

_KNOWN = ("2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8", "2.8.1", "2.8.2")


def field_name(segment_id: str, field: int, version: str) -> str:
    """Return the name of a field such as "Patient name"; "" for one that the version does not know.

    A version that has no table is read like the nearest one below it.
    """
    return _names(segment_id, _nearest(version)).get(field, "")


def is_field(segment_id: str, field: int) -> bool:
    """Tell whether any version has the field; the newest, which have most, are asked first."""
    return any(field in _names(segment_id, version) for version in reversed(_KNOWN))


def _nearest(version: str) -> str:
    return max((known for known in _KNOWN if known <= version), default=_KNOWN[0])


@lru_cache(maxsize=512)
def _names(segment_id: str, version: str) -> dict[int, str]:
    segments = hl7apy.load_library(version).SEGMENTS
    if segment_id not in segments:
        return {}
    # By the number in "PID_5": fields that a version withdrew are missing from its table.
    fields = segments[segment_id][1]
    return {int(key.rpartition("_")[2]): _readable(str(reference[3] or "")) for key, reference, _, _ in fields}


def _readable(name: str) -> str:
    return name.replace("_", " ").capitalize()
