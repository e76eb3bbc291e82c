"""Feeds of a whole population: an ADT about nobody we know is counted and answered, and never stored.

What a sender may not learn is whom we know. So every answer to such a feed follows from the message alone: of a message
that is kept it reads like of one that is dropped, and the same message again is answered the same, by the same bytes.
A message is looked up in what is committed when it comes: one that came just before its person is as one that came
before the gateway did.
"""

import threading
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from gateway.flow.house import House
from gateway.formats.hl7v2 import Message
from gateway.formats.hl7v2.acknowledgement import acknowledge, owes_application_answer
from gateway.formats.hl7v2.sightings import Sighting, read_sighting
from gateway.formats.hl7v2.times import fhir_date_time
from gateway.identity import could_be
from gateway.model.handoff import Person
from gateway.model.hl7_header import Hl7Header, PeerAddress, Reception
from gateway.model.ids import stable_id
from gateway.model.partner import Feed, Organization
from gateway.ports import DroppedCount, Transaction

GROUP = 500
"""Dropped messages whose counts share one write; a crash loses the counts of a group at most, and never a message."""

LONGEST_WAIT = timedelta(seconds=30)
"""How long a count may stay unwritten while messages come or workers look."""

_MOST_NAMESAKES = 200


@dataclass(frozen=True, slots=True)
class Population:
    """A feed that is watched: whose it is, and the instant its messages say they are of."""

    organization: Organization
    feed: Feed
    sent_at: datetime


def population(house: House, reception: Reception, peer: PeerAddress) -> Population | None:
    """Return the watched feed a message comes from; None where every message of its sender is kept.

    A message without a readable MSH-7 is none of it: its answer could not follow from it alone.
    """
    header = reception.header
    if header is None or reception.verdict != "accept":
        return None
    sender = house.sender(header, peer)
    sent_at = _sent_at(header)
    if sender is None or sender[1].keeps_unwatched or sent_at is None:
        return None
    return Population(*sender, sent_at)


def answer_of(house: House, content: bytes, reception: Reception, sha256: str, feed: Population) -> bytes:
    """Write the answer to a message of a watched feed: the same for the same bytes, whatever became of them."""
    return acknowledge(content, reception, stable_id(house.key, "answer", sha256), feed.sent_at)


def is_unwatched(tx: Transaction, message: Message, reception: Reception) -> bool:
    """Tell whether a message may be dropped: an ADT about one patient, whom nobody in the index could be.

    One whose sender waits for an application answer is kept, for that answer has to be queued.
    """
    sighting = read_sighting(message)
    if sighting is None or owes_application_answer(reception):
        return False
    return not _could_be_known(tx, sighting)


def _could_be_known(tx: Transaction, sighting: Sighting) -> bool:
    found = tx.people.sighted(sighting.numbers, sighting.names, sighting.birth_date, _MOST_NAMESAKES)
    if found.has_number or len(found.namesakes) >= _MOST_NAMESAKES:
        return True
    return any(
        could_be(Person("", family, given, sighting.birth_date, None, None, None), found.namesakes)
        for family, given in sighting.names
    )


def _sent_at(header: Hl7Header) -> datetime | None:
    """Read MSH-7; where it states no offset its digits are taken as UTC, for they are only repeated."""
    written = fhir_date_time(header.time, "+0000") or ""
    return datetime.fromisoformat(written) if "T" in written else None


class DropCounts:
    """How many messages were dropped since the counts were last written; any thread may add."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str, date], int] = {}
        self._since: datetime | None = None

    def add(self, house: House, feed: Population) -> None:
        """Count one dropped message, and write the counts where a group is full or has waited long enough."""
        now = house.clock()
        name = "^".join(part for part in (feed.feed.application, feed.feed.facility) if part)
        key = (feed.organization.id, name, feed.organization.local_day(now))
        with self._lock:
            self._counts[key] = self._counts.get(key, 0) + 1
            self._since = self._since or now
            full = sum(self._counts.values()) >= GROUP
        if full:
            self.write(house)
        else:
            self.write_if_due(house)

    def write_if_due(self, house: House) -> None:
        """Write the counts once the oldest has waited `LONGEST_WAIT`."""
        since = self._since
        if since is not None and house.clock() - since >= LONGEST_WAIT:
            self.write(house)

    def write(self, house: House) -> None:
        """Write every count; those that cannot be written are counted on."""
        with self._lock:
            taken, self._counts, self._since = self._counts, {}, None
        if not taken:
            return
        try:
            house.database.write(
                lambda tx: tx.feeds.add_dropped(DroppedCount(*key, count) for key, count in taken.items())
            )
        except BaseException:
            with self._lock:
                for key, count in taken.items():
                    self._counts[key] = self._counts.get(key, 0) + count
                self._since = self._since or house.clock()
            raise
