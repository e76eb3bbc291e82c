"""Crisis templates of a police records system: 117 columns, blank padding, times without leading zeros, no consent.

The quirks are those of the real export (docs/mapping-packs.md): flags with blanks before the X, a cut ZIP, a
malformed year, one crisis with two persons, a crisis without any, a narrative over two lines.
"""

import csv
import io

from gateway.demo.samples import people
from gateway.demo.samples.people import Invented

_HEADER = (
    "XML_CRISIS_ID GO_ID TEMPLATE_ID EVENT_RIN REPORT_YEAR REPORT_NUMBER S_VERSION S_TEMPLATE TRANS_TYPE VERSION "
    "EVENT_RTYPE INSERT_TIME TERRY_STOP_TEMPLATE REPORTED_ON_DATE REPORTED_ON_TIME REPORTED_BY REPORTED_BY_TRANS "
    "CIT_CERTIFIED_YN SUPV_RESPONDED_SCENE_YN CHBK_DICV CHBK_BODYCAM CHBK_CITOFF_REQUESTED CHBK_CITOFF_DISPATCHED "
    "CHBK_CITOFF_ARRIVED CHBK_BIOLOGICALLY_INDUCED CHBK_MEDICALLY_INDUCED CHBK_CHEMICALLY_INDUCED "
    "CHBK_UNKNOWN_CRISIS_NATURE CHBK_EXCITED_DELIRIUM CHBK_NEGLECT_SELF_CARE CHBK_DISORGANIZE_COMMUNICATION "
    "CHBK_DISORIENTED_CONFUSED CHBK_DISORDERLY_DISRUPTIVE CHBK_UNUSUAL_FRIGHT_SCARED CHBK_BELLIGERENT_UNCOOPERATIVE "
    "CHBK_HOPELESS_DEPRESSED CHBK_BIZARRE_UNUSUAL_BEHAVIOR CHBK_SUICIDE_THREAT_ATTEMPT CHBK_MANIA "
    "CHBK_OUT_OF_TOUCH_REALITY CHBK_HALLUC_DELUSION CHBK_BEHAVIOR_OTHER OTHER_BEHAVIOR_DESCR WEAPON_YN_DK "
    "OTHER_WEAPON_TYPE CHBK_WPN_KNIFE CHBK_WPN_GUN CHBK_WPN_OTH THREATEN_VIOLENCE_YN_DK THREATENED_WHOM INJURIES_YN_DK "
    "INJURY_DESC CHBK_VERBALIZATION CHBK_HANDCUFFS CHBK_REPORTABLE_FORCE_USED CHBK_DISPO_UNABLE_TO_CONTACT "
    "CHBK_DISPO_CHRONIC CHBK_DISPO_TREATMENT_REFERRAL CHBK_DISPO_RESOURCE_DECLINED CHBK_DISPO_MOBILE_CRISIS_TEAM "
    "CHBK_DISPO_GRAT CHBK_DISPO_SHELTER CHBK_DISPO_NO_ACTION_POSS_NECC CHBK_DISPO_CASEMANAGER_NOTICE "
    "CHBK_DISPO_DMHP_REFER CHBK_DISPO_CRISIS_CLINIC CHBK_DISPO_EMERGENT_ITA CHBK_DSIPO_VOLUNTARY_COMMIT "
    "CHBK_DISPO_ARRESTED INVOL_HOSPITAL_TRANSPORT_TO VOL_HOSPITAL_TRANSPORT_TO NO_ARR_BUT_CHARGEABLE_YN "
    "CRISIS_CONTACTED_LAST_NAME CRISIS_CONTACTED_FIRST_NAME CRISIS_CONTACTED_VET_YN_UNK CRISIS_NARRATIVE PIN SURNAME "
    "G1 G2 G3 SEX DOB YOB RACE ETHNICITY ADDRESS APARTMENT MUNICIPALITY CITY STATE ZIP HOME_AREA HOME_PHONE BUS_AREA "
    "BUSINESS_PHONE CELL_AREA CELL_PHONE EMAIL_ADDR SSN DRIVERS_LICENSE SOI HEIGHT WEIGHT HAIR_COLOR EYE_COLOR "
    "LANGUAGE_SPOKEN DISABILITY MARITAL_STATUS CAUTION REMARKS EVENT_COUNT ALIAS DISTRICT ZONE GRID LAST_UPDATE_DATE"
)
COLUMNS = _HEADER.split()

_PADDED_TO = {"GO_ID": 18, "REPORT_NUMBER": 10, "REPORTED_ON_DATE": 14, "REPORTED_ON_TIME": 8, "SURNAME": 44}
_PADDED_TO |= {"G1": 20, "CRISIS_CONTACTED_LAST_NAME": 30, "ADDRESS": 60, "CITY": 24, "STATE": 4, "ZIP": 10}

