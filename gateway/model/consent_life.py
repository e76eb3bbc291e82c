"""What became of a consent, for those who look after it: its state in plain words, and the lists they work from."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

ConsentState = Literal[
    "active", "not-yet", "waits", "revoked", "revoked-in-part", "oral-revocation", "ended", "replaced", "refusal",
    "error", "draft", "unreadable", "false",
]  # fmt: skip
"""`waits`: for its verification; `refusal`: a no that is obeyed; `error`: it was no consent of this person; `false`:
reported as false (42 CFR 2.31(c)(4))."""

RevocationMethod = Literal["written", "electronic", "oral"]


@dataclass(frozen=True, slots=True)
class Revoking:
    """That a person takes a consent back (42 CFR 2.31(a)(6)).

    `recipients` are registry ids, none = the whole consent; `method` oral is held until it comes in writing.
    """

    method: RevocationMethod
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RevokingMessage:
    """The message by which somebody else's system told that a person takes a consent back."""

    input_id: str
    received: datetime
    """From here on it counts: not from when it is read, and from no date that it states."""
    stated_at: str | None


@dataclass(frozen=True, slots=True)
class ConsentTerm:
    """What the store knows of a consent beside its content: its end, since when it waits, when it says more.

    Kept only for consents that are active and of which one of these is known.
    """

    consent_id: str
    ends_at: datetime | None
    """First instant after its end."""
    waits_since: datetime | None = None
    """From when on it waits for its verification: ahead, where it counts only so long after it was last confirmed."""
    reminded: bool = False
    """Somebody was reminded of this end."""
    turns_at: datetime | None = None
    """The next instant at which it may stop less: something it permits begins, or something it refuses ends."""
    event_told_at: datetime | None = None
    """When we were told what may be the event it ends with, and nobody has settled yet whether it is."""


@dataclass(frozen=True, slots=True)
class Resting:
    """An unfinished referral that rests on a consent, and the record it is in."""

    referral_id: str
    handoff_id: str
    recipient: str


@dataclass(frozen=True, slots=True)
class ConsentLine:
    """One consent in a list. Names are those of the registry; a person is an id of the index."""

    consent_id: str
    person_id: str
    state: ConsentState
    words: str
    """The state in words, e.g. "active until 31 December 2026"."""
    kind: str
    disclosers: tuple[str, ...]
    recipients: tuple[str, ...]
    purposes: tuple[str, ...]
    signed_at: datetime | None
    ends_at: datetime | None
    """First instant after its end; None: no date."""
    filed_by: str
    """Registry id of the organization that handed it in, or "" where it came with a record."""
    captured_by: str
    """Account of the member of staff who took or transcribed it, or ""."""
    from_paper: bool
    version: int
    referrals: tuple[Resting, ...] = ()
    """What would stop with it."""
    document_id: str | None = None
    """The Binary with the signed form, if there is one here."""
    may_have_ended: bool = False
    """Somebody has to say whether the event it ends with has come."""


@dataclass(frozen=True, slots=True)
class ConsentList:
    """Consents for a page. `person_id` is that of the person asked for, "" for lists across persons."""

    lines: tuple[ConsentLine, ...]
    person_id: str = ""
    has_more: bool = False
    """There are more than are shown here."""


@dataclass(frozen=True, slots=True)
class SignedBy:
    """One signature under a consent, as it was written down. Codes are those of the form, "" where nothing is said."""

    name: str
    capacity: str
    method: str = ""
    at: datetime | None = None
    document: str = ""
    """What shows the right to sign for the person."""


@dataclass(frozen=True, slots=True)
class TakenBack:
    """That a consent was taken back: when it was received, how, and for whom (none = for everybody), as written."""

    when: datetime | None
    method: str
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WrittenDown:
    """What a kept consent says beside its line: all that a second person compares with the paper."""

    information: tuple[str, ...]
    """What may be shared, in words; what has none, by its code."""
    statements: tuple[str, ...]
    """Which of STATEMENTS (`gateway.model.consent_form`) stand on it."""
    signatures: tuple[SignedBy, ...]
    about: str
    """In words of the paper: which proceeding, or which event makes it revocable; "" on an ordinary one."""
    revocable_from: str
    language: str
    interpreter: str
    edition: str
    replaces: tuple[str, ...]
    """Ids of the consents it says it replaces."""
    taken_back: tuple[TakenBack, ...] = ()


@dataclass(frozen=True, slots=True)
class ConsentPage:
    """One consent with everything that stands on it, and the other consents of its person that still count."""

    line: ConsentLine
    person: str
    """Name and birth date, as the record that the consent points to has them; "" where there is none here."""
    written: WrittenDown
    others: tuple[ConsentLine, ...]
    record: str | None
    """Newest record about the person that a new form can begin with here; None: there is none."""
    revocable_from: datetime | None = None
    """Ahead: it cannot be taken back before (42 CFR 2.35(c))."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to tick: its code and its words."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class FormChoices:
    """Everything a capture page offers, in one language, from the registry and the wording."""

    programs: tuple[Choice, ...]
    recipients: tuple[Choice, ...]
    justice: tuple[Choice, ...]
    """Recipients of a form under 42 CFR 2.35: courts, probation, prosecutors."""
    intermediaries: tuple[tuple[Choice, tuple[Choice, ...]], ...]
    """Each with its members."""
    information: tuple[Choice, ...]
    purposes: tuple[Choice, ...]
    languages: tuple[Choice, ...]
