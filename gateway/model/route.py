"""Routes: which referral goes to whom, by which transport and for what purpose."""

from dataclasses import dataclass
from typing import Literal

Transport = Literal["fhir", "hl7v2"]


@dataclass(frozen=True, slots=True)
class Route:
    """One entry of `routes.yaml`. An empty condition matches everything."""

    rule: str
    """Where the rule stands, e.g. "routes.yaml:12"; shown with each recipient it chose."""
    program: frozenset[str]
    agency: frozenset[str]
    service: frozenset[str]
    priority: frozenset[str]
    to: str
    transport: Transport
    purpose: tuple[str, ...]
    without_agreement: str | None
    """The policy that lets a police-origin referral go without the person's agreement, if the route names one."""
    via: str | None = None
    """Registry id of the exchange or intermediary that takes it and passes it on to `to`."""


AlertEvent = Literal["admitted", "registered", "discharged", "appointment"]


@dataclass(frozen=True, slots=True)
class AlertRoute:
    """One entry of `routes.yaml` with `alerts`: who is told what happens to a person with an open referral or team."""

    rule: str
    """Where the rule stands, as in `Route`."""
    events: frozenset[AlertEvent]
    program: frozenset[str]
    """Of the record whose referral or care team it is; empty matches everything, as for `agency`."""
    agency: frozenset[str]
    to: str
    transport: Transport
    purpose: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recipient:
    """One organization that a referral is to be sent to, and the rule that chose it."""

    organization: str
    transport: Transport
    purpose: tuple[str, ...]
    without_agreement: str | None
    rule: str
    via: str | None = None
