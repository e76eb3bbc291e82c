"""A YAML file is read alike, and its mistakes told alike, whether or not PyYAML was built with libyaml."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.catalog import shipped
from gateway.catalog.documents import Document
from gateway.model.errors import ConfigurationError

CATALOG = Path(shipped.__code__.co_filename).parent
FILES = [*shipped("mappings").rglob("*.yaml"), *shipped("profiles").rglob("*.yaml"), *CATALOG.rglob("*.yaml")]


def nodes(node: yaml.Node | None) -> Any:
    """Return everything that we take of a node: its tag, its place, and what is in it."""
    if node is None:
        return None
    about = (node.tag, node.start_mark.line, node.start_mark.column)
    if isinstance(node, yaml.MappingNode):
        return about, [(nodes(key), nodes(value)) for key, value in node.value]
    return about, [nodes(one) for one in node.value] if isinstance(node, yaml.SequenceNode) else node.value


def test_every_file_of_the_product_is_the_same_to_both_readers_of_yaml() -> None:
    texts = [path.read_text(encoding="utf-8") for path in FILES]

    differing = [
        path.name
        for path, text in zip(FILES, texts, strict=True)
        if nodes(yaml.compose(text, Loader=yaml.SafeLoader)) != nodes(yaml.compose(text, Loader=yaml.CSafeLoader))
    ]

    assert len(FILES) > 80
    assert differing == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [1", ":1:6: not readable as YAML: expected ',' or ']', but got '<stream end>'"),
        ("a: 1\nb: c: d\n", ":2:5: not readable as YAML: mapping values are not allowed here"),
        ("a: 1\na: 2\n", ":2:1: a: stands here a second time"),
        ("a: 2026-13-01\n", ":1:4: not readable as YAML: month must be in 1..12"),
    ],
)
def test_a_mistake_is_told_with_its_place_in_the_words_of_one_reader(text: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        Document("own.yaml", text)

    assert str(error.value).startswith(f"own.yaml{told}")


def test_a_part_is_told_by_its_line_and_column() -> None:
    document = Document("own.yaml", "# why\nrows:\n  - {to: here}\n")

    assert document.content == {"rows": [{"to": "here"}]}
    assert document.where(("rows", 0, "to")) == "own.yaml:3:10"
