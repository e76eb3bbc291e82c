"""The pages of docs/part2 say what the tests prove, no more and no less."""

from tests.rules.part2.document import PAGES, pages


def test_every_page_is_as_its_tests_make_it() -> None:
    kept = {path.name: path.read_text(encoding="utf-8") for path in PAGES.glob("*.md")}

    assert kept == pages(), "run: python -m tests.rules.part2.document"
