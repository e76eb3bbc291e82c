"""An answer that may leave something out leaves at one of a few instants, so that its time does not tell why."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask, Response

from gateway.access.even_answers import goes_in_step, wait_of
from gateway.settings import Client
from gateway.storage.database import open_database
from gateway.testing import FixedClock
from tests.support.web_house import a_site

pytest_plugins = ("tests.support.databases",)

ANYBODY = Client(id="anybody", organization="org:harbor", scopes=("intake", "lookup", "system/*.cruds"))
"""A client that may ask at every one of these doors."""

EVALUATE = "/fhir/R4/Consent/$evaluate"
QUESTION = {
    "resourceType": "Parameters",
    "parameter": [{"name": "patient", "valueReference": {"reference": "Patient/nobodys"}}],
}


PATHS = ("Task/nobodys", "Task/t1", "Task")


@pytest.mark.parametrize(
    ("taken_s", "waits_s"), [(0.003, 0.047), (0.006, 0.044), (0.05, 0.0), (0.06, 0.04), (0.15, 0.05), (0.9, 0.7)]
)
def test_an_answer_waits_for_the_next_instant(taken_s: float, waits_s: float) -> None:
    with Flask("test").test_request_context():
        goes_in_step()

        assert wait_of(Response(), taken_s) == pytest.approx(waits_s)


@pytest.mark.parametrize(("status", "waits"), [(404, True), (200, False), (403, False), (503, False)])
def test_not_found_waits_and_what_gives_something_does_not(status: int, waits: bool) -> None:
    with Flask("test").test_request_context():
        assert (wait_of(Response(status=status), 0.003) > 0) is waits


def test_one_client_has_only_so_many_places_and_what_it_asks_then_is_refused_whatever_there_is(
    sqlite_store_url: str, clock: FixedClock
) -> None:
    """A flood of questions about nobody must leave threads to others, and must not do away with the waiting."""
    other = ANYBODY.model_copy(update={"id": "other"})
    database = open_database(sqlite_store_url, clock=clock)
    meanwhile: list[tuple[str, str, int]] = []
    has_asked: list[bool] = []

    def pause(_: float) -> None:
        """Ask while the first answer waits."""
        if not has_asked:
            has_asked.append(True)
            with ThreadPoolExecutor(1) as another_thread:
                meanwhile.extend(another_thread.map(ask, itertools.product((ANYBODY.id, other.id), PATHS)))

    def ask(what: tuple[str, str]) -> tuple[str, str, int]:
        client, path = what
        return client, path, site.client(client).get(f"/fhir/R4/{path}").status_code

    registered = {ANYBODY.id: ANYBODY, other.id: other}.get
    site = a_site(database, clock, pause=pause, registered=registered, places=1)
    site.house.put({"resourceType": "Task", "id": "t1"})

    before = site.client(ANYBODY.id).get("/fhir/R4/Task/nobodys").status_code
    after = site.client(ANYBODY.id).get("/fhir/R4/Task/t1").status_code
    database.close()

    assert meanwhile == [
        ("anybody", "Task/nobodys", 429), ("anybody", "Task/t1", 429), ("anybody", "Task", 429),
        ("other", "Task/nobodys", 404), ("other", "Task/t1", 200), ("other", "Task", 200),
    ]  # fmt: skip
    assert (before, after) == (404, 200)


@pytest.mark.parametrize(
    ("method", "path", "body", "waits"),
    [
        ("GET", "/fhir/R4/Task/nobodys", None, 1),
        ("GET", "/fhir/R4/Task", None, 1),
        ("POST", EVALUATE, QUESTION, 1),
        ("POST", "/lookup", {"receipt": "nobodys", "record": 1}, 1),
        ("GET", "/intake/receipts/nobodys", None, 1),
        ("POST", "/fhir/R4/Consent", {"resourceType": "Consent"}, 1),
        ("GET", "/fhir/R4/metadata", None, 0),
        ("GET", "/fhir/R4/Nonsense/1", None, 1),
        ("GET", "/no/such/page", None, 0),
    ],
)
def test_the_doors_for_partners_go_in_step(
    sqlite_store_url: str, clock: FixedClock, method: str, path: str, body: Any, waits: int
) -> None:
    waited: list[float] = []
    database = open_database(sqlite_store_url, clock=clock)
    site = a_site(database, clock, pause=waited.append, registered={ANYBODY.id: ANYBODY}.get)

    answer = site.client(ANYBODY.id).open(path, method=method, json=body)
    database.close()

    assert answer.status_code in (200, 404, 422)
    assert len(waited) == waits
    assert all(one > 0 for one in waited)
