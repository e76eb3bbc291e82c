"""HL7v2 times (TS, DTM) and FHIR dates: precision and zone survive both ways, and nothing is shifted to UTC."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_DTM = re.compile(
    r"(?P<y>\d{4})(?:(?P<mo>\d{2})(?:(?P<d>\d{2})"
    r"(?:(?P<h>\d{2})(?:(?P<mi>\d{2})(?:(?P<s>\d{2})(?:\.(?P<f>\d{1,9}))?)?)?)?)?)?"
    r"(?P<zone>[+-](?:(?:0\d|1[0-3])[0-5]\d|1400))?"
)
"""With the offsets that there are (FHIR R4 dateTime has no others), and more digits of a second than HL7's four."""
_FHIR = re.compile(
    r"(?P<y>\d{4})(?:-(?P<mo>\d{2})(?:-(?P<d>\d{2})(?:T(?P<h>\d{2}):(?P<mi>\d{2})(?::(?P<s>\d{2})(?:\.(?P<f>\d+))?)?"
    r"(?P<zone>Z|[+-]\d{2}:\d{2})?)?)?)?"
)


def hl7_time(at: datetime) -> str:
    """Write an aware instant to the second with its own offset."""
    if at.tzinfo is None:
        raise ValueError("expected an aware datetime")
    # Not strftime: the C library looks for the time zone's file each time.
    date, _, time = at.isoformat(timespec="seconds").partition("T")
    return date.replace("-", "") + time.replace(":", "")[:11]


def zone_of(dtm: str) -> str:
    """Return the offset a DTM states, such as "-0800", or ""."""
    match = _DTM.fullmatch(dtm.strip())
    return (match["zone"] or "") if match else ""


def with_offset_of(time: str, other: str) -> str:
    """Write an instant (as `hl7_time` does) with the offset that another DTM states, or with none where it has none."""
    zone = zone_of(other)
    if not zone:
        return time[: -len(zone_of(time))] if zone_of(time) else time
    offset = datetime.strptime(zone, "%z").tzinfo
    return hl7_time(datetime.strptime(time, "%Y%m%d%H%M%S%z").astimezone(offset))


def fhir_date_time(dtm: str, default_zone: str = "") -> str | None:
    """Turn a DTM into a FHIR dateTime of the same precision; None when it is not one.

    A time without zone takes `default_zone`: an offset ("-0800", that of MSH-7) or the name of the zone that its
    sender's clocks keep. With neither, only the date is kept, since a FHIR time must state its offset (FHIR R4
    datatypes, dateTime); likewise of an hour without minutes, which FHIR cannot say.
    """
    match = _DTM.fullmatch(dtm.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, stated = match.groups()
    if not _exists(year, month or "01", day or "01", hour or "00", minute or "00", second or "00"):
        return None
    zone = (stated or _offset(match, default_zone)) if minute else ""
    if not zone:
        return "-".join([part for part in (year, month, day) if part])
    exact = f".{fraction}" if fraction else ""
    return f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}{exact}{zone[:3]}:{zone[3:]}"


def _offset(local: re.Match[str], zone: str) -> str:
    """Return the offset of a zone at a local time; of one that the clocks show twice, the first."""
    if not zone or zone[0] in "+-":
        return zone
    year, month, day, hour, minute, second, *_ = local.groups()
    at = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), tzinfo=ZoneInfo(zone))
    return at.strftime("%z")[:5]


def dtm(date_time: str) -> str:
    """Turn a FHIR date, dateTime or instant into a DTM of the same precision; "" when it is not one."""
    match = _FHIR.fullmatch(date_time)
    if match is None:
        return ""
    digits = "".join(match[part] or "" for part in ("y", "mo", "d", "h", "mi", "s"))
    fraction = f".{match['f'][:4]}" if match["f"] else ""
    zone = (match["zone"] or "").replace(":", "")
    return digits + fraction + ("+0000" if zone == "Z" else zone)


def _exists(year: str, month: str, day: str, hour: str, minute: str, second: str) -> bool:
    # Most days are not among those that some months lack, and digits of one length compare as their numbers do.
    is_day = "0001" <= year <= "9999" and "01" <= month <= "12" and "01" <= day <= "28"
    if is_day and "00" <= hour <= "23" and "00" <= minute <= "59" and "00" <= second <= "59":
        return True
    try:
        datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    except ValueError:
        return False
    return True
