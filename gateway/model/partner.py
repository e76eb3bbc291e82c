"""Who our partners are: organizations and their units, with what the law takes each of them to be on a given day."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from gateway.model.state_law import StateLaw

LAW_ENFORCEMENT_ROLES = frozenset({"police", "prosecutor"})
JUSTICE_ROLES = frozenset({"court", "probation", "prosecutor"})
TREATING_ROLES = frozenset({"provider", "otp", "ems", "crisis", "mental_health", "jail_health"})
"""Roles that may receive for the treatment of another (45 CFR 164.506(c)(2))."""

ROLES = (
    LAW_ENFORCEMENT_ROLES
    | JUSTICE_ROLES
    | TREATING_ROLES
    | {"payer", "hie", "intermediary", "case_management", "contractor", "research", "auditor", "registry"}
    | {"public_health", "pdmp", "child_protection", "housing", "employer", "attorney", "grant_office", "fundraising"}
    | {"other"}
)


_WIDEST_ZONE = timedelta(days=1)

DEFAULT_ZONE = "America/Los_Angeles"
"""Zone of an installation that states none."""


@dataclass(frozen=True, slots=True)
class LegalClass:
    """What an organization is in law from a day on; `part2` is "yes", "no" or "unknown" (42 CFR 2.11)."""

    since: date
    part2: str
    sud_only: bool = False
    covered_entity: bool = False
    business_associate_of: frozenset[str] = frozenset()
    other_law: str | None = None

    @property
    def is_part2_program(self) -> bool:
        """Say whether records of this organization are Part 2 records; unknown behaves as yes."""
        return self.part2 != "no"


UNCLASSIFIED = LegalClass(since=date.min, part2="unknown", sud_only=True)
"""What an organization is before its first dated class: nobody has decided, so it is treated as a program."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """An agreement `organization` holds with another; days inclusive, `until` None means no end is stated."""

    id: str
    kind: str
    organization: str
    since: date
    until: date | None = None
    protocol: str | None = None
    undertakings: frozenset[str] | None = None

    def is_in_force(self, day: date) -> bool:
        """Say whether the agreement holds on `day`."""
        return self.since <= day and (self.until is None or day <= self.until)


@dataclass(frozen=True, slots=True)
class Breaker:
    """After `failures` failed tries in a row a destination is left alone for `rest_s`; then one message probes it."""

    failures: int
    rest_s: float


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address of an organization; `verified` None means nobody has proven that the address is theirs."""

    transport: str
    address: str
    version: str | None = None
    stores_nte: bool | None = None
    verified: date | None = None
    application: str = ""
    """MSH-5 the receiver expects (hl7v2)."""
    facility: str = ""
    """MSH-6, likewise."""
    acknowledgement: str = "original"
    """`enhanced`: we ask for an accept and an application answer (hl7v2), and count only the second as delivered."""
    mllp_release: int = 1
    """2: the receiver commits each block to durable storage before it answers (ANSI/HL7 V3 TRMLLP R2)."""
    pace_s: float = 0.0
    """Least seconds between two messages; 0: as fast as the receiver answers."""
    breaker: Breaker | None = None
    """When to leave this destination alone; None: the back-off of single messages is all."""
    message: str = "REF"
    """As what an hl7v2 receiver takes a referral: REF (ch. 11), OMG (an order), 360X (an order as IHE 360X has it), MDM
    (a PDF to file)."""
    notice_field: str = ""
    """A field such as ZNT-1 that we agreed on for the notice, where no note or ARV can carry it (hl7v2)."""


@dataclass(frozen=True, slots=True)
class RelayRule:
    """Who gets the messages of a feed as they came, but for what may not go."""

    to: str
    """Registry id of the receiver; its hl7v2 endpoint is used."""
    purpose: tuple[str, ...]
    """v3-ActReason codes, as in a route."""
    types: frozenset[str]
    """MSH-9.1 of what is passed on, such as ORU."""


