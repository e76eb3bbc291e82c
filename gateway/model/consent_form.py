"""A written consent as a person fills it in: each element of 42 CFR 2.31(a) as data, in the words of the form.

The choices are codes with a meaning of their own; their words in a language are a wording of the catalog, and their
FHIR is made in one place (`gateway.formats.consent_paper`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, NamedTuple

FormKind = Literal["disclosure", "counseling-notes", "proceedings", "criminal-justice-referral"]
"""Which paper it is: counseling notes and a proceeding each need one of their own (42 CFR 2.31(b), (d)); the last is
the one of 42 CFR 2.35."""

Language = Literal["en", "es"]
Outcome = Literal["agreed", "refused"]
"""`refused`: the person said no, and that no is kept and obeyed."""

Capacity = Literal["patient", "parental", "guardian", "personal-representative", "director-determination"]
"""In which capacity somebody signs (42 CFR 2.14, 2.15)."""

SigningMethod = Literal["typed", "drawn", "paper"]
Condition = Literal["disposition", "parole", "release"]
"""What taking part in treatment is a condition of (42 CFR 2.35(a))."""

Ending = Literal["", "none", "end-of-treatment", "end-of-research-study"]
"""An end that is no date (42 CFR 2.31(a)(7)); "" = there is a date."""

EVERYTHING = "everything"
"""The choice of information that stands alone: all substance use records but counseling notes."""

INFORMATION = (EVERYTHING, "attendance", "diagnoses", "results", "medications", "plans", "referrals", "documents")
"""What may be disclosed (42 CFR 2.31(a)(3)), in the order of the form."""

PURPOSES = (
    "treatment", "payment", "operations", "coordination", "patient-request", "housing", "employment", "research",
    "monitoring", "proceeding",
)  # fmt: skip
"""For what (42 CFR 2.31(a)(5)), in the order of the form."""

STATEMENTS = (
    "revocation-right", "ce-redisclosure-statement", "tpo-redisclosure-warning", "refusal-consequences",
    "fundraising-opt-out",
)  # fmt: skip
"""What a form has to tell: 2.31(a)(6), (a)(4)(iii), (a)(10)(i), (a)(10)(ii), (a)(5)(iii); as in our extensions."""


@dataclass(frozen=True, slots=True)
class Recipients:
    """To whom (42 CFR 2.31(a)(4)): organizations by name, the class of the rule, or through an intermediary."""

    named: tuple[str, ...] = ()
    """Registry ids."""
    treating_class: bool = False
    """The words of (a)(4)(i) for treatment, payment and operations: "my treating providers, health plans, ..."."""
    intermediary: str | None = None
    """Registry id; it passes on to `participants`, or with none named to whoever of its members treats the person."""
    participants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expiry:
    """When the consent ends (42 CFR 2.31(a)(7)): the last day it is good for, or an event."""

    on: date | None = None
    event: Ending = ""


@dataclass(frozen=True, slots=True)
class CriminalJustice:
    """What 42 CFR 2.35 adds: the condition, and from when on the person may take the consent back."""

    condition_of: Condition
    revocable_from: date | None
    revocable_event: str = ""
    """In words, e.g. "final disposition of case 99-1-00001-1"; no later than `revocable_from`."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs, and by what right."""

    name: str
    capacity: Capacity = "patient"
    document: str = ""
    """What shows the authority, e.g. "letters of guardianship, Thurston County 99-4-00001-1"."""
    valid_from: date | None = None
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature and the evidence of it (42 CFR 2.31(a)(8), (9)).

    `strokes` is the PNG of a drawn signature; `witness` names who of the staff saw it given; `shown` is the SHA-256
    (hex) of the exact text that was signed, as `FormText.digest` gave it.
    """

    method: SigningMethod
    signer: Signer
    at: datetime
    strokes: bytes = b""
    device: str = ""
    shown: str = ""
    witness: str = ""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """Who put the form into the person's own language before it was signed."""

    name: str
    language: str


@dataclass(frozen=True, slots=True)
class ConsentForm:
    """One form as filled in. Organizations are registry ids, never names; `patient_id` is that of a Patient."""

    patient_id: str
    kind: FormKind = "disclosure"
    outcome: Outcome = "agreed"
    language: Language = "en"
    disclosers: tuple[str, ...] = ()
    information: tuple[str, ...] = ()
    recipients: Recipients = Recipients()
    purposes: tuple[str, ...] = ()
    proceeding: str = ""
    """Which proceeding, for a form of kind `proceedings`."""
    expiry: Expiry = Expiry()
    wants_fundraising: bool | None = None
    """The choice of (a)(5)(iii), where a recipient would raise funds; None: not asked."""
    criminal_justice: CriminalJustice | None = None
    signatures: tuple[Signature, ...] = ()
    interpreter: Interpreter | None = None
    supersedes: tuple[str, ...] = ()
    """Ids of the consents that this one replaces."""
    statements: frozenset[str] | None = None
    """Of a paper form: which of STATEMENTS stand on it. None: the form is ours and says what it has to."""
    edition: date | None = None
    """Of a paper form that is not ours: when that form was made, if it says so."""


class Line(NamedTuple):
    """One part of the text of a form: its heading, and its paragraphs."""

    key: str
    heading: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FormText:
    """The exact text of a filled form before it is signed, in its language.

    `digest` is the SHA-256 (hex) of edition, language and every word: what was shown can be proven later.
    """

    title: str
    language: Language
    edition: date
    lines: tuple[Line, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of a form in one language; every language has the same keys."""

    language: Language
    edition: date
    texts: Mapping[str, str] = field(hash=False)
    """Key ("purpose.treatment") to text, with {places} to fill in."""

    def fill(self, key: str, **places: str) -> str:
        """Return a text with its places filled in; what is filled in may hold braces and is never a template."""
        first, *parts = self.texts[key].split("{")
        filled = first
        for part in parts:
            place, _, rest = part.partition("}")
            filled += places[place] + rest
        return filled


@dataclass(frozen=True, slots=True)
class Shortcoming:
    """One thing a form lacks or may not say: the element, where the rule is written, and what to do about it."""

    element: str
    """EL_PATIENT ... EL_TPO_STATEMENTS as in decisions, or another code for what is wrong, not missing."""
    rule: str
    """E.g. "42 CFR 2.31(a)(7)"."""
    words: str


@dataclass(frozen=True, slots=True)
class FormRefused:
    """A form that cannot be taken, with everything that is wrong with it at once."""

    shortcomings: tuple[Shortcoming, ...]


@dataclass(frozen=True, slots=True)
class Captured:
    """A form that was taken: the id of the Consent, and of the Binary with the document for the patient's copy."""

    consent_id: str
    document_id: str


@dataclass(frozen=True, slots=True)
class Scan:
    """A signed paper as a file. `media_type` is what was claimed; the first bytes decide."""

    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Paper:
    """A document to show or print."""

    media_type: str
    content: bytes
    file_name: str
