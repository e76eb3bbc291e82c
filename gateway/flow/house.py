"""The house the stories are told in: every port and every table of rules they need, in one frozen object.

`wiring` builds one; tests build another with in-memory ports and a fixed clock.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from gateway.formats.hl7v2 import Message
from gateway.formats.hl7v2.maps.feed import FeedResult
from gateway.model.consent_form import Wording
from gateway.model.disclosure import Disclosure
from gateway.model.draft import Draft, Rejected, TraceLine
from gateway.model.errors import WillNeverWork
from gateway.model.findings import Finding
from gateway.model.handoff import Resource, SendResult, Work
from gateway.model.hl7_header import Hl7Header, PeerAddress
from gateway.model.hl7_parts import PassedOn
from gateway.model.partner import Endpoint, Feed, Organization, Registry
from gateway.model.received import Received
from gateway.model.route import AlertRoute, Route
from gateway.model.source_record import Skipped, Unreadable
from gateway.model.transport import Envelope
from gateway.ports import Clock, Database, NewId

AGENCY_SYSTEMS = ("https://warmhandoff.example/id/ori", "https://warmhandoff.example/id/partner")
"""Identifier systems under which a record may name its agency, in the order they are tried."""

Converted = tuple[int, Draft | Rejected | Unreadable | Skipped]
"""The number of a record in its input (from 1), and what reading and mapping made of it."""


class Transport(Protocol):
    """One way to a receiver. Accepts only a Disclosure, which only `redaction` builds, and only from a Permit."""

    def send(self, disclosure: Disclosure, endpoint: Endpoint, envelope: Envelope) -> SendResult:
        """Send and wait for the receiver's word.

        Raises:
            TryLater: nothing is known to be wrong; repeat with the same envelope.
            WillNeverWork: the receiver refused this content; a person has to look.
        """
        ...


Acknowledge = Callable[[bytes, Endpoint, Envelope], SendResult]
"""Answer a received message, given as it came. It can say nothing but that: no content passes through here."""


class Relay(Protocol):
    """The way of messages that are passed on. Accepts only a PassedOn, which `pass_on` alone makes, from a Permit."""

    def header(self, endpoint: Endpoint, envelope: Envelope) -> Hl7Header:
        """Return the envelope of what is sent there: the same over every try."""
        ...

    def relay(self, passed_on: PassedOn, endpoint: Endpoint) -> SendResult:
        """Send and wait for the receiver's word. Raises as `Transport.send`."""
        ...


def _no_reply_link(received: bytes, endpoint: Endpoint, envelope: Envelope) -> SendResult:
    raise WillNeverWork("this installation has no way to send acknowledgements")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long a delivery is tried."""

    base_s: float = 2.0
    cap_s: float = 900.0
    max_tries: int = 20


@dataclass(frozen=True, slots=True)
class House:
    """Everything the stories reach."""

    database: Database
    clock: Clock
    new_id: NewId
    registry: Registry
    routes: tuple[Route, ...]
    switches: Mapping[str, Any]
    key: bytes
    """Secret of the stable ids."""
    programs: Mapping[str, str]
    """Mapping name -> registry id of the agency it belongs to, where the record names none."""
    convert: Callable[[Received, str], Iterable[Converted]]
    """Read an input by the mapping of this name and map each record."""
    explain: Callable[[Received, str, int], Iterable[TraceLine]]
    """Say for one record of an input which source field and rule filled which element."""
    check: Callable[[Resource], Iterable[Finding]]
    """Check what we made against R4 and our profiles; what comes back with severity error stops the record."""
    check_foreign: Callable[[Resource], Iterable[Finding]]
    """Check what a partner wrote against R4 and the profiles it claims: ours do not bind others."""
    transports: Mapping[str, Transport]
    jitter: Callable[[], float]
    """A number in [0, 1): the only chance in the stories."""
    sources: frozenset[str] = frozenset()
    """Names an intake path may carry."""
    acknowledge: Acknowledge = _no_reply_link
    """Send the application answer to a message back to the partner it came from (HL7v2, enhanced mode)."""
    relay: Relay | None = None
    """What passes messages of feeds on (HL7v2); None: this installation has no way to."""
    answer_within: timedelta = timedelta(hours=24)
    """How long a receiver's application may take to answer what its system has taken (CA)."""
    retry: RetryPolicy = RetryPolicy()
    lease: timedelta = timedelta(seconds=60)
    report: Callable[[Work, Exception], None] = lambda work, error: None
    """Tell the operator's log of an error nobody foresaw."""
    operator: str = "org:operator"
    """Registry id of whoever runs this gateway."""
    wordings: Mapping[str, Wording] = field(default_factory=dict)
    """The words of the consent form in each language it is offered in."""
    timezone: str = "UTC"
    """Zone of times that state none and whose organization has none."""
    consent_reminder_days: int = 30
    """How many days before its end staff are reminded of a consent."""
    processing_id: str = "P"
    """MSH-11 of this installation (HL7 table 0103): P production, T training, D debugging."""
    clients: Mapping[str, Any] = field(default_factory=dict)
    """Registered clients by id, for the organization a receipt or message belongs to."""

    code_systems: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The codes of every system that is known code by code, by its URL; no other small code is ever de-identified."""
    read_feed: Callable[[Message, Organization | None], FeedResult | None] = lambda message, teller: None
    """Read a message of a partner (None: of nobody registered) by its mapping pack; None where no pack takes it."""
    alerts: tuple[AlertRoute, ...] = ()
    """Who is told what happens to whom."""

    def agency_of(self, draft: Draft) -> str | None:
        """Return the registry id of the organization that wrote a record, or None when it is not registered."""
        for system in AGENCY_SYSTEMS:
            organization = self.registry.find(system, draft.agency)
            if organization is not None:
                return organization.id
        return self.programs.get(draft.mapping)

    def timezone_of(self, organization: Organization | None) -> str:
        """Return the zone of an organization's clocks, such as "America/Los_Angeles"."""
        return (organization.timezone if organization else None) or self.timezone

    def reference(self, organization_id: str) -> Resource:
        """Return the logical FHIR reference of a registered organization: found by identifier, never by name."""
        organization = self.registry.get(organization_id)
        assert organization is not None, "routes are checked against the registry at start"
        system, value = organization.identifiers[0]
        return {
            "type": "Organization",
            "identifier": {"system": system, "value": value},
            "display": organization.name,
        }

    def reply_link(self, header: Hl7Header) -> tuple[Organization, Endpoint] | None:
        """Return the partner whose hl7v2 endpoint has this sender's application and facility, and the endpoint."""
        sender = ("".join(header.sending_application[:1]), "".join(header.sending_facility[:1]))
        for organization in self.registry:
            for one in organization.endpoints:
                if one.transport == "hl7v2" and one.application and (one.application, one.facility) == sender:
                    return organization, one
        return None

    def sender(self, header: Hl7Header, peer: PeerAddress) -> tuple[Organization, Feed] | None:
        """Return whose messages these are, and as which of its feeds they are registered; None where nobody is.

        What a message says of its sender counts only over a connection whose certificate the feed names, where it does.
        """
        found = self.registry.sender("".join(header.sending_application[:1]), "".join(header.sending_facility[:1]))
        return found if found is not None and found[1].may_speak(peer.certificate_sha256) else None

    def endpoint(self, organization_id: str, transport: str) -> Endpoint | None:
        """Return where an organization takes deliveries of this transport."""
        organization = self.registry.get(organization_id)
        endpoints = organization.endpoints if organization else ()
        return next((one for one in endpoints if one.transport == transport), None)
