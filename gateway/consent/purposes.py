"""Which purposes include which (v3-ActReason), and what treatment, payment and operations are under 42 CFR 2.33."""

from collections.abc import Iterable

from gateway.model.request import ACT_REASON, OWN_PURPOSE

Purpose = tuple[str, str]

_CHILDREN = {
    "TREAT": ("ETREAT", "COC", "POPHLTH", "CLINTRL", "CAREMGTT", "TREATDS"),
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

TREATMENT = _COVERED["TREAT"] - {"CLINTRL"}
PAYMENT = _COVERED["HPAYMT"]
OPERATIONS = _COVERED["HOPERAT"]
RESEARCH = _COVERED["HRESCH"]
_TPO = TREATMENT | PAYMENT | OPERATIONS
_LEGAL = frozenset({"HLEGAL", "LEGAL"})
_SINGLE_TPO = ("TREAT", "HPAYMT", "HOPERAT")


def covers(stated: Purpose, asked: Purpose) -> bool:
    """Say whether a stated purpose includes the asked one; never across code systems."""
    if stated == asked:
        return True
    return stated[0] == asked[0] == ACT_REASON and asked[1] in _COVERED.get(stated[1], ())


def any_covers(stated: Iterable[Purpose], asked: Purpose) -> bool:
    """Say whether one of the stated purposes includes the asked one."""
    return any(covers(one, asked) for one in stated)


def _all_within(purposes: Iterable[Purpose], codes: frozenset[str]) -> bool:
    return all(system == ACT_REASON and code in codes for system, code in purposes)


def _any_within(purposes: Iterable[Purpose], codes: frozenset[str]) -> bool:
    return any(system == ACT_REASON and code in codes for system, code in purposes)


def is_treatment(purposes: Iterable[Purpose]) -> bool:
    """Say whether every purpose is treatment."""
    return _all_within(purposes, TREATMENT)


def is_payment(purposes: Iterable[Purpose]) -> bool:
    """Say whether every purpose is payment."""
    return _all_within(purposes, PAYMENT)


def is_payment_or_operations(purposes: Iterable[Purpose]) -> bool:
    """Say whether every purpose is payment or health care operations."""
    return _all_within(purposes, PAYMENT | OPERATIONS)


def is_tpo(purposes: Iterable[Purpose]) -> bool:
    """Say whether every purpose is treatment, payment or operations (45 CFR 164.501)."""
    return _all_within(purposes, _TPO)


def names_tpo(purposes: Iterable[Purpose]) -> bool:
    """Say whether at least one purpose is treatment, payment or operations."""
    return _any_within(purposes, _TPO)


def is_research(purposes: Iterable[Purpose]) -> bool:
    """Say whether every purpose is research."""
    return _all_within(purposes, RESEARCH)


def names_legal(purposes: Iterable[Purpose]) -> bool:
    """Say whether a proceeding or investigation is among the purposes (42 CFR 2.12(d)(1))."""
    return _any_within(purposes, _LEGAL)


def is_single_tpo(stated: Iterable[Purpose]) -> bool:
    """Say whether these are the purposes of a single consent for all future TPO (42 CFR 2.31(a)(5)(ii))."""
    stated = tuple(stated)
    return all((ACT_REASON, code) in stated for code in _SINGLE_TPO) and is_tpo(stated)


def own(code: str) -> Purpose:
    """Return one of the product's own purposes."""
    return (OWN_PURPOSE, code)


COORDINATION: Purpose = (ACT_REASON, "COC")
SUBPOENA: Purpose = (ACT_REASON, "LEGAL")
PROCEEDING: Purpose = (ACT_REASON, "HLEGAL")
MONITORING: Purpose = own("monitoring")
DUTY: Purpose = own("duty")
LOCATE: Purpose = own("locate")