@dataclass(frozen=True, slots=True)
class Feed:
    """A sender of HL7v2 messages that is an organization's: what its MSH-3 and MSH-4 say."""

    application: str
    facility: str = ""
    """"" stands for every facility of this application."""
    keeps_unwatched: bool = True
    """False: an ADT about nobody we know is counted and answered, and not stored (docs/hl7v2.md)."""
    certificates: frozenset[str] = frozenset()
    """SHA-256 in hex of the client certificates its messages come with; empty: nobody asks."""
    pass_on: tuple[RelayRule, ...] = ()
    """To whom its messages are passed on; each receiver stands here once."""
    charset: str = ""
    """What its messages are written in where MSH-18 is empty (HL7 table 0211); "": that is found out by trying."""

    def may_speak(self, certificate: str | None) -> bool:
        """Say whether a message over a connection with this certificate is this feed's."""
        return not self.certificates or certificate in self.certificates


@dataclass(frozen=True)
class Organization:
    """One organization or unit; a unit is an organization of its own, whose `parent` is only a fact."""

    id: str
    name: str
    identifiers: tuple[tuple[str, str], ...] = ()
    state: str | None = None
    timezone: str | None = None
    roles: frozenset[str] = frozenset()
    legal_classes: tuple[LegalClass, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    members: frozenset[str] = frozenset()
    endpoints: tuple[Endpoint, ...] = ()
    feeds: tuple[Feed, ...] = ()
    parent: str | None = None
    address: str | None = None
    """Postal, in one line: an accounting of disclosures tells it (45 CFR 164.528(b)(2)(ii))."""

    @cached_property
    def zone(self) -> ZoneInfo | None:
        """The zone of this organization's local midnights, or None where the registry states none."""
        return ZoneInfo(self.timezone) if self.timezone else None

    @cached_property
    def keys(self) -> frozenset[str]:
        """What it can be named by: the registry id, and each identifier as `system|value`."""
        return frozenset({self.id} | {f"{system}|{value}" for system, value in self.identifiers})

    @cached_property
    def is_law_enforcement(self) -> bool:
        """Say whether any role is law enforcement: it beats every other role and every claimed purpose."""
        return bool(self.roles & LAW_ENFORCEMENT_ROLES)

    @cached_property
    def is_treating(self) -> bool:
        """Say whether it may receive for treatment without a consent of its own."""
        return bool(self.roles & TREATING_ROLES) and not self.is_law_enforcement

    def class_at(self, at: datetime) -> LegalClass:
        """Return the legal class that counts on the local day of `at`: the last one that began on or before it."""
        if self.legal_classes and self.legal_classes[-1].since < at.date() - _WIDEST_ZONE:
            return self.legal_classes[-1]  # begun in every zone: the calendar need not be asked
        day = self.local_day(at)
        for entry in reversed(self.legal_classes):
            if entry.since <= day:
                return entry
        return UNCLASSIFIED

    def is_program(self, at: datetime) -> bool:
        """Say whether it is a Part 2 program at `at`; unknown counts as yes."""
        return self.class_at(at).is_part2_program

    def is_covered(self, at: datetime) -> bool:
        """Say whether it is a covered entity or somebody's business associate (45 CFR 160.103)."""
        entry = self.class_at(at)
        return entry.covered_entity or bool(entry.business_associate_of)

    def is_intermediary(self, at: datetime) -> bool:
        """Say whether it is an intermediary: never a program, covered entity or business associate (42 CFR 2.11)."""
        return "intermediary" in self.roles and not self.is_program(at) and not self.is_covered(at)

    def local_day(self, at: datetime) -> date:
        """Return the calendar day of `at` where this organization is (UTC where no zone is stated)."""
        return (at.astimezone(self.zone) if self.zone else at).date()

    def agreements_with(self, organization: str, kind: str, at: datetime) -> tuple[Agreement, ...]:
        """Return the agreements of that kind with `organization` that are in force at `at`."""
        day = self.local_day(at)
        return tuple(
            each
            for each in self.agreements
            if each.kind == kind and each.organization == organization and each.is_in_force(day)
        )


class Programs(NamedTuple):
    """The organizations that are Part 2 programs at an instant, and those whose very name tells of treatment."""

    programs: tuple[Organization, ...]
    telling: tuple[Organization, ...]


class Registry:
    """Every registered organization, found by id or by identifier (system and value), never by name.

    `digest` identifies the content, so that a decision can say which registry it was made with. `state_law` is what
    the states of the organizations forbid beyond HIPAA. `watches_feeds` tells whether messages of any are dropped.
    `zone` is that of the days of whoever states none, or is not registered.
    """

    __slots__ = (
        "_beginnings",
        "_by_id",
        "_by_identifier",
        "_by_sender",
        "_programs",
        "digest",
        "state_law",
        "watches_feeds",
        "zone",
    )

    def __init__(
        self,
        organizations: Iterable[Organization],
        digest: bytes = b"",
        state_law: StateLaw = (),
        zone: str = DEFAULT_ZONE,
    ) -> None:
        self._by_id: dict[str, Organization] = {each.id: each for each in organizations}
        self._by_identifier: dict[tuple[str, str], Organization] = {
            identifier: each for each in self._by_id.values() for identifier in each.identifiers
        }
        self._by_sender = dict(
            reversed([((feed.application, feed.facility), (one, feed)) for one, feed in self._feeds()])
        )
        self.watches_feeds = any(not feed.keeps_unwatched for _, feed in self._by_sender.values())
        self._beginnings = frozenset(entry.since for each in self for entry in each.legal_classes)
        self._programs: tuple[date, Programs] | None = None
        self.digest = digest
        self.state_law = state_law
        self.zone = zone

    def __iter__(self) -> Iterator[Organization]:
        return iter(self._by_id.values())

    def __contains__(self, identifier: object) -> bool:
        return identifier in self._by_id

    def __len__(self) -> int:
        return len(self._by_id)

    @property
    def organizations(self) -> Mapping[str, Organization]:
        """The organizations by registry id."""
        return self._by_id

    def revealing_names(self, at: datetime) -> tuple[str, ...]:
        """Return the lower-case names that tell of treatment by themselves at `at`, e.g. of a SUD-only clinic."""
        return tuple(sorted([each.name.lower() for each in self.programs_at(at).telling if each.legal_classes]))

    def programs_at(self, at: datetime) -> Programs:
        """Return who is a program at `at`; looked up once a day where no class begins on it in any zone."""
        day = at.astimezone(UTC).date()
        if self._programs is not None and self._programs[0] == day:
            return self._programs[1]
        classes = [(each, each.class_at(at)) for each in self]
        found = Programs(
            tuple([each for each, entry in classes if entry.is_part2_program]),
            tuple([each for each, entry in classes if entry.sud_only]),
        )
        # East of Greenwich the next day begins before this one has ended.
        if self._beginnings.isdisjoint((day, day + _WIDEST_ZONE)):
            self._programs = (day, found)
        return found

    def get(self, identifier: str | None) -> Organization | None:
        """Return the organization of that registry id, or None."""
        return self._by_id.get(identifier) if identifier else None

    def find(self, system: str, value: str) -> Organization | None:
        """Return the organization that owns this identifier, or None."""
        return self._by_identifier.get((system, value))

    def sender(self, application: str, facility: str) -> tuple[Organization, Feed] | None:
        """Return whose messages these are by MSH-3 and MSH-4, or None where nobody registered sends so.

        An organization that takes HL7v2 under this application and facility sends under them too.
        """
        return self._by_sender.get((application, facility)) or self._by_sender.get((application, ""))

    def charset_of(self, application: str, facility: str) -> str:
        """Return what messages of this MSH-3 and MSH-4 are written in where they do not say; "" where nobody knows."""
        found = self.sender(application, facility)
        return found[1].charset if found is not None else ""

    def _feeds(self) -> Iterator[tuple[Organization, Feed]]:
        """Yield every sender, those that are stated first: they beat what an endpoint lets conclude."""
        yield from ((each, feed) for each in self for feed in each.feeds)
        for each in self:
            for one in each.endpoints:
                if one.transport == "hl7v2" and one.application and one.facility:
                    yield each, Feed(one.application, one.facility)

    def find_by_reference(self, reference: object) -> Organization | None:
        """Return the organization a FHIR logical Reference (`identifier`) names, or None."""
        identifier = reference.get("identifier") if isinstance(reference, Mapping) else None
        if not isinstance(identifier, Mapping):
            return None
        return self._by_identifier.get((identifier.get("system", ""), identifier.get("value", "")))
