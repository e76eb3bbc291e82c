"""What a provision speaks of: types, codes, labels, dates, single items. 42 CFR 2.31(a)(3)."""

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
    covers,
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


def speaks_of(node: Json, paper: Json, item: Item, ask: Ask) -> bool:
    """Say whether a provision speaks of an item, by everything it states of content."""
    resource, zone = item.resource, zone_of(paper, ask)
    if "class" in node and resource["resourceType"] not in {code for _, code in codes(node["class"])}:
        return False
    if "code" in node and not codes(node["code"]) & codes([resource.get("code"), resource.get("vaccineCode")]):
        return False
    if "securityLabel" in node and not any(_carries(item, one, ask.partners) for one in codes(node["securityLabel"])):
        return False
    if "data" in node and item.reference not in {one["reference"]["reference"] for one in node["data"]}:
        return False
    if "dataPeriod" in node:
        when = resource.get("effectiveDateTime") or resource.get("occurrenceDateTime")
        if when is None:
            raise NotJudged("a data period and an item without a date")
        if not covers(node["dataPeriod"], span(when, zone)[0], zone):
            return False
    return "action" not in node or "disclose" in {code for _, code in codes(node["action"])}


def is_in_one_piece(item: Item) -> bool:
    """Say whether an item cannot be taken apart."""
    return item.resource["resourceType"] in _IN_ONE_PIECE
