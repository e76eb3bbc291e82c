"""The labels that leave on each item, by the class of its release (after HL7 DS4P).

The envelope carries a confidentiality level and nothing else: a law named there would tell by itself.
"""

from collections.abc import Hashable
from typing import Any

from gateway.model.decision import Verdict
from gateway.model.labeled import Item
from gateway.model.labels import (
    ACT_CODE,
    CONFIDENTIALITY,
    COUNSELING_NOTES,
    INTEGRITY,
    NO_PROCEEDING,
    PART2,
    RESTRICTED,
    SENSITIVITIES,
    STAYING_ON,
    SUD,
    VERY_RESTRICTED,
    Label,
    high_water_mark,
)
from gateway.model.notice import STATEMENT_2
from gateway.redaction.visible import OWN_BASE

_DS4P = "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-"

_COMPLY: Label = (ACT_CODE, "CPLYCD")
_PERSIST: Label = (ACT_CODE, "PERSISTLABEL")
_NO_REDISCLOSURE: Label = (ACT_CODE, "NORDSCLCD")
_NO_REUSE: Label = (ACT_CODE, "NOREUSE")

_HELD = (PART2, SUD, _PERSIST, NO_PROCEEDING)
_RELEASE_LABELS: dict[str, tuple[Label, ...]] = {
    "tpo": (*_HELD, _COMPLY),
    "consent": (*_HELD, _COMPLY, _NO_REDISCLOSURE),
    "bound": (*_HELD, _COMPLY, _NO_REDISCLOSURE, _NO_REUSE),
    "emergency": _HELD,
    "patient": _HELD,
    "order": _HELD,
    "report": _HELD,
    "internal": _HELD,
    "crime": (_PERSIST,),
    "non_part2": (),
    "deidentified": (),
}
"""Class of release -> the labels it adds. `tpo` has no NORDSCLCD: it would forbid what 2.33(b)(1) allows."""

_LEAVING = SENSITIVITIES | STAYING_ON | INTEGRITY
"""Of an item's own labels those that go with it. The level is stated anew, and the rest speaks to us alone."""


def labels_of(item: Item, verdict: Verdict) -> tuple[Label, ...]:
    """Return the labels an item leaves with, in a fixed order."""
    added = _RELEASE_LABELS[verdict.release]
    labels = set(added) | (item.shown & _LEAVING)
    if COUNSELING_NOTES in item.labels:
        labels |= {COUNSELING_NOTES, VERY_RESTRICTED}
    elif PART2 in added:
        labels.add(RESTRICTED)
    else:
        labels.add((CONFIDENTIALITY, high_water_mark(item.shown)))
    return tuple(sorted(labels, key=lambda one: (one[0] != CONFIDENTIALITY, one)))


def meta_of(item: Item, verdict: Verdict) -> dict[str, Any]:
    """Return the meta an item leaves with: known profiles, labels, and Statement 2 where a notice is owed.

    The consent stands as related artifact on the label of the law it was given under (DS4P).
    """
    security = [_coding(label, verdict) for label in labels_of(item, verdict)]
    profiles = [one for one in item.resource.get("meta", {}).get("profile", ()) if _is_known(one)]
    meta: dict[str, Any] = {"security": security}
    if "NOTICE" in verdict.obligations:
        meta["extension"] = [{"url": _DS4P + "display", "valueAnnotation": {"text": STATEMENT_2}}]
    return {**meta, "profile": profiles} if profiles else meta


class Metas:
    """The metas of one disclosure: items alike, as most of a record are, have theirs in common."""

    def __init__(self) -> None:
        self._alike: dict[Hashable, dict[str, Any]] = {}
        self.labels: set[Label] = set()
        """All that the items leave with."""

    def of(self, item: Item, verdict: Verdict) -> dict[str, Any]:
        """Return the meta of an item, as `meta_of` does."""
        profiles = tuple(item.resource.get("meta", {}).get("profile", ()))
        kind = (item.labels, item.shown, verdict.release, verdict.obligations, verdict.basis, profiles)
        found = self._alike.get(kind)
        if found is None:
            found = self._alike[kind] = meta_of(item, verdict)
            self.labels.update([(one["system"], one["code"]) for one in found["security"]])
        return found


def envelope_level(labels: set[Label]) -> str:
    """Return the confidentiality level of the whole, the highest of its items."""
    return high_water_mark(labels)


def _coding(label: Label, verdict: Verdict) -> dict[str, Any]:
    system, code = label
    coding: dict[str, Any] = {"system": system, "code": code}
    if label == PART2 and verdict.basis is not None and verdict.basis.type == "Consent":
        artifact = {"type": "justification", "resource": f"{OWN_BASE}Consent/{verdict.basis.id}"}
        coding["extension"] = [{"url": _DS4P + "sec-label-related-artifact", "valueRelatedArtifact": artifact}]
    return coding


def _is_known(profile: str) -> bool:
    return profile.startswith((OWN_BASE + "StructureDefinition/wh-", "http://hl7.org/fhir/"))
