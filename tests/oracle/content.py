"""What a provision speaks of: types, codes, labels, dates, single items. 42 CFR 2.31(a)(3)."""

from datetime import datetime, tzinfo

from tests.oracle.papers import Ask, zone_of
from tests.oracle.reading import (
    ACT_CODE,
    NOTES,
    PART2_LABEL,
    Item,
    Json,
    NotJudged,
    Partners,
    codes,
    everywhere,
    span,
)

CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
_SUBSTANCE_USE = {(ACT_CODE, one) for one in ("ETH", "SUD", "ETHUD", "OPIOIDUD", "DRGIS")}
_ABOUT_SUBSTANCES = {"F11.20": True, "F11.10": True, "1819": True, "6813": True, "J10.1": False, "140": False}
_IN_ONE_PIECE = ("DocumentReference", "Binary")


def _labels(item: Item, partners: Partners) -> set[tuple[str, str]]:
    labels = set(item.stated_labels)
    if item.origin(partners):
        labels |= {PART2_LABEL, (CONFIDENTIALITY, "R")}
    return labels


def _carries(item: Item, wanted: tuple[str, str], partners: Partners) -> bool:
    """Say whether an item has a sensitivity, stated or by what it is about."""
    stated = _labels(item, partners)
    if wanted[0] == CONFIDENTIALITY and (wanted not in stated or NOTES in stated):
        raise NotJudged("how far a level of confidentiality reaches")
    if wanted not in _SUBSTANCE_USE:
        return wanted in stated
    if stated & _SUBSTANCE_USE:
        return True
    about = [_ABOUT_SUBSTANCES.get(code) for _, held in everywhere(item.resource) for _, code in codes(held)]
    if True in about:
        return True
    if False not in about:
        raise NotJudged("whether content nobody coded is about substance use")
    return False


def speaks_of(node: Json, paper: Json, item: Item, ask: Ask, in_doubt: bool = False) -> bool:
    """Say whether a provision speaks of an item, by everything it states of content; `in_doubt`: or may."""
    resource = item.resource
    if "class" in node and resource["resourceType"] not in {code for _, code in codes(node["class"])}:
        return False
    if "code" in node and not codes(node["code"]) & codes([resource.get("code"), resource.get("vaccineCode")]):
        return False
    if "securityLabel" in node and not any(_carries(item, one, ask.partners) for one in codes(node["securityLabel"])):
        return False
    if "data" in node and item.reference not in {one["reference"]["reference"] for one in node["data"]}:
        return False
    if "dataPeriod" in node:
        times = _times(item, ask.partners)
        if not _lies_in(node["dataPeriod"], times, zone_of(paper, ask), in_doubt) if times else not in_doubt:
            return False
    return "action" not in node or "disclose" in {code for _, code in codes(node["action"])}


def _times(item: Item, partners: Partners) -> tuple[datetime, datetime] | None:
    """Return the time an item is of, in days of whoever keeps it; None where it has no date."""
    named = [item.resource[one] for one in ("effectiveDateTime", "occurrenceDateTime") if one in item.resource]
    if not named and {"onsetDateTime", "recordedDate", "authoredOn", "period", "date"} & set(item.resource):
        raise NotJudged("which date of an item counts")
    keeper = item.origin(partners) or (item.hops[-1].custodian if item.hops else item.authors[0])
    return span(named[0], partners.zone(keeper)) if named else None


def _lies_in(period: Json, times: tuple[datetime, datetime], zone: tzinfo, in_doubt: bool) -> bool:
    """Say whether all of a time lies in a period; `in_doubt`: any of it."""
    since = span(period["start"], zone)[0] if "start" in period else times[0]
    until = span(period["end"], zone)[1] if "end" in period else times[1]
    if in_doubt:
        return times[1] > since and times[0] < until
    return times[0] >= since and times[1] <= until


def is_in_one_piece(item: Item) -> bool:
    """Say whether an item cannot be taken apart."""
    return item.resource["resourceType"] in _IN_ONE_PIECE
