"""The scope algebra of SMART App Launch."""

import pytest

from gateway.model.caller import Caller, granted


@pytest.mark.parametrize(
    ("scope", "letters"),
    [
        ("system/Task.rus", "rus"),
        ("system/Task.cruds", "cruds"),
        ("system/*.rs", "rs"),
        ("system/Task.read", "rs"),
        ("system/Task.write", "cud"),
        ("system/*.*", "cruds"),
        ("system/Patient.rs", ""),
        ("system/Task.sr", ""),
        ("system/Task.rs?status=requested", ""),
        ("system/task.rs", ""),
        ("user/Task.rs", ""),
        ("patient/*.rs", ""),
        ("system/Task.", ""),
        ("system/Task.rs ", ""),
        ("intake", ""),
        ("", ""),
    ],
)
def test_a_scope_grants_these_letters_on_task(scope: str, letters: str) -> None:
    assert granted(scope, "Task") == letters


def test_scopes_of_one_client_add_up() -> None:
    caller = Caller("a", "org:a", frozenset({"system/Task.r", "system/Task.u", "system/*.s"}), None, "org:a")

    assert [letter for letter in ("c", "r", "u", "d", "s") if caller.may(letter, "Task")] == ["r", "u", "s"]
    assert [letter for letter in ("c", "r", "u", "d", "s") if caller.may(letter, "Consent")] == ["s"]
    assert not caller.may_submit
