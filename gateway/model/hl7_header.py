"""What the first segment of an HL7v2 message says: who speaks to whom, about what, and which answer is expected."""

from dataclasses import dataclass
from typing import Literal

Designator = tuple[str, ...]
"""An HD: namespace, universal id, universal id type; shorter when the rest is empty."""


@dataclass(frozen=True, slots=True)
class Hl7Header:
    """MSH, decoded. Text fields are "" where the sender gave nothing."""

    sending_application: Designator
    sending_facility: Designator
    receiving_application: Designator
    receiving_facility: Designator
    time: str
    """MSH-7 as sent (DTM, any precision)."""
    control_id: str
    """MSH-10."""
    message_code: str = ""
    """MSH-9.1, such as REF."""
    trigger_event: str = ""
    """MSH-9.2, such as I12."""
    processing_id: str = "P"
    """MSH-11.1: P production, T training, D debugging."""
    version: str = "2.5.1"
    """MSH-12.1."""
    security: str = ""
    """MSH-8; on the way out only a confidentiality level (R, V), never a law or a diagnosis."""
    accept_acknowledgment: str = ""
    """MSH-15: AL, NE, ER, SU (HL7 table 0155) or ""."""
    application_acknowledgment: str = ""
    """MSH-16, likewise."""
    charset: str = ""
    """MSH-18, first repetition (HL7 table 0211)."""
    profile: str = ""
    """MSH-21 of what we send: the profile that it follows, such as 360X."""

    @property
    def is_enhanced(self) -> bool:
        """Tell whether enhanced acknowledgement mode is asked for (HL7 v2.5.1 ch. 2.9.3)."""
        return bool(self.accept_acknowledgment or self.application_acknowledgment)

    @property
    def asks_for_silence(self) -> bool:
        """Tell whether no answer of any kind is wanted: enhanced mode, and never in both fields."""
        return self.is_enhanced and {self.accept_acknowledgment, self.application_acknowledgment} <= {"", "NE"}


@dataclass(frozen=True, slots=True)
class PeerAddress:
    """Who is at the other end of a connection."""

    host: str
    port: int
    certificate_sha256: str | None = None
    """Fingerprint of the client certificate that TLS proved, in lower-case hex."""


Verdict = Literal["accept", "error", "reject"]
"""AA or CA, AE or CE, AR or CR."""


@dataclass(frozen=True, slots=True)
class Reception:
    """What a message deserves on arrival, before anybody looks at its content.

    `code` is one of HL7 table 0357, `location` a path such as MSH-9.1; both "" when it is accepted. `text` holds
    nothing from the message.
    """

    verdict: Verdict
    header: Hl7Header | None
    code: str = ""
    location: str = ""
    text: str = ""


AckCode = Literal["AA", "AE", "AR", "CA", "CE", "CR"]


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What a peer answered to one of our messages."""

    code: AckCode
    control_id: str
    """MSA-2: MSH-10 of the message it answers."""
    error_codes: tuple[str, ...] = ()
    """ERR-3.1 (2.5 and later) or ERR-1.4.1 of each ERR segment."""
    text: str = ""
    """The peer's words (MSA-3, ERR-8, ERR-7): shown to staff, never logged."""
