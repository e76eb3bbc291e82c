"""Which purpose covers which: v3-ActReason as far as 42 CFR 2.31(a)(5) and 45 CFR 164.501 need it."""

from tests.oracle.reading import OWN, NotJudged

ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
OWN_PURPOSE = OWN + "CodeSystem/purpose"

Purpose = tuple[str, str]

_CHILDREN = {
    "TREAT": "ETREAT COC POPHLTH",
    "ETREAT": "BTG ERTREAT",
    "HPAYMT": "CLMATTCH COVAUTH COVERAGE REMITADV",
    "HOPERAT": "CAREMGT HCOMPL HACCRED TRAIN",
    "HRESCH": "CLINTRCH",
    "PUBHLTH": "DISASTER THREAT",
    "PATRQT": "FAMRQT PWATRNY SUPNWK",
}
_PARENT = {child: parent for parent, children in _CHILDREN.items() for child in children.split()}
_KNOWN = {*_PARENT, *_CHILDREN, "HLEGAL", "LEGAL", "HMARKT"}

TREATMENT: Purpose = (ACT_REASON, "TREAT")
PAYMENT: Purpose = (ACT_REASON, "HPAYMT")
OPERATIONS: Purpose = (ACT_REASON, "HOPERAT")
RESEARCH: Purpose = (ACT_REASON, "HRESCH")
LEGAL: Purpose = (ACT_REASON, "LEGAL")
PROCEEDING: Purpose = (ACT_REASON, "HLEGAL")
TPO = (TREATMENT, PAYMENT, OPERATIONS)


def read(stated: str) -> Purpose:
    """Read a purpose of a request: a bare code of v3-ActReason, or `system|code`."""
    system, _, code = stated.rpartition("|")
    return (system or ACT_REASON, code)


def is_under(purpose: Purpose, broad: Purpose) -> bool:
    """Say whether one purpose is another, or a kind of it."""
    if purpose == broad:
        return True
    system, code = purpose
    if system == ACT_REASON and code not in _KNOWN:
        raise NotJudged("a purpose whose place in the code system is not known here")
    return system == ACT_REASON and code in _PARENT and is_under((system, _PARENT[code]), broad)


def is_tpo(purpose: Purpose) -> bool:
    """Say whether a purpose is treatment, payment or health care operations."""
    return any(is_under(purpose, one) for one in TPO)
