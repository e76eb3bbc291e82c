"""Which consents a CON takes back, and how: from the receipt of its message, whatever date it states.

42 CFR 2.31(a)(6), (c)(3): the person may revoke at any time; what has left on the consent until then has left.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC
from typing import Any

from gateway.flow.consents.changes import FILED_BY, put_revocation
from gateway.flow.consents.stated import Told
from gateway.flow.handed_in import custodian
from gateway.flow.house import House
from gateway.model.consent_life import Revoking, RevokingMessage
from gateway.model.fhir_time import covered_interval, written
from gateway.model.handoff import Person, Resource
from gateway.model.hl7_consent import ConsentStatement
from gateway.model.partner import Organization
from gateway.ports import StoredResource, Transaction

_REVOCATION = "https://warmhandoff.example/fhir/StructureDefinition/part2-revocation"


def revoke(house: House, tx: Transaction, told: Told, person: Person) -> tuple[int, bool]:
    """Revoke what a CON names; return how many consents have ended by it, and whether what it names is here.

    The form number says which; else the wording; else, and where the named form is not here, all that the sender
    discloses on or has filed. A sender who only receives takes back what others disclose to it.
    """
    tx.people.lock(person.id)
    standing = [one for one in tx.resources.of_person(["Consent"], person.id) if _may_be_meant(one.body, told)]
    named = list(_named(standing, told.statement))
    own = [one for one in standing if told.sender is None or _is_of(house, tx, one, told.sender)]
    for stored in named or own:
        _put_revoked(house, tx, told, stored, recipient=None)
    others = [] if named or own else standing
    for stored in others:
        _put_revoked(house, tx, told, stored, recipient=told.sender)
    is_named = bool(told.statement.form_number or told.statement.form)
    return len(named or own or others), bool(named) or not is_named


def _may_be_meant(body: Resource, told: Told) -> bool:
    """Say whether a consent could be the one that is taken back: it allows something and was not signed since."""
    if body.get("status") not in ("active", "inactive") or not _permits(body.get("provision", {})):
        return False
    if body["status"] == "inactive" and not _is_ended_by(body, told):
        return False
    try:
        return covered_interval(body["dateTime"], UTC)[0] <= told.received
    except (KeyError, ValueError):
        return True


def _permits(provision: Mapping[str, Any]) -> bool:
    return provision.get("type") == "permit" or any(map(_permits, provision.get("provision", ())))


def _named(standing: Iterable[StoredResource], statement: ConsentStatement) -> Iterator[StoredResource]:
    for stored in standing:
        body = stored.body
        numbers = {body["id"], *(str(one.get("value")) for one in body.get("identifier", ()))}
        forms = {str(one.get("uri", "")) for one in body.get("policy", ())}
        if statement.form_number:
            if statement.form_number in numbers:
                yield stored
        elif statement.form and any(uri.rpartition("/")[2] == statement.form for uri in forms):
            yield stored


def _is_of(house: House, tx: Transaction, stored: StoredResource, sender: Organization) -> bool:
    named = [house.registry.find_by_reference(reference) for reference in stored.body.get("organization", ())]
    if any(one is not None and one.id == sender.id for one in named):
        return True
    tags = stored.body.get("meta", {}).get("tag", ())
    if any((tag.get("system"), tag.get("code")) == (FILED_BY, sender.id) for tag in tags):
        return True
    records = tx.handoffs.holding("Consent", [stored.body["id"]])
    return any(custodian(house, one) == sender.id for one in records)


def _put_revoked(
    house: House, tx: Transaction, told: Told, stored: StoredResource, recipient: Organization | None
) -> None:
    if not _is_ended_by(stored.body, told):
        revoking = Revoking(told.statement.mode, (recipient.id,) if recipient is not None else ())
        message = RevokingMessage(told.input_id, told.received, told.stated_at)
        put_revocation(house, tx, "mllp", stored, revoking, None, message=message)


def _is_ended_by(body: Resource, told: Told) -> bool:
    """Say whether this very message has revoked the consent already."""
    when = {"url": "when", "valueDateTime": written(told.received)}
    extensions = body.get("extension", ())
    return any(one.get("url") == _REVOCATION and when in one.get("extension", ()) for one in extensions)
