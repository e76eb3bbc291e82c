"""The kinds of release: purpose, section of law, evidence a person must register, and who has to look besides.

Which evidence is enough is the engine's to say (`gateway.consent`); this table only says what is asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.model.release import ReleaseKind, Way
from gateway.model.request import OWN_PURPOSE

_BOTH: tuple[Way, ...] = ("send", "copy")
_COPY: tuple[Way, ...] = ("copy",)


@dataclass(frozen=True, slots=True)
class KindRule:
    """How one kind of release is asked for.

    `fields` are the evidence's names in the order of the form. `forms` are those of a copy: the circumstances of a
    crime stand in no FHIR resource, so only the letter tells them. `needs_approval`: it waits until somebody of legal
    review other than whoever asked has registered what it stands on. `second_look`: somebody else has to look at it
    afterwards. `whole_record`: referrals to others are part of what is asked, else they stay out. `fails` are the
    reasons that say that the basis itself does not hold: then nothing of the record goes, not even what needs no
    basis, for the release was asked for on this one. `basis` is the engine's word for it, where that is another one.
    `may_narrow`: who asks may say that only some types of records are needed (2.51(a), 2.13(a)).
    `to_roles`: one of these a recipient must have. `must_state`: evidence without which it is not even asked for.
    """

    title: str
    section: str
    purpose: str
    fields: tuple[str, ...]
    ways: tuple[Way, ...] = _BOTH
    forms: tuple[str, ...] = ("pdf", "fhir")
    invokes_basis: bool = True
    needs_approval: bool = False
    second_look: bool = False
    may_narrow: bool = False
    whole_record: bool = False
    fails: frozenset[str] = frozenset()
    basis: str | None = None
    to_roles: frozenset[str] = frozenset()
    must_state: str | None = None


EMERGENCY_FACTS = ("recipient_name", "recipient_affiliation", "time", "nature")
"""42 CFR 2.51(c), besides who discloses: that is whoever is logged in."""

KINDS: Mapping[ReleaseKind, KindRule] = {
    "emergency": KindRule(
        "Medical emergency (break the glass)", "42 CFR 2.51", "ETREAT",
        (*EMERGENCY_FACTS, "consent_obtainable", "declaration", "program_closed"), second_look=True,
        may_narrow=True,
        fails=frozenset(
            {
                "EMERGENCY_NOT_MEDICAL_PERSONNEL", "EMERGENCY_UNDOCUMENTED", "EMERGENCY_OVER",
                "EMERGENCY_CONSENT_OBTAINABLE",
            }
        ),
    ),
    "court_order": KindRule(
        "Court order", "42 CFR 2.61 to 2.67", "LEGAL", ("asked_by", "asked_for"),
        needs_approval=True, whole_record=True,
        fails=frozenset({"SUBPOENA_ALONE", "ORDER_DEFICIENT", "ORDER_NOT_COMPULSORY"}),
    ),
    "research": KindRule(
        "Research", "42 CFR 2.52", "HRESCH", ("approval",), may_narrow=True, fails=frozenset({"RESEARCH_NO_APPROVAL"})
    ),
    "audit": KindRule(
        "Audit or evaluation", "42 CFR 2.53", "HCOMPL", ("agreement",), whole_record=True,
        may_narrow=True, fails=frozenset({"AUDIT_NO_AGREEMENT"}),
    ),
    "qso": KindRule(
        "Qualified service organization", "42 CFR 2.11, 2.12(c)(4)", "HOPERAT", ("agreement",), whole_record=True,
        may_narrow=True, fails=frozenset({"QSOA_NOT_IN_FORCE"}),
    ),
    "child_abuse_report": KindRule(
        "Report of suspected child abuse or neglect", "42 CFR 2.12(c)(6)", f"{OWN_PURPOSE}|child-abuse-report",
        ("state_law", "content"), ways=_COPY,
    ),
    "crime_on_premises": KindRule(
        "Crime on the premises or against personnel", "42 CFR 2.12(c)(5)", f"{OWN_PURPOSE}|crime-report",
        ("on_premises", "against_personnel", "incident", "occurred", "last_whereabouts"), ways=_COPY, forms=("pdf",),
        fails=frozenset({"LE_NO_BASIS"}),
    ),
    "criminal_justice": KindRule(
        "Criminal justice referral", "42 CFR 2.35", f"{OWN_PURPOSE}|monitoring", (), invokes_basis=False
    ),
    "patient_access": KindRule(
        "The patient's own copy", "42 CFR 2.23", "PATRQT", ("identity",), ways=_COPY, whole_record=True
    ),
    "hipaa_locate": KindRule(
        "Police: identify or locate", "45 CFR 164.512(f)(2)", f"{OWN_PURPOSE}|locate", ("subject", "asked_by"),
        ways=_COPY, needs_approval=True,
    ),
    "lawful_custody": KindRule(
        "Health care in custody", "45 CFR 164.512(k)(5)", "TREAT", ("facility",), may_narrow=True
    ),
    "public_health": KindRule(
        "De-identified, to public health", "42 CFR 2.54", "PUBHLTH", ("no_knowledge",), forms=("fhir",),
        fails=frozenset({"NOT_DEIDENTIFIED"}), basis="deidentified", to_roles=frozenset({"public_health"}),
        must_state="no_knowledge",
    ),
}  # fmt: skip
"""Kind -> its rule. `criminal_justice` invokes no basis: the consent of 2.35 decides, and nothing else."""
