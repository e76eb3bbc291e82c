"""`POST /lookup`: who may ask, in which words, and that every no has the same bytes."""

from typing import Any

import pytest

from gateway.model.lookup import Status
from gateway.settings import Client
from tests.support.web_house import CLIENTS, Site, a_site

pytest_plugins = ("tests.support.sites",)

OFFICER = Client(id="pd-officers", organization="org:northpd", scopes=("lookup",))


@pytest.fixture
def police_site(web_store: Any, clock: Any) -> Site:
    known = {**CLIENTS, OFFICER.id: OFFICER}
    return a_site(web_store, clock, registered=known.get)


def test_nothing_to_tell_is_one_answer(police_site: Site) -> None:
    officer = police_site.client("pd-officers")

    answers = [officer.post("/lookup", json={"receipt": one}) for one in ("known", "unknown", "x" * 500)]

    assert {(one.status_code, one.data) for one in answers} == {(200, b'{"status":null}')}
    assert police_site.house.asked[0] == ("look_up", "pd-officers", "known", 1)


def test_a_status_comes_with_its_notice_and_scope(police_site: Site) -> None:
    police_site.house.status = Status("accepted", "the notice", "the scope")

    answer = police_site.client("pd-officers").post("/lookup", json={"receipt": "r", "record": 3})

    assert answer.json == {"status": "accepted", "notice": "the notice", "scope": "the scope"}


def test_a_client_without_the_scope_is_refused_before_anything_is_asked(police_site: Site) -> None:
    answer = police_site.client("demo-agency").post("/lookup", json={"receipt": "known"})

    assert answer.status_code == 403
    assert police_site.house.asked == []


@pytest.mark.parametrize(
    "body", [{}, {"receipt": 1}, {"receipt": "r", "record": 0}, {"receipt": "r", "record": True}, ["receipt"]]
)
def test_a_question_of_another_shape_is_told_so(police_site: Site, body: Any) -> None:
    answer = police_site.client("pd-officers").post("/lookup", json=body)

    assert answer.status_code == 400
    assert police_site.house.asked == []
