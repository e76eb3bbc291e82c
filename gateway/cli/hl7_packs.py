"""The HL7v2 packs on the command line: how they are listed, checked, and tried in both directions."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gateway.catalog.hl7v2_packs import FOLDER, Hl7Packs, PackFolder, hl7_pack_folders, read_hl7_packs
from gateway.catalog.hl7v2_targets import lost_rows
from gateway.catalog.partners import read_partners
from gateway.catalog.profiles import load_checker
from gateway.cli.pack_examples import BUNDLES, EXAMPLE_AT, Example
from gateway.formats import fhir_json
from gateway.formats.hl7v2 import Message, Unreadable, read_message, split_batch
from gateway.formats.hl7v2.maps import CompiledPack, FeedContext, OutgoingContext, Sender, read_feed, write_message
from gateway.model.errors import ConfigurationError, WillNeverWork
from gateway.model.hl7_header import Hl7Header

EXAMPLE_KEY = b"the key of every example"
EXAMPLE_SENDER = Sender("https://warmhandoff.example/id/partner", "sample-hospital", "Sample Hospital")
EXAMPLE_HEADER = Hl7Header(
    ("WARMHANDOFF",), ("WARMHANDOFF",), ("EHR",), ("SAMPLE HOSPITAL",), "20261102100000-0800", "EXAMPLE1"
)
"""Key, sender and header of every example: so the same files come out everywhere."""

_WRITTEN_BACK = "out.hl7"
"""Ending of the file with what is written of the resources again, a line for each segment."""

_EXAMPLES = "examples"
"""Folder of a pack's examples; those of a partner's file lie in a folder inside named like the file."""


def hl7_names(directory: Path) -> dict[str, PackFolder]:
    """Return name (`hl7v2/adt`) -> folder of the HL7v2 packs."""
    return {f"{FOLDER}/{name}": folder for name, folder in hl7_pack_folders(directory / "mappings").items()}


def hl7_rows(directory: Path) -> Iterator[dict[str, str]]:
    """Yield a row for each HL7v2 pack, as `mapping list` shows it. Raises ConfigurationError."""
    for name, pack in read_hl7_packs(directory / "mappings").packs.items():
        yield {"mapping": f"{FOLDER}/{name}", "format": "hl7v2", "program": "-", "title": pack.title}


def check_hl7_packs(directory: Path) -> list[str]:
    """Return the mistakes of every HL7v2 pack and partner's file, one a line."""
    try:
        packs = read_hl7_packs(directory / "mappings")
    except ConfigurationError as error:
        return str(error).splitlines()
    return list(lost_rows(packs))


def unclaimed_files(directory: Path) -> list[str]:
    """Return a line for each partner's file that is named for nobody in `partners/`: no message is read by it.

    Without a `partners/`, or with one that cannot be read (others tell that), nothing can be said.
    """
    try:
        registry = read_partners(directory / "partners")
    except ConfigurationError:
        return []
    return [
        f"{name}/{path.name}: warning: expected the name of a partner, found no org:{path.stem} in partners/;"
        " nothing is read by this file"
        for name, folder in hl7_names(directory).items()
        for path in folder.partners
        if f"org:{path.stem}" not in registry
    ]


def pack_of(message: Message, packs: Hl7Packs, partner: str) -> CompiledPack | None:
    """Return the pack that reads a message; the event is MSH-9.2, else EVN-1."""
    return packs.for_message(message.text("MSH-9.1"), message.text("MSH-9.2") or message.text("EVN-1"), partner)


def hl7_examples(folder: PackFolder) -> Iterator[Path]:
    """Yield the messages that show what a pack does, and what each partner's file makes of it."""
    yield from sorted((folder.path / _EXAMPLES).glob("*.in.hl7"))
    for partner in folder.partners:
        yield from sorted((partner.parent / _EXAMPLES / partner.stem).glob("*.in.hl7"))


def _partner_of(source: Path) -> str:
    """Return whose example a message is: "" for the pack's own."""
    return source.parent.name if source.parent.name != _EXAMPLES else ""


def hl7_example(packs: Hl7Packs, source: Path) -> Example:
    """Read an example by its pack, or by the partner's in whose folder it lies, and write it back.

    A mistake is a message that no pack reads, and a Bundle that is not R4.
    """
    read = list(_read_example(packs, source))
    results = [found for found in read if not isinstance(found, str)]
    not_r4 = [
        f"R4: {error.location}: {error.message}"
        for bundle, _ in results
        for error in load_checker().check(bundle, {}).errors
    ]
    outputs = {
        BUNDLES: b"".join(fhir_json.dumps(bundle) + b"\n" for bundle, _ in results),
        _WRITTEN_BACK: b"".join(written for _, written in results).replace(b"\r", b"\n"),
    }
    return Example(
        source,
        outputs,
        (BUNDLES, _WRITTEN_BACK),
        tuple(found for found in read if isinstance(found, str)) + tuple(not_r4),
    )


def _read_example(packs: Hl7Packs, source: Path) -> Iterator[str | tuple[dict[str, Any], bytes]]:
    """Yield each message's Bundle, and what is written of its resources; a line where there is none."""
    for content in split_batch(source.read_bytes()).messages:
        message = read_message(content)
        pack = None if isinstance(message, Unreadable) else pack_of(message, packs, _partner_of(source))
        if isinstance(message, Unreadable) or pack is None:
            yield "expected a message that a pack reads"
            continue
        result = read_feed(message, pack, FeedContext(EXAMPLE_KEY, EXAMPLE_AT, EXAMPLE_SENDER))
        kind = f"{message.text('MSH-9.1')}^{message.text('MSH-9.2')}"
        try:
            written = write_message(kind, result.resources, pack, OutgoingContext(EXAMPLE_HEADER))
        except (ValueError, WillNeverWork):
            written = b""
        yield result.bundle(), written
