"""What may be put on a wire: the content a permit lets out, with its notice and the decision behind it.

Only `gateway.redaction` makes a `Disclosure`, and only from a `Permit`; an architecture test holds that line.
"""

from dataclasses import dataclass
from typing import Any

from gateway.model.decision import DecisionRecord


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One recipient's disclosure: `content` is a FHIR Bundle (collection), `body` its canonical bytes.

    `notice_number` is 1 or 2 (42 CFR 2.32(a)), or 0 where no notice is owed; `notice` the text that must travel in
    the same transmission. `confidentiality` is the high-water mark (v3-Confidentiality code), the only label an
    envelope may carry. `recipient` and `copies` are registry ids or references.
    """

    content: dict[str, Any]
    body: bytes
    notice: str
    notice_number: int
    confidentiality: str
    record: DecisionRecord
    recipient: str
    copies: tuple[str, ...]
    purposes: tuple[str, ...]
    transport: str
