"""Records as the decision sees them: each item with its origin, its labels and whose it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from gateway.model.labels import Label
from gateway.model.partner import Organization


@dataclass(frozen=True, slots=True)
class Hop:
    """A change of hands: `custodian` received the item for `purposes`, under a consent or a code of the rule.

    `consent` is the reference of the consent it was received under; `code` one of qso, audit, research, emergency,
    contract, central_registry, patient_access, referral, hipaa. Both None: nobody recorded it.
    """

    custodian: Organization | None
    purposes: tuple[tuple[str, str], ...]
    consent: str | None
    code: str | None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an item came from. `authors` holds None for an author the registry does not know, and is empty where
    no Provenance names one. `program` is the Part 2 origin: the first program among authors and custodians
    (42 CFR 2.11 records, 2.12(a)); `after` the hops that followed it, in time order.
    """

    authors: tuple[Organization | None, ...]
    hops: tuple[Hop, ...]
    program: Organization | None
    after: tuple[Hop, ...]

    @property
    def holder(self) -> Organization | None:
        """Who holds the item now: the last custodian, else the author."""
        if self.hops:
            return self.hops[-1].custodian
        return self.authors[0] if self.authors else None

    @property
    def discloser(self) -> Organization | None:
        """Who discloses a Part 2 record: its program, or who holds a copy of it; None where nobody registered them."""
        return self.after[-1].custodian if self.after else self.program


class Item(NamedTuple):
    """One resource asked for. `subjects` are the keys of the persons it is about: `Patient/x` or `system|value`.
    An item with a reference and an identifier of one person has both keys.
    """

    reference: str
    type: str
    resource: Mapping[str, Any]
    subjects: frozenset[str]
    labels: frozenset[Label]
    shown: frozenset[Label]
    """The labels without what only narrative, contained and foreign parts call for: those parts never leave, and a
    label left on an item would tell of them."""
    origin: Origin
    digest: bytes


@dataclass(frozen=True, slots=True)
class LabeledRecords:
    """The items of one bundle, and the directory resources (organizations, roles, places) that only support them.

    `digest` does not depend on the order of the entries. `at` is the instant they were labeled for: legal classes
    are dated, so labels of one instant are no labels of another.
    """

    items: tuple[Item, ...]
    directory: Mapping[str, Mapping[str, Any]]
    provenances: tuple[Mapping[str, Any], ...]
    digest: bytes
    at: datetime
