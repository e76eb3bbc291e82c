"""The sample files in the order of the story, each with what the story expects of it."""

from collections.abc import Callable
from pathlib import Path

from gateway.demo.samples import contacts, eido, lead, niem, open_data, people, rms
from gateway.demo.samples.sample import Expected, RecordState, SampleFile

FOLDER = Path(__file__).resolve().parent.parent / "records"

POLICE = "demo-agency"
CO_RESPONDERS = "demo-corresponders"
CASE_MANAGEMENT = "demo-lead"

_CSV, _JSON, _XML = "text/csv", "application/json", "application/xml"

CRISES = SampleFile(
    "crisis-templates.csv",
    "seattle-rms-crisis",
    POLICE,
    _CSV,
    rms.first_export,
    {"converted": 19, "quarantined": 1},
    (
        # Nobody asked these people; four of them are asked by a clinician afterwards.
        Expected(people.ADA, "crisis-clinic", "fhir"),
        Expected(people.BEN, "mobile-crisis", "fhir"),
        Expected(people.MAE, "hospital-evaluation", "fhir"),
        Expected(people.CLEO, "geriatric-assessment", "refused"),
        Expected(people.DEV, "sud-treatment", "refused"),
        Expected(people.EVA, "designated-crisis-responder", "refused"),
        Expected(people.GUS, "hospital-evaluation", "refused"),
        Expected(people.IDA, "case-manager-notice", "refused"),
        Expected(people.JON, "crisis-clinic", "refused"),
        Expected(people.PIA, "crisis-clinic", "refused"),
        Expected(people.RAY, "mobile-crisis", "refused"),
    ),
)

OPEN_DATA = SampleFile(
    "crisis-open-data.csv",
    "seattle-crisis-open",
    POLICE,
    _CSV,
    open_data.export,
    {"converted": len(open_data.OUTCOMES)},
)

_NIEM_REFERRALS = {
    "niem-incident-1.xml": (Expected(people.OWEN, "crisis-clinic", "refused"),),
    "niem-incident-2.xml": (Expected(people.PAM, "mobile-crisis", "refused"),),
    "niem-incident-3.xml": (Expected(people.REX, "designated-crisis-responder", "refused"),),
}
_NIEM_STATES: dict[str, RecordState] = {"niem-property-crime.xml": "skipped", "niem-truncated.xml": "quarantined"}
_EIDO_STATES: dict[str, RecordState] = {"eido-6.json": "skipped"}
_EIDO_REFERRALS = {
    "eido-1.json": (Expected(people.TIA, "crisis-clinic", "refused"),),
    "eido-2.json": (Expected(people.VAL, "mobile-crisis", "refused"),),
}


def _content(build: Callable[[], dict[str, bytes]], name: str) -> Callable[[], bytes]:
    return lambda: build()[name]


INCIDENTS = tuple(
    SampleFile(
        name,
        "niem6-incident",
        POLICE,
        _XML,
        _content(niem.messages, name),
        {_NIEM_STATES.get(name, "converted"): 1},
        _NIEM_REFERRALS.get(name, ()),
    )
    for name in niem.messages()
)

DISPATCHES = tuple(
    SampleFile(
        name,
        "eido",
        POLICE,
        _JSON,
        _content(eido.objects, name),
        {_EIDO_STATES.get(name, "converted"): 1},
        _EIDO_REFERRALS.get(name, ()),
    )
    for name in eido.objects()
)

CONTACTS = SampleFile(
    "contacts.csv",
    "co-responder-contact",
    CO_RESPONDERS,
    _CSV,
    contacts.first_export,
    {"converted": 17},
    (
        Expected(people.ADA, "mental-health-outpatient", "fhir"),
        Expected(people.BEN, "peer-support", "fhir"),
        Expected(people.JON, "mental-health-outpatient", "refused"),
        Expected(people.ANN, "crisis-clinic", "fhir"),
        Expected(people.BOB, "crisis-stabilization", "fhir"),
        Expected(people.DOT, "geriatric-assessment", "fhir"),
        Expected(people.ELI, "geriatric-assessment", "fhir"),
        Expected(people.CAL, "sud-treatment", "hl7v2"),
        Expected(people.FAY, "detox", "hl7v2"),
        Expected(people.GIL, "mental-health-outpatient", "fhir"),
        Expected(people.GIL, "sud-treatment", "hl7v2"),
        Expected(people.IRA, "mental-health-outpatient", "refused"),
        Expected(people.JOY, "mental-health-outpatient", "refused"),
        Expected(people.UMA, "peer-support", "refused"),
        Expected(people.OLA_AGAIN, "crisis-clinic", "held"),
    ),
)

RIDES = SampleFile(
    "contacts-with-a-case-manager.csv",
    "co-responder-contact",
    POLICE,
    _CSV,
    contacts.rides_with_a_program,
    {"converted": 2},
    (
        Expected(people.MIA, "crisis-clinic", "fhir", withheld=True),
        Expected(people.TED, "peer-support", "fhir", withheld=True),
    ),
)

DIVERSIONS = SampleFile(
    "lead-referrals.json",
    "lead-referral",
    CASE_MANAGEMENT,
    _JSON,
    lead.first_export,
    {"converted": 6},
    (
        Expected(people.WES, "case-management", "refused"),
        Expected(people.WES, "sud-treatment", "hl7v2"),
        Expected(people.XIA, "case-management", "fhir"),
        Expected(people.XIA, "sud-treatment", "hl7v2"),
        Expected(people.XIA, "mental-health-outpatient", "fhir"),
        Expected(people.YAN, "case-management", "refused"),
        Expected(people.YAN, "sud-treatment", "refused"),
        Expected(people.ZOE, "case-management", "refused"),
        Expected(people.ZOE, "sud-treatment", "refused"),
        Expected(people.NIA, "case-management", "refused"),
        Expected(people.NIA, "mental-health-outpatient", "refused"),
    ),
)

OUTAGE = SampleFile(
    "lead-referrals-during-outage.json",
    "lead-referral",
    CASE_MANAGEMENT,
    _JSON,
    lead.during_outage,
    {"converted": 2},
    (
        Expected(people.LOU, "sud-treatment", "refused"),
        Expected(people.LOU, "case-management", "refused"),
        Expected(people.RON, "sud-treatment", "hl7v2"),
        Expected(people.RON, "case-management", "refused"),
    ),
)

CRISES_AGAIN = SampleFile(
    "crisis-templates-next-day.csv",
    "seattle-rms-crisis",
    POLICE,
    _CSV,
    rms.second_export,
    {"converted": 2, "duplicate": 1},
)
CONTACTS_AGAIN = SampleFile(
    "contacts-corrected.csv", "co-responder-contact", CO_RESPONDERS, _CSV, contacts.second_export, {"converted": 1}
)
DIVERSIONS_AGAIN = SampleFile(
    "lead-referrals-corrected.json", "lead-referral", CASE_MANAGEMENT, _JSON, lead.second_export, {"converted": 1}
)

FILES: tuple[SampleFile, ...] = (
    CRISES, OPEN_DATA, *INCIDENTS, *DISPATCHES, CONTACTS, RIDES, DIVERSIONS, OUTAGE, CRISES_AGAIN, CONTACTS_AGAIN,
    DIVERSIONS_AGAIN,
)  # fmt: skip
