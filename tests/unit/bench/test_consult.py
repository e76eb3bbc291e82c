"""Both sides of the consult bench do the work they say they do."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from gateway.bench.consent import sample
from gateway.bench.consult import ITEMS, floor, ours


def asked(application: Flask) -> TestResponse:
    body = orjson.dumps({"records": sample(ITEMS)[2]})
    return application.test_client().post("/consult", data=body, content_type="application/json")


def test_ours_answers_with_all_that_may_leave(tmp_path: Path) -> None:
    answer = asked(ours(str(tmp_path / "ours.db")))

    kinds = [entry["resource"]["resourceType"] for entry in answer.json["entry"]]  # type: ignore[index]
    assert answer.status_code == 200
    assert kinds.count("Condition") == ITEMS - 1


def test_the_floor_only_parses_and_commits(tmp_path: Path) -> None:
    answer = asked(floor(str(tmp_path / "floor.db")))

    assert (answer.status_code, answer.data) == (200, b"{}")


@pytest.mark.parametrize("build", [ours, floor])
def test_both_commit_a_row_of_the_audit_trail_before_they_answer(tmp_path: Path, build: Callable[[str], Flask]) -> None:
    asked(build(str(tmp_path / "one.db")))

    with sqlite3.connect(tmp_path / "one.db") as database:
        assert database.execute("SELECT count(*) FROM audit").fetchone() == (1,)
    database.close()