Row = dict[str, str]


def first_export() -> bytes:
    """Write a shift's templates."""
    return _csv([row for crisis in _CRISES for row in crisis])


def second_export() -> bytes:
    """Write the next export: one template unchanged, one changed since, one new."""
    unchanged = _CRISES[2]
    changed = [_CRISES[1][0] | _marked("CHBK_NEGLECT_SELF_CARE")]
    new = [_crisis(21, people.HUE, "11/04/2025", "2210", "CHBK_DISORIENTED_CONFUSED", "CHBK_DISPO_NO_ACTION_POSS_NECC")]
    return _csv([*unchanged, *changed, *new])


def _crisis(number: int, person: Invented | None, day: str, time: str, *flags: str, **more: str) -> Row:
    """Fill one row; `flags` are the columns marked with X, `more` any other column."""
    year, report = day[-4:], f"{900000 + number}"
    row = dict.fromkeys(COLUMNS, "")
    row |= {
        "XML_CRISIS_ID": str(880000 + number),
        "GO_ID": f"{year}{report.zfill(11)}",
        "TEMPLATE_ID": str(770000 + number),
        "EVENT_RIN": str(660000 + number),
        "REPORT_YEAR": year,
        "REPORT_NUMBER": report,
        "S_VERSION": "1",
        "S_TEMPLATE": "CRISIS CONTACT",
        "TRANS_TYPE": "GO",
        "VERSION": "1",
        "EVENT_RTYPE": "GO",
        "INSERT_TIME": f"{year}-{day[:2]}-{day[3:5]} 23:50:00 +0000",
        "REPORTED_ON_DATE": day,
        "REPORTED_ON_TIME": time,
        "REPORTED_BY": "0000",
        "REPORTED_BY_TRANS": "OFFICER, INVENTED X",
        "CIT_CERTIFIED_YN": "Y" if number % 2 else "N",
        "SUPV_RESPONDED_SCENE_YN": "N",
        "WEAPON_YN_DK": "No",
        "THREATEN_VIOLENCE_YN_DK": "No",
        "INJURIES_YN_DK": "No",
        "CHBK_VERBALIZATION": "X",
        "NO_ARR_BUT_CHARGEABLE_YN": "N",
        "CRISIS_CONTACTED_VET_YN_UNK": "Unk",
        "CRISIS_NARRATIVE": 'Invented narrative.\nIt has a second line, a "quote" and names nobody.',
        "DISTRICT": "K",
        "ZONE": "K2",
        "LAST_UPDATE_DATE": "012-05-08" if number % 5 == 0 else f"{year}-{day[:2]}-{day[3:5]}",
    }
    return row | (_particulars(person, number) if person else {}) | _marked(*flags) | more


def _particulars(person: Invented, number: int) -> Row:
    return {
        "CRISIS_CONTACTED_LAST_NAME": person.family.upper(),
        "CRISIS_CONTACTED_FIRST_NAME": person.given.upper(),
        "PIN": str(440000 + number),
        "SURNAME": person.family,
        "G1": person.given,
        "SEX": person.sex,
        "DOB": person.born,
        "YOB": person.born[:4],
        "RACE": "U",
        "ADDRESS": person.street or "TRANSIENT",
        "CITY": "Exampleville",
        "STATE": "WA",
        "ZIP": "9900-" if number % 4 == 0 else "99001",
        "CELL_AREA": "206" if person.phone else "",
        "CELL_PHONE": person.phone,
        "SSN": "000-00-0000",
        "DRIVERS_LICENSE": "INVENTED",
        "HEIGHT": "5'6",
        "WEIGHT": "150",
        "HAIR_COLOR": "BRO",
        "EYE_COLOR": "BRO",
        "REMARKS": "invented",
        "EVENT_COUNT": str(number % 7),
        "ALIAS": "N",
    }


def _marked(*flags: str) -> Row:
    # The real system pads flags in front; an importer that did not trim once lost them all.
    return dict.fromkeys(flags, "    X")


def _csv(rows: list[Row]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: _padded(name, value) for name, value in row.items()} for row in rows)
    return out.getvalue().encode()


def _padded(column: str, value: str) -> str:
    width = _PADDED_TO.get(column)
    return value if width is None or not value else f"  {value}".ljust(width)


