"""Both sides of the consult bench do the work they say they do."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from gateway.bench.consent import sample
from gateway.bench.consult import ITEMS, floor, judged, ours
from gateway.flow.judgement import judge, read_matter
from gateway.model.disclosure import Disclosure


def asked(application: Flask) -> TestResponse:
    body = orjson.dumps({"records": sample(ITEMS)[2]})
    return application.test_client().post("/consult", data=body, content_type="application/json")


def test_ours_answers_with_all_that_may_leave(tmp_path: Path) -> None:
    answer = asked(ours(str(tmp_path / "ours.db")))

    kinds = [entry["resource"]["resourceType"] for entry in answer.json["entry"]]  # type: ignore[index]
    assert answer.status_code == 200
    assert kinds.count("Condition") == ITEMS - 1


def test_ours_keeps_all_that_is_kept_of_an_answer(tmp_path: Path) -> None:
    answer = asked(ours(str(tmp_path / "ours.db")))

    with sqlite3.connect(tmp_path / "ours.db") as database:
        (told,), (of_log,) = database.execute("SELECT data FROM audit ORDER BY seq").fetchall()
        ((decision, outcome, inputs),) = database.execute("SELECT id, decision, inputs FROM decision").fetchall()
        logged = database.execute("SELECT decision_id, confirmed_at IS NOT NULL FROM disclosure").fetchall()
    database.close()
    assert (outcome, orjson.loads(told)["decision"], logged) == ("PERMIT", decision, [(decision, 1)])
    assert [one["decision"] for one in orjson.loads(of_log)["disclosures"]] == [decision]
    again = judge(read_matter(inputs)[0], sample(ITEMS)[0])
    assert isinstance(again, Disclosure)
    assert again.body == answer.data


def test_the_floor_answers_as_much_and_decides_nothing(tmp_path: Path) -> None:
    from_floor = asked(floor(str(tmp_path / "floor.db")))
    from_ours = asked(ours(str(tmp_path / "ours.db")))

    assert from_floor.status_code == 200
    assert from_floor.headers.to_wsgi_list() == from_ours.headers.to_wsgi_list()
    with sqlite3.connect(tmp_path / "floor.db") as database:
        assert database.execute("SELECT count(*) FROM decision").fetchone() == (0,)
    database.close()


def test_the_peer_answers_as_much_and_keeps_nothing(tmp_path: Path) -> None:
    from_peer = asked(judged(str(tmp_path / "judged.db")))
    from_ours = asked(ours(str(tmp_path / "ours.db")))

    assert len(from_peer.data) == len(from_ours.data)
    with sqlite3.connect(tmp_path / "judged.db") as database:
        assert database.execute("SELECT count(*) FROM audit").fetchone() == (0,)
    database.close()


@pytest.mark.parametrize(("build", "kinds"), [(ours, ["decision.permit", "disclosure.logged"]), (floor, ["bench"])])
def test_both_commit_what_the_audit_trail_tells_before_they_answer(
    tmp_path: Path, build: Callable[[str], Flask], kinds: list[str]
) -> None:
    asked(build(str(tmp_path / "one.db")))

    with sqlite3.connect(tmp_path / "one.db") as database:
        assert [kind for (kind,) in database.execute("SELECT kind FROM audit ORDER BY seq")] == kinds
    database.close()
