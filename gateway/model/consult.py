"""A consult: a client asks whether it may have records of a person, without asking for them yet."""

from dataclasses import dataclass

from gateway.model.labels import Label


@dataclass(frozen=True, slots=True)
class Consult:
    """The question. Everything in it is the caller's claim; who the caller is comes from its credential."""

    patient: tuple[str, ...]
    """Keys of one person, at least one: `Patient/id` or `system|value`."""
    purpose: tuple[str, ...] = ()
    """Bare v3-ActReason codes or `system|code`; none is a question that is always denied."""
    actor: tuple[str, ...] = ()
    """Who would have the records, as `system|value`; empty: the caller's own organization."""
    types: frozenset[str] = frozenset()
    """FHIR resource types asked about; empty: any."""
    labels: frozenset[Label] = frozenset()
    """Security labels asked about; empty: any."""


@dataclass(frozen=True, slots=True)
class Advice:
    """The answer. `obligations` are codes of the decision, `labels` those on what would leave, `consent` an id.

    `types` are the FHIR resource types of what would leave. Labels and types are told of what would leave alone: they
    never depend on what would not.

    A denial holds nothing else, whatever its reason: nobody known, nothing there, refused and held are `DENIED`.
    """

    is_permitted: bool
    obligations: tuple[str, ...] = ()
    labels: tuple[Label, ...] = ()
    consent: str | None = None
    types: tuple[str, ...] = ()


DENIED = Advice(is_permitted=False)
"""The one denial (42 CFR 2.13(c)(2))."""
