"""Why was this withheld? For the staff of the program an item comes from, and for an operator who works for it.

The page says of each recipient which items it did not get and why. To tell anybody that something of a program was
withheld is to tell that there is something (42 CFR 2.13(c)(2)): to everybody else the page is not there, and a record
that is not there, one that is others' and one of which nothing was withheld are answered alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.consent.reasons import SECTIONS
from gateway.flow.house import House
from gateway.flow.judgement import Matter, read_matter, verdicts_of
from gateway.flow.staff.console import serves_every_program
from gateway.labeling import label
from gateway.model.audit import AuditEntry
from gateway.model.exchange import NOT_FOUND, RequestRefused
from gateway.model.staff import Member
from gateway.ports import Transaction
from gateway.reporting.reasons_in_words import InWords, in_words


@dataclass(frozen=True, slots=True)
class WithheldItem:
    """One item that a recipient did not get. `holds`: a person may still let it go."""

    reference: str
    reason: str
    section: str
    words: InWords
    holds: bool


@dataclass(frozen=True, slots=True)
class WithheldFrom:
    """The newest decision on a record for one recipient and channel, with what it withheld."""

    decision_id: str
    at: datetime
    recipient: str
    channel: str
    purposes: tuple[str, ...]
    items: tuple[WithheldItem, ...]
    is_as_decided: bool
    """False: the rules or the partners have changed since, and the reasons are those of now."""


def withheld(house: House, actor: Member, handoff_id: str) -> list[WithheldFrom]:
    """Say for each recipient of a record what was withheld of what this member of staff may know, and why.

    Raises `RequestRefused` (not found) where there is nothing that they may be told.
    """

    def look(tx: Transaction) -> list[WithheldFrom]:
        told = [_told(house, tx, actor, one["id"]) for one in _newest(tx, handoff_id)]
        found = [one for one in told if one is not None and one.items]
        if not found:
            raise RequestRefused(NOT_FOUND)
        row = {"handoff": handoff_id, "decisions": [one.decision_id for one in found]}
        tx.audit.append(AuditEntry(house.clock(), "withheld.viewed", actor.id, row))
        return found

    return house.database.write(look)


def _newest(tx: Transaction, handoff_id: str) -> list[Mapping[str, Any]]:
    """Return the newest decision on a record for each recipient and channel; the console's own pages are none."""
    newest: dict[tuple[str, str], Mapping[str, Any]] = {}
    for one in tx.decisions.of_handoff(handoff_id):
        if one["channel"] != "console":
            newest.setdefault((one["recipient"], one["channel"]), one)
    return list(newest.values())


def _told(house: House, tx: Transaction, actor: Member, decision_id: str) -> WithheldFrom | None:
    kept = tx.decisions.get(decision_id)
    if kept is None:
        return None
    matter, _ = read_matter(kept.inputs)
    theirs = _theirs(house, actor, matter)
    verdicts = [one for one in verdicts_of(matter, house.registry) if one.outcome != "PERMIT" and one.item in theirs]
    items = tuple(
        WithheldItem(one.item, one.reason, SECTIONS[one.reason], in_words(one.reason), one.outcome == "HOLD")
        for one in verdicts
    )
    return WithheldFrom(
        decision_id, kept.at, kept.recipient, kept.channel, tuple(matter.request["purpose"]), items,
        {one.reference for one in items} <= set(kept.record["withheld"]),
    )  # fmt: skip


def _theirs(house: House, actor: Member, matter: Matter) -> set[str]:
    """Return the items this member of staff may be told about: their own program's, or those the operator serves.

    Who is no program is told nothing of its own items either: the recipient's name alone can tell of treatment.
    """
    labeled = label({"entry": [{"resource": one} for one in matter.records]}, house.registry, matter.at).items
    if actor.organization == house.operator:
        return {item.reference for item in labeled} if serves_every_program(house) else set()
    return {one.reference for one in labeled if one.origin.program and one.origin.program.id == actor.organization}
