"""A city's open data set of crisis contacts: no person, one row for each outcome of one template."""

import csv
import io

_HEADER = (
    "Template ID,Reported Date,Reported Time,Occurred Date / Time,Call Type,Initial Call Type,Final Call Type,"
    "Disposition,Use of Force Indicator,Subject Veteran Indicator,CIT Officer Requested,CIT Officer Dispatched,"
    "CIT Officer Arrived,Officer ID,Officer Gender,Officer Race,Officer Year of Birth,Officer Years of Experience,"
    "CIT Certified Indicator,Officer Bureau Desc,Officer Precinct Desc,Officer Squad Desc,Precinct,Sector,Beat"
)
COLUMNS = _HEADER.split(",")

OUTCOMES = [
    ("Crisis Clinic", "Mobile Crisis Team"),
    ("Emergent Detention / ITA",),
    ("Resources Offered/Declined", "Chronic Complaint"),
    ("No Action Possible / Necessary",),
    ("Unable to Contact",),
    ("Voluntary Committal",),
    ("Drug/Alcohol Treatment Referral", "Shelter Transport"),
    ("N/A",),
    ("Geriatric Regional Assessment Team",),
    ("Subject Arrested", "DMHP Referral"),
]


def export() -> bytes:
    """Write the rows of ten templates; four of them have two outcomes."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for number, outcomes in enumerate(OUTCOMES, start=1):
        writer.writerows(_row(number, outcome) for outcome in outcomes)
    return out.getvalue().encode()


def _row(number: int, outcome: str) -> list[str]:
    # 1900-01-01 is how the portal says that a date is missing.
    reported = "1900-01-01T00:00:00" if number == 8 else f"2025-11-{number + 2:02d}T00:00:00"
    occurred = f"11/{number + 2:02d}/2025 0{number % 9 + 1}:05:00 PM"
    return [
        str(550000 + number), reported, f"{8 + number}:15:00", occurred, "911",
        "PERSON IN BEHAVIORAL/EMOTIONAL CRISIS", "--CRISIS COMPLAINT - GENERAL", outcome, "N", "N", "Y", "Y",
        "Y" if number % 2 else "N", "0000", "U", "Unknown", "1980", "8", "", "OPERATIONS BUREAU", "NORTH PCT",
        "NORTH PCT 1ST W", "NORTH" if number % 3 else "UNKNOWN", "K", "K2",
    ]  # fmt: skip
