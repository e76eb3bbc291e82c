"""Who waits to be written: how many at a time are taken, and for whom a group waits."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.model.errors import GatewayError
from gateway.storage.waiting_line import WaitingLine


def test_a_group_waits_for_as_many_as_are_expected() -> None:
    line: WaitingLine[str] = WaitingLine(patience_s=60)

    with ThreadPoolExecutor(1) as writer:
        taking = writer.submit(lambda: line.gather(3) and line.take())
        for name in ("one", "two", "three"):
            line.add(name)

        assert taking.result() == ["one", "two", "three"]


def test_a_group_waits_no_longer_than_its_patience() -> None:
    line: WaitingLine[str] = WaitingLine(patience_s=0)
    line.add("one")

    assert line.gather(3)
    assert line.take() == ["one"]


def test_who_comes_to_an_empty_line_is_met_though_more_were_expected() -> None:
    line: WaitingLine[str] = WaitingLine(patience_s=0)

    with ThreadPoolExecutor(1) as writer:
        taking = writer.submit(lambda: line.gather(3) and line.take())
        line.add("one")

        assert taking.result() == ["one"]


def test_a_group_is_of_at_most_256() -> None:
    line: WaitingLine[int] = WaitingLine(patience_s=0)
    for number in range(300):
        line.add(number)

    assert [len(line.take()), len(line.take()), line.is_empty] == [256, 44, True]


def test_a_closed_line_gives_out_who_waits_and_takes_nobody() -> None:
    line: WaitingLine[str] = WaitingLine(patience_s=60)
    line.add("one")
    line.close()

    assert line.gather(3)
    assert line.take() == ["one"]
    assert not line.gather(3)
    with pytest.raises(GatewayError, match="the database is closed"):
        line.add("late")
