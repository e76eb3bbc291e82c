"""The list of HL7v2 messages, on both engines."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import sqlite

from gateway.model.handoff import InputRecord
from gateway.ports import Transaction
from gateway.storage.database import SqlDatabase, open_database
from gateway.storage.message_views import PAGE_SIZE, MessageQuery, MessageViews, _page
from gateway.storage.tables import inputs
from gateway.testing import FixedClock
from tests.support.stored import AT, an_input

pytest_plugins = ("tests.support.databases",)

ADMISSION = b"MSH|^~\\&|WARD|HARBOR|WH|G|20261102||ADT^A01|C1|P|2.5.1\rPID|1||M-1||Otter-Test^Pat\r"
ANSWER = b"\xef\xbb\xbfMSH|^~\\&|EHR|CEDAR|WH|G|20261102||RRI^I12|C2|P|2.3\rRF1|A\r"


@pytest.fixture
def views(sql_database: SqlDatabase) -> MessageViews:
    def write(tx: Transaction) -> None:
        for n, (name, payload, state, kind, sender) in enumerate(
            [
                ("m1", ADMISSION, "done", "ADT^A01", "WARD^HARBOR"),
                ("m2", ANSWER, "quarantined", "RRI^I12", "EHR^CEDAR"),
                ("m3", b"no message", "quarantined", None, None),
            ]
        ):
            tx.inputs.add(
                an_input(name, channel="mllp", source="hl7v2", client=None, payload=payload, state=state,
                         message_type=kind, sender=sender,
                         received_at=AT + timedelta(seconds=n), reason="100" if name == "m3" else None)
            )  # fmt: skip
        tx.inputs.add(an_input("a-file"))
        tx.inputs.put_records(
            [InputRecord("m1", 1, "skipped", "nobody we know"), InputRecord("m2", 1, "quarantined", "RF1-6")]
        )

    sql_database.write(write)
    return MessageViews(sql_database)


def listed(views: MessageViews, **query: str) -> list[str]:
    return [row.id for row in views.messages(MessageQuery(**query)).rows]


def test_messages_are_listed_newest_first_with_header_and_outcome(views: MessageViews) -> None:
    unreadable, answer, admission = views.messages(MessageQuery()).rows

    assert (unreadable.type, unreadable.state, unreadable.reason) == ("", "quarantined", "100")
    assert (answer.type, answer.application, answer.facility, answer.version) == ("RRI^I12", "EHR", "CEDAR", "2.3")
    assert (admission.control_id, admission.state, admission.reason) == ("C1", "skipped", "nobody we know")


def test_an_empty_frame_is_listed_like_what_else_is_no_message(sql_database: SqlDatabase) -> None:
    empty = an_input("m1", channel="mllp", source="hl7v2", client=None, payload=b"", state="quarantined", reason="100")
    sql_database.write(lambda tx: tx.inputs.add(empty))

    (row,) = MessageViews(sql_database).messages(MessageQuery()).rows

    assert (row.id, row.type, row.control_id, row.reason) == ("m1", "", "", "100")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"type": "ADT"}, ["m1"]),
        ({"type": "adt^a01"}, ["m1"]),
        ({"type": "ADT^A02"}, []),
        ({"type": "A"}, []),
        ({"state": "quarantined"}, ["m3", "m2"]),
        ({"state": "pending"}, []),
        ({"sender": "cedar"}, ["m2"]),
        ({"sender": "EHR", "type": "RRI"}, ["m2"]),
        ({"before": "nonsense"}, ["m3", "m2", "m1"]),
    ],
)
def test_the_list_is_narrowed(views: MessageViews, query: dict[str, str], found: list[str]) -> None:
    assert listed(views, **query) == found


@pytest.mark.parametrize("kind", ["", "ADT"])
def test_pages_follow_one_another_without_gap_or_repetition(sql_database: SqlDatabase, kind: str) -> None:
    count = PAGE_SIZE + 3

    def write(tx: Transaction) -> None:
        for n in range(count):
            kind = "ADT^A01" if n % 2 else "ADT^A08"
            tx.inputs.add(an_input(f"p{n:03}", channel="mllp", client=None, payload=ADMISSION, message_type=kind))

    sql_database.write(write)
    views = MessageViews(sql_database)

    first = views.messages(MessageQuery(type=kind))
    second = views.messages(MessageQuery(type=kind, before=first.next or ""))

    assert [row.id for row in (*first.rows, *second.rows)] == [f"p{n:03}" for n in range(count)]
    assert second.next is None


def test_what_waits_for_an_application_answer_is_listed(sql_database: SqlDatabase) -> None:
    def write(tx: Transaction) -> None:
        work = tx.outbox.add(
            lane="org:clinic/hl7v2", kind="deliver", subject="t", action="create",
            message_id="abcdefghijklmnopqrstuvwxyz", version=1, at=AT,
        )  # fmt: skip
        tx.outbox.set_state(work, "awaiting", "CA", AT)

    sql_database.write(write)

    (row,) = MessageViews(sql_database).awaited()
    assert (row.lane, row.control_id, row.since) == ("org:clinic/hl7v2", "abcdefghijklmnopqrst", AT)


def test_a_type_and_the_order_of_the_list_are_found_by_index(sqlite_store_url: str, clock: FixedClock) -> None:
    """A list over millions of messages must not read them."""
    database = open_database(sqlite_store_url, clock=clock)
    page = _page(MessageQuery(), inputs.c.message_type == "ADT^A01")
    written = page.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})

    plan = database.query(lambda connection: connection.execute(text(f"EXPLAIN QUERY PLAN {written}")).all())

    database.close()
    steps = " ".join(str(row[-1]) for row in plan)
    assert "USING INDEX input_by_message" in steps
    assert "SCAN input " not in f"{steps} "
