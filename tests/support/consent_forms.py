"""Filled consent forms for tests: a complete one of each kind, in the small world of `part2_world`."""

import struct
import zlib
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from gateway.catalog.wordings import read_wordings
from gateway.formats.consent_paper import Ids, Reader, Taken, consent_of, form_text
from gateway.model.consent_form import (
    ConsentForm,
    CriminalJustice,
    Expiry,
    FormText,
    Recipients,
    Signature,
    Signer,
    Wording,
)
from gateway.model.partner import Registry
from tests.support.part2_world import world

SIGNED = datetime(2026, 11, 2, 17, 0, tzinfo=UTC)
"""An hour before `part2_world.T0`."""
WINTER = date(2026, 12, 31)


def a_png(width: int = 300, height: int = 90) -> bytes:
    """A drawing: a white page with a dark line across it."""
    rows = b"".join(b"\x00" + (b"\x20" if row == height // 2 else b"\xff") * width for row in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    chunks = (len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4) for kind, body in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


A_PNG = a_png()


def signed_by(name: str = "Tess Testperson", **changes: Any) -> Signature:
    """A typed signature of the patient, an hour ago."""
    signer = changes.pop("signer", Signer(name))
    return replace(Signature("typed", signer, SIGNED, witness="Kim Sample", device="a tablet"), **changes)


def a_form(**changes: Any) -> ConsentForm:
    """The ordinary complete form: Aspen may give Mercy all but counseling notes, for treatment, until winter."""
    values: dict[str, Any] = {
        "patient_id": "t1",
        "disclosers": ("org:aspen",),
        "information": ("everything",),
        "recipients": Recipients(named=("org:mercy",)),
        "purposes": ("treatment",),
        "expiry": Expiry(on=WINTER),
        "signatures": (signed_by(),),
    }
    return ConsentForm(**{**values, **changes})


def a_tpo_form(**changes: Any) -> ConsentForm:
    """One consent for all treatment, payment and operations, to the class of the rule, without end."""
    values: dict[str, Any] = {
        "recipients": Recipients(treating_class=True),
        "purposes": ("treatment", "payment", "operations"),
        "expiry": Expiry(event="none"),
    }
    return a_form(**{**values, **changes})


def a_court_form(**changes: Any) -> ConsentForm:
    """A consent of 42 CFR 2.35 to the court that made treatment a condition."""
    values: dict[str, Any] = {
        "kind": "criminal-justice-referral",
        "information": ("attendance", "results"),
        "recipients": Recipients(named=("org:court",)),
        "purposes": ("monitoring",),
        "criminal_justice": CriminalJustice("disposition", date(2026, 12, 1), "final disposition of the case"),
    }
    return a_form(**{**values, **changes})


def a_reader(registry: Registry | None = None, born: date | None = date(1980, 1, 31), **changes: Any) -> Reader:
    """What a form is read with at the instant of the tests."""
    reader = Reader(registry or world(), datetime(2026, 11, 2, 18, 0, tzinfo=UTC), born, 13, ("Testperson", "Tess"))
    return replace(reader, **changes)


def as_consent(form: ConsentForm, *, from_paper: bool = False, registry: Registry | None = None) -> dict[str, Any]:
    """The Consent of a form."""
    taken = Taken("staff-1", from_paper, date(2026, 11, 2))
    return consent_of(form, Ids("paper", "form", "file"), taken, registry or world())


def text_of(form: ConsentForm, language: str = "en") -> FormText:
    """The text of a form as the person reads it."""
    return form_text(form, wordings()[language], world(), "Tess Testperson", "1980-01-31")


@cache
def wordings() -> dict[str, Wording]:
    """The shipped words of the form."""
    return read_wordings()
