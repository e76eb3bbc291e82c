"""Step 11, second part: the bases that need no consent, each with the evidence its section asks for."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from gateway.consent import obligations
from gateway.consent.court_order import by_court_order
from gateway.consent.purposes import is_payment_or_operations, is_research, is_tpo, is_treatment
from gateway.consent.reasons import Release, Withhold
from gateway.consent.redisclosure import is_bound
from gateway.consent.situation import Situation
from gateway.model.decision import Basis
from gateway.model.fhir_time import instant
from gateway.model.labeled import Item
from gateway.model.labels import COUNSELING_NOTES
from gateway.model.partner import Agreement

STEP = 1110

_FOR_NOTES = Withhold("NOTES_NO_SPECIFIC", STEP + 9)
"""42 CFR 2.31(b)(1) lists what opens counseling notes without a consent for them: no emergency, no research."""

MEDICAL_PERSONNEL = frozenset({"clinician", "physician", "nurse", "paramedic"})
_FOUR_FACTS = ("recipient_name", "recipient_affiliation", "disclosed_by", "nature")
AUDIT_UNDERTAKINGS = frozenset({"security", "return_or_destroy", "no_redisclosure", "no_use_against_patients"})


def by_basis(item: Item, situation: Situation) -> Release | Withhold | None:
    """Decide a Part 2 item by the basis invoked; None where none is, or it does not open this kind of record."""
    decide = _BASES.get(str(situation.request.basis_type))
    return decide(item, situation) if decide else None


def _emergency(item: Item, situation: Situation) -> Release | Withhold | None:
    """Check 42 CFR 2.51: medical personnel, the four facts of (c), of these hours, and consent that cannot be had.

    None for a purpose that is no treatment: an emergency opens nothing else.
    """
    evidence = situation.request.basis or {}
    if not is_treatment(situation.request.purposes):
        return None
    if not _is_medical(situation):
        return Withhold("EMERGENCY_NOT_MEDICAL_PERSONNEL", STEP)
    documented = _documented_at(evidence, situation.at)
    if documented is None:
        return Withhold("EMERGENCY_UNDOCUMENTED", STEP + 1)
    if situation.at - documented > timedelta(hours=situation.switches.emergency_hours):
        return Withhold("EMERGENCY_OVER", STEP + 2)
    disaster = evidence.get("disaster") or {}
    is_closed = bool(disaster.get("declaration")) and disaster.get("program_closed") is True
    if not is_closed and evidence.get("consent_obtainable") is not False:
        return Withhold("EMERGENCY_CONSENT_OBTAINABLE", STEP + 3)
    if COUNSELING_NOTES in item.labels:
        return _FOR_NOTES
    owed = obligations.EMERGENCY | obligations.of_author(item)
    if any(situation.recipient.reference in one.against and one.covers(item) for one in situation.facts.restrictions):
        owed |= {"ASK_NO_FURTHER_USE"}
    return Release("OK_EMERGENCY", STEP, owed, Basis("emergency"), "emergency", exempt=True)


def _is_medical(situation: Situation) -> bool:
    recipient, request = situation.recipient, situation.request
    if recipient.organization is None or recipient.is_law_enforcement or not recipient.organization.is_treating:
        return False
    is_own_person = request.organization == recipient.reference and request.person_role is not None
    return not is_own_person or request.person_role in MEDICAL_PERSONNEL


def _documented_at(evidence: Mapping[str, Any], at: datetime) -> datetime | None:
    """Return the time among the four facts of 42 CFR 2.51(c); None where one of them is missing, or still to come."""
    if not all(str(evidence.get(fact) or "").strip() for fact in _FOUR_FACTS):
        return None
    try:
        stated = instant(evidence.get("time"))
    except ValueError:
        return None
    return stated if stated <= at else None


def _research(item: Item, situation: Situation) -> Release | Withhold:
    """Check 42 CFR 2.52: a registered approval of the recipient, in force, for this protocol, and for research."""
    evidence = situation.request.basis or {}
    protocol = evidence.get("protocol")
    for approval in _agreements(item, situation, "research"):
        is_same = protocol is None or approval.protocol in (None, protocol)
        if approval.id == evidence.get("approval") and is_same and is_research(situation.request.purposes):
            if COUNSELING_NOTES in item.labels:
                return _FOR_NOTES
            owed = obligations.BOUND | obligations.of_author(item)
            return Release("OK_RESEARCH", STEP, owed, Basis("research", approval.id), "bound")
    return Withhold("RESEARCH_NO_APPROVAL", STEP)


def _audit(item: Item, situation: Situation) -> Release | Withhold:
    """Check 42 CFR 2.53: a written agreement with the undertakings of its paragraph (b), where they are listed.

    What is audited is payment and operations: nobody treats, markets or prosecutes on it.
    """
    wanted = (situation.request.basis or {}).get("agreement")
    is_audit = is_payment_or_operations(situation.request.purposes)
    for agreement in _agreements(item, situation, "audit"):
        has_undertaken = agreement.undertakings is None or agreement.undertakings >= AUDIT_UNDERTAKINGS
        if agreement.id == wanted and has_undertaken and is_audit:
            owed = obligations.BOUND | obligations.of_author(item)
            return Release("OK_AUDIT", STEP, owed, Basis("audit", agreement.id), "bound")
    return Withhold("AUDIT_NO_AGREEMENT", STEP)


def _service(item: Item, situation: Situation) -> Release | Withhold:
    """Check 42 CFR 2.11, 2.12(c)(4): a qualified service organization under a written agreement in force.

    It serves a program in treatment, payment and operations.
    """
    wanted = (situation.request.basis or {}).get("agreement")
    discloser = item.origin.discloser
    is_of_program = discloser is not None and discloser.is_program(situation.at)
    for agreement in _agreements(item, situation, "qsoa") if is_of_program else ():
        if agreement.id == wanted and is_tpo(situation.request.purposes):
            owed = obligations.SERVICE | obligations.of_author(item)
            return Release("OK_QSO", STEP, owed, Basis("qso", agreement.id), "bound")
    return Withhold("QSOA_NOT_IN_FORCE", STEP)


def _crime(item: Item, situation: Situation) -> Release | Withhold:
    """Check 42 CFR 2.12(c)(5): the program's own staff tell police of the incident and who, nothing else."""
    evidence = situation.request.basis or {}
    program = item.origin.program
    is_of_program = program is not None and situation.request.organization == program.id
    is_such_crime = evidence.get("on_premises") is True or evidence.get("against_personnel") is True
    if not (is_such_crime and is_of_program and situation.recipient.is_law_enforcement):
        return Withhold("LE_NO_BASIS", STEP)
    if item.type != "Patient":
        return Withhold("MIN_NECESSARY", STEP)
    return Release("OK_CRIME_PREMISES", STEP, obligations.REPORT, Basis("crime_on_premises"), "crime")


