"""Codes of the engine and of the standards in words for staff: what templates show beside a code or in its place."""

from flask import Blueprint

from gateway.model.disclosure_words import content_words, occasion_words, purpose_words, way_words
from gateway.reporting.reasons_in_words import WORDS, InWords

_VISIT_STEPS = {
    "5.1.1": "appointment made",
    "5.1.2": "did not come",
    "5.1.3": "appointment cancelled",
    "5.1.4": "visit done",
}
"""Business statuses (BSeR TaskBusinessStatusCS) that say more than the Task.status beside them."""


def add_words(door: Blueprint) -> None:
    """Give the templates the filters of this module."""
    for words in (reason_words, visit_step, content_words, occasion_words, purpose_words, way_words):
        door.add_app_template_filter(words)


def reason_words(reason: str | None) -> InWords | None:
    """Return a reason of the engine, with or without its section ("NO_CONSENT (42 CFR 2.31)"), in words.

    None: it is no code for which something is withheld, but words already or a permit.
    """
    return WORDS.get((reason or "").partition(" (")[0])


def visit_step(business_status: str | None) -> str:
    """Return what a business status adds to the status of a referral; "" where it repeats it."""
    return _VISIT_STEPS.get(business_status or "", "")
