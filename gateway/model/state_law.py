"""State law that is stricter than HIPAA, as a table: whose data of which class go to whom for what, and which of it.

42 CFR 2.20: a state may forbid what Part 2 allows, never allow what Part 2 forbids. The rules are data of the
catalog (one file a state); the engine gets them with the registry.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.model.labels import Label

EVERYBODY = "everybody"
"""As a role of a recipient: whoever it is, also somebody without a role."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What may go all the same: `elements` are, by resource type, those that leave; None = the whole resource.

    `minor`: of minors only (True), of adults only (False), of both (None).
    """

    recipient_role: str
    purposes: frozenset[tuple[str, str]]
    minor: bool | None
    elements: Mapping[str, frozenset[str] | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StateRule:
    """One class of data that a state protects: what a record is of it, from whom it is kept, and what is allowed.

    An item is of the class by the role of its author (`author_roles`) or by a label (`labels`). `recipient_roles` are
    those it is kept from. `reason` and `citation` explain a refusal.
    """

    state: str
    data_class: str
    author_roles: frozenset[str]
    labels: frozenset[Label]
    recipient_roles: frozenset[str]
    reason: str
    citation: str
    allowed: tuple[Allowance, ...] = ()


StateLaw = tuple[StateRule, ...]
