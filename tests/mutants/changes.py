"""What changes of the code there are: each function of a room with one place of it made different.

The changes themselves (a condition turned round, a name misspelt, an argument left out) are those of mutmut. Here they
are not written to disk: each becomes a function in memory whose code can take the place of the real one's.
"""

import ast
import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from types import FunctionType
from typing import Any

from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.utils.format_utils import orig_function_and_class_names_from_key

_PLAIN = (str, bytes, int, float, bool, type(None))


@dataclass(frozen=True)
class Change:
    """One function with one place of it different.

    `was` and `becomes` are the lines that differ, put together; `lines` are those of the statement in the real file.
    """

    function: str
    number: int
    was: str
    becomes: str
    lines: range
    real: FunctionType
    changed: FunctionType

    def make(self) -> None:
        """Let whoever calls the real function get the changed one, under whatever name they imported it."""
        self.real.__code__ = self.changed.__code__
        self.real.__defaults__ = _defaults(self.real.__defaults__, self.changed.__defaults__)
        if self.real.__kwdefaults__ and self.changed.__kwdefaults__:
            plain = {name: new for name, new in self.changed.__kwdefaults__.items() if isinstance(new, _PLAIN)}
            self.real.__kwdefaults__ = self.real.__kwdefaults__ | plain


def changes_of(path: Path) -> Iterator[Change]:
    """Give every change of the module at `path`, which is relative to where `gateway` lies."""
    module = importlib.import_module(".".join(path.with_suffix("").parts))
    source = path.read_text(encoding="utf-8")
    statements = _statements(ast.parse(source))
    mutated = mutate_file_contents(str(path), source)
    lines = mutated.code.splitlines()
    namespace = {"__name__": module.__name__, "__file__": str(path)}
    exec(compile(mutated.code, str(path), "exec"), namespace)

    def text_of(name: str) -> list[str]:
        span = mutated.line_span_by_function_name[name]
        text = [line.strip() for line in lines[span.start - 1 : span.end]]
        begin = next(number for number, line in enumerate(text) if line.startswith("def "))
        return [line.replace(name, "") for line in text[begin:]]

    for name in mutated.mutant_names:
        mangled, _, number = name.rpartition("__mutmut_")
        function, of_class = orig_function_and_class_names_from_key(name)
        real = _function(vars(module), of_class, function)
        original, changed = text_of(f"{mangled}__mutmut_orig"), text_of(name)
        first = _alike(original, changed)
        last = _alike(original[first:][::-1], changed[first:][::-1])
        yield Change(
            ".".join(filter(None, (module.__name__, of_class, function))),
            int(number),
            " ".join(filter(None, original[first : len(original) - last])),
            " ".join(filter(None, changed[first : len(changed) - last])),
            _around(_begin(source, real) + first, statements),
            real,
            _function(namespace, of_class, name),
        )


def _function(namespace: Mapping[str, Any], of_class: str | None, name: str) -> FunctionType:
    found: Any = vars(namespace[of_class])[name] if of_class else namespace[name]
    found = getattr(found, "__func__", found)
    if not isinstance(found, FunctionType):
        raise TypeError(f"expected a function {name}, found {type(found).__name__}")
    return found


def _defaults(real: tuple[Any, ...] | None, changed: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
    """Take the changed defaults that are plain values; others belong to the classes of the namespace read anew."""
    if real is None or changed is None:
        return real
    return tuple(new if isinstance(new, _PLAIN) else old for old, new in zip(real, changed, strict=True))


def _alike(original: list[str], changed: list[str]) -> int:
    """Count the lines both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(original, changed, strict=False)))


def _begin(source: str, function: FunctionType) -> int:
    """Return the line of the `def`, which comes after those of its decorators."""
    first = function.__code__.co_firstlineno
    above = takewhile(lambda line: not line.strip().startswith("def "), source.splitlines()[first - 1 :])
    return first + sum(1 for _ in above)


def _statements(tree: ast.Module) -> list[range]:
    """Return the lines of every statement, inner ones last; of those that have a body, the lines before it."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            end = body[0].lineno if body else (node.end_lineno or node.lineno) + 1
            found.append(range(node.lineno, max(end, node.lineno + 1)))
    return sorted(found, key=lambda lines: lines.start)


def _around(line: int, statements: list[range]) -> range:
    return next((lines for lines in reversed(statements) if line in lines), range(line, line + 1))
