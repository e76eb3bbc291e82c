"""Does a permit name this recipient: by identifier, through an intermediary, or as a member of a class?"""

from typing import NamedTuple

from gateway.consent.purposes import is_payment, is_payment_or_operations, is_treatment
from gateway.consent.situation import Recipient, Situation
from gateway.model.consent_directive import Party, Provision
from gateway.model.partner import Organization


class ClassMatch(NamedTuple):
    """How a permit reaches the recipient and the relays on the way.

    `by_class` are those reached only as members of a class, which still has to be proven. `intermediary` is the
    organization the permit passes through; `lacks_participants`: it names an intermediary and nobody behind it.
    """

    is_stranger: bool
    is_stated: bool
    by_class: tuple[tuple[Recipient, str], ...]
    intermediary: Organization | None
    lacks_participants: bool


_UNSTATED = ClassMatch(False, False, (), None, False)
_STRANGER = ClassMatch(True, True, (), None, False)


def match_recipients(
    levels: tuple[Provision, ...], situation: Situation, discloser: Organization | None = None
) -> ClassMatch:
    """Match the recipient, and every relay that is a recipient too, against the provisions that state recipients.

    A relay that is business associate of `discloser` acts for it and is no recipient.
    """
    if not levels:
        return _UNSTATED
    intermediary, depth = _intermediary(levels, situation)
    passes_through = intermediary is not None and situation.recipient.reference != intermediary.id
    lacks_participants = intermediary is not None and not _has_participants(levels[depth])
    # Around and inside the intermediary's permit every provision is a condition; one that names it is met by it.
    relevant = [one for one in levels if not passes_through or not _is_met_by(intermediary, one, situation)]
    if passes_through and not relevant and not lacks_participants:
        return _STRANGER
    by_class: list[tuple[Recipient, str]] = []
    is_stated = True
    for recipient in (situation.recipient, *relays_for(discloser, situation)):
        for level in relevant:
            how = _match(level.recipients, recipient)
            if how == "no":
                return _STRANGER
            if how == "vague":
                is_stated = False
            elif how != "named":
                by_class.append((recipient, how))
    through = intermediary if passes_through else None
    return ClassMatch(False, is_stated, tuple(by_class), through, lacks_participants)


def relays_for(discloser: Organization | None, situation: Situation) -> tuple[Recipient, ...]:
    """Return the relays of the request that are recipients too when `discloser` discloses."""
    if discloser is None:
        return situation.relays
    if not situation.relays:
        return ()
    return tuple(relay for relay in situation.relays if not _acts_for(relay.organization, discloser, situation))


def _acts_for(relay: Organization | None, discloser: Organization, situation: Situation) -> bool:
    return relay is not None and discloser.id in relay.class_at(situation.at).business_associate_of


def is_member(
    recipient: Recipient,
    recipient_class: str,
    match: ClassMatch,
    discloser: Organization | None,
    situation: Situation,
) -> bool:
    """Say whether the recipient belongs to a class for every purpose asked, by evidence (42 CFR 2.11, 2.31(a)(4))."""
    organization = recipient.organization
    if organization is None or recipient.is_law_enforcement:
        return False
    if recipient_class == "tpo":
        return _is_tpo_member(organization, discloser, situation)
    through = match.intermediary
    is_participant = through is None or organization.id in through.members
    return is_participant and (recipient_class == "all-participants" or _is_treating(organization, situation))


def _is_tpo_member(organization: Organization, discloser: Organization | None, situation: Situation) -> bool:
    """Say whether it is a treating provider, health plan or payer, or helps to operate the program."""
    purposes = situation.request.purposes
    if is_treatment(purposes):
        return _is_treating(organization, situation)
    is_payer = _serves(situation.facts.covering, organization, situation)
    if is_payment(purposes):
        return is_payer or _helps_operate(organization, discloser, situation)
    if is_payment_or_operations(purposes):
        return (
            is_payer
            or _helps_operate(organization, discloser, situation)
            or (organization.is_covered(situation.at) and _is_treating(organization, situation))
        )
    return False


def _is_treating(organization: Organization, situation: Situation) -> bool:
    is_provider = organization.is_treating or organization.is_program(situation.at)
    return is_provider and _serves(situation.facts.treating, organization, situation)


def _serves(relations: dict[str, set[str]], organization: Organization, situation: Situation) -> bool:
    return not situation.patient_keys.isdisjoint(relations.get(organization.id, ()))


def _helps_operate(organization: Organization, discloser: Organization | None, situation: Situation) -> bool:
    if discloser is None:
        return False
    is_associate = discloser.id in organization.class_at(situation.at).business_associate_of
    return is_associate or bool(organization.agreements_with(discloser.id, "qsoa", situation.at))


def _match(parties: tuple[Party, ...], recipient: Recipient) -> str:
    for party in parties:
        if not party.keys.isdisjoint(recipient.keys):
            return "named"
    by_class = sorted(party.recipient_class for party in parties if party.recipient_class)
    if by_class:
        return by_class[-1]
    return "vague" if any(party.vague for party in parties) else "no"


def _intermediary(levels: tuple[Provision, ...], situation: Situation) -> tuple[Organization | None, int]:
    """Find the intermediary a permit names that this request passes through or is for (42 CFR 2.11)."""
    recipient = situation.recipient
    for depth, level in enumerate(levels):
        for party in level.recipients:
            if party.organization != recipient.reference and party.organization not in situation.request.via:
                continue
            organization = situation.registry.get(party.organization)
            if organization is None or not organization.is_intermediary(situation.at):
                continue
            if _match(level.recipients, recipient) != "named" or _is_one(recipient, situation):
                return organization, depth
            break  # named beside it, the recipient needs nobody to pass it on
    return None, 0


def _is_one(recipient: Recipient, situation: Situation) -> bool:
    return recipient.organization is not None and recipient.organization.is_intermediary(situation.at)


def _is_met_by(intermediary: Organization | None, provision: Provision, situation: Situation) -> bool:
    names_it = any(intermediary is not None and one.organization == intermediary.id for one in provision.recipients)
    return names_it and _match(provision.recipients, situation.recipient) != "named"


def _has_participants(provision: Provision) -> bool:
    return any(nested.type == "permit" and nested.recipients for nested in provision.nested)
