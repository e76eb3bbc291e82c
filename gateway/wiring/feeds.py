"""Put the reading of feeds together: a partner's messages by the pack that takes them, as this partner has it."""

from collections.abc import Callable

from gateway.catalog.hl7v2_packs import Hl7Packs
from gateway.formats.hl7v2 import Message
from gateway.formats.hl7v2.maps import FeedContext, FeedResult, Sender, read_feed
from gateway.model.partner import Organization
from gateway.ports import Clock


def feed_reader(
    packs: Hl7Packs, key: bytes, zone: str, clock: Clock
) -> Callable[[Message, Organization | None], FeedResult | None]:
    """Return what reads a message of a partner, or (None) of nobody registered; None where no pack takes it.

    A pack's changes for a partner lie in `mappings/hl7v2/<pack>/<partner>.yaml`, named by the registry id without
    `org:`. Times that state no offset are of the partner's zone, else of `zone`.
    """

    def read(message: Message, teller: Organization | None) -> FeedResult | None:
        event = message.text("MSH-9.2") or message.text("EVN-1")
        partner = teller.id.removeprefix("org:") if teller else ""
        pack = packs.for_message(message.text("MSH-9.1"), event, partner)
        if pack is None:
            return None
        sender = Sender(*teller.identifiers[0], teller.name) if teller and teller.identifiers else None
        local = (teller.timezone if teller else None) or zone
        return read_feed(message, pack, FeedContext(key, clock(), sender, local))

    return read
