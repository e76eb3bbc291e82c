"""A consent compiled for deciding: what it says, as plain frozen values, with its hash.

`gateway.consent.compile_consents` makes these from FHIR; the words follow 42 CFR 2.31(a). Times are instants: dates
were turned into local midnights of the disclosing program's zone when it was compiled.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from gateway.model.labels import Label

Interval = tuple[datetime | None, datetime | None]
"""First instant, first instant after; None = open."""

FILED = "https://warmhandoff.example/fhir/StructureDefinition/part2-filed"
"""Extension of `meta`: when this store took in a consent of another system, where meta.lastUpdated is left out."""


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody a consent names: by `keys` (`system|value`, `Type/id`), or as a class.

    `vague`: nobody can tell who is meant. `organization` is the registry id where the registry knows the identifier.
    """

    keys: frozenset[str]
    organization: str | None = None
    recipient_class: str | None = None
    vague: bool = False


@dataclass(frozen=True, slots=True)
class DataReference:
    """One `provision.data`: the resource and how items relate to it (instance, related, dependents, authoredby)."""

    meaning: str
    keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class Provision:
    """One provision: a rule with conditions. Empty = not stated = matches all (FHIR R4 Consent.provision)."""

    type: Literal["permit", "deny"]
    period: Interval
    recipients: tuple[Party, ...]
    disclosers: tuple[Party, ...]
    purposes: tuple[tuple[str, str], ...]
    covered: frozenset[tuple[str, str]]
    """Every purpose the stated ones include."""
    labels: frozenset[Label]
    """Already expanded: every item label that one of the stated labels speaks of."""
    confidentiality: int | None
    """Rank of a stated v3-Confidentiality code."""
    classes: frozenset[str]
    codes: frozenset[tuple[str, str]]
    data: tuple[DataReference, ...]
    data_period: Interval | None
    actions: frozenset[str]
    nested: tuple["Provision", ...]

    @property
    def states_information(self) -> bool:
        """Say whether it describes information in a way a machine can follow (42 CFR 2.31(a)(3))."""
        return bool(self.labels or self.classes or self.codes or self.data) or self.confidentiality is not None

    @property
    def is_bare(self) -> bool:
        """Say whether it states nothing but type and period."""
        stated = self.recipients or self.disclosers or self.purposes or self.actions or self.data_period
        return not stated and not self.states_information


@dataclass(frozen=True, slots=True)
class Grant:
    """One permit of a consent, with everything around it that must match too; what all of it states, read once.

    `levels` are the provisions that state recipients, outermost first, `parties` all of theirs. `purposes` are the
    stated ones that every level includes, `covered` all that every level includes (None = none stated).
    """

    provisions: tuple[Provision, ...]
    levels: tuple[Provision, ...]
    parties: tuple[Party, ...]
    disclosers: tuple[Party, ...]
    purposes: tuple[tuple[str, str], ...]
    covered: frozenset[tuple[str, str]] | None
    labels: frozenset[Label]
    states_information: bool
    lacks: frozenset[str] = frozenset()
    """Elements of 42 CFR 2.31(a) the paper lacks for this permit, whoever asks."""


def grant_of(provisions: tuple[Provision, ...]) -> Grant:
    """Read what a permit and the provisions around it state together."""
    levels = tuple(one for one in provisions if one.recipients)
    stated = [one for one in provisions if one.purposes]
    covered = frozenset.intersection(*(one.covered for one in stated)) if stated else None
    return Grant(
        provisions=provisions,
        levels=levels,
        parties=tuple(party for one in levels for party in one.recipients),
        disclosers=tuple(party for one in provisions for party in one.disclosers),
        purposes=tuple(dict.fromkeys(each for one in stated for each in one.purposes if each in (covered or ()))),
        covered=covered,
        labels=frozenset().union(*(one.labels for one in provisions)),
        states_information=any(one.states_information for one in provisions),
    )


@dataclass(frozen=True, slots=True)
class Performer:
    """Who signed: the patient (`authority` None) or another with a basis, its document and its period."""

    keys: frozenset[str]
    authority: str | None = None
    has_document: bool = False
    period: Interval = (None, None)


