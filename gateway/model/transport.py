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
