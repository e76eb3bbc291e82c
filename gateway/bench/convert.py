"""Record to Bundle: a parsed row through its mapping to the bytes of a FHIR Bundle of twelve resources.

Floor: the same Bundle built by hand-written code for that one row, and written by orjson.
"""

from collections.abc import Callable, Iterator
from typing import Any

import orjson

from gateway.bench.convert_floor import AT, ROW, build
from gateway.bench.turns import rates
from gateway.catalog.mappings import pack_paths, read_mapping
from gateway.formats import fhir_json
from gateway.mapping import Context, apply
from gateway.model.draft import Draft
from gateway.model.source_record import SourceRecord

KEY = b"bench" * 8


def draft() -> Draft:
    """Return what the mapping makes of the floor's row."""
    made = _ours()()
    assert isinstance(made, Draft)
    return made


def floor() -> dict[str, Any]:
    """Return what the floor makes of it."""
    return build(ROW, KEY, AT.isoformat().replace("+00:00", "Z"))


def _ours() -> Callable[[], object]:
    mapping = read_mapping(pack_paths()["seattle-rms-crisis"])
    record = SourceRecord(1, "line 2", (ROW,), frozenset(ROW))
    context = Context(KEY, AT)
    return lambda: apply(record, mapping, context)


def rows(seconds: float) -> Iterator[dict[str, Any]]:
    """Yield the one row of this bench."""
    convert = _ours()

    def ours() -> None:
        made = convert()
        assert isinstance(made, Draft)
        fhir_json.dumps(made.bundle)

    def by_hand() -> None:
        orjson.dumps(floor())

    per_second, floor_per_second = rates(ours, by_hand, seconds)
    yield {
        "row": "record -> Bundle of 12 resources",
        "per_second": per_second,
        "floor": "dicts written by hand + orjson",
        "floor_per_second": floor_per_second,
        "ratio": per_second / floor_per_second,
        "goal": "1/3 of the floor",
    }
