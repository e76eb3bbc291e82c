"""What changes of the code there are: each function of a room with one place of it made different.

The changes themselves (a condition turned round, a name misspelt, an argument left out) are those of mutmut. Here they
are not written to disk: each becomes a function in memory whose code can take the place of the real one's.
"""

import difflib
import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any

from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.utils.format_utils import orig_function_and_class_names_from_key

_PLAIN = (str, bytes, int, float, bool, type(None))
_Namespace = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """One function with one place of it different: `was` and `becomes` are the lines there, blanks taken together."""

    function: str
    number: int
    was: str
    becomes: str
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
    mutated = mutate_file_contents(str(path), path.read_text(encoding="utf-8"))
    lines = mutated.code.splitlines()
    namespace = {"__name__": module.__name__, "__file__": str(path)}
    exec(compile(mutated.code, str(path), "exec"), namespace)

    def text_of(name: str) -> list[str]:
        span = mutated.line_span_by_function_name[name]
        body = (line.strip().replace(name, "") for line in lines[span.start - 1 : span.end])
        return [line for line in body if line]

    for name in mutated.mutant_names:
        mangled, _, number = name.rpartition("__mutmut_")
        function, of_class = orig_function_and_class_names_from_key(name)
        was, becomes = _difference(text_of(f"{mangled}__mutmut_orig"), text_of(name))
        yield Change(
            ".".join(filter(None, (module.__name__, of_class, function))),
            int(number),
            was,
            becomes,
            _function(vars(module), of_class, function),
            _function(namespace, of_class, name),
        )


def _function(namespace: _Namespace, of_class: str | None, name: str) -> FunctionType:
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


def _difference(original: list[str], changed: list[str]) -> tuple[str, str]:
    told: dict[str, list[str]] = {"-": [], "+": []}
    for line in difflib.ndiff(original, changed):
        if line[0] in told:
            told[line[0]].append(line[2:])
    return " ".join(told["-"]), " ".join(told["+"])
