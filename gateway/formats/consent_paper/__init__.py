"""The paper of a consent: what it lacks, what it says in a language, how it prints, and how it is written in FHIR.

One format like the others of this room, in both directions: a filled form becomes a Consent (`consent_of`) and a
printed page (`consent_pdf`), and a kept Consent is told in words (`written_down`). It does not know the engine that
reads the Consent; neither can hide a mistake of the other.
"""

from gateway.formats.consent_paper.check import shortcomings
from gateway.formats.consent_paper.pdf import consent_pdf
from gateway.formats.consent_paper.read_back import chosen_on, written_down
from gateway.formats.consent_paper.reader import Reader
from gateway.formats.consent_paper.resource import (
    CAPTURED_BY,
    CAPTURED_FROM,
    Ids,
    Taken,
    binary_of,
    consent_of,
    document_of,
)
from gateway.formats.consent_paper.scan import EXTENSIONS, media_type_of, scan_shortcomings
from gateway.formats.consent_paper.words import form_text

__all__ = [
    "CAPTURED_BY",
    "CAPTURED_FROM",
    "EXTENSIONS",
    "Ids",
    "Reader",
    "Taken",
    "binary_of",
    "chosen_on",
    "consent_of",
    "consent_pdf",
    "document_of",
    "form_text",
    "media_type_of",
    "scan_shortcomings",
    "shortcomings",
    "written_down",
]
