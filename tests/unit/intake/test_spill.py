from gateway.formats import InMemorySpill
from gateway.formats.row_groups import Spill
from gateway.intake.spill import DiskSpill, SeenContent

ITEMS = [("b", [1, {"x": "é"}, None]), ("a", [2, {}, None]), ("b", [3, None, "why"]), ("c", [4, {"y": "z"}, None])]


def grouped(spill: Spill) -> list[list[list[object]]]:
    for key, item in ITEMS:
        spill.put(key, item)
    return list(spill.groups())


def test_on_disk_and_in_memory_the_same_comes_out_keys_in_the_order_they_first_came() -> None:
    expected = [[ITEMS[0][1], ITEMS[2][1]], [ITEMS[1][1]], [ITEMS[3][1]]]

    assert grouped(DiskSpill()) == grouped(InMemorySpill()) == expected


def test_more_than_one_batch_is_kept() -> None:
    spill = DiskSpill()
    for n in range(12_345):
        spill.put(str(n % 5000), [n, {}, None])

    groups = list(spill.groups())

    assert len(groups) == 5000
    assert [item[0] for item in groups[0]] == [0, 5000, 10_000]


def test_a_content_is_repeated_only_right_after_itself() -> None:
    seen = SeenContent()

    answers = [seen.is_repeated("r", content * 32) for content in ("aa", "aa", "bb", "aa")]

    assert answers == [False, True, False, False]
