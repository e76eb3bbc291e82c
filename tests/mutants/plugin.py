"""A pytest plugin that makes one change after the other and sees whether a test notices: `make mutants`.

The tests are collected once. Each change is then made in a process forked from there, which runs the tests that pass
through the changed statement until one fails: first those that noticed other changes of the function, then those of its
module, of its room, and the quick ones before the slow. A run without end is cut by a limit on the processor's time,
and counts as noticed. What nobody notices is looked up in `explained.json`; whatever is not explained there is told,
and fails the run.
"""

import gc
import json
import os
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import settings

from tests.mutants.changes import Change, changes_of

_EXPLAINED = Path(__file__).with_name("explained.json")
_ENDLESS_S = 5
"""Seconds of the processor, beside ten times what a test takes, after which it is without end."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take what is to be changed, and what may be left out to be quick."""
    parser.addoption(
        "--change", required=True, help="a room, a file of it, or one function: redaction.rebuild.points_to"
    )
    parser.addoption("--every", type=int, default=1, help="make only each n-th change")
    parser.addoption("--within", type=float, default=float("inf"), help="leave out tests that take more seconds")


def pytest_configure() -> None:
    """Let every judge try the same examples each time, and remember none of those that a change made fail."""
    settings.register_profile("mutants", database=None, derandomize=True, deadline=None)
    settings.load_profile("mutants")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    """Make the changes instead of running the tests alone; an unexplained one that nobody notices is a failure."""
    option = session.config.option
    room, module, function = [*option.change.split(".", 2), "*", "*"][:3]
    paths = sorted(Path("gateway", room).glob(f"{module}.py"))
    found = [change for path in paths for change in changes_of(path)][:: option.every]
    changes = [change for change in found if fnmatch(change.function.split(".", 3)[3], function)]
    if not changes:
        raise pytest.UsageError(
            f"--change {option.change}: expected a room, room.file or room.file.function of gateway/"
        )
    judges = _Judges(session.items, changes, option.within)
    explained = {
        (change["function"], change["was"], change["becomes"])
        for reason in json.loads(_EXPLAINED.read_text(encoding="utf-8"))
        for change in reason["changes"]
    }
    count = {"noticed": 0, "explained": 0, "not noticed": 0}
    for change in changes:
        if judges.notice(change):
            count["noticed"] += 1
        elif (change.function, change.was, change.becomes) in explained:
            count["explained"] += 1
        else:
            count["not noticed"] += 1
            session.testsfailed += 1
            told = {"function": change.function, "was": change.was, "becomes": change.becomes}
            sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
            sys.stdout.flush()
    sys.stdout.write(f"{option.change}: {len(changes)} changes made, {count}\n")
    return True


class _Judges:
    """The collected tests, and which of them pass through which lines."""

    def __init__(self, tests: list[pytest.Item], changes: list[Change], within_s: float) -> None:
        self._tests = tests
        gc.collect()
        gc.freeze()
        self._took, self._passing = self._watched(changes)
        self._within_s = within_s
        self._sharp: dict[str, list[int]] = defaultdict(list)

    def notice(self, change: Change) -> bool:
        """Whether a test fails, or does not end, once `change` is made; that test is asked first the next time."""
        sharp = self._sharp[change.function]
        passing = set().union(*(self._passing[change.function, line] for line in change.lines))
        room, module = change.function.split(".")[1:3]
        near = (f"tests/unit/{room}/test_{module}.py", f"tests/unit/{room}/", "")
        asked = sorted(
            (test for test in passing if self._took[test] <= self._within_s and test not in sharp),
            key=lambda test: (next(n for n, path in enumerate(near) if path in self._nodeid(test)), self._took[test]),
        )
        order = [*(test for test in sharp if test in passing), *asked]

        def judged(tell: Callable[[str], object]) -> None:
            change.make()
            for test, following in zip(order, [*order[1:], None], strict=True):
                tell(f"{test}\n")
                _limit_cpu(_ENDLESS_S + 10 * self._took[test])
                if not self._passes(test, following):
                    os._exit(1)

        ended_well, said = _in_a_fork(judged)
        if ended_well or not said:
            return False
        by = int(said.split()[-1])
        sharp[:] = [by, *(test for test in sharp if test != by)]
        return True

    def _watched(self, changes: list[Change]) -> tuple[dict[int, float], dict[tuple[str, int], set[int]]]:
        """Run every test once, unchanged: the seconds each took, and those that pass each line of a function."""
        names = {code: change.function for change in changes for code in _with_inner(change.real.__code__)}

        def watched(tell: Callable[[str], object]) -> None:
            for test in range(len(self._tests)):
                following = test + 1 if test + 1 < len(self._tests) else None
                began = time.perf_counter()
                with _traced(names) as passed_lines:
                    passed = self._passes(test, following)
                tell(json.dumps([test, time.perf_counter() - began, sorted(passed_lines)]) + "\n")
                if not passed:
                    os._exit(1)

        ended_well, said = _in_a_fork(watched)
        lines = [json.loads(line) for line in said.splitlines()]
        if not ended_well:
            raise pytest.UsageError(f"{self._nodeid(lines[-1][0])} fails without any change")
        passing: dict[tuple[str, int], set[int]] = defaultdict(set)
        for test, _, passed_lines in lines:
            for function, line in passed_lines:
                passing[function, line].add(test)
        return {test: took for test, took, _ in lines}, passing

    def _nodeid(self, test: int) -> str:
        return self._tests[test].nodeid

    def _passes(self, test: int, following: int | None) -> bool:
        item, after = self._tests[test], None if following is None else self._tests[following]
        return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=after))


def _with_inner(code: CodeType) -> Iterator[CodeType]:
    """Give the code of a function and of what is defined in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _with_inner(constant)


@contextmanager
def _traced(names: dict[CodeType, str]) -> Iterator[set[tuple[str, int]]]:
    """Collect the lines that are passed of the functions in `names`, each with the name of its function."""
    passed: set[tuple[str, int]] = set()

    def note(frame: FrameType, event: str, argument: object) -> Callable[..., Any] | None:
        function = names.get(frame.f_code)
        if function is None:
            return None
        passed.add((function, frame.f_lineno))
        return note

    sys.settrace(note)
    try:
        yield passed
    finally:
        sys.settrace(None)


def _in_a_fork(work: Callable[[Callable[[str], object]], None]) -> tuple[bool, str]:
    """Do `work` in a process of its own: whether it came to its end, and what it told."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        silence = os.open(os.devnull, os.O_RDWR)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        try:
            with os.fdopen(writing, "w", buffering=1, encoding="utf-8") as pipe:
                work(pipe.write)
        except BaseException:
            os._exit(2)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        said = pipe.read()
    return os.waitpid(child, 0)[1] == 0, said


def _limit_cpu(seconds: float) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime + seconds) + 1, hard))
