"""Did those sign who may: the patient, a minor under state law, a guardian, a representative? (42 CFR 2.14, 2.15)"""

from collections.abc import Callable

from gateway.consent.facts import subject_keys
from gateway.consent.purposes import is_payment
from gateway.consent.situation import ADULT_AGE, Situation
from gateway.model.consent_directive import Directive, Performer


def is_duly_signed(directive: Directive, situation: Situation) -> bool:
    """Say whether there is a signature and every signer was entitled when it was given (42 CFR 2.31(a)(8))."""
    if not directive.is_signed or not directive.performers:
        return False
    patient = situation.patient_keys
    signers = directive.performers
    for one in signers:
        if not _is_patient(one, patient) and not _is_entitled(one, directive, situation):
            return False
    age = _age_when_signed(directive, situation)
    if age is None or age >= ADULT_AGE:
        return True
    has_patient = any(_is_patient(one, patient) for one in signers)
    if not _needs_parent(age, situation):
        return has_patient
    # State law wants the parent: the minor and the parent sign, neither of them alone (42 CFR 2.14).
    return has_patient and any(one.authority in ("parental", "guardian") for one in signers)


def _age_when_signed(directive: Directive, situation: Situation) -> int | None:
    return situation.age_at(directive.dated or situation.at)


def _needs_parent(age: int, situation: Situation) -> bool:
    rule = situation.switches.minor_consent
    return rule == "parental" or age < rule


def _is_patient(performer: Performer, patient: frozenset[str]) -> bool:
    return performer.authority is None and bool(performer.keys & patient)


def _is_entitled(performer: Performer, directive: Directive, situation: Situation) -> bool:
    check = _AUTHORITIES.get(str(performer.authority))
    return (
        check is not None
        and bool(performer.keys)
        and _was_in_force(performer, directive, situation)
        and _speaks_for(performer, situation)
        and check(performer, directive, situation)
    )


def _was_in_force(performer: Performer, directive: Directive, situation: Situation) -> bool:
    signed = directive.dated or situation.at
    start, end = performer.period
    return (start is None or start <= signed) and (end is None or signed < end)


def _speaks_for(performer: Performer, situation: Situation) -> bool:
    """Refuse a representative who is on file as somebody else's."""
    for key in performer.keys:
        resource = situation.consents.resources.get(key) or situation.facts.persons.get(key)
        if resource is not None and resource["resourceType"] == "RelatedPerson":
            subjects = subject_keys(resource.get("patient"))
            if subjects and situation.person is not None and not subjects & situation.person.keys:
                return False
    return True


def _was_minor(directive: Directive, situation: Situation) -> bool:
    age = _age_when_signed(directive, situation)
    return age is not None and age < ADULT_AGE


def _parental(performer: Performer, directive: Directive, situation: Situation) -> bool:
    return _was_minor(directive, situation)


def _with_document(performer: Performer, directive: Directive, situation: Situation) -> bool:
    return performer.has_document


def _for_payment_only(performer: Performer, directive: Directive, situation: Situation) -> bool:
    """Check 2.15(a)(2): a program director's determination, never for a minor, opens payment and signs no more."""
    if _was_minor(directive, situation):
        return False
    stated = [purpose for grant in directive.grants for purpose in grant.purposes]
    return is_payment(situation.request.purposes) and is_payment(stated)


_AUTHORITIES: dict[str, Callable[[Performer, Directive, Situation], bool]] = {
    "parental": _parental,
    "guardian": _with_document,
    "personal-representative": _with_document,
    "director-determination": _for_payment_only,
}
