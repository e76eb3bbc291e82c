"""Does a provision speak of this item? And does any refusal of the person apply to it?

A provision matches when all it states matches; what it does not state matches everything. For a permit every purpose
must be covered; for a refusal one is enough, and what cannot be told counts as refused.
"""

from datetime import UTC, datetime

from gateway.consent.consent_checks import has_event_passed
from gateway.consent.facts import identifier_keys, relative
from gateway.consent.provision_tree import is_closed_default
from gateway.consent.recipients import match_recipients
from gateway.consent.revocation import is_revoked
from gateway.consent.situation import Situation
from gateway.model.consent_directive import DataReference, Directive, Interval, Party, Provision
from gateway.model.fhir_time import covered_interval
from gateway.model.labeled import Item
from gateway.model.labels import CONFIDENTIALITY, CONFIDENTIALITY_RANK

_DISCLOSING = frozenset({"disclose", "access"})
_CLINICAL_TIMES = (
    "effectiveDateTime", "effectivePeriod", "effectiveInstant", "onsetDateTime", "onsetPeriod", "performedDateTime",
    "performedPeriod", "occurrenceDateTime", "occurrencePeriod", "period", "authoredOn", "recordedDate", "date",
    "created", "issued", "billablePeriod", "servicedDate",
)  # fmt: skip


_NO_END = datetime.max.replace(tzinfo=UTC)
"""A Period without an end goes on for all anybody knows (FHIR R4 Period.end)."""


def covers_item(provisions: tuple[Provision, ...], item: Item) -> bool:
    """Say whether a permit, with everything around it, speaks of the item."""
    return all(_speaks_of(provision, item, when_unknown=False) for provision in provisions)


def refuses(directive: Directive, item: Item, situation: Situation) -> Provision | None:
    """Return the explicit refusal of one consent that applies to the item, or None (docs/consent-engine.md).

    The deepest matching provision decides; at equal depth the refusal does. It needs no element of 2.31, only that
    its consent is in force.
    """
    root = directive.root
    if root is None or directive.status != "active" or not _is_in_force(directive, situation):
        return None
    found = _deepest(root, item, situation, ())
    if found is None or found[1].type != "deny":
        return None
    return None if found[1] is root and is_closed_default(root) else found[1]


def is_about_content(provision: Provision) -> bool:
    """Say whether a refusal names some kind of content, so that it could mean a part of a document."""
    return bool(provision.labels or provision.codes or provision.confidentiality is not None)


def _is_in_force(directive: Directive, situation: Situation) -> bool:
    if not _is_current(directive.period, situation.at) or is_revoked(directive, situation) == "written":
        return False
    return not any(
        has_event_passed(directive, situation.registry.get(party.organization), situation, when_unknown=False)
        for party in directive.disclosers
    )


def _deepest(
    provision: Provision, item: Item, situation: Situation, path: tuple[Provision, ...]
) -> tuple[int, Provision] | None:
    if not _applies(provision, item, situation):
        return None
    path = (*path, provision)
    own = (len(path), provision) if provision.type == "deny" or _permits(path, item, situation) else None
    found = [own] if own else []
    for nested in provision.nested:
        deeper = _deepest(nested, item, situation, path)
        if deeper is not None:
            found.append(deeper)
    return max(found, key=lambda one: (one[0], one[1].type == "deny"), default=None)


def _applies(provision: Provision, item: Item, situation: Situation) -> bool:
    """Match a provision as a refusal is matched: any purpose, any recipient on the way, doubt counts."""
    return (
        _is_current(provision.period, situation.at)
        and _concerns(provision.recipients, situation)
        and _comes_from(provision.disclosers, item)
        and _any_purpose(provision, situation)
        and _speaks_of(provision, item, when_unknown=True)
    )


def _permits(path: tuple[Provision, ...], item: Item, situation: Situation) -> bool:
    """Match a permit as it is matched to release: every purpose, a recipient who is named, no doubt."""
    if not all(not one.purposes or one.covered.issuperset(situation.request.purposes) for one in path):
        return False
    match = match_recipients(tuple(one for one in path[-1:] if one.recipients), situation)
    in_doubt = match.by_class or match.lacks_participants or (path[-1].recipients and not match.is_stated)
    return not match.is_stranger and not in_doubt and covers_item(path[-1:], item)


