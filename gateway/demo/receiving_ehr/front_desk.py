"""The stand-in EHR's front desk: reads what a referral asks for and says, by the rules below, what happens next.

The rules are the whole of it: nothing here knows which demonstration is running.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from gateway.demo.receiving_ehr.records import Records, Referral, Resource, Subject, identifiers_of

# The services asked for, as their codes arrive (ServiceRequest.code, OBR-4 or PR1-3).
SERVICES = frozenset(
    {
        "crisis-clinic", "mobile-crisis", "designated-crisis-responder", "geriatric-assessment", "sud-treatment",
        "case-manager-notice", "hospital-evaluation", "crisis-stabilization", "detox", "shelter",
        "mental-health-outpatient", "case-management", "housing", "medical-care", "peer-support",
    }
)  # fmt: skip

_BEDS = frozenset({"hospital-evaluation", "crisis-stabilization", "detox"})
_APPOINTMENTS = frozenset({"crisis-clinic", "sud-treatment", "mental-health-outpatient", "geriatric-assessment"})
_NO_ROOM = frozenset({"shelter", "housing"})
_GERIATRIC_FROM_AGE = 60
_FHIR_ONLY = frozenset({"start", "complete"})


@dataclass(frozen=True, slots=True)
class Step:
    """One thing the EHR will tell the gateway: accept, reject, schedule, start, admit, discharge or complete."""

    name: str
    reason: str = ""


def plan(referral: Referral) -> tuple[Step, ...]:
    """Say what happens with a referral, first rule that fits:

    1. shelter or housing: rejected, there is no room;
    2. geriatric assessment of somebody known to be younger than 60: rejected;
    3. a bed (hospital evaluation, crisis stabilization, detox), or anything with priority stat: accepted, admitted,
       discharged; the discharge completes it;
    4. a clinic visit: accepted and given an appointment; when it is routine also completed;
    5. a notice to a case manager: accepted, taken up and completed;
    6. everything else: accepted.

    HL7v2 has no word for taking up and completing: those steps are then left out.
    """
    steps = _steps(referral)
    return steps if referral.channel == "fhir" else tuple(step for step in steps if step.name not in _FHIR_ONLY)


def _steps(referral: Referral) -> tuple[Step, ...]:
    if referral.service in _NO_ROOM:
        return (Step("reject", "No place is free this week; the county housing line keeps the waiting list."),)
    if referral.service == "geriatric-assessment" and referral.age is not None and referral.age < _GERIATRIC_FROM_AGE:
        return (Step("reject", "This team sees people from 60 years of age."),)
    if referral.service in _BEDS or referral.priority == "stat":
        return (Step("accept"), Step("admit"), Step("discharge"))
    if referral.service in _APPOINTMENTS:
        visit = (Step("accept"), Step("schedule"))
        return (*visit, Step("complete")) if referral.priority == "routine" else visit
    if referral.service == "case-manager-notice":
        return (Step("accept"), Step("start"), Step("complete"))
    return (Step("accept"),)


def owe_answers(records: Records, referral: Referral, now: float, pace_s: float) -> None:
    """Note the steps of a new referral, `pace_s` seconds apart; a change of one already answered adds none."""
    if referral.arrivals > 1:
        return
    for n, step in enumerate(plan(referral), start=1):
        records.add_answer(referral.id, step.name, step.reason, now + n * pace_s)


@dataclass(frozen=True, slots=True)
class Names:
    """How this EHR and the gateway are called in HL7v2 where no arrived message says it (MSH-3 to MSH-6)."""

    own_application: str
    own_facility: str
    gateway_application: str
    gateway_facility: str


def named(referral: Referral, names: Names) -> Referral:
    """Fill in the names that the sender of a referral left out, so that nobody gets an answer without a sender."""
    return replace(
        referral,
        application=referral.application or names.gateway_application,
        facility=referral.facility or names.gateway_facility,
        own_application=referral.own_application or names.own_application,
        own_facility=referral.own_facility or names.own_facility,
    )


def referral_from_task(
    records: Records, task: Resource, gateway_task_id: str, today: date, names: Names
) -> Referral | None:
    """Read a referral from a Task filed here; None when it has no request, no person or no number."""
    request = _referenced(records, task.get("focus"))
    patient = _referenced(records, task.get("for"))
    placer = placer_identifier(task)
    if request is None or patient is None or not placer:
        return None
    birth_date = str(patient.get("birthDate", ""))
    name = (patient.get("name") or [{}])[0]
    arrived = Referral(
        id=records.new_referral_id(),
        channel="fhir",
        placer=placer,
        service=known_service(coding.get("code", "") for coding in request.get("code", {}).get("coding", [])),
        priority=str(request.get("priority", task.get("priority", "routine"))),
        age=age_on(birth_date, today),
        subject=Subject(
            identifiers=tuple(identifiers_of(patient)),
            family=str(name.get("family", "")),
            given=" ".join(name.get("given", [])),
            birth_date=birth_date,
            gender=str(patient.get("gender", "")),
        ),
        task_id=gateway_task_id,
    )
    return named(arrived, names)


def placer_identifier(resource: Resource) -> str:
    """Return the value of the identifier of type PLAC (HL7 table 0203), else of the first one, else nothing."""
    stated: list[dict[str, Any]] = resource.get("identifier", [])
    placers = [
        entry
        for entry in stated
        if any(coding.get("code") == "PLAC" for coding in entry.get("type", {}).get("coding", []))
    ]
    return str(next((entry["value"] for entry in (*placers, *stated) if entry.get("value")), ""))


def known_service(codes: Iterable[str]) -> str:
    """Return the first code that names a service of ours, else "other"."""
    return next((code for code in codes if code in SERVICES), "other")


def age_on(birth_date: str, today: date) -> int | None:
    """Return the age in years on a day, from a FHIR date that may be a year only; None when nothing is known."""
    parts = birth_date.split("-")
    if not parts[0].isdigit():
        return None
    month, day = (int(parts[1]), int(parts[2])) if len(parts) == 3 else (1, 1)
    return today.year - int(parts[0]) - ((today.month, today.day) < (month, day))


def _referenced(records: Records, reference: object) -> Resource | None:
    if not isinstance(reference, dict) or not isinstance(reference.get("reference"), str):
        return None
    kind, _, logical_id = reference["reference"].partition("/")
    return records.resource(kind, logical_id)
