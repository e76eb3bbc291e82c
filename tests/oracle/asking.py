"""Who may have something sent: who receives, who holds it, whose it is, and those who act for them. 42 CFR 2.2(b)."""

from tests.oracle.reading import Item, Json, Partners, Person


def asks_for_the_recipient(request: Json, recipient: str, partners: Partners) -> bool:
    """Say whether who asks is who receives or acts for it: its whole, its associate, an exchange it takes part in."""
    requester = request["requester"]
    asker = requester.get("organization")
    if asker is None:
        return bool((requester.get("person") or {}).get("id") == recipient)
    if asker == recipient or asker in partners.wholes_of(recipient):
        return True
    passes_on = asker in (request.get("via") or []) and recipient in partners.by_id.get(asker, {}).get("members", [])
    return passes_on or recipient in partners.law(asker).get("business_associate_of", [])


def is_own_worker(request: Json, partners: Partners) -> bool:
    """Say whether the gateway's own delivery asks, for an agency that is registered."""
    requester = request["requester"]
    return (requester.get("person") or {}).get("role") == "worker" and requester.get("organization") in partners.by_id


def is_the_patient(request: Json, person: Person) -> bool:
    """Say whether somebody asks alone, for what is about them."""
    requester = request["requester"]
    return requester.get("organization") is None and (requester.get("person") or {}).get("id") in person.keys


def holds(request: Json, item: Item, partners: Partners) -> bool:
    """Say whether who asks holds an item or acts for who does; what nobody knows the hands of waits on its own."""
    asker = request["requester"].get("organization")
    hands = [*item.authors, *(hop.custodian for hop in item.hops)]
    if not hands or None in hands:
        return True
    return asker in partners.by_id and any(_acts_for(asker, one or "", partners) for one in hands)


def _acts_for(asker: str, holder: str, partners: Partners) -> bool:
    serves = partners.law(asker).get("business_associate_of", [])
    is_service = partners.agreement(asker, "", "qsoa", holder) is not None
    return asker == holder or asker in partners.wholes_of(holder) or holder in serves or is_service
