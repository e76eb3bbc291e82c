"""Steps 12, 14 and 15: who may not ask at all, what was promised to the patient, and whether it can arrive safely.

Safely is with what others have said about it: a label that nobody here understands would be lost on the way.
"""

from collections.abc import Mapping
from typing import Any

from gateway.consent.kinds import PROCEEDINGS
from gateway.consent.purposes import (
    COORDINATION,
    MONITORING,
    PROCEEDING,
    SUBPOENA,
    names_payment_or_operations,
    needs_billing_only,
)
from gateway.consent.reasons import Release, Withhold
from gateway.consent.recipients import relays_for
from gateway.consent.situation import Situation
from gateway.consent.switches import NOTICES
from gateway.model.hl7_notice import is_proven, notice_way
from gateway.model.labeled import Item
from gateway.model.labels import NEEDS_CONSENT, UNDERSTOOD
from gateway.model.partner import Endpoint

_POLICE_MAY_ASK = frozenset({COORDINATION, MONITORING})

_PAYMENT_TYPES = frozenset(
    {"Claim", "ClaimResponse", "ExplanationOfBenefit", "Coverage", "CoverageEligibilityRequest"}
    | {"CoverageEligibilityResponse", "Account", "ChargeItem", "Invoice", "PaymentNotice", "PaymentReconciliation"}
)
_FREE_TEXT = frozenset({"note", "description", "valueString", "disposition", "comment", "noteNumber", "processNote"})
_WITHOUT_CONSENT = UNDERSTOOD - NEEDS_CONSENT
_SAFE_ANYWHERE = frozenset({"OK_HIPAA_REDISCLOSURE", "OK_DEIDENT"})
_AMONG_THOSE_WHO_TREAT = frozenset({"OK_NOT_PART2", "OK_EMERGENCY"})
_TAKEN_AS = {"MDM": "MDM^T02", "360X": "OMG^O19"}
"""What a receiver takes a referral as, where the event decides how the message carries the notice."""


def law_enforcement(situation: Situation) -> Withhold | None:
    """Check step 12: police may ask for coordination and monitoring; proceedings need their own consent or order."""
    purposes = situation.request.purposes
    if situation.recipient.is_law_enforcement:
        may_ask = _POLICE_MAY_ASK
        if any(PROCEEDINGS in one.kinds for one in situation.directives):
            may_ask |= {PROCEEDING}
        if not set(purposes) <= may_ask:
            return Withhold("LE_NO_BASIS", 1200)
    if SUBPOENA in purposes:
        return Withhold("SUBPOENA_ALONE", 1201)
    return None


def passed_on_by_strangers(item: Item, release: Release, situation: Situation) -> Withhold | None:
    """Stop what a basis opens for its recipient alone and what would pass through other hands (42 CFR 2.13(a)).

    A consent has named those on the way, HIPAA has looked at them, and what identifies nobody may pass anywhere. What
    goes for treatment, and in an emergency, may pass through others who treat.
    """
    is_consented = release.basis is not None and release.basis.type == "Consent"
    if not situation.relays or is_consented or release.reason in _SAFE_ANYWHERE:
        return None
    relays = relays_for(item.origin.holder, situation)
    if release.reason in _AMONG_THOSE_WHO_TREAT and not situation.recipient.is_law_enforcement:
        relays = tuple(one for one in relays if one.organization is None or not one.organization.is_treating)
    return Withhold("RECIPIENT_NOT_NAMED", 1190) if relays else None


def promised(item: Item, release: Release, situation: Situation) -> Withhold | None:
    """Check step 14: restrictions (42 CFR 2.26), then what payment needs (42 CFR 2.13(a))."""
    for restriction in situation.facts.restrictions if release.yields else ():
        if restriction.against & situation.reached and restriction.covers(item):
            if restriction.kind == "agreed":
                return Withhold("RESTRICTION_AGREED", 1400)
            if names_payment_or_operations(situation.request.purposes):
                return Withhold("RESTRICTION_SELF_PAY", 1400)
    is_limited = needs_billing_only(situation.request.purposes) and not release.exempt
    if is_limited and (item.type not in _PAYMENT_TYPES or _has_free_text(item.resource)):
        return Withhold("MIN_NECESSARY", 1401)
    return None


def labels_arrive(item: Item, release: Release) -> Withhold | None:
    """Check that every label on the item is acted on and goes with it (HL7 DS4P; 42 CFR 2.13(a)); else a person looks.

    Not where nobody may be kept waiting or nothing leaves our hands: emergency, patient, internal, de-identified.
    """
    if release.exempt or _WITHOUT_CONSENT.issuperset(item.labels):
        return None
    is_consented = release.basis is not None and release.basis.type == "Consent"
    if is_consented and UNDERSTOOD.issuperset(item.labels):
        return None
    return Withhold("LABEL_DOWNGRADE", 1450, holds=True)


def can_arrive(release: Release, situation: Situation) -> Withhold | None:
    """Check step 15: a proven address, and a transport that carries the notice."""
    if release.exempt:
        return None
    recipient, request = situation.recipient, situation.request
    if recipient.organization is None:
        # A person has no registered address; what they proved to be is the address.
        is_proven = request.authenticated_as in recipient.keys
        return None if is_proven else Withhold("ENDPOINT_UNVERIFIED", 1500, holds=True)
    day = recipient.organization.local_day(situation.at)
    # What passes through other hands is sent to the first of them.
    taker = situation.registry.get(request.via[0]) if request.via else recipient.organization
    verified = [
        one
        for one in (taker.endpoints if taker else ())
        if one.transport == request.transport and one.verified is not None and one.verified <= day
    ]
    is_links_owner = request.transport == "link" and request.link_issued_to == recipient.reference
    is_session = request.transport == "session" and request.authenticated_as == recipient.reference
    if not verified and not is_links_owner and not is_session:
        return Withhold("ENDPOINT_UNVERIFIED", 1500, holds=True)
    if "NOTICE" not in release.obligations:
        return None
    is_current = situation.switches.notice in NOTICES
    has_place = request.transport != "hl7v2" or any(_carries_notice(one, request.message) for one in verified)
    return None if is_current and has_place else Withhold("NOTICE_UNATTACHABLE", 1501, holds=True)


def _carries_notice(endpoint: Endpoint, message: str) -> bool:
    """Say whether this message, else what this receiver takes a referral as, carries the notice to where it is kept."""
    stated = message or _TAKEN_AS.get(endpoint.message, endpoint.message)
    code, event, *_ = f"{stated}^".split("^")
    way = notice_way(code, event, endpoint.version or "")
    return is_proven(way, stores_notes=endpoint.stores_nte, has_field=bool(endpoint.notice_field))


def _has_free_text(value: Any) -> bool:
    if isinstance(value, list):
        return any(_has_free_text(one) for one in value)
    if not isinstance(value, Mapping):
        return False
    return any(key in _FREE_TEXT or _has_free_text(inner) for key, inner in value.items())
