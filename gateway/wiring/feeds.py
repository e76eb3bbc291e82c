"""Put the packs to work: partners' messages are read by them, and messages that are no referral are written."""

from collections.abc import Callable

from gateway.catalog.hl7v2_packs import Hl7Packs
from gateway.delivery.mllp_push import WriteMessage
from gateway.formats.hl7v2 import Message, read_message
from gateway.formats.hl7v2.labels import labels_text
from gateway.formats.hl7v2.maps import (
    FeedContext,
    FeedResult,
    OutgoingContext,
    Sender,
    read_feed,
    write_message,
)
from gateway.formats.hl7v2.notice_places import with_notice
from gateway.formats.referral_content import scope_in
from gateway.model.disclosure import Disclosure
from gateway.model.errors import WillNeverWork
from gateway.model.hl7_header import Hl7Header
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


def message_writer(packs: Hl7Packs) -> WriteMessage:
    """Return what writes a message that is no referral, by the pack that can, as the receiving partner has it."""

    def write(kind: str, disclosure: Disclosure, header: Hl7Header, in_reply_to: str) -> bytes:
        pack = packs.for_writing(kind, disclosure.recipient.removeprefix("org:"))
        if pack is None:
            raise WillNeverWork(f"no pack writes messages {kind}")
        resources = [entry["resource"] for entry in disclosure.content["entry"]]
        context = OutgoingContext(
            header,
            notice=disclosure.notice,
            scope=scope_in(resources),
            labels=labels_text(resources),
            in_reply_to=in_reply_to,
        )
        written = write_message(kind, resources, pack, context)
        return _with_restrictions(written, disclosure.notice, context.labels) if kind.startswith("ADT^") else written

    return write


def _with_restrictions(written: bytes, notice: str, labels: str) -> bytes:
    """Add what ADT has no notes for, as ARV where its version has that; elsewhere it was decided what happens."""
    message = read_message(written)
    assert isinstance(message, Message), "what a pack writes can be read"
    return (with_notice(message, notice, labels=labels) if notice or labels else None) or written