def _child_abuse(item: Item, situation: Situation) -> Release | Withhold | None:
    """Check 42 CFR 2.12(c)(6): the initial report state law asks for; the chart stays protected afterwards."""
    evidence = situation.request.basis or {}
    organization = situation.recipient.organization
    is_initial = evidence.get("report") == "initial" and bool(evidence.get("state_law"))
    takes_reports = organization is not None and bool(organization.roles & {"child_protection", "police"})
    if not is_initial or not takes_reports:
        return None
    if item.reference not in (evidence.get("content") or ()):
        return Withhold("MIN_NECESSARY", STEP)
    owed = obligations.REPORT | obligations.of_author(item)
    return Release("OK_CHILD_ABUSE", STEP, owed, Basis("child_abuse_report"), "report")


def _agreements(item: Item, situation: Situation, kind: str) -> tuple[Agreement, ...]:
    """Return the agreements of the recipient with whoever discloses: the program, or who holds a copy (2.52(a), 2.53).

    None with police, whatever they have agreed on (2.12(d)(1)), and none for a copy that may not go on.
    """
    recipient, discloser = situation.recipient, item.origin.discloser
    if recipient.organization is None or recipient.is_law_enforcement or discloser is None or is_bound(item, situation):
        return ()
    return recipient.organization.agreements_with(discloser.id, kind, situation.at)


_BASES: dict[str, Callable[[Item, Situation], Release | Withhold | None]] = {
    "emergency": _emergency,
    "research": _research,
    "audit": _audit,
    "qso": _service,
    "court_order": by_court_order,
    "crime_on_premises": _crime,
    "child_abuse_report": _child_abuse,
}
