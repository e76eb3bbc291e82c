"""There is one road from a record to the wire: only consent makes a Permit, only redaction what leaves by it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import gateway

PACKAGE = Path(gateway.__file__).parent


def _makers(name: str) -> Iterator[str]:
    """Yield every file that calls a class of this name, or copies one of its values under new content."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _called(node.func) == name:
                yield path.relative_to(PACKAGE).as_posix()


def _called(function: ast.expr) -> str:
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else ""


@pytest.mark.parametrize(
    ("name", "room"),
    [
        ("Permit", "consent/"),
        ("Disclosure", "redaction/"),
        ("KeptParts", "redaction/"),
        ("PassedOn", "flow/messages/pass_on.py"),
    ],
)
def test_is_made_in_one_room_only(name: str, room: str) -> None:
    makers = set(_makers(name))

    assert makers
    assert {maker for maker in makers if not maker.startswith(room)} == set()


@pytest.mark.parametrize("name", ["Permit", "Disclosure", "KeptParts", "PassedOn"])
def test_is_imported_under_its_own_name(name: str) -> None:
    renamed = [
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name == name and alias.asname
    ]

    assert renamed == []
