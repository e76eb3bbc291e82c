"""What a transport is handed and gives back."""

from dataclasses import dataclass

from gateway.model.handoff import DeliveryAction


@dataclass(frozen=True, slots=True)
class Envelope:
    """What stays the same over every try of one delivery, so that a receiver can know a repetition."""

    message_id: str
    action: DeliveryAction
    created_at: str
    """Instant of enqueueing, FHIR instant; never the instant of this try, so that repeated bytes stay equal."""
    message: str = ""
    """MSH-9 of what is written where it is no referral, such as RRI^I12 (hl7v2)."""
    in_reply_to: str = ""
    """MSH-10 of the message that it answers, if any."""
