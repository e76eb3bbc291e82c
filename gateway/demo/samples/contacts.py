"""Contacts of co-responder teams: an officer and a clinician, one row each and a further row for each further referral.

The export of a spreadsheet program: byte order mark, semicolons inside cells, blank cells for what nobody recorded.
"""

import csv
import io

from gateway.demo.samples import people
from gateway.demo.samples.people import Invented

_HEADER = (
    "contact_id agency_ori clinician_org program contact_date dispatched arrived cleared contact_type first_on_scene "
    "crisis_contact client_id last_name first_name dob sex race ethnicity language veteran housing insurance phone "
    "address city state zip family_support primary_issue suicide self_harm violence weapon emergent_detention "
    "referral_made referral_service referral_by referral_due arrest_made chargeable_not_arrested diverted_from "
    "use_of_force patrol_calls_relieved patrol_minutes_saved transport_to follow_up_due consent_status consent_form "
    "consent_at consent_revoked_at consent_revoked_how notes"
)
COLUMNS = _HEADER.split()

Row = dict[str, str]


def first_export() -> bytes:
    """Write a week's contacts."""
    return _csv(_CONTACTS)


def second_export() -> bytes:
    """Write one contact again, to which the clinician has added what the person said."""
    changed = next(row for row in _CONTACTS if row["first_name"] == people.BEN.given) | {"suicide": "ideation"}
    return _csv([changed])


def rides_with_a_program() -> bytes:
    """Write contacts on which a case manager of a Part 2 program rode along, and the officer referred the person."""
    return _csv(_WITH_A_CASE_MANAGER)


def _contact(
    number: int, person: Invented | None, service: str = "", consent: str = "", form: str = "", **more: str
) -> Row:
    row = dict.fromkeys(COLUMNS, "")
    row |= {
        "contact_id": f"EX-{3000 + number}",
        "agency_ori": "WA0990000",
        "clinician_org": "demo-corresponders",
        "program": "co_responder",
        "contact_date": f"2025-11-0{4 + number % 4}T1{number % 10}:05",
        "dispatched": f"2025-11-0{4 + number % 4}T1{number % 10}:01",
        "arrived": f"2025-11-0{4 + number % 4}T1{number % 10}:05",
        "cleared": f"2025-11-0{4 + number % 4}T1{number % 10}:50",
        "contact_type": "patrol_request",
        "first_on_scene": "joint",
        "crisis_contact": "Y",
        "primary_issue": "mental_health",
        "suicide": "none",
        "self_harm": "N",
        "violence": "N",
        "weapon": "N",
        "emergent_detention": "N",
        "referral_made": "Y" if service else "N",
        "referral_service": service,
        "arrest_made": "N",
        "use_of_force": "none",
        "patrol_calls_relieved": "1",
        "patrol_minutes_saved": "35",
        "transport_to": "none",
        "consent_status": consent,
        "consent_form": form,
        "consent_at": f"2025-11-0{4 + number % 4}T1{number % 10}:30" if consent in ("verbal", "signed") else "",
        "notes": "Invented free text.",
    }
    return row | (_particulars(person, number) if person else {}) | more


def _particulars(person: Invented, number: int) -> Row:
    return {
        "client_id": f"C-{7000 + number}",
        "last_name": person.family,
        "first_name": person.given,
        "dob": person.born,
        "sex": person.sex,
        "phone": person.area_and_phone,
        "housing": "" if person.street else "unhoused",
        "address": person.street,
        "city": "Exampleville",
        "state": "WA",
        "zip": "99001" if person.street else "",
        "veteran": "N",
    }


def _csv(rows: list[Row]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode("utf-8-sig")


_CONTACTS: list[Row] = [
    # Whom the officers met on 3 November and did not ask: the clinician does, and the officers' referrals may go.
    _contact(1, people.ADA, "mental_health_outpatient", "verbal"),
    _contact(2, people.BEN, "peer_support", "signed", "agreement", weapon="Y"),
    _contact(3, people.MAE, "", "verbal"),
    _contact(4, people.JON, "mental_health_outpatient", "refused"),
    # Agreement given, FHIR.
    _contact(5, people.ANN, "crisis_clinic", "signed", "agreement"),
    _contact(6, people.BOB, "crisis_stabilization", "verbal", transport_to="crisis_stabilization"),
    _contact(7, people.DOT, "geriatric_assessment", "signed", "agreement", primary_issue="dementia"),
    # Too young for the team it names: the hospital will decline.
    _contact(8, people.ELI, "geriatric_assessment", "signed", "agreement"),
    # Agreement given, HL7v2: the recovery clinic.
    _contact(9, people.CAL, "sud_treatment", "signed", "agreement", primary_issue="co_occurring"),
    _contact(10, people.FAY, "detox", "verbal", primary_issue="substance_use", transport_to="detox"),
    # Two referrals to two recipients; neither learns of the other.
    _contact(11, people.GIL, "mental_health_outpatient", "signed", "agreement"),
    _contact(11, people.GIL, "sud_treatment", "signed", "agreement"),
    # Refused, not asked, taken back before it was sent.
    _contact(12, people.IRA, "mental_health_outpatient", "refused"),
    _contact(13, people.JOY, "mental_health_outpatient", "not_asked"),
    _contact(14, people.UMA, "peer_support", "signed", "agreement",
             consent_revoked_at="2025-11-08T09:00", consent_revoked_how="written"),
    # Perhaps somebody known, perhaps not: held until a person decides.
    _contact(15, people.OLA_AGAIN, "crisis_clinic", "signed", "agreement"),
    # No referral; no person.
    _contact(16, people.VIC, "", "not_asked", referral_made="declined"),
    _contact(17, None, primary_issue="welfare", crisis_contact="N"),
]  # fmt: skip

_BY_AN_OFFICER = {"clinician_org": "demo-lead", "referral_by": "officer"}
_WITH_A_CASE_MANAGER: list[Row] = [
    _contact(
        18, people.MIA, "crisis_clinic", "verbal", primary_issue="co_occurring", suicide="ideation", **_BY_AN_OFFICER
    ),
    _contact(19, people.TED, "peer_support", "signed", "agreement", primary_issue="substance_use", **_BY_AN_OFFICER),
]
