"""HL7v2 messages as FHIR resources and back, by packs that are data: one row serves both directions.

`read_feed(message, pack, context)` gives the resources of a message, what it asks to delete and, on demand, what
became of every field. `write_message(kind, resources, pack, context)` gives the bytes of a message. Packs lie in
`mappings/hl7v2/`; the catalog reads them, `compile_pack` turns them into plain closures once, at start. The language
is told in `docs/hl7v2-mapping.md`.
"""

from gateway.formats.hl7v2.maps.compile import PackSource, compile_pack
from gateway.formats.hl7v2.maps.feed import FeedContext, FeedResult, read_feed
from gateway.formats.hl7v2.maps.outgoing import OutgoingContext, write_message
from gateway.formats.hl7v2.maps.pack import CompiledPack, Names, Row, Sender
from gateway.formats.hl7v2.maps.terms import TermTable, read_terms

__all__ = [
    "CompiledPack",
    "FeedContext",
    "FeedResult",
    "Names",
    "OutgoingContext",
    "PackSource",
    "Row",
    "Sender",
    "TermTable",
    "compile_pack",
    "read_feed",
    "read_terms",
    "write_message",
]
