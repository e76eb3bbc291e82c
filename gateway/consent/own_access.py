"""Step 11, first part: the patient's own access (42 CFR 2.23), and use inside the program (2.12(c)(3))."""

from gateway.consent import obligations
from gateway.consent.facts import relative
from gateway.consent.purposes import is_treatment
from gateway.consent.reasons import Release
from gateway.consent.situation import Situation
from gateway.model.decision import Basis
from gateway.model.labeled import Item

STEP = 1100


def as_patient(situation: Situation) -> Release | None:
    """Decide a patient's access to the own records; None where it is not that.

    The account, whoever logged in, the recipient and the person asked about must be one and the same. For anybody
    else this basis opens nothing, and the consents decide.
    """
    basis, keys = situation.request.basis, situation.patient_keys
    if basis is None or basis["type"] != "patient_access":
        return None
    involved = {str(basis.get("account")), situation.recipient.reference, str(situation.request.authenticated_as)}
    if not keys.issuperset(map(relative, involved)):
        return None
    return Release("OK_PATIENT", STEP, obligations.PATIENT, Basis("patient_access"), "patient", exempt=True)


def inside_program(item: Item, situation: Situation) -> Release | None:
    """Decide treatment use by the program the record comes from; a unit is not its parent."""
    program = item.origin.program
    is_own = program is not None and program.id == situation.recipient.reference == situation.request.organization
    if is_own and not item.origin.after and is_treatment(situation.request.purposes):
        return Release("OK_INTERNAL", STEP, frozenset(), None, "internal", exempt=True)
    return None
