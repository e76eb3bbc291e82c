"""The security labels every room uses: code systems, codes, and which of them mean the same or include each other."""

CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
OWN_LABEL = "https://warmhandoff.example/fhir/CodeSystem/security-label"

OBLIGATION = "https://warmhandoff.example/fhir/CodeSystem/obligation"
"""The obligations of a decision, where they are told to others."""

Label = tuple[str, str]
"""(code system, code)."""

PART2: Label = (ACT_CODE, "42CFRPart2")
SUD: Label = (ACT_CODE, "SUD")
HIV: Label = (ACT_CODE, "HIV")
MENTAL_HEALTH: Label = (ACT_CODE, "MH")
SEXUALLY_TRANSMITTED: Label = (ACT_CODE, "STD")
VIOLENCE: Label = (ACT_CODE, "SDV")
SICKLE_CELL: Label = (ACT_CODE, "SICKLE")
COUNSELING_NOTES: Label = (OWN_LABEL, "SUDNOTES")
CRIMINAL_JUSTICE_INFORMATION: Label = (OWN_LABEL, "CJI")
"""For deciding only: it never leaves."""
NO_PROCEEDING: Label = (OWN_LABEL, "NOPROCEEDING")
RESTRICTED: Label = (CONFIDENTIALITY, "R")
VERY_RESTRICTED: Label = (CONFIDENTIALITY, "V")

HANDLING: frozenset[Label] = frozenset({NO_PROCEEDING}) | {
    (ACT_CODE, code) for code in ("CPLYCD", "PERSISTLABEL", "NORDSCLCD", "NOREUSE")
}
"""Labels that say how to handle an item, not what it holds."""

SENSITIVITIES: frozenset[Label] = frozenset(
    (ACT_CODE, code)
    for code in (
        *("ETH", "SUD", "ETHUD", "OPIOIDUD", "DRGIS", "BH", "MH", "PSY", "PSYTHPN", "COGN", "DVD", "EMOTDIS"),
        *("HIV", "SDV", "STD", "SICKLE", "SEX", "VIO", "TBOO"),
    )
)
"""Labels of what an item speaks of (v3-ActCode, ActInformationSensitivityPolicy)."""

NEEDS_CONSENT: frozenset[Label] = frozenset((ACT_CODE, code) for code in ("NODSCLCD", "NODSCLCDS", "NOAUTH"))
"""No disclosure without a consent directive or the subject's authorization."""

STAYING_ON: frozenset[Label] = (
    NEEDS_CONSENT
    | {
        (ACT_CODE, code)
        for code in (
            *("NORDSCLCD", "NORDSCLCDS", "NORDSLCD", "NOREUSE", "NORDSCLW", "NORELINK", "ORCON", "NOLIST"),
            *("CPLYCD", "CPLYPOL", "PERSISTLABEL", "MINEC", "PRIVMARK", "ENCRYPT", "ENCRYPTR", "ENCRYPTT", "ENCRYPTU"),
            *("AUDTR", "AOD", "REDACT", "MASK", "DEID", "Title38Section7332", "HIPAAPsyNotes", "HIPAASelfPay"),
            *("HIPAANOPP", "CommonRule", "RedisclosureProhibitionMark", "ConfidentialMark"),
        )
    }
    | {NO_PROCEEDING}
)
"""Policies, obligations and refrains that somebody put on an item: whoever gets it is told of them too."""

OTHER_LAW: frozenset[Label] = frozenset({(ACT_CODE, "Title38Section7332"), (ACT_CODE, "HIPAAPsyNotes")})
"""Protected by a law that asks for its own consent (38 USC 7332; 45 CFR 164.508(a)(2)); none under Part 2 is one."""

INTEGRITY: frozenset[Label] = frozenset(
    ("http://terminology.hl7.org/CodeSystem/v3-ObservationValue", code)
    for code in (
        *("CLINAST", "DEVAST", "HCPAST", "PACQAST", "PATAST", "PAYAST", "PROAST", "SDMAST"),
        *("CLINRPT", "DEVRPT", "HCPRPT", "PACQRPT", "PATRPT", "PAYRPT", "PRORPT", "SDMRPT"),
    )
)
"""Who says so: of the value of the content, not of who may see it."""

CONFIDENTIALITY_RANK = {"U": 0, "L": 1, "M": 2, "N": 3, "R": 4, "V": 5}

UNDERSTOOD: frozenset[Label] = (
    SENSITIVITIES
    | (STAYING_ON - OTHER_LAW)
    | INTEGRITY
    | {PART2, COUNSELING_NOTES, CRIMINAL_JUSTICE_INFORMATION}
    | {(CONFIDENTIALITY, code) for code in CONFIDENTIALITY_RANK}
    | {(ACT_CODE, "42CFRPart2CD"), (ACT_CODE, "PROCESSINLINELABEL")}
    | {("http://terminology.hl7.org/CodeSystem/v3-ActReason", "HTEST")}
)
"""Every label a decision or a release does something about. Any other one holds its item: a person has to look."""

SUBSTANCE_USE = frozenset((ACT_CODE, code) for code in ("ETH", "SUD", "ETHUD", "OPIOIDUD", "DRGIS"))
"""One set in consents: ETH is a sibling of SUD in the code system, yet people write either."""

_CHILDREN = {
    "BH": {"COGN", "DVD", "EMOTDIS", "MH", "PSY", "PSYTHPN", "SUD", "ETH", "ETHUD", "OPIOIDUD", "DRGIS"},
    "MH": {"PSY", "PSYTHPN", "COGN", "DVD", "EMOTDIS"},
    "PSY": {"MH", "PSYTHPN"},
}


def expand(label: Label) -> frozenset[Label]:
    """Return every item label that a label written in a consent speaks of, itself included."""
    if label in SUBSTANCE_USE:
        return SUBSTANCE_USE
    system, code = label
    if system != ACT_CODE:
        return frozenset({label})
    return frozenset({label} | {(ACT_CODE, child) for child in _CHILDREN.get(code, ())})


def foreign_to(labels: "frozenset[Label] | set[Label]") -> list[Label]:
    """Return the known labels of what is more protected than, or protected otherwise than, whatever bears `labels`."""
    known = SUBSTANCE_USE if not SUBSTANCE_USE.isdisjoint(labels) else frozenset[Label]()
    above = CONFIDENTIALITY_RANK[high_water_mark(labels)]
    levels = {(CONFIDENTIALITY, code) for code, rank in CONFIDENTIALITY_RANK.items() if rank > above}
    return sorted((SENSITIVITIES | OTHER_LAW | {PART2, COUNSELING_NOTES} | levels) - labels - known)


def high_water_mark(labels: "frozenset[Label] | set[Label]") -> str:
    """Return the highest v3-Confidentiality code among `labels`, N where none is stated."""
    ranks = [
        CONFIDENTIALITY_RANK[code]
        for system, code in labels
        if system == CONFIDENTIALITY and code in CONFIDENTIALITY_RANK
    ]
    top = max(ranks, default=CONFIDENTIALITY_RANK["N"])
    return next(code for code, rank in CONFIDENTIALITY_RANK.items() if rank == top)
