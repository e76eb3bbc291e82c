"""What an HL7v2 acknowledgement means for the delivery of a message (HL7 v2.5.1 ch. 2.9.2)."""

from dataclasses import dataclass
from typing import Literal

from gateway.model.hl7_header import Acknowledgement

_NEVER = frozenset(("200", "201", "202", "203"))
"""Errors of HL7 table 0357 that the same message will always meet: type, event, processing id, version."""


@dataclass(frozen=True, slots=True)
class AcknowledgementOutcome:
    """What to do with the message: it has arrived, a person must look, or the same bytes go again later.

    `reason` names codes only; the receiver's own words may quote the message.
    """

    kind: Literal["accepted", "refused-park", "try-later"]
    reason: str


def judge(acknowledgement: Acknowledgement) -> AcknowledgementOutcome:
    """Decide by code and error codes.

    AA and CA: the receiver has it (received, never accepted as a referral). AE and CE: it cannot process this
    message before somebody corrects something. AR and CR: never, when the type, event, processing id or version is at
    fault; otherwise its system was not in a state to take anything, and nothing is wrong with the message.
    """
    code = acknowledgement.code
    errors = " ".join(("", *acknowledgement.error_codes))
    if code in ("AA", "CA"):
        return AcknowledgementOutcome("accepted", code)
    if code in ("AE", "CE") or _NEVER.intersection(acknowledgement.error_codes):
        return AcknowledgementOutcome("refused-park", f"the receiver answered {code}{errors}")
    return AcknowledgementOutcome("try-later", f"the receiver answered {code}{errors}")
