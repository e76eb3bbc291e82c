"""Which purposes include which (v3-ActReason), and what treatment, payment and operations are under 42 CFR 2.33."""

from collections.abc import Iterable

from gateway.model.request import ACT_REASON, OWN_PURPOSE

Purpose = tuple[str, str]

_CHILDREN = {
    # CLINTRL stands under TREAT in the code system and is cut out too: who agrees to be treated is in no trial by that.
    "TREAT": ("ETREAT", "COC", "POPHLTH", "CAREMGTT", "TREATDS"),
    "CLINTRL": (),
    "ETREAT": ("BTG", "ERTREAT"),
    "HPAYMT": ("CLMATTCH", "COVAUTH", "COVERAGE", "ELIGDTRM", "ELIGVER", "ENROLLM", "MILDCRG", "REMITADV"),
    # HLEGAL, LEGAL and FRAUD stand under HOPERAT in the code system. They are cut out here: operations never cover
    # a proceeding or investigation against the patient (42 CFR 2.12(d)(1), 2.31(d)).
    "HOPERAT": (
        "CAREMGT", "DONAT", "GOV", "HACCRED", "HCOMPL", "HDECD", "HDIRECT", "HDM", "HOUTCOMS", "HPRGRP", "HQUALIMP",
        "HSYSADMIN", "LABELING", "METAMGT", "MEMADMIN", "PATADMIN", "PATSFTY", "PERFMSR", "RECORDMGT", "SYSDEV",
        "HTEST", "TRAIN",
    ),
    "HRESCH": ("BIORCH", "CLINTRCH", "CLINTRCHNPC", "CLINTRCHPC", "PRECLINTRCH", "DSRCH", "POARCH", "TRANSRCH"),
    "PUBHLTH": ("DISASTER", "THREAT"),
    "PATRQT": ("FAMRQT", "PWATRNY", "SUPNWK"),
    "HMARKT": (),
    "HLEGAL": (),
    "LEGAL": (),
}  # fmt: skip


def _below(code: str) -> frozenset[str]:
    return frozenset({code}).union(*(_below(child) for child in _CHILDREN.get(code, ())))


_COVERED = {code: _below(code) for code in _CHILDREN}


def _reasons(codes: Iterable[str]) -> frozenset[Purpose]:
    return frozenset((ACT_REASON, code) for code in codes)


TREATMENT = _reasons(_COVERED["TREAT"])
PAYMENT = _reasons(_COVERED["HPAYMT"])
OPERATIONS = _reasons(_COVERED["HOPERAT"])
RESEARCH = _reasons(_COVERED["HRESCH"])
PUBLIC_HEALTH = _reasons(_COVERED["PUBHLTH"])
TPO = TREATMENT | PAYMENT | OPERATIONS
LEGAL = _reasons(("HLEGAL", "LEGAL"))
_SINGLE_TPO = _reasons(("TREAT", "HPAYMT", "HOPERAT"))


def covered_by(stated: Iterable[Purpose]) -> frozenset[Purpose]:
    """Return every purpose the stated ones include, themselves too; never across code systems."""
    covered: set[Purpose] = set()
    for system, code in stated:
        covered.add((system, code))
        if system == ACT_REASON:
            covered |= _reasons(_COVERED.get(code, ()))
    return frozenset(covered)


def is_treatment(purposes: Iterable[Purpose]) -> bool:
    """Say whether every purpose is treatment."""
    return TREATMENT.issuperset(purposes)


def is_payment(purposes: Iterable[Purpose]) -> bool:
    """Say whether every purpose is payment."""
    return PAYMENT.issuperset(purposes)


def needs_billing_only(purposes: Iterable[Purpose]) -> bool:
    """Say whether payment is among the purposes and treatment is not: another purpose opens no free text to a payer."""
    stated = frozenset(purposes)
    return not PAYMENT.isdisjoint(stated) and TREATMENT.isdisjoint(stated)


def is_payment_or_operations(purposes: Iterable[Purpose]) -> bool:
    """Say whether every purpose is payment or health care operations."""
    return (PAYMENT | OPERATIONS).issuperset(purposes)


def names_payment_or_operations(purposes: Iterable[Purpose]) -> bool:
    """Say whether at least one purpose is payment or health care operations."""
    return not (PAYMENT | OPERATIONS).isdisjoint(purposes)


def is_tpo(purposes: Iterable[Purpose]) -> bool:
    """Say whether every purpose is treatment, payment or operations (45 CFR 164.501)."""
    return TPO.issuperset(purposes)


def names_tpo(purposes: Iterable[Purpose]) -> bool:
    """Say whether at least one purpose is treatment, payment or operations."""
    return not TPO.isdisjoint(purposes)


def is_research(purposes: Iterable[Purpose]) -> bool:
    """Say whether every purpose is research."""
    return RESEARCH.issuperset(purposes)


def is_public_health(purposes: Iterable[Purpose]) -> bool:
    """Say whether every purpose is public health."""
    return PUBLIC_HEALTH.issuperset(purposes)


def names_legal(purposes: Iterable[Purpose]) -> bool:
    """Say whether a proceeding or investigation is among the purposes (42 CFR 2.12(d)(1))."""
    return not LEGAL.isdisjoint(purposes)


def is_single_tpo(stated: Iterable[Purpose]) -> bool:
    """Say whether these are the purposes of a single consent for all future TPO (42 CFR 2.31(a)(5)(ii))."""
    stated = frozenset(stated)
    return stated >= _SINGLE_TPO and is_tpo(stated)


def is_for_custody(purposes: Iterable[Purpose]) -> bool:
    """Say whether it is all for care in custody, or for the duties of those who guard (45 CFR 164.512(k)(5)(i))."""
    return (TREATMENT | {DUTY}).issuperset(purposes)


def own(code: str) -> Purpose:
    """Return one of the product's own purposes."""
    return (OWN_PURPOSE, code)


COORDINATION: Purpose = (ACT_REASON, "COC")
SUBPOENA: Purpose = (ACT_REASON, "LEGAL")
PROCEEDING: Purpose = (ACT_REASON, "HLEGAL")
MONITORING: Purpose = own("monitoring")
LOCATE: Purpose = own("locate")
DUTY: Purpose = own("duty")
