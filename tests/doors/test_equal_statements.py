"""What is withheld takes the same statements as what is not there, as the database meets them: number, order and shape.

The questions are counted at the ports in `tests/flow/test_equal_work.py`; here one question is seen to be one
statement, whoever is found.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from gateway.flow.gateway import Gateway
from gateway.storage.database import open_database
from tests.flow.test_equal_work import NOBODYS, Request, asks, writes
from tests.support.two_worlds import HOSPITAL, POLICE, RELEASES, Seen, TwoWorld, case, hidden_contact

pytest_plugins = ("tests.support.databases",)

_TEXT = re.compile(r"X?'(?:[^']|'')*'")
_NUMBER = re.compile(r"\b\d+\b")
_LIST = re.compile(r"\(\?(?:, ?\?)*\)")
_ROWS = re.compile(r"VALUES .*", re.DOTALL)


@dataclass
class Trace:
    """The statements that reached the database while it was listened to, without their values."""

    shapes: list[str] = field(default_factory=list)
    is_open: bool = False

    def listen(self, connection: Any, _record: object) -> None:
        """Listen to one connection of the driver."""
        connection.set_trace_callback(self.note)

    def note(self, statement: str) -> None:
        """Keep the shape of a statement, which is the same for one and for several."""
        if self.is_open:
            shape = _LIST.sub("(?)", _NUMBER.sub("?", _TEXT.sub("?", statement)))
            self.shapes.append(" ".join(_ROWS.sub("VALUES", shape).split()))


@pytest.fixture
def trace() -> Iterator[Trace]:
    """Listen to every connection that is opened."""
    trace = Trace()
    event.listen(Engine, "connect", trace.listen)
    yield trace
    event.remove(Engine, "connect", trace.listen)


@dataclass
class StoredWorld:
    """A fuller world on a store with a referral of a program that nobody here may see, and the requests made in it."""

    world: TwoWorld
    trace: Trace
    references: list[str]
    receipts: list[str]

    def seen(self, *request: Any, **more: Any) -> tuple[Seen, list[str]]:
        """Make a request and return the answer with the shape of every statement."""
        self.trace.shapes, self.trace.is_open = [], True
        answer = self.world.http(*request, **more)
        self.trace.is_open = False
        return answer, self.trace.shapes


@pytest.fixture(params=["not asked", "taken back"])
def stored(request: pytest.FixtureRequest, sqlite_store_url: str, trace: Trace) -> Iterator[StoredWorld]:
    """Give the world, with everything opened that is opened once."""
    world = TwoWorld("fhir", has_program_part=True)
    database = open_database(sqlite_store_url, clock=world.clock)
    world.gateway = Gateway(replace(world.gateway.house, database=database))
    hidden = hidden_contact(1, 1, "demo-detox", "substance_use")
    receipts = world.hand_in([case(1, 0, "demo-detox", "SUD treatment", "sober", RELEASES[request.param]), hidden])
    rows = database.query(lambda connection: connection.exec_driver_sql("SELECT type, id FROM resource").all())
    world.http(HOSPITAL, "GET", f"/fhir/R4/Task/{NOBODYS}")
    yield StoredWorld(world, trace, sorted(f"{kind}/{key}" for kind, key in rows), receipts)
    database.close()


def requests(reference: str) -> list[Request]:
    """Return what outsiders ask about a thing, and the consents they write about it."""
    written = writes(HOSPITAL, reference) if reference.startswith(("Patient/", "Consent/")) else []
    return [*asks(reference), *written]


def test_what_is_withheld_takes_the_statements_of_what_is_not_there(stored: StoredWorld) -> None:
    compared = 0
    for reference in stored.references:
        there, missing = requests(reference), requests(f"{reference.partition('/')[0]}/{NOBODYS}")
        for (request, more), (other, other_more) in zip(there, missing, strict=True):
            answer, statements = stored.seen(*request, **more)
            nothing, statements_for_nothing = stored.seen(*other, **other_more)
            if answer == nothing:
                compared += 1
                assert statements == statements_for_nothing, request

    assert compared > len(stored.references)


def test_a_look_up_takes_the_same_statements_whatever_it_is_about(stored: StoredWorld) -> None:
    asked = [
        stored.seen(POLICE, "POST", "/lookup", {"receipt": one, "record": 1}, media_type="application/json")
        for one in (*stored.receipts, NOBODYS)
    ]

    assert [answer for answer, _ in asked] == [asked[0][0]] * len(asked)
    assert [statements for _, statements in asked] == [asked[0][1]] * len(asked)