@dataclass(frozen=True, slots=True)
class RevocationOf:
    """A revocation written into the consent; `recipients` empty = the whole consent."""

    when: datetime | None
    is_oral: bool
    recipients: frozenset[str]


@dataclass(frozen=True, slots=True)
class Directive:
    """One version of one consent. `readable` False: it holds something nobody may skip, and all else is empty.

    `statements` are the boolean statements of the form that are true, by the short name of their extension
    (revocation-right, ce-redisclosure-statement, ...). `grants` are its permits; a consent without any has one empty
    grant. `can_refuse`: some provision is a refusal. `tells_items_apart`: some provision looks at more
    of an item than its labels and type. `mixes_notes`, `mixes_proceedings`: it combines counseling notes
    or a proceeding with something else (42 CFR 2.31(b)(2), (d)).
    """

    reference: str
    id: str
    version: str | None
    updated: datetime
    resource: Mapping[str, Any]
    digest: bytes
    readable: bool
    patient: frozenset[str]
    status: str = ""
    kinds: frozenset[str] = frozenset()
    disclosers: tuple[Party, ...] = ()
    dated: datetime | None = None
    is_signed: bool = False
    performers: tuple[Performer, ...] = ()
    statements: frozenset[str] = frozenset()
    expiry: str | None = None
    form_edition: date | None = None
    revocations: tuple[RevocationOf, ...] = ()
    supersedes: frozenset[str] = frozenset()
    condition_of: str | None = None
    revocable_from: datetime | None = None
    source: str | None = None
    verified: bool | None = None
    verified_at: datetime | None = None
    """The latest instant at which it says that somebody verified it, None where it says none."""
    confirmations: tuple[datetime, ...] = ()
    """Each instant at which its own system, or whoever verified it, said that it stands."""
    root: Provision | None = None
    grants: tuple[Grant, ...] = ()
    can_refuse: bool = False
    tells_items_apart: bool = False
    mixes_notes: bool = False
    mixes_proceedings: bool = False

    @property
    def permits_something(self) -> bool:
        """Say whether it holds any permit at all."""
        return any(one.provisions for one in self.grants)

    @property
    def period(self) -> Interval:
        """The period of the whole consent: that of its root provision."""
        return self.root.period if self.root else (None, None)


@dataclass(frozen=True)
class Consents:
    """Every known version of every consent, found by the person it is of.

    `resources` are the other resources of the bundles: signed forms, representatives.
    """

    histories: tuple[tuple[Directive, ...], ...]
    resources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    _by_patient: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    _by_reference: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    _first: datetime | None = None
    """When the first of them came into being; looked up for people who have none."""

    def __len__(self) -> int:
        return len(self.histories)

    def current_of(self, keys: Iterable[str], at: datetime) -> tuple[Directive, ...]:
        """Return the version in being at `at` of each consent of the person of `keys`, or of nobody stated.

        A consent that does not say whose it is counts: the missing name is found when its elements are read.
        """
        found = {index for key in (*keys, "") for index in self._by_patient.get(key, ())}
        wanted = frozenset(keys)
        versions = [_version_at(self.histories[index], at) for index in sorted(found)]
        return tuple([each for each in versions if each is not None and (not each.patient or each.patient & wanted)])

    def any_at(self, at: datetime) -> bool:
        """Say whether any consent of anybody exists at `at`."""
        return self._first is not None and self._first <= at

    def get(self, reference: str, at: datetime) -> Directive | None:
        """Return the version in being at `at` of the consent of that reference, or None."""
        versions = (_version_at(self.histories[index], at) for index in self._by_reference.get(reference, ()))
        return next((each for each in versions if each is not None), None)

    def version(self, reference: str, version: str | None) -> Directive | None:
        """Return one version of the consent of that reference, or None."""
        histories = (self.histories[index] for index in self._by_reference.get(reference, ()))
        return next((each for history in histories for each in history if each.version == version), None)


def _version_at(history: tuple[Directive, ...], at: datetime) -> Directive | None:
    for version in reversed(history):
        if version.updated <= at:
            return version
    return None
