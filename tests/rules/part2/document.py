"""Write the pages of docs/part2 from the tests of the rules: `python -m tests.rules.part2.document`.

A page is a test file, a rule is the name of a test, its source the docstring. So a page cannot say what no test
proves, and `test_documented` fails where a test has changed and its page has not.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

_HERE = Path(__file__).parent
PAGES = _HERE.parents[2] / "docs" / "part2"

_NOT_RULES = frozenset({"test_executable_cases", "test_prose_cases", "test_documented"})
_WRITTEN = {
    "part_2": "Part 2", "fhir": "FHIR", "hipaa": "HIPAA", "tpo": "TPO", "hl7v2": "HL7v2", "washington": "Washington",
    "r4": "R4", "r5": "R5", "utc": "UTC", "cds": "CDS", "look_up": "look-up",
}  # fmt: skip
"""Words that a name of a test cannot write as they are written."""
_OWNER = r"(?:an?|another|the)_(?:court|director|jail|patient|person|program|registry|researcher)"
_POSSESSIVE = re.compile(rf"(?<![a-z])({_OWNER}|(?:some|no|any|every)body(?:_else)?|another)s(?![a-z])")
"""Whose something is: in the name of a test the apostrophe is missing. In a plural these words take no article."""
_PAUSE = re.compile(
    r"(treatment(?=_payment)|payment(?=_operations)|types(?=_codes)|codes(?=_dates)|label(?=_purpose)|id(?=_its_)"
    r"|(?<=_)(?:question|author)(?=_(?:never|not)_)|labeled(?=_not_))"
)
"""After which words a comma belongs."""
_LAST = {"properties": "zz"}
"""What always holds stands at the end."""


def pages() -> dict[str, str]:
    """Return every page by its file name, with the list of them as README.md."""
    files = sorted(path for path in _HERE.glob("test_*.py") if path.stem not in _NOT_RULES)
    named = {_page_name(path): path for path in files}
    in_order = sorted(named, key=lambda name: _LAST.get(name.removesuffix(".md"), name))
    made = {name: _page(named[name]) for name in in_order}
    return {"README.md": _contents(made), **made}


def _page_name(path: Path) -> str:
    return path.stem.removeprefix("test_").replace("_", "-") + ".md"


def _contents(made: dict[str, str]) -> str:
    lines = [
        "# The rules of 42 CFR Part 2, as they are tested",
        "",
        "Each page is made from a file of tests: a line is a rule, and a test of that name proves it. What the engine",
        "reads and in which order it decides is told in [the consent engine](../consent-engine.md). Not legal advice.",
        "",
    ]
    lines += [f"- [{text.splitlines()[0].removeprefix('# ')}]({name})" for name, text in made.items()]
    lines += ["", "Made by `python -m tests.rules.part2.document`."]
    return "\n".join(lines) + "\n"


def _page(path: Path) -> str:
    module = ast.parse(path.read_text(encoding="utf-8"))
    title, _, rest = (ast.get_docstring(module) or path.stem).partition("\n")
    lines = [f"# {title.rstrip('.')}", ""]
    lines += [rest.strip(), ""] if rest.strip() else []
    alone = [node for node in module.body if _is_test(node)]
    lines += [*_rules(alone), ""] if alone else []
    for node in module.body:
        tests = [one for one in node.body if _is_test(one)] if isinstance(node, ast.ClassDef) else []
        if isinstance(node, ast.ClassDef) and tests:
            source = ast.get_docstring(node)
            heading = sentence(re.sub(r"(?<!^)(?=[A-Z])", "_", node.name.removeprefix("Test")).lower())
            lines += [f"## {heading}", "", *([source, ""] if source else []), *_rules(tests), ""]
    lines.append(f"Proven by `tests/rules/part2/{path.name}`.")
    return "\n".join(lines) + "\n"


def _is_test(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name.startswith("test_")


def _rules(tests: list[ast.stmt]) -> Iterator[str]:
    for test in tests:
        assert isinstance(test, ast.FunctionDef)
        source = " ".join((ast.get_docstring(test) or "").split())
        yield f"- {sentence(test.name.removeprefix('test_'))}." + (f" *{source}*" if source else "")


def sentence(name: str) -> str:
    """Write the name of a test as the sentence it is, without its full stop."""
    name = re.sub(r"(?<=\d)_(?=\d)", ".", name)
    for written, said in _WRITTEN.items():
        name = re.sub(rf"(?<![a-z0-9]){written}(?![a-z0-9])", said, name)
    name = _POSSESSIVE.sub(r"\1's", _PAUSE.sub(r"\1,", name))
    words = name.replace("_", " ")
    return words[0].upper() + words[1:]


def main() -> None:
    """Write the pages, and take away those that no test file makes any more."""
    PAGES.mkdir(parents=True, exist_ok=True)
    made = pages()
    for old in PAGES.glob("*.md"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (PAGES / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
