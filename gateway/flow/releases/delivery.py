"""Send a queued release: decided again in the transaction that claims its sending, then to the recipient's endpoint."""

from gateway.flow.deliver import send
from gateway.flow.house import House
from gateway.flow.releases.kinds import KINDS
from gateway.flow.releases.release import TRANSPORTS, decided, locked_record_of
from gateway.flow.sending import Prepared, about_to_leave, claimed, is_wanted, stop
from gateway.model.handoff import Work
from gateway.model.release import Release
from gateway.ports import Claim, Transaction

_UNPROVEN = "nobody has verified that this address is theirs: hand over a copy, or verify it in partners/"


def deliver_release(house: House, claim: Claim, work: Work) -> bool:
    """Send one release; tell whether its lane may go on with the next."""
    return send(house, claim, work, claimed(house, lambda tx: _prepare(house, tx, claim, work)))


def _prepare(house: House, tx: Transaction, claim: Claim, work: Work) -> Prepared:
    if not tx.outbox.owns(claim, house.clock(), house.lease):
        return "lost"
    release = tx.releases.get(work.subject)
    handoff = locked_record_of(tx, release.handoff_id) if release is not None else None
    if not is_wanted(tx, work):
        return "stopped"
    release = tx.releases.get(work.subject)
    if release is None:
        return stop(house, tx, work, "dead", "its release is no longer here")
    if handoff is None:
        return stop(house, tx, work, "held", "its record was withdrawn, or waits for a person itself")
    made = decided(house, tx, release, handoff)
    if made.disclosure is None:
        return stop(house, tx, work, "held" if made.record.decision == "HOLD" else "refused", made.reason)
    endpoint = house.endpoint(release.recipient, TRANSPORTS["send"])
    if endpoint is None or endpoint.verified is None:
        # The rules let an emergency go to any address; we send nothing where nobody knows who reads it.
        return stop(house, tx, work, "held", _UNPROVEN)
    return about_to_leave(
        house, tx, work, made.disclosure, endpoint, decision_id=made.decision_id, purpose=KINDS[release.kind].purpose,
        description=f"{describe(release)}, {len(made.disclosure.content['entry'])} resources",
    )  # fmt: skip


def describe(release: Release) -> str:
    """Say in a few words what a release is, for the disclosure log."""
    return f"release: {KINDS[release.kind].title}"
