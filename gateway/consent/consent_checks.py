"""Is this consent, by this one of its permits, good for this request? The checks of step 13 in their order.

Each check looks at one consent by itself and says why it is not good, or nothing. A thing that is not stated counts
as matching until the elements are checked, so that a deficient form is called deficient, not foreign.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from gateway.consent import elements
from gateway.consent.facts import Episode
from gateway.consent.kinds import CRIMINAL_JUSTICE, GENERAL, PROCEEDINGS, is_legacy_form
from gateway.consent.purposes import names_legal
from gateway.consent.recipients import ClassMatch, is_member, match_recipients
from gateway.consent.revocation import is_revoked
from gateway.consent.situation import ADULT_AGE, Situation
from gateway.consent.switches import Switches
from gateway.model.consent_directive import Directive, Grant, Interval
from gateway.model.partner import JUSTICE_ROLES, Organization

_CONDITIONS = frozenset({"disposition", "parole", "release"})


class Reading(NamedTuple):
    """One permit of one consent, read for one discloser in one situation (which keeps it, so it is not in here)."""

    directive: Directive
    grant: Grant
    discloser: Organization | None
    match: ClassMatch


Failure = tuple[str, bool]
"""(reason, holds)."""


def read_permit(
    directive: Directive, grant: Grant, discloser: Organization | None, situation: Situation
) -> Reading | tuple[int, str, bool]:
    """Read one permit; return the reading if it is good, else (how far it got, reason, holds)."""
    reading = Reading(directive, grant, discloser, match_recipients(grant.levels, situation, discloser))
    for stage, check in enumerate(_CHECKS):
        failure = check(reading, situation)
        if failure is not None:
            return stage, *failure
    return reading


def _discloser(reading: Reading, situation: Situation) -> Failure | None:
    stated = reading.directive.disclosers + reading.grant.disclosers
    if not stated:
        return None
    discloser = reading.discloser
    if discloser is not None:
        for party in stated:
            if party.organization == discloser.id:
                return None
    return "DISCLOSER_NOT_NAMED", False


def _criminal_justice(reading: Reading, situation: Situation) -> Failure | None:
    """Check 42 CFR 2.35(a): a condition of the proceedings, and a recipient with a duty to monitor it."""
    if CRIMINAL_JUSTICE not in reading.directive.kinds:
        return None
    organization = situation.recipient.organization
    is_eligible = organization is not None and bool(organization.roles & JUSTICE_ROLES)
    if reading.directive.condition_of in _CONDITIONS and is_eligible:
        return None
    return "CJ_NOT_ELIGIBLE", False


def _named(reading: Reading, situation: Situation) -> Failure | None:
    return ("RECIPIENT_NOT_NAMED", False) if reading.match.is_stranger else None


def _proceedings(reading: Reading, situation: Situation) -> Failure | None:
    """Check 42 CFR 2.31(d): a consent to use in proceedings stands alone, and only it opens them."""
    if reading.directive.mixes_proceedings:
        return "COMBINED_PROCEEDING", False
    if names_legal(situation.request.purposes) and PROCEEDINGS not in reading.directive.kinds:
        return "PROCEEDING_NO_SPECIFIC", False
    return None


def _purpose(reading: Reading, situation: Situation) -> Failure | None:
    covered = reading.grant.covered
    is_covered = covered is None or covered.issuperset(situation.request.purposes)
    return None if is_covered else ("PURPOSE_NOT_COVERED", False)


def _class(reading: Reading, situation: Situation) -> Failure | None:
    for recipient, recipient_class in reading.match.by_class:
        if not is_member(recipient, recipient_class, reading.match, reading.discloser, situation):
            return "RECIPIENT_NOT_TREATING", False
    return None


def _revoked(reading: Reading, situation: Situation) -> Failure | None:
    revoked = is_revoked(reading.directive, situation)
    if revoked is None:
        return None
    return "CONSENT_REVOKED", revoked == "oral" and situation.switches.oral_revocation == "hold"


def _status(reading: Reading, situation: Situation) -> Failure | None:
    directive = reading.directive
    if directive.status == "active":
        return None
    # Taken back as a whole, and not revoked: inactive only because of a revocation that does not count yet (42 CFR
    # 2.35(c)), so it still stands. One for single recipients makes no paper inactive.
    is_whole = any(not one.recipients for one in directive.revocations)
    is_waiting = directive.status == "inactive" and is_whole
    return None if is_waiting else ("CONSENT_NOT_ACTIVE", False)


def _false(reading: Reading, situation: Situation) -> Failure | None:
    is_false = reading.directive.reference in situation.facts.false_consents
    return ("CONSENT_FALSE", False) if is_false else None


def _form(reading: Reading, situation: Situation) -> Failure | None:
    directive = reading.directive
    if GENERAL in directive.kinds:
        return "CONSENT_DEFICIENT", False
    if is_legacy_form(directive) and situation.switches.legacy_consent == "hold":
        return "CONSENT_DEFICIENT", True
    return None


def _elements(reading: Reading, situation: Situation) -> Failure | None:
    missing = elements.first_missing(reading.directive, reading.grant, reading.match, situation)
    return (f"CONSENT_DEFICIENT:{missing}", False) if missing else None


def _now_of_age(reading: Reading, situation: Situation) -> Failure | None:
    """Hold a form that a parent signed with a minor who is of age by now: the person decides alone (42 CFR 2.14)."""
    if "parental" not in [one.authority for one in reading.directive.performers]:
        return None
    age = situation.age_at(situation.at)
    return ("CONSENT_UNVERIFIED", True) if age is not None and age >= ADULT_AGE else None


def is_unverified(directive: Directive, switches: Switches, at: datetime) -> bool:
    """Say whether somebody has still to verify a consent: it says so itself, or it came from elsewhere.

    One from elsewhere can be revoked there without our hearing of it (42 CFR 2.31(c)(3)): it counts for as long as
    the site allows after it was last confirmed. One whose confirmation nobody can date does not count.
    """
    if directive.verified is False:
        return True
    source = directive.source
    if source is None or source.startswith(switches.own_addresses):
        return False
    has_been_verified = directive.verified is True and (directive.verified_at is None or directive.verified_at <= at)
    is_vouched_for = has_been_verified or switches.vouches_for(source, at)
    if switches.require_verification_external and not is_vouched_for:
        return True
    last = max((one for one in directive.confirmations if one <= at), default=None)
    return last is None or at - last > timedelta(hours=switches.external_consent_max_age)


def _verified(reading: Reading, situation: Situation) -> Failure | None:
    unverified = is_unverified(reading.directive, situation.switches, situation.at)
    return ("CONSENT_UNVERIFIED", True) if unverified else None


def _periods(reading: Reading) -> list[Interval]:
    return [reading.directive.period, *[one.period for one in reading.grant.provisions]]


def _effective(reading: Reading, situation: Situation) -> Failure | None:
    at = situation.at
    for start, _ in _periods(reading):
        if start is not None and at < start:
            return "CONSENT_NOT_YET_EFFECTIVE", False
    return None


def _expired(reading: Reading, situation: Situation) -> Failure | None:
    at = situation.at
    for _, end in _periods(reading):
        if end is not None and end <= at:
            return "CONSENT_EXPIRED", False
    if has_event_passed(reading.directive, reading.discloser, situation):
        return "CONSENT_EXPIRED", False
    return None


def has_event_passed(
    directive: Directive, discloser: Organization | None, situation: Situation, when_unknown: bool = True
) -> bool:
    """Say whether the event a consent ends with has happened: treatment at the discloser, or the study, is over.

    A treatment that was over before the consent was signed is not the one it speaks of. `when_unknown` is the answer
    where nobody can tell which treatment is over, or when: it ends a permit, and no refusal.
    """
    if directive.expiry == "end-of-research-study":
        return when_unknown and situation.facts.studies_closed  # no consent names its study
    if directive.expiry != "end-of-treatment":
        return False
    theirs = [one for one in situation.facts.finished_episodes if one.subjects & situation.patient_keys]
    return any(_is_meant(one, directive, discloser, situation.at, when_unknown) for one in theirs)


def _is_meant(
    episode: Episode, directive: Directive, discloser: Organization | None, at: datetime, when_unknown: bool
) -> bool:
    is_there, is_later = when_unknown, when_unknown
    if episode.organization is not None and discloser is not None:
        is_there = episode.organization == discloser.id
    if episode.ended is not None and directive.dated is not None:
        is_over = episode.ended <= at or when_unknown
        is_later = episode.ended > directive.dated and is_over
    return is_there and is_later


_CHECKS: tuple[Callable[[Reading, Situation], Failure | None], ...] = (
    _discloser,
    _criminal_justice,
    _named,
    _proceedings,
    _purpose,
    _class,
    _revoked,
    _status,
    _false,
    _form,
    _elements,
    _now_of_age,
    _verified,
    _effective,
    _expired,
)
