"""A consent form as a browser sends it: how its fields are read, and how they are carried from page to page.

Nothing is checked here but shapes; what a form lacks is said by the stories, all at once.
"""

import base64
import binascii
from collections.abc import Iterator
from datetime import date, datetime
from typing import cast
from zoneinfo import ZoneInfo

from werkzeug.datastructures import MultiDict

from gateway.model.consent_form import (
    Capacity,
    Condition,
    ConsentForm,
    CriminalJustice,
    Ending,
    Expiry,
    FormKind,
    Interpreter,
    Language,
    Outcome,
    Recipients,
    Signature,
    Signer,
    SigningMethod,
)

Fields = MultiDict[str, str]

KINDS: tuple[tuple[FormKind, str], ...] = (
    ("disclosure", "Sharing records"),
    ("counseling-notes", "Sharing counseling notes"),
    ("proceedings", "Use in one proceeding"),
    ("criminal-justice-referral", "Reports to those who supervise (42 CFR 2.35)"),
)
"""Each paper with its name for staff; the person reads the title of the wording."""

CAPACITIES: tuple[Capacity, ...] = (
    "patient", "parental", "guardian", "personal-representative", "director-determination",
)  # fmt: skip
"""In the order in which they are offered; their words are those of the form, in the language it is read in."""

ENDINGS: tuple[tuple[str, str], ...] = (
    ("date", "On the day below, at its end"),
    ("none", "No end: until it is taken back (treatment, payment, operations only)"),
    ("end-of-treatment", "With the end of the treatment"),
    ("end-of-research-study", "With the end of the study"),
)

_TEXT = 500
_MANY = 200
_CHOICES = frozenset(
    {
        "kind", "outcome", "language", "disclosers", "information", "to", "to_class", "intermediary", "participants",
        "purposes", "proceeding", "end", "end_on", "fundraising", "condition_of", "revocable_from", "revocable_event",
        "interpreter_name", "interpreter_language", "supersedes",
    }
)  # fmt: skip
"""What is chosen before the text is shown, and travels with it to the signature."""


def read_form(fields: Fields, patient_id: str) -> ConsentForm:
    """Read what was chosen; the signatures come apart."""
    ending = _text(fields, "end")
    return ConsentForm(
        patient_id=patient_id,
        kind=cast(FormKind, _one_of(fields, "kind", "disclosure", *(name for name, _ in KINDS))),
        outcome=cast(Outcome, _one_of(fields, "outcome", "agreed", "refused")),
        language=cast(Language, _one_of(fields, "language", "en", "es")),
        disclosers=_many(fields, "disclosers"),
        information=_many(fields, "information"),
        recipients=Recipients(
            named=_many(fields, "to"),
            treating_class=fields.get("to_class") == "yes",
            intermediary=_text(fields, "intermediary") or None,
            participants=_many(fields, "participants"),
        ),
        purposes=_many(fields, "purposes"),
        proceeding=_text(fields, "proceeding"),
        expiry=Expiry(
            on=_day(fields, "end_on") if ending in ("date", "") else None,
            event=cast(Ending, ending if ending in ("none", "end-of-treatment", "end-of-research-study") else ""),
        ),
        wants_fundraising={"yes": True, "no": False}.get(fields.get("fundraising", "")),
        criminal_justice=_criminal_justice(fields),
        interpreter=_interpreter(fields),
        supersedes=_many(fields, "supersedes"),
    )


def fields_of(form: ConsentForm) -> Fields:
    """Return a form as the fields of its page: what it begins with, to be gone through with the person."""
    to = form.recipients
    single = {
        "kind": form.kind, "language": form.language, "to_class": "yes" if to.treating_class else "",
        "intermediary": to.intermediary or "",
    }  # fmt: skip
    several = {
        "disclosers": form.disclosers, "information": form.information, "to": to.named,
        "participants": to.participants, "purposes": form.purposes, "supersedes": form.supersedes,
    }  # fmt: skip
    return MultiDict([*single.items(), *((name, one) for name, chosen in several.items() for one in chosen)])


