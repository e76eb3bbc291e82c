"""The gate before `decide`: a referral of an agency that is no Part 2 program needs the person's recorded agreement.

A police record is no Part 2 record, and still goes nowhere because somebody wrote it down (docs/consent-engine.md).
The agreement is no 2.31 consent: a dated yes is enough, spoken too. A refusal and a taken-back yes are the same: no.
"""

from datetime import datetime

from gateway.consent.conclude import refuse_whole
from gateway.consent.consent_checks import is_unverified
from gateway.consent.evaluate import cannot_rely, explicit_refusal
from gateway.consent.facts import Facts
from gateway.consent.prepare import prepare
from gateway.consent.reasons import Withhold
from gateway.consent.recipients import match_recipients
from gateway.consent.revocation import is_revoked
from gateway.consent.situation import Situation
from gateway.consent.switches import Switches
from gateway.model.consent_directive import Consents, Directive, Grant
from gateway.model.decision import Refusal
from gateway.model.labeled import Item, LabeledRecords
from gateway.model.partner import Registry
from gateway.model.request import Request

_STANDARD = Switches()
_NO_FACTS = Facts()

STEP = 50
"""Before the first step of `decide`."""


def agreement(
    request: Request,
    records: LabeledRecords,
    consents: Consents,
    *,
    registry: Registry,
    at: datetime,
    agency: str,
    facts: Facts = _NO_FACTS,
    switches: Switches = _STANDARD,
    without_agreement: str | None = None,
) -> Refusal | None:
    """Return the refusal that ends a referral here, or None: go on to `decide` with the same arguments.

    `agency` is the registry id of the author of the record; a Part 2 program never needs this gate, for its consents
    are asked for anyway. `without_agreement` is the policy a route names when it sends what nobody was asked about;
    it never overrides a no. Refused or revoked: EXPLICIT_DENY; not asked, or another recipient or purpose agreed to:
    NO_CONSENT.
    """
    author = registry.get(agency)
    if author is not None and author.is_program(at):
        return None
    prepared = prepare(request, records, consents, registry, facts, switches, at)
    situation = prepared.situation
    if isinstance(situation, Withhold):
        return None  # decide says why
    stop = _without_yes(situation, prepared.items, without_agreement)
    return refuse_whole(prepared.items, stop, prepared.seal) if stop else None


def _without_yes(situation: Situation, items: tuple[Item, ...], policy: str | None) -> Withhold | None:
    directives = situation.directives
    unreliable = cannot_rely(situation)
    if unreliable is not None:
        return unreliable
    # A no to one part is left to `decide`, which takes that part out; a no to every part is a no.
    if items and all(explicit_refusal(item, situation) for item in items):
        return Withhold("EXPLICIT_DENY", STEP)
    if any(_is_yes(one, situation) for one in directives):
        return None
    if any(is_revoked(one, situation) for one in directives):
        return Withhold("EXPLICIT_DENY", STEP)
    return None if policy else Withhold("NO_CONSENT", STEP)


def _is_yes(directive: Directive, situation: Situation) -> bool:
    """Say whether this is a dated agreement in force that reaches the recipient and the purpose."""
    if directive.status != "active" or directive.dated is None or directive.dated > situation.at:
        return False
    if is_revoked(directive, situation) or directive.reference in situation.facts.false_consents:
        return False
    if is_unverified(directive, situation.switches, situation.at):
        return False
    grants = [grant for grant in directive.grants if grant.provisions and _is_in_force(directive, grant, situation.at)]
    return any(_reaches(grant, situation) for grant in grants)


def _is_in_force(directive: Directive, grant: Grant, at: datetime) -> bool:
    periods = (directive.period, *(one.period for one in grant.provisions))
    return all((start is None or start <= at) and (end is None or at < end) for start, end in periods)


def _reaches(grant: Grant, situation: Situation) -> bool:
    covers = grant.covered is None or grant.covered.issuperset(situation.request.purposes)
    return covers and not match_recipients(grant.levels, situation).is_stranger
