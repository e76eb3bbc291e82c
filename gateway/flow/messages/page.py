"""One HL7v2 message as the operator's staff may see it: a disclosure to them, decided and logged for every view.

The rule is that of `console_record`: content is shown to an operator who has an agreement in force with every Part 2
program of the registry, and where every record of the persons named is shown whole. Else the structure is shown, which
fields hold something and never what: of every message, so that its absence tells nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gateway.flow.consents.segments import Waiting, waiting_consents
from gateway.flow.house import House
from gateway.flow.messages.desk import NO_QUESTION, Question, question_of
from gateway.flow.messages.merges import Merge, merges_of
from gateway.flow.messages.numbers import person_by_number
from gateway.flow.messages.resemblance import could_be_about
from gateway.flow.staff.console import serves_every_program, shows_whole
from gateway.formats.hl7v2 import Message, Unreadable, read_message
from gateway.formats.hl7v2.acknowledgement import judge, owes_application_answer
from gateway.formats.hl7v2.answers import identifiers_of, person_of
from gateway.formats.hl7v2.reading import FieldReading, read_fields
from gateway.model.audit import AuditEntry
from gateway.model.handoff import InputRecord, Person, StoredInput, Work
from gateway.model.hl7_header import Hl7Header
from gateway.ports import Transaction

SHOWN_BYTES = 64 * 1024
SHOWN_FIELDS = 2000
"""How many fields are shown: a report of thousands of results would be a page of tens of megabytes."""


@dataclass(frozen=True, slots=True)
class MessagePage:
    """A message with what became of it."""

    id: str
    stored: StoredInput
    header: Hl7Header | None
    fields: tuple[FieldReading, ...]
    """The first `SHOWN_FIELDS`; empty where it cannot be read; values are "" outside of MSH where `withheld`."""
    withheld: str | None
    """Why the content is not shown."""
    raw: str | None
    """As received, its first 64 KiB; None where the content is not shown."""
    answer: str | None
    """The acknowledgement we gave; None where it is not kept (the same id came before with other content)."""
    reply: Work | None
    """The application answer of enhanced mode, if one is owed and there is a way back."""
    owes_reply: bool
    record: InputRecord | None
    merges: tuple[Merge, ...]
    """What a person may confirm or refuse."""
    waiting: tuple[Waiting, ...] = ()
    """For whom its CONs forbid disclosure until a person has looked."""
    question: Question = NO_QUESTION
    """What a person may say of it; whom it resembles is content and is left out where that is `withheld`."""
    relays: tuple[Work, ...] = ()
    """To whom it is passed on, and how far that is."""
    fields_left_out: int = 0
    guessed_charset: bool = False
    """Nobody said what its characters are written in, and its bytes fit more than one set."""


def console_message(house: House, staff: tuple[str, str], input_id: str) -> MessagePage | None:
    """Disclose one message to a member of staff (id, role); None when there is none of this id."""
    received = house.database.read(lambda tx: tx.inputs.get(input_id))
    if received is None or received.channel != "mllp":
        return None
    # Before its turn to be written comes: the report of a long message takes seconds, and whoever writes holds up all.
    message = read_message(received.payload, house.registry.charset_of)
    fields = () if isinstance(message, Unreadable) else _fields(house, received, message)

    def look(tx: Transaction) -> MessagePage | None:
        stored = tx.inputs.get(input_id)
        assert stored is not None, "what was received is never deleted"
        page = _page(house, tx, staff, stored, message, fields)
        told = {"input": input_id, "content": page.withheld is None}
        tx.audit.append(AuditEntry(house.clock(), "message.viewed", staff[0], told))
        return page

    return house.database.write(look)


def _page(
    house: House,
    tx: Transaction,
    staff: tuple[str, str],
    stored: StoredInput,
    message: Message | Unreadable,
    fields: tuple[FieldReading, ...],
) -> MessagePage:
    reception = judge(message, stored.payload)
    record = next(iter(tx.inputs.records(stored.id)), None)
    withheld = _withheld(house, tx, staff, message, record)
    shown = fields[:SHOWN_FIELDS]
    waits = record is not None and record.state == "quarantined" and withheld is None
    question = question_of(house, tx, stored)
    work = tx.outbox.of_subject(stored.id)
    return MessagePage(
        id=stored.id,
        stored=stored,
        header=reception.header,
        fields=shown if withheld is None else tuple(map(_without_value, shown)),
        withheld=withheld,
        raw=None if withheld else _text(stored.payload, message),
        answer=None if stored.answer is None else stored.answer.decode("latin-1"),
        reply=next((one for one in work if one.kind == "acknowledge"), None),
        owes_reply=owes_application_answer(reception),
        record=record,
        merges=tuple(merges_of(house, tx, stored.payload)) if waits else (),
        waiting=waiting_consents(house, tx, stored) if waits else (),
        question=question if withheld is None else replace(question, people=()),
        relays=tuple(one for one in work if one.kind == "relay"),
        fields_left_out=len(fields) - len(shown),
        guessed_charset=isinstance(message, Message) and message.guessed_charset,
    )


def _fields(house: House, stored: StoredInput, message: Message) -> tuple[FieldReading, ...]:
    """Return what became of each field: by the pack that takes the message, else by what is read for referrals."""
    result = house.read_feed(message, house.registry.get(stored.client))
    return tuple(result.report() if result is not None else read_fields(message))


def _without_value(reading: FieldReading) -> FieldReading:
    return reading if reading.path.startswith("MSH-") else replace(reading, value="")


def _text(payload: bytes, message: Message | Unreadable) -> str:
    codec = "latin-1" if isinstance(message, Unreadable) else message.codec
    return payload[:SHOWN_BYTES].decode(codec, "replace").replace("\r\n", "\n").replace("\r", "\n")


def _withheld(
    house: House,
    tx: Transaction,
    staff: tuple[str, str],
    message: Message | Unreadable,
    record: InputRecord | None,
) -> str | None:
    if not serves_every_program(house):
        return "this operator has no agreement in force with every Part 2 program of the registry"
    persons = set() if isinstance(message, Unreadable) else {one.id for one in _named(house, tx, message)}
    handoffs = {handoff.id: handoff for person in sorted(persons) for handoff in tx.handoffs.of_person(person)}
    if record is not None and record.handoff_id is not None and (own := tx.handoffs.get(record.handoff_id)):
        handoffs[own.id] = own
    if all(shows_whole(house, tx, staff, handoff) for handoff in handoffs.values()):
        return None
    return "a record of a person it names is not shown whole here"


def _named(house: House, tx: Transaction, message: Message) -> Iterator[Person]:
    """Yield whom a message is about, and whom it is possibly about: what is doubtful is withheld too."""
    for mrg in message.named("MRG"):
        known = person_by_number(house, tx, identifiers_of(mrg, 1))
        if known is not None:
            yield known[0]
    for named in filter(None, map(person_of, message.named("PID"))):
        known = person_by_number(house, tx, named.identifiers)
        yield from (known[0],) if known is not None else could_be_about(tx, named)