def _concerns(parties: tuple[Party, ...], situation: Situation) -> bool:
    if not parties:
        return True
    return any(party.vague or party.recipient_class or party.keys & situation.reached for party in parties)


def _comes_from(parties: tuple[Party, ...], item: Item) -> bool:
    if not parties:
        return True
    sources = {one.id for one in (*item.origin.authors, item.origin.program, item.origin.holder) if one is not None}
    return any(party.vague or party.organization in sources for party in parties)


def _any_purpose(provision: Provision, situation: Situation) -> bool:
    return not provision.purposes or not provision.covered.isdisjoint(situation.request.purposes)


def _speaks_of(provision: Provision, item: Item, when_unknown: bool) -> bool:
    if provision.actions and not provision.actions & _DISCLOSING:
        return False
    return (
        _has_label(provision, item, when_unknown)
        and (not provision.classes or item.type in provision.classes)
        and (not provision.codes or not provision.codes.isdisjoint(_codings(item)))
        and (not provision.data or any(_is_meant(one, item) for one in provision.data))
        and (provision.data_period is None or _overlaps(provision.data_period, item, when_unknown))
    )


def _has_label(provision: Provision, item: Item, is_refusal: bool) -> bool:
    if not provision.labels and provision.confidentiality is None:
        return True
    if not provision.labels.isdisjoint(item.labels):
        return True
    if provision.confidentiality is None:
        return False
    ranks = (CONFIDENTIALITY_RANK.get(code, 5) for system, code in item.labels if system == CONFIDENTIALITY)
    rank = max(ranks, default=CONFIDENTIALITY_RANK["N"])
    # A permit for R reaches up to R; a refusal of R begins at R.
    return rank >= provision.confidentiality if is_refusal else rank <= provision.confidentiality


def _codings(item: Item) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    open_values: list[object] = [item.resource]
    while open_values:
        value = open_values.pop()
        if isinstance(value, dict):
            if isinstance(value.get("code"), str):
                found.add((value.get("system", ""), value["code"]))
            open_values.extend(inner for key, inner in value.items() if key != "meta")
        elif isinstance(value, list):
            open_values.extend(value)
    return found


def _is_meant(data: DataReference, item: Item) -> bool:
    if data.meaning == "authoredby":
        authors = {f"{s}|{v}" for one in item.origin.authors if one for s, v in one.identifiers}
        return bool(authors & data.keys)
    own = {item.reference, *identifier_keys(item.resource)}
    if data.meaning in ("instance", "related") and own & data.keys:
        return True
    return data.meaning in ("related", "dependents") and bool(_references(item.resource) & data.keys)


def _references(resource: object) -> set[str]:
    found: set[str] = set()
    open_values: list[object] = [resource]
    while open_values:
        value = open_values.pop()
        if isinstance(value, dict):
            if isinstance(value.get("reference"), str):
                found.add(relative(value["reference"]))
            open_values.extend(value.values())
        elif isinstance(value, list):
            open_values.extend(value)
    return found


def _overlaps(period: Interval, item: Item, when_unknown: bool) -> bool:
    """Say whether the item lies within the period (a permit) or touches it (a refusal)."""
    times = _clinical_times(item)
    if times is None:
        return when_unknown
    (start, end), (begins, ends) = period, times
    if when_unknown:
        return (start is None or ends > start) and (end is None or begins < end)
    return (start is None or begins >= start) and (end is None or ends <= end)


def _clinical_times(item: Item) -> tuple[datetime, datetime] | None:
    """Return the time an item is of; its days are those of whoever keeps it."""
    keeper = item.origin.program or item.origin.holder
    zone = (keeper and keeper.zone) or UTC
    for key in _CLINICAL_TIMES:
        value = item.resource.get(key)
        stated = [value.get("start"), value.get("end")] if isinstance(value, dict) else [value, value]
        if stated[0]:
            try:
                begins = covered_interval(stated[0], zone)[0]
                return begins, covered_interval(stated[1], zone)[1] if stated[1] else _NO_END
            except ValueError:
                return None
    return None


def _is_current(period: Interval, at: datetime) -> bool:
    start, end = period
    return (start is None or start <= at) and (end is None or at < end)
