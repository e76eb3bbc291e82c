"""The examples of packs, tried: what an input becomes, held against the files beside it that say what it should become.

Packs of records and packs of HL7v2 differ in what comes out of an input. How it is compared, how a difference is told
and how a missing expectation is written is the same for both, and stands here.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

import orjson

from gateway.catalog.mappings import examples
from gateway.cli.conversion import DEMONSTRATION_KEY, Conversion, Outcome, complaint, summary
from gateway.formats import fhir_json
from gateway.mapping import CompiledMapping, Context
from gateway.model.draft import Draft
from gateway.model.received import Received

EXAMPLE_AT = datetime(2026, 11, 2, 18, tzinfo=UTC)
"""The present instant of every example."""

BUNDLES = "out.ndjson"
"""Ending of the one file that every example has: a Bundle a line."""


@dataclass(frozen=True, slots=True)
class Example:
    """An input and what comes out of it now."""

    source: Path
    """NN-what-it-shows.in.*"""

    outputs: Mapping[str, bytes]
    """By the ending of the file that says what it should be; only that of `BUNDLES` has to be there."""

    written: tuple[str, ...] = (BUNDLES,)
    """Endings of the files that `write_expectations` makes."""

    mistakes: tuple[str, ...] = ()
    """What is wrong with it whatever the files say."""

    def expectation(self, ending: str) -> Path:
        """Return the file beside the input that has this ending."""
        return self.source.with_name(f"{self.source.name.partition('.in.')[0]}.{ending}")


def record_examples(compiled: CompiledMapping, folder: Path) -> Iterator[Example]:
    """Convert the examples of a pack of records.

    Raises:
        ConfigurationError: an expectation has no input, or two.
    """
    for source, _ in examples(folder):
        yield record_example(compiled, source)


def record_example(compiled: CompiledMapping, source: Path) -> Example:
    """Convert an example, always at the same instant and with the same key."""
    conversion = Conversion(
        {compiled.name: compiled}, lambda one: Context(DEMONSTRATION_KEY, EXAMPLE_AT), compiled.name
    )
    received = Received(source.name, lambda: source.open("rb"))
    outcomes: list[Outcome] = list(conversion.run(received, source.stat().st_size))
    drafts = [outcome for outcome in outcomes if isinstance(outcome, Draft)]
    said = [line for outcome in outcomes if (line := complaint(source.name, outcome)) is not None]
    said += summary(conversion.findings)
    return Example(
        source,
        {
            BUNDLES: _lines(fhir_json.dumps(draft.bundle) for draft in drafts),
            "facts.ndjson": _lines(orjson.dumps(draft.facts, default=str) for draft in drafts),
            "findings.txt": _lines(line.encode() for line in said),
        },
    )


def _lines(contents: Iterable[bytes]) -> bytes:
    return b"".join(content + b"\n" for content in contents)


def differences(example: Example) -> Iterator[str]:
    """Yield how what comes out of an example differs from the files beside it, and what else is wrong with it."""
    yield from example.mistakes
    for ending, found in example.outputs.items():
        expected = example.expectation(ending)
        if expected.is_file():
            compare = _json_differences if ending.endswith(".ndjson") else _text_differences
            yield from (f"{ending} {told}" for told in compare(expected.read_bytes(), found))
        elif ending == BUNDLES:
            yield f"expected {expected.name} beside it, found none; --write makes it of what comes out now"


def write_expectations(example: Example) -> Iterator[Path]:
    """Write what comes out of an example that has no expectation yet as its expectation, and yield each new file."""
    if example.expectation(BUNDLES).exists():
        return
    for ending in example.written:
        file, content = example.expectation(ending), example.outputs[ending]
        if (content or ending == BUNDLES) and not file.exists():
            file.write_bytes(content)
            yield file


def _text_differences(expected: bytes, found: bytes) -> Iterator[str]:
    for n, (wanted, line) in enumerate(zip_longest(expected.splitlines(), found.splitlines()), 1):
        if wanted != line:
            left, right = (_short(None if one is None else one.decode(errors="replace")) for one in (wanted, line))
            yield f"line {n}: expected {left}, found {right}"


def _json_differences(expected: bytes, found: bytes) -> Iterator[str]:
    wanted, lines = ([line for line in text.splitlines() if line.strip()] for text in (expected, found))
    if len(wanted) != len(lines):
        yield f"expected {len(wanted)} lines, found {len(lines)}"
    for n, (left, right) in enumerate(zip(wanted, lines, strict=False), 1):
        for path, one, other in _element_differences("", orjson.loads(left), orjson.loads(right)):
            yield f"line {n}: {path}: expected {one}, found {other}"


def _element_differences(path: str, expected: Any, found: Any) -> Iterator[tuple[str, str, str]]:
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in [*expected, *(name for name in found if name not in expected)]:
            yield from _element_differences(f"{path}.{name}" if path else name, expected.get(name), found.get(name))
    elif isinstance(expected, list) and isinstance(found, list):
        for n in range(max(len(expected), len(found))):
            left, right = (side[n] if n < len(side) else None for side in (expected, found))
            yield from _element_differences(f"{path}[{n}]", left, right)
    elif expected != found:
        yield path, _short(expected), _short(found)


def _short(value: Any) -> str:
    text = "nothing" if value is None else orjson.dumps(value).decode()
    return text if len(text) <= 120 else f"{text[:117]}..."
