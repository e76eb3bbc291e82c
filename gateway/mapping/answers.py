"""The kinds of answer in a form: yes, no, unknown, not asked, refused, not applicable; blank is none of them."""

from collections.abc import Callable
from typing import Literal

from gateway.mapping.codes import fold
from gateway.mapping.paths import Path
from gateway.mapping.scope import Scope

Answer = Literal["yes", "no", "unknown", "not-asked", "refused", "not-applicable"]

_SPELLINGS: dict[Answer, str] = {
    "yes": "yes|y|x|true|t|1|on|checked",
    "no": "no|n|false|f|0|off",
    "unknown": "unknown|unk|u|dk|don't know|dont know|undetermined|undisclosed",
    "not-asked": "not asked|not_asked|not-asked|notasked|asked but no answer|not assessed",
    "refused": "refused|refuses|declined|declined to answer|refused to answer",
    "not-applicable": "not applicable|n/a|na|not_applicable|not-applicable|none applicable",
}

ANSWERS: dict[str, Answer] = {
    spelling: answer for answer, all_of in _SPELLINGS.items() for spelling in all_of.split("|")
}
"""Folded spelling -> answer."""

NO_VALUE = frozenset({"-", "--", "null", "none", "(null)"})
"""What exports write for a blank."""


def answer_of(text: str) -> Answer | None:
    """Return the answer that a text spells, or None when it spells no answer."""
    return ANSWERS.get(fold(text))


def is_marked(scope: Scope, path: Path) -> bool:
    """Tell whether a check box is marked. A text that is neither yes nor no is reported and marks nothing."""
    text = path.text(scope)
    if text is None:
        return False
    if text in ("X", "Y", "Yes"):  # by far the most common spellings
        return True
    answer = answer_of(text)
    if answer is None and fold(text) not in NO_VALUE:
        scope.note("flag-unreadable", path.source, "expected a mark (X, Y, Yes, 1) or blank, found another text")
    return answer == "yes"


def compile_marks(paths: list[Path]) -> Callable[[Scope], bool]:
    """Return what tells whether one of the check boxes is marked; most often there is only one."""
    if len(paths) == 1:
        [only] = paths
        return lambda scope: is_marked(scope, only)
    return lambda scope: any(is_marked(scope, path) for path in paths)
