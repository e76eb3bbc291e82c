"""Every reason a decision can give, the section of law behind each, and what the steps hand to one another."""

from typing import NamedTuple

from gateway.model.decision import Basis

SECTIONS: dict[str, str] = {
    "NO_CONSENT": "42 CFR 2.31; 2.33",
    "CONSENT_NOT_ACTIVE": "42 CFR 2.31(c)(2)",
    "CONSENT_REVOKED": "42 CFR 2.31(c)(3)",
    "CONSENT_EXPIRED": "42 CFR 2.31(c)(1)",
    "CONSENT_NOT_YET_EFFECTIVE": "42 CFR 2.31(a)(7)",
    "CONSENT_FALSE": "42 CFR 2.31(c)(4)",
    "CONSENT_UNVERIFIED": "42 CFR 2.31(c)(4)",
    "CONSENT_DEFICIENT": "42 CFR 2.31(c)(2); 2.32(a)(1)",
    "CONSENT_DEFICIENT:EL_PATIENT": "42 CFR 2.31(a)(1)",
    "CONSENT_DEFICIENT:EL_DISCLOSER": "42 CFR 2.31(a)(2)",
    "CONSENT_DEFICIENT:EL_INFO": "42 CFR 2.31(a)(3)",
    "CONSENT_DEFICIENT:EL_RECIPIENT": "42 CFR 2.31(a)(4)(i)",
    "CONSENT_DEFICIENT:EL_INTERMEDIARY": "42 CFR 2.31(a)(4)(ii)",
    "CONSENT_DEFICIENT:EL_CE_STATEMENT": "42 CFR 2.31(a)(4)(iii)",
    "CONSENT_DEFICIENT:EL_PURPOSE": "42 CFR 2.31(a)(5)",
    "CONSENT_DEFICIENT:EL_REVOCATION": "42 CFR 2.31(a)(6); 2.35(c)",
    "CONSENT_DEFICIENT:EL_EXPIRY": "42 CFR 2.31(a)(7); 2.35(b)",
    "CONSENT_DEFICIENT:EL_SIGNATURE": "42 CFR 2.31(a)(8); 2.14; 2.15",
    "CONSENT_DEFICIENT:EL_DATE": "42 CFR 2.31(a)(9)",
    "CONSENT_DEFICIENT:EL_TPO_STATEMENTS": "42 CFR 2.31(a)(10)",
    "COMBINED_NOTES": "42 CFR 2.31(b)(2)",
    "NOTES_NO_SPECIFIC": "42 CFR 2.31(b)(1)",
    "COMBINED_PROCEEDING": "42 CFR 2.31(d)",
    "PROCEEDING_NO_SPECIFIC": "42 CFR 2.31(d); 2.12(d)(1)",
    "PATIENT_MISMATCH": "42 CFR 2.31(a)(1)",
    "PATIENT_UNKNOWN": "42 CFR 2.13(c)(2)",
    "PATIENT_AMBIGUOUS": "42 CFR 2.31(a)(1)",
    "DISCLOSER_NOT_NAMED": "42 CFR 2.31(a)(2)",
    "RECIPIENT_NOT_NAMED": "42 CFR 2.31(a)(4)(i)",
    "RECIPIENT_NOT_TREATING": "42 CFR 2.31(a)(4); 2.11",
    "IDENTITY_MISMATCH": "42 CFR 2.16(a)",
    "ENDPOINT_UNVERIFIED": "42 CFR 2.16(a)",
    "PURPOSE_MISSING": "42 CFR 2.31(a)(5); 2.13(a)",
    "PURPOSE_NOT_COVERED": "42 CFR 2.31(a)(5)",
    "SCOPE_NOT_COVERED": "42 CFR 2.31(a)(3)",
    "EXPLICIT_DENY": "42 CFR 2.31(a)(3); 2.13(a)",
    "RESTRICTION_AGREED": "42 CFR 2.26(a)(3)",
    "RESTRICTION_SELF_PAY": "42 CFR 2.26(a)(6)",
    "MIN_NECESSARY": "42 CFR 2.13(a); 45 CFR 164.502(b)",
    "LE_NO_BASIS": "42 CFR 2.12(d)(1); 2.13(c)",
    "SUBPOENA_ALONE": "42 CFR 2.61",
    "ORDER_DEFICIENT": "42 CFR 2.64; 2.65",
    "ORDER_SCOPE": "42 CFR 2.64(e); 2.65(e); 2.63",
    "ORDER_NOT_COMPULSORY": "42 CFR 2.61(b)",
    "CJ_NOT_ELIGIBLE": "42 CFR 2.35(a)",
    "REDISCLOSURE_BARRED": "42 CFR 2.32; 2.33(b)",
    "REGISTRY_USE_BARRED": "42 CFR 2.34(c)",
    "EMERGENCY_NOT_MEDICAL_PERSONNEL": "42 CFR 2.51(a)",
    "EMERGENCY_CONSENT_OBTAINABLE": "42 CFR 2.51(a)(1)",
    "EMERGENCY_UNDOCUMENTED": "42 CFR 2.51(c)",
    "EMERGENCY_OVER": "42 CFR 2.51(a)",
    "RESEARCH_NO_APPROVAL": "42 CFR 2.52",
    "AUDIT_NO_AGREEMENT": "42 CFR 2.53",
    "QSOA_NOT_IN_FORCE": "42 CFR 2.12(c)(4)",
    "NOT_DEIDENTIFIED": "42 CFR 2.54; 45 CFR 164.514(b)",
    "STATE_MH": "42 CFR 2.20",
    "STATE_LAW": "42 CFR 2.20",
    "CJI_BARRED": "CJIS Security Policy; 28 CFR 20.33",
    "ORIGIN_UNKNOWN": "42 CFR 2.12(a); 2.31(c)(4)",
    "OTHER_LAW_38USC7332": "38 USC 7332; 42 CFR 2.12(c)(1)",
    "UNSEGMENTABLE": "42 CFR 2.13(a)",
    "UNPARSEABLE": "42 CFR 2.31(c)(2)",
    "LABEL_DOWNGRADE": "42 CFR 2.13(a); 2.16(a)",
    "NOTICE_UNATTACHABLE": "42 CFR 2.32(a)",
    "CONSENT_SOURCE_UNAVAILABLE": "42 CFR 2.31(c)(3)",
    "AUDIT_UNAVAILABLE": "42 CFR 2.16; 2.25",
    "OK_CONSENT": "42 CFR 2.33(a)",
    "OK_TPO": "42 CFR 2.33(a)(2); 2.31(a)(4)(i)",
    "OK_INTERMEDIARY": "42 CFR 2.31(a)(4)(ii); 2.24",
    "OK_CJ_REFERRAL": "42 CFR 2.35",
    "OK_REGISTRY": "42 CFR 2.34",
    "OK_HIPAA_REDISCLOSURE": "42 CFR 2.33(b)(1)",
    "OK_NOT_PART2": "42 CFR 2.12(a); 45 CFR 164.506(c)(2)",
    "OK_INTERNAL": "42 CFR 2.12(c)(3)",
    "OK_QSO": "42 CFR 2.12(c)(4)",
    "OK_EMERGENCY": "42 CFR 2.51",
    "OK_RESEARCH": "42 CFR 2.52",
    "OK_AUDIT": "42 CFR 2.53",
    "OK_DEIDENT": "42 CFR 2.54",
    "OK_CRIME_PREMISES": "42 CFR 2.12(c)(5)",
    "OK_CHILD_ABUSE": "42 CFR 2.12(c)(6)",
    "OK_COURT_ORDER": "42 CFR 2.64; 2.65; 2.66",
    "OK_PATIENT": "42 CFR 2.23",
    "OK_HIPAA_512F": "45 CFR 164.512(f)(2)",
    "OK_HIPAA_512K5": "45 CFR 164.512(k)(5)",
}
"""Reason -> the section of law it stands on. A reason without a section cannot be given: a test keeps it so."""


class Withhold(NamedTuple):
    """An item, or the whole request, does not go: at which step (in hundredths, so that step 13 has an inside).

    `holds`: nothing leaves yet, a person decides. `section`: the law, where the reason alone does not tell it.
    """

    reason: str
    step: int
    holds: bool = False
    section: str | None = None


class Release(NamedTuple):
    """An item may go. `exempt` from the checks of the address (step 15): emergency, patient, internal, de-identified.

    `yields`: whether an agreed restriction stops it (step 14; 42 CFR 2.26). `elements`: those of the item that may
    leave, where a law lists them.
    """

    reason: str
    step: int
    obligations: frozenset[str]
    basis: Basis | None
    release: str
    exempt: bool = False
    yields: bool = False
    elements: frozenset[str] | None = None
