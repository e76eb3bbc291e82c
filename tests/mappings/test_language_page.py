"""What docs/mapping-language.md shows must work as it is shown."""

import re
from pathlib import Path

from gateway.catalog.documents import Document
from gateway.catalog.mappings import shared_tables, templates
from gateway.mapping import Source, compile_mapping
from gateway.mapping.conditions import WORDS
from gateway.mapping.nodes import INSTRUCTIONS
from gateway.mapping.readers import READERS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "mapping-language.md").read_text(encoding="utf-8")


def test_the_pack_that_is_shown_in_full_compiles() -> None:
    text = next(block for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if block.startswith("mapping:"))
    document = Document("page", text)

    mapping = compile_mapping(
        Source(document.name, document.content, document.where, document.line), templates(), shared_tables()
    )

    assert mapping.name == "riverton-crisis-log"


def test_every_reader_condition_and_instruction_is_described() -> None:
    missing = [word for word in READERS if f"`{word}: " not in PAGE]
    missing += [word for word in WORDS if f"{{{word}: " not in PAGE]
    missing += [word for word in INSTRUCTIONS if f"{{{word}: " not in PAGE]

    assert missing == []


def test_every_name_of_the_template_is_described() -> None:
    vocabulary = templates()["contact"].content["vocabulary"]

    assert [name for name in vocabulary if f"`{name}`" not in PAGE] == []
