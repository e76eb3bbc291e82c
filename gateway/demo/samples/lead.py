"""Referrals to Law Enforcement Assisted Diversion, as the case system of a Part 2 program exports them: JSON."""

import json

from gateway.demo.samples import people
from gateway.demo.samples.people import Invented

Row = dict[str, str]


def first_export() -> bytes:
    """Write the referrals of a week."""
    return _json(_REFERRALS)


def during_outage() -> bytes:
    """Write two referrals that are handed in while both receivers are down."""
    return _json(_DURING_OUTAGE)


def second_export() -> bytes:
    """Write one referral again, with a goal that was added since."""
    changed = next(row for row in _REFERRALS if row["first_name"] == people.XIA.given)
    return _json([changed | {"goals": changed["goals"] + ";Find a place of my own"}])


def _referral(
    number: int, person: Invented, release: str, needs: str = "", status: str = "approved", **more: str
) -> Row:
    row = {
        "referral_id": f"L-{500 + number}",
        "referral_pathway": "social_contact",
        "referring_agency": "WA0990000",
        "referring_officer": "0000",
        "referral_date": f"2025-11-05T1{number % 10}:00",
        "referral_location": "Exampleville",
        "case_management_org": "demo-lead",
        "client_id": f"P-{900 + number}",
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
        "status": status,
        "approved_by": "law_enforcement",
        "approved_at": f"2025-11-05T1{number % 10}:30",
        "warm_handoff_at": f"2025-11-05T1{number % 10}:25",
        "intake_due_date": "2025-12-05",
        "needs": needs,
        "goals": "Stay in treatment" if needs else "",
        "roi_signed": release,
        "roi_signed_at": "2025-11-05T17:00" if release == "Y" else "",
        "roi_form": "agreement" if release == "Y" else "",
        "notes": "Invented free text.",
    }
    return row | more


def _json(rows: list[Row]) -> bytes:
    return (json.dumps(rows, indent=2) + "\n").encode()


_REFERRALS: list[Row] = [
    # Both get a Part 2 consent during the story: one for the clinic alone, one for clinic and hospital.
    _referral(1, people.WES, "Y", "SUD treatment"),
    _referral(2, people.XIA, "Y", "SUD treatment;mental health care"),
    # "Signed" and no more: deficient for whatever is in the program's hands.
    _referral(3, people.YAN, "Y", "SUD treatment", probable_cause_charges="invented", charge_disposition_pending="Y",
              referral_pathway="arrest_diversion"),
    _referral(4, people.ZOE, "N", "SUD treatment;housing"),
    _referral(5, people.NIA, "", "mental health care", referral_pathway="community"),
    _referral(6, people.IRA, "Y", "", status="declined"),
]  # fmt: skip

_DURING_OUTAGE: list[Row] = [
    # One consent is revoked before the receivers are back, the other stands.
    _referral(7, people.LOU, "", "SUD treatment"),
    _referral(8, people.RON, "", "SUD treatment"),
]