_CRISES: list[list[Row]] = [
    [_crisis(1, people.ADA, "11/03/2025", "134", "CHBK_HOPELESS_DEPRESSED", "CHBK_SUICIDE_THREAT_ATTEMPT",
             "CHBK_DISPO_CRISIS_CLINIC")],
    [_crisis(2, people.BEN, "11/03/2025", "5", "CHBK_MANIA", "CHBK_BELLIGERENT_UNCOOPERATIVE", "CHBK_HANDCUFFS",
             "CHBK_DISPO_MOBILE_CRISIS_TEAM", WEAPON_YN_DK="Yes", CHBK_WPN_KNIFE=" X", NO_ARR_BUT_CHARGEABLE_YN="Y")],
    [_crisis(3, people.CLEO, "11/03/2025", "915", "CHBK_DISORIENTED_CONFUSED", "CHBK_NEGLECT_SELF_CARE",
             "CHBK_DISPO_GRAT")],
    [_crisis(4, people.DEV, "11/03/2025", "1010", "CHBK_CHEMICALLY_INDUCED", "CHBK_DISORDERLY_DISRUPTIVE",
             "CHBK_DISPO_TREATMENT_REFERRAL")],
    [_crisis(5, people.EVA, "11/03/2025", "1145", "CHBK_HALLUC_DELUSION", "CHBK_DISPO_DMHP_REFER")],
    [_crisis(6, people.FINN, "11/03/2025", "1230", "CHBK_BIZARRE_UNUSUAL_BEHAVIOR", "CHBK_DISPO_RESOURCE_DECLINED")],
    [_crisis(7, people.GUS, "11/03/2025", "1302", "CHBK_SUICIDE_THREAT_ATTEMPT", "CHBK_DISPO_EMERGENT_ITA",
             INVOL_HOSPITAL_TRANSPORT_TO="EXAMPLEVILLE GENERAL")],
    [_crisis(8, people.HAL, "11/03/2025", "1355", "CHBK_DISPO_CHRONIC", WEAPON_YN_DK="DK")],
    [_crisis(9, people.IDA, "11/03/2025", "1420", "CHBK_UNUSUAL_FRIGHT_SCARED", "CHBK_DISPO_CASEMANAGER_NOTICE")],
    [_crisis(10, people.JON, "11/03/2025", "1508", "CHBK_BELLIGERENT_UNCOOPERATIVE", "CHBK_DISPO_ARRESTED",
             "CHBK_DISPO_CRISIS_CLINIC")],
    # One crisis, two persons of the records system: nobody may guess whom it describes.
    [_crisis(11, people.KIM, "11/03/2025", "1600", "CHBK_DISPO_CRISIS_CLINIC"),
     _crisis(11, people.LEO, "11/03/2025", "1600", "CHBK_DISPO_CRISIS_CLINIC", PIN="440111")],
    # No person was linked: countable, not referable.
    [_crisis(12, None, "11/03/2025", "1715", "CHBK_DISPO_UNABLE_TO_CONTACT")],
    [_crisis(13, people.MAE, "11/03/2025", "1744", "CHBK_HOPELESS_DEPRESSED", "CHBK_DSIPO_VOLUNTARY_COMMIT",
             VOL_HOSPITAL_TRANSPORT_TO="EXAMPLEVILLE GENERAL")],
    [_crisis(14, people.NED, "11/03/2025", "1803", "CHBK_OUT_OF_TOUCH_REALITY", "CHBK_DISPO_SHELTER")],
    [_crisis(15, people.OLA, "11/03/2025", "1850", "CHBK_MANIA", "CHBK_DISPO_NO_ACTION_POSS_NECC")],
    [_crisis(16, people.PIA, "11/03/2025", "1912", "CHBK_DISORGANIZE_COMMUNICATION", "CHBK_DISPO_CRISIS_CLINIC",
             DOB="", YOB="1993")],
    [_crisis(17, people.QUIN, "11/03/2025", "2001", "CHBK_BEHAVIOR_OTHER", "CHBK_DISPO_NO_ACTION_POSS_NECC",
             OTHER_BEHAVIOR_DESCR="invented free text")],
    [_crisis(18, people.RAY, "11/03/2025", "2044", "CHBK_EXCITED_DELIRIUM", "CHBK_MEDICALLY_INDUCED",
             "CHBK_DISPO_MOBILE_CRISIS_TEAM", THREATEN_VIOLENCE_YN_DK="Yes", THREATENED_WHOM="invented")],
    # A report of the future is nobody's: the clock or the date is wrong, and a person has to look.
    [_crisis(19, people.SUE, "01/02/2999", "2130", "CHBK_DISPO_CRISIS_CLINIC")],
    [_crisis(20, people.TOM, "11/03/2025", "2359", "CHBK_UNKNOWN_CRISIS_NATURE", "CHBK_DISPO_CHRONIC")],
]  # fmt: skip
