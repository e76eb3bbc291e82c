"""What a site's counsel may decide about the rules; every default is the safe one."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal


@dataclass(frozen=True)
class Switches:
    """The site switches.

    `minor_consent` is the age from which a minor signs alone, or "parental" = both sign (42 CFR 2.14; RCW 71.34.530).
    `notice` names or is the text sent: any but the current ones of 42 CFR 2.32(a) holds every disclosure that owes it.
    `small_cell` is the smallest count a de-identified table may show. `own_addresses` are the beginnings of
    `meta.source` that are this installation's own: a consent from elsewhere must be verified.
    """

    legacy_consent: Literal["hold", "accept"] = "hold"
    require_verification_external: bool = True
    hipaa_treatment: Literal["allow", "deny"] = "allow"
    oral_revocation: Literal["hold", "deny"] = "hold"
    notice: str = "statement1 in FHIR, statement2 in v2"
    small_cell: int = 11
    minor_consent: int | Literal["parental"] = 13
    own_addresses: tuple[str, ...] = ("https://warmhandoff.example/",)

    @cached_property
    def digest(self) -> bytes:
        """What a decision hashes of its switches."""
        return repr(self).encode()


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
    for name in ("minor_consent", "small_cell"):
        value = values.get(name, 0)
        if value != "parental" and (isinstance(value, bool) or not isinstance(value, int)):
            raise ValueError(f"switch {name}: expected a whole number")
    try:
        return Switches(**values)
    except TypeError as error:
        raise ValueError("unknown switch") from error


_ALLOWED: dict[str, tuple[Any, ...]] = {
    "legacy_consent": ("hold", "accept"),
    "require_verification_external": (True, False),
    "hipaa_treatment": ("allow", "deny"),
    "oral_revocation": ("hold", "deny"),
}
