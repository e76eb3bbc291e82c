"""What a message says of a referral that its sender makes: a REF, or an order as IHE 360X makes it (OMG^O19, OSU^O51).

HL7 v2.5.1 ch. 11 and 4. An order is a referral where it says so: OBR-4 is a referral note, or MSH-21 names 360X. One
that orders nothing at all is taken for one too, for it is none of a laboratory's: what it lacks, a person sees. OSU
only takes a referral back (PCC-58).
"""

from dataclasses import dataclass
from typing import Literal

from gateway.formats.hl7v2.message import Message

_REFERRAL_NOTE = "57133-1"
"""LOINC."""

_PROFILE = "360X"
_TAKEN_BACK = frozenset({"CA", "CR", "DC", "DR", "OC", "OD"})
"""HL7 table 0119: cancelled or discontinued, by whoever ordered it or as they asked."""

_EVENTS: dict[str, Literal["cancelled", "asked"]] = {"I14": "cancelled", "I15": "asked"}


@dataclass(frozen=True, slots=True)
class ReferralWord:
    """One word on a referral: `told` is new or changed."""

    number: str
    """The sender's number of it; "" where there is none."""
    assigner: str
    """Who gave the number, by the sender's name for them; may be ""."""
    act: Literal["told", "cancelled", "asked"]


def referral_word(message: Message) -> ReferralWord | None:
    """Return what a message says of its sender's own referral; None where it is no such message.

    Whether the referral is not rather one of ours, which the sender answers, only its number tells.
    """
    code = message.text("MSH-9.1")
    if code == "REF":
        number = message.text("RF1-6.1").strip() or message.text("RF1-11.1").strip()
        return ReferralWord(number, message.text("RF1-6.2"), _EVENTS.get(message.text("MSH-9.2"), "told"))
    if code not in ("OMG", "OSU"):
        return None
    is_taken_back = message.text("ORC-1") in _TAKEN_BACK or message.text("ORC-5") == "CA"
    if not (_says_referral(message) if code == "OMG" else is_taken_back):
        return None
    return ReferralWord(
        message.text("ORC-2.1").strip(), message.text("ORC-2.2"), "cancelled" if is_taken_back else "told"
    )


def is_order(message_code: str) -> bool:
    """Tell whether a referral came as an order, and is answered as one."""
    return message_code in ("OMG", "OSU")


def _says_referral(message: Message) -> bool:
    profiles = [text for part in (1, 2, 3) for text in message.texts(f"MSH-21.{part}")]
    return message.text("OBR-4.1") in (_REFERRAL_NOTE, "") or _PROFILE in profiles