def read_signatures(fields: Fields, witness: str, at: datetime) -> tuple[Signature, ...]:
    """Read the signatures given on the screen now, of the person and of whoever signs for or beside them."""
    return tuple(
        Signature(
            method=cast(SigningMethod, _one_of(fields, f"{which}_method", "typed", "drawn")),
            signer=_signer(fields, which),
            at=at,
            strokes=_strokes(fields, which),
            device=_text(fields, "device")[:200],
            shown=_text(fields, "shown"),
            witness=witness,
        )
        for which in _who_signs(fields)
    )


def read_paper_signatures(fields: Fields, witness: str, zone: ZoneInfo) -> tuple[Signature, ...]:
    """Read what stands on a paper about its signatures; one without a day is not read as one."""
    return tuple(
        Signature(
            method="paper",
            signer=_signer(fields, which),
            at=datetime(signed.year, signed.month, signed.day, tzinfo=zone),
            witness=witness,
        )
        for which in _who_signs(fields)
        if (signed := _day(fields, f"{which}_signed")) is not None
    )


def read_statements(fields: Fields) -> frozenset[str]:
    """Read which statements stand on a paper form."""
    return frozenset(_many(fields, "statements"))


def read_edition(fields: Fields) -> date | None:
    """Read when a paper form was made, if it says so."""
    return _day(fields, "edition")


def chosen(fields: Fields) -> list[tuple[str, str]]:
    """Return the choices as they were sent, for the hidden fields of the next page."""
    return [(name, value[:_TEXT]) for name, value in fields.items(multi=True) if name in _CHOICES]


def _criminal_justice(fields: Fields) -> CriminalJustice | None:
    condition = _text(fields, "condition_of")
    if condition not in ("disposition", "parole", "release"):
        return None
    return CriminalJustice(cast(Condition, condition), _day(fields, "revocable_from"), _text(fields, "revocable_event"))


def _interpreter(fields: Fields) -> Interpreter | None:
    name, language = _text(fields, "interpreter_name"), _text(fields, "interpreter_language")
    return Interpreter(name, language) if name or language else None


def _who_signs(fields: Fields) -> Iterator[str]:
    for which in ("first", "second"):
        if _text(fields, f"{which}_name") or _strokes(fields, which):
            yield which


def _signer(fields: Fields, which: str) -> Signer:
    capacity = _one_of(fields, f"{which}_capacity", *CAPACITIES)
    return Signer(
        name=_text(fields, f"{which}_name"),
        capacity=cast(Capacity, capacity),
        document=_text(fields, f"{which}_document"),
        valid_from=_day(fields, f"{which}_from"),
        valid_until=_day(fields, f"{which}_until"),
    )


def _strokes(fields: Fields, which: str) -> bytes:
    """Return the drawn signature as PNG; what is no picture is none, and the form then lacks a signature."""
    head, _, body = fields.get(f"{which}_strokes", "").partition(",")
    if head != "data:image/png;base64":
        return b""
    try:
        drawn = base64.b64decode(body, validate=True)
    except binascii.Error:
        return b""
    return drawn if drawn.startswith(b"\x89PNG\r\n\x1a\n") else b""


def _one_of(fields: Fields, name: str, *allowed: str) -> str:
    value = fields.get(name, "")
    return value if value in allowed else allowed[0]


def _many(fields: Fields, name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value[:_TEXT] for value in fields.getlist(name)[:_MANY] if value))


def _text(fields: Fields, name: str) -> str:
    return fields.get(name, "").strip()[: _TEXT + 1]  # one more, so that what is too long is said to be


def _day(fields: Fields, name: str) -> date | None:
    try:
        return date.fromisoformat(fields.get(name, ""))
    except ValueError:
        return None
