"""Documents that others took the place of (MDM T10): superseded wherever they are kept, in whatever order both come."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.model.handoff import Resource
from gateway.ports import StoredResource, Transaction

PROGRAM = "hl7v2"
"""Program of the handoffs that feeds make."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """Which documents of one sender about one person are replaced by others."""

    documents: tuple[StoredResource, ...]
    replaced: frozenset[str]
    """Their numbers."""

    def settled(self, resource: Resource) -> Resource:
        """Return a resource as it stands after the replacement."""
        if resource["resourceType"] != "DocumentReference" or resource.get("status") != "current":
            return resource
        numbers = {one.get("value") for one in (resource.get("masterIdentifier", {}), *resource.get("identifier", ()))}
        return {**resource, "status": "superseded"} if numbers & self.replaced else resource

    def carry_out(self, tx: Transaction, told: Collection[str], at: datetime) -> None:
        """Write what is superseded among the documents that the message itself did not tell (`told`)."""
        for one in self.documents:
            settled = self.settled(one.body)
            if settled != one.body and f"DocumentReference/{one.body['id']}" not in told:
                tx.resources.put(settled, handoff_id=one.handoff_id, person_id=one.person_id, at=at)


_NONE = Replacement((), frozenset())


def replacement_in(tx: Transaction, person_id: str, teller: str, said: Sequence[Resource]) -> Replacement:
    """Return what the documents of a message replace, and by what they are replaced themselves."""
    if not any(one["resourceType"] == "DocumentReference" for one in said):
        return _NONE
    owners = {one.id for one in tx.handoffs.of_person(person_id) if (one.program, one.agency) == (PROGRAM, teller)}
    kept = tx.resources.of_person(["DocumentReference"], person_id)
    documents = tuple(one for one in kept if one.handoff_id in owners)
    every = (*said, *(one.body for one in documents))
    return Replacement(documents, frozenset(number for one in every for number in _replaced_by(one)))


def _replaced_by(document: Resource) -> set[str]:
    targets = [one.get("target", {}) for one in document.get("relatesTo", ()) if one.get("code") == "replaces"]
    return {target["identifier"]["value"] for target in targets if "value" in target.get("identifier", {})}
