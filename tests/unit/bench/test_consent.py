"""The consent bench measures real decisions."""

from gateway.bench.consent import decision_of, rows


def test_what_is_timed_is_a_permit_of_every_item() -> None:
    record = decision_of(12)

    assert (record.decision, record.reason, record.withheld) == ("PERMIT", "OK_CONSENT", ())


def test_each_row_stands_beside_its_floor() -> None:
    made = list(rows(0.05))

    assert [row["row"] for row in made] == ["consent decision, 2 items", "label + consent decision, 12 items"]
    assert all(set(row) == {"row", "per_second", "floor", "floor_per_second", "ratio", "goal"} for row in made)
    assert all(row["per_second"] > 0 and row["floor_per_second"] > 0 for row in made)
