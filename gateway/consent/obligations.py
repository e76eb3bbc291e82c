"""What a permit obliges to (docs/consent-engine.md): one place, so that none is forgotten."""

from gateway.consent.purposes import names_legal, needs_billing_only
from gateway.model.labeled import Item

AUDIT = frozenset({"AUDIT"})
_CONSENT = frozenset({"NOTICE", "CONSENT_COPY", "LABEL", "ACCOUNT", "PROCEEDINGS_BAR", "RECHECK"})

EMERGENCY = frozenset({"EMERGENCY_DOC", "LABEL", "PROCEEDINGS_BAR"})
BOUND = frozenset({"NO_REDISCLOSE", "LABEL", "PROCEEDINGS_BAR", "MIN"})
"""Research and audit (42 CFR 2.52, 2.53)."""
SERVICE = frozenset({"LABEL", "MIN"})
REPORT = frozenset({"MIN"})
ORDER = frozenset({"LABEL", "MIN", "LEGAL_QUEUE"})
REDISCLOSURE = frozenset({"LABEL", "PROCEEDINGS_BAR"})
CONTRACTOR = frozenset({"NOTICE", "MIN", "LABEL", "PROCEEDINGS_BAR", "NO_REDISCLOSE", "ACCOUNT", "RECHECK"})
NOT_PART2 = frozenset({"LABEL"})
TO_POLICE = frozenset({"MIN", "LEGAL_QUEUE"})
PATIENT = frozenset({"LABEL", "PROCEEDINGS_BAR"})
DEIDENTIFIED = frozenset({"DEID"})
AGREED_OUTSIDE_PART2 = frozenset({"LABEL", "ACCOUNT", "RECHECK"})
_POLICE_WROTE = frozenset({"CJI_STRIP"})


def of_consent(purposes: tuple[tuple[str, str], ...], item: Item) -> frozenset[str]:
    """Return what every disclosure with consent obliges to, and what its purposes and author add."""
    owed = _CONSENT | of_author(item)
    if needs_billing_only(purposes):
        owed |= {"MIN"}
    if names_legal(purposes):
        owed |= {"LEGAL_QUEUE"}
    return owed


def of_author(item: Item) -> frozenset[str]:
    """Return CJI_STRIP for what police wrote: their fields pass an allow-list before anything leaves."""
    is_police = any(author is not None and author.is_law_enforcement for author in item.origin.authors)
    return _POLICE_WROTE if is_police else frozenset()
