"""What a Provenance says of its targets: that somebody wrote them, or that they came into somebody's hands."""

from collections.abc import Mapping
from typing import Any

LIFECYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
"""System of Provenance.activity."""

PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
"""System of Provenance.agent.type."""

RECEIVE = "receive"
"""Activity of a change of hands (ISO 21089): the agent with the type `custodian` has received the targets."""


def activity_of(provenance: Mapping[str, Any]) -> str | None:
    """Return the code of what was done; None where none is stated."""
    return next((one.get("code") for one in (provenance.get("activity") or {}).get("coding", ())), None)


def is_hop(resource: Mapping[str, Any]) -> bool:
    """Say whether a resource is a Provenance of a change of hands, and none that says who wrote its targets."""
    return resource["resourceType"] == "Provenance" and activity_of(resource) == RECEIVE
