"""Step 11, first part: the patient's own access (42 CFR 2.23), and use inside the program (2.12(c)(3))."""

from gateway.consent import obligations
from gateway.consent.facts import relative
from gateway.consent.purposes import is_treatment
from gateway.consent.reasons import Release, Withhold
from gateway.consent.situation import Situation
from gateway.model.decision import Basis
from gateway.model.labeled import Item

STEP = 1100


def as_patient(situation: Situation) -> Release | Withhold | None:
    """Decide a patient's access to the own records; None where that basis is not invoked.

    The account, the recipient and the person asked about must be one and the same.
    """
    basis = situation.request.basis
    if basis is None or basis["type"] != "patient_access":
        return None
    keys = situation.patient_keys
    if relative(str(basis.get("account"))) not in keys:
        return Withhold("PATIENT_MISMATCH", STEP)
    if situation.recipient.reference not in keys or situation.request.authenticated_as not in keys:
        return Withhold("IDENTITY_MISMATCH", STEP)
    return Release("OK_PATIENT", STEP, obligations.PATIENT, Basis("patient_access"), "patient", exempt=True)


def inside_program(item: Item, situation: Situation) -> Release | None:
    """Decide treatment use by the program the record comes from; a unit is not its parent."""
    program = item.origin.program
    is_own = program is not None and program.id == situation.recipient.reference == situation.request.organization
    if is_own and not item.origin.after and is_treatment(situation.request.purposes):
        return Release("OK_INTERNAL", STEP, frozenset(), None, "internal", exempt=True)
    return None
