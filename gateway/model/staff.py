"""Who works at the console: whose staff they are, in which role, and what a role may do beyond its daily work.

Roles are few on purpose. A second person is asked for by identity, not by role: an administrator of a site of two may
do everything, and still cannot look at their own break-glass.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal["admin", "privacy-officer", "legal", "clinician", "staff"]
ROLES: tuple[str, ...] = get_args(Role)

Duty = Literal["release", "review", "approve", "account"]
"""`release`: ask for a release; `review`: look at what others released and at what holds; `approve`: register orders
and process, and let a release go that needs legal review; `account`: open accountings of disclosures."""

_EVERY_DUTY: frozenset[Duty] = frozenset(get_args(Duty))
_DUTIES: Mapping[str, frozenset[Duty]] = {
    "admin": _EVERY_DUTY,
    "privacy-officer": frozenset({"release", "review", "account"}),
    "legal": frozenset({"review", "approve"}),
    "clinician": frozenset({"release"}),
    "staff": frozenset({"release"}),
}


@dataclass(frozen=True, slots=True)
class Member:
    """A member of staff who acts. `organization` is the registry id of whoever employs them."""

    id: str
    name: str
    role: str
    organization: str

    def may(self, duty: Duty) -> bool:
        """Say whether the role has this duty; a role nobody defined has none."""
        return duty in _DUTIES.get(self.role, frozenset())

    @property
    def person_role(self) -> str:
        """The role in the words of the consent engine: only who is registered as a clinician acts as one."""
        return "clinician" if self.role == "clinician" else "staff"
