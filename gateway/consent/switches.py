"""What a site's counsel may decide about the rules; every default is the safe one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any, Literal, NamedTuple

from gateway.model.notice import CURRENT


class VerifiedSource(NamedTuple):
    """A store of consents that a person has verified as a whole, since a day: its consents carry no verification.

    IHE PCF forbids `Consent.verification`; the dated verification of the source takes its place.
    """

    address: str
    since: date


@dataclass(frozen=True)
class Switches:
    """The site switches.

    `minor_consent` is the age from which a minor signs alone, or "parental" = both sign (42 CFR 2.14; RCW 71.34.530).
    `notice` names or is the text sent: any but the current ones of 42 CFR 2.32(a) holds every disclosure that owes it.
    `small_cell` is the smallest count a de-identified table may show. `own_addresses` are the beginnings of
    `meta.source` that are this installation's own: a consent from elsewhere must be verified, by itself or by its
    source (`verified_sources`), and confirmed within `external_consent_max_age` hours. `emergency_hours` is how long
    after the time among its four facts a medical emergency opens anything (42 CFR 2.51).
    """

    legacy_consent: Literal["hold", "accept"] = "hold"
    require_verification_external: bool = True
    external_consent_max_age: int = 24
    emergency_hours: int = 24
    verified_sources: tuple[VerifiedSource, ...] = ()
    hipaa_treatment: Literal["allow", "deny"] = "allow"
    oral_revocation: Literal["hold", "deny"] = "hold"
    notice: str = "statement1 in FHIR, statement2 in v2"
    small_cell: int = 11
    minor_consent: int | Literal["parental"] = 13
    own_addresses: tuple[str, ...] = ("https://warmhandoff.example/",)

    def vouches_for(self, source: str, at: datetime) -> bool:
        """Say whether `source` (a `meta.source`) lies in a store that was verified by the day of `at`."""
        return any(
            one.since <= at.date() and f"{source}/".startswith(one.address.removesuffix("/") + "/")
            for one in self.verified_sources
        )

    @cached_property
    def digest(self) -> bytes:
        """What a decision hashes of its switches."""
        return repr(self).encode()


NOTICES = frozenset({"statement1", "statement2", "statement1 in FHIR, statement2 in v2"}) | CURRENT
"""What `notice` may say, or be: the statements of 42 CFR 2.32(a) in force. Any other wording is no notice."""


def switch_problems(stated: Mapping[str, Any] | None) -> list[str]:
    """Return why a gateway must not start with these switches: unreadable ones, or a notice of an earlier year.

    A decision on files is answered all the same: it holds whatever owes the notice.
    """
    try:
        switches = read_switches(stated)
    except ValueError as error:
        return [str(error)]
    is_current = switches.notice in NOTICES
    return [] if is_current else ["switch notice: expected the wording in force (42 CFR 2.32(a)), found another one"]


_FIXED = {
    "expiry_boundary": "inclusive",
    "subsidiary_inherits": False,
    "accounting_tpo": None,
    "unknown_origin": "part2",
    "state": None,
}
"""Switches the page names whose other settings this engine does not offer; None = any value is somebody else's."""


def read_switches(stated: Mapping[str, Any] | None) -> Switches:
    """Read stated switches over the defaults. Raises ValueError for an unknown one or an impossible value."""
    values = dict(stated or {})
    for name, only in _FIXED.items():
        value = values.pop(name, only)
        if only is not None and value != only:
            raise ValueError(f"switch {name}: only {only!r} is offered")
    for name, allowed in _ALLOWED.items():
        if name in values and values[name] not in allowed:
            raise ValueError(f"switch {name}: expected one of {', '.join(map(str, allowed))}")
    for name in ("minor_consent", "small_cell", "external_consent_max_age", "emergency_hours"):
        value = values.get(name, 0)
        is_word = value == "parental" and name == "minor_consent"
        if not is_word and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
            raise ValueError(f"switch {name}: expected a whole number")
    if "verified_sources" in values:
        values["verified_sources"] = tuple(_verified_source(one) for one in values["verified_sources"])
    try:
        return Switches(**values)
    except TypeError as error:
        raise ValueError("unknown switch") from error


def _verified_source(stated: Any) -> VerifiedSource:
    try:
        since = stated["verified"]
        return VerifiedSource(str(stated["address"]), since if isinstance(since, date) else date.fromisoformat(since))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("switch verified_sources: expected address and verified (a date) of each") from error


_ALLOWED: dict[str, tuple[Any, ...]] = {
    "legacy_consent": ("hold", "accept"),
    "require_verification_external": (True, False),
    "hipaa_treatment": ("allow", "deny"),
    "oral_revocation": ("hold", "deny"),
}
