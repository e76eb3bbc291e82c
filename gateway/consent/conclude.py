"""From the findings on each item to one answer: outcome, reason, obligations, basis and what was withheld."""

from collections.abc import Sequence
from typing import NamedTuple

from gateway.consent.reasons import SECTIONS, Release, Withhold
from gateway.model.decision import POLICY_VERSION, Basis, DecisionRecord, Outcome, Permit, Refusal, Verdict
from gateway.model.labeled import Item
from gateway.model.request import Request

Finding = tuple[Item, Release | Withhold]

_POLICE_QUEUE = frozenset(
    {"SUBPOENA_ALONE", "ORDER_DEFICIENT", "ORDER_SCOPE", "ORDER_NOT_COMPULSORY", "PROCEEDING_NO_SPECIFIC"}
    | {"COMBINED_PROCEEDING"}
)
"""Refusals that go to human legal review."""

_NOTHING_ASKED = Withhold("NO_CONSENT", 1302)


class Seal(NamedTuple):
    """What every record of one decision says: the instant, and the hash of everything it was made from."""

    at: str
    input_hash: str

    def record(
        self,
        decision: Outcome,
        reason: str,
        obligations: frozenset[str],
        basis: Basis | None,
        withheld: Sequence[str],
        held: Sequence[str] = (),
        section: str | None = None,
    ) -> DecisionRecord:
        """Write the decision record (docs/consent-engine.md)."""
        return DecisionRecord(
            decision=decision,
            reason=reason,
            section=section or SECTIONS[reason],
            obligations=tuple(sorted(obligations)),
            basis=basis,
            withheld=tuple(sorted(withheld)),
            policy_version=POLICY_VERSION,
            at=self.at,
            input_hash=self.input_hash,
            held=tuple(sorted(held)),
        )


def conclude(
    findings: Sequence[Finding],
    request: Request,
    recipients: tuple[str, ...],
    left_out: Sequence[tuple[str, Withhold]],
    seal: Seal,
) -> Permit | Refusal:
    """Conclude: all items go = PERMIT, some = PERMIT_REDACTED, none = HOLD if one holds, else DENY.

    `left_out` are the recipients of copies who get nothing. Nothing asked for is nothing permitted.
    """
    verdicts, withheld, by_identity = [], [], {}
    for item, found in findings:
        verdicts.append(verdict(item, found))
        if isinstance(found, Release):
            by_identity[id(found)] = found  # items alike share one finding
        else:
            withheld.append((item.reference, found))
    if not by_identity:
        return _refused([stop for _, stop in withheld], tuple(verdicts), seal)
    released = by_identity.values()
    withheld += left_out
    obligations = frozenset({"AUDIT"}).union(*[one.obligations for one in released])
    basis = min([one.basis for one in released if one.basis], key=_basis_order, default=None)
    if withheld:
        stop = earliest([stop for _, stop in withheld])
        left = [reference for reference, _ in withheld]
        held = [reference for reference, stop in withheld if stop.holds]
        record = seal.record("PERMIT_REDACTED", stop.reason, obligations, basis, left, held, stop.section)
    else:
        record = seal.record("PERMIT", min(released, key=_order).reason, obligations, basis, ())
    purposes = tuple([f"{system}|{code}" for system, code in request.purposes])
    return Permit(record, tuple(verdicts), recipients, purposes, request.transport)


def refuse_whole(items: Sequence[Item], stop: Withhold, seal: Seal) -> Refusal:
    """Refuse everything asked for, for one reason."""
    return _refused([stop], tuple(verdict(item, stop) for item in items), seal)


def verdict(item: Item, found: Release | Withhold) -> Verdict:
    """Write down what was found on one item."""
    if isinstance(found, Withhold):
        return Verdict(item.reference, "HOLD" if found.holds else "DENY", found.reason, found.step)
    return Verdict(
        item.reference, "PERMIT", found.reason, found.step, found.obligations, found.basis, found.release,
        found.elements,
    )  # fmt: skip


def earliest(stops: Sequence[Withhold]) -> Withhold:
    """Return the stop of the earliest step; ties go by name, so that order never matters."""
    return min(stops, key=lambda one: (one.step, one.reason, one.section or ""))


def _refused(stops: Sequence[Withhold], verdicts: tuple[Verdict, ...], seal: Seal) -> Refusal:
    holding = [one for one in stops if one.holds]
    stop = earliest(holding or stops or [_NOTHING_ASKED])
    obligations = {"AUDIT"}
    if any(one.reason in _POLICE_QUEUE for one in stops):
        obligations.add("LEGAL_QUEUE")
    withheld = [each.item for each in verdicts]
    decision: Outcome = "HOLD" if holding else "DENY"
    record = seal.record(decision, stop.reason, frozenset(obligations), None, withheld, section=stop.section)
    return Refusal(record, verdicts)


def _order(release: Release) -> tuple[bool, str]:
    """Name the permit that carries the most law first: a consent before what needs none; then by reason."""
    return release.basis is None or release.basis.type != "Consent", release.reason


def _basis_order(basis: Basis) -> tuple[str, str, str]:
    """Order by type (the capital of "Consent" puts it before every other), id and version."""
    return basis.type, basis.id or "", basis.version or ""
