"""Whose word an HL7v2 message is: of the partner that its sender was found to be when it came, or that a person named.

Anybody can write MSH-3 and MSH-4, and the number of a referral stands in every copy of it. So what nobody registered
sends waits for a person whatever numbers it knows, and one partner does not answer for another
(docs/decisions/0203-an-unknown-sender-waits.md).
"""

from collections.abc import Collection

from gateway.flow.house import House
from gateway.formats.hl7v2 import Message
from gateway.model.handoff import Referral, StoredInput, Work
from gateway.model.partner import Organization
from gateway.ports import Transaction

NOT_ITS_RECIPIENT = "MSH-3, MSH-4: expected the partner that the referral was sent to, found another one"
WITHOUT_IDENTIFIER = "its sender has no identifier (identifiers in partners/): nothing can be written as its word"

_NOBODY = "MSH-3, MSH-4: no partner sends under these names (feeds in partners/): say whose it is, or leave it"
_UNPROVEN = "MSH-3, MSH-4: a partner's names without a certificate of its feed: say whose it is, or leave it"

_BETWEEN = frozenset({"hie", "intermediary"})
"""Roles that tell of others' patients and pass on others' answers."""


def sender_of(house: House, stored: StoredInput) -> Organization | None:
    """Return the partner whose word a kept message is; None where a person has to say it first."""
    return house.registry.get(stored.client)


def why_it_waits(house: House, message: Message) -> str:
    """Say of a message without a known sender what a person has to decide."""
    claimed = house.registry.sender(message.text("MSH-3.1"), message.text("MSH-4.1"))
    return _UNPROVEN if claimed is not None else _NOBODY


def may_answer_for(sender: Organization, referral: Referral) -> bool:
    """Say whether a sender may speak of a referral: its recipient, who passed it on, or who passes on answers."""
    return _speaks_for(sender, {referral.recipient, referral.via})


def may_answer(sender: Organization, tx: Transaction, work: Work) -> bool:
    """Say whether a sender may answer a message of ours: where it was sent, or whoever may speak of its referral."""
    referral = tx.referrals.get(work.subject) if work.kind == "deliver" else None
    return _speaks_for(sender, {work.lane.rpartition("/")[0], referral.recipient if referral is not None else None})


def _speaks_for(sender: Organization, addressed: Collection[str | None]) -> bool:
    is_theirs = sender.id in addressed or (sender.parent is not None and sender.parent in addressed)
    return is_theirs or bool(sender.roles & _BETWEEN)


def place_of(sender: Organization, numbered_by: str | None) -> str:
    """Return where a visit is that a sender tells of: with itself, or with the partner whose number the person has.

    The second where the sender tells of others' patients; `numbered_by` is as `person_by_number` gives it.
    """
    return numbered_by if sender.roles & _BETWEEN and numbered_by is not None else sender.id
