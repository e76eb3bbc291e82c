"""Whose word an HL7v2 message is, where it speaks of a referral: its recipient's, or of who stands between.

Who knows the number of a referral was sent it, so a sender nobody registered is believed by it. A sender that the
registry knows is held to who it is: one partner does not answer for another, and nobody in the name of a partner whose
certificate it does not show.
"""

from dataclasses import dataclass

from gateway.flow.house import House
from gateway.formats.hl7v2 import Message
from gateway.model.handoff import Referral
from gateway.model.partner import Organization

NOT_ITS_RECIPIENT = "MSH-3, MSH-4: expected the partner that the referral was sent to, found another one"

_BETWEEN = frozenset({"hie", "intermediary"})
"""Roles that pass on the answers of others."""


@dataclass(frozen=True, slots=True)
class Source:
    """The sender of a message: as its header names it (None: nobody registered), and whether that was proven."""

    named: Organization | None
    is_proven: bool

    def may_answer_for(self, referral: Referral) -> bool:
        """Say whether this sender may speak of a referral."""
        if self.named is None:
            return True
        is_theirs = {self.named.id, self.named.parent} & {referral.recipient, referral.via} - {None}
        return self.is_proven and bool(is_theirs or self.named.roles & _BETWEEN)


def source_of(house: House, proven: str | None, message: Message) -> Source:
    """Return the source of a message; `proven` is whose it was found to be when it came (registry id)."""
    found = house.registry.sender(message.text("MSH-3.1"), message.text("MSH-4.1"))
    named = found[0] if found is not None else None
    return Source(named, named is not None and named.id == proven)
