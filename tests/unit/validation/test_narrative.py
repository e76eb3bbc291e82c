"""Narrative: what XHTML may hold."""

import pytest

from gateway.validation.narrative import check_narrative
from gateway.validation.run import Run

XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'


def _rules(text: object) -> list[str]:
    run = Run({})
    check_narrative(text, (None, "div", None), run)
    return [finding.rule for finding in run.found]


@pytest.mark.parametrize(
    "text",
    [
        f"<div {XHTML}><p class='a'>Text&#160;and&nbsp;<b>more</b><!-- note --></p></div>",
        f"<div {XHTML} xml:lang='en'><img src='#p' alt=''/></div>",
        f"<div {XHTML}><a href='https://x.example'>there</a><table><tr><td>1</td></tr></table></div>",
    ],
)
def test_basic_formatting_passes(text: str) -> None:
    assert _rules(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "<div>no namespace</div>",
        f"<p {XHTML}>no div</p>",
        f"<div {XHTML}><script>x</script></div>",
        f"<div {XHTML}><p onclick='x()'>a</p></div>",
        f"<div {XHTML}><a href='javascript:x()'>a</a></div>",
        f"<div {XHTML}><object>a</object></div>",
        f"<div {XHTML}>open",
        f"<!DOCTYPE div [<!ENTITY a 'b'>]><div {XHTML}>&a;</div>",
        f"<div {XHTML}>{'a' * 2_000_001}</div>",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    assert _rules(text) == ["txt-1"]


def test_blank_narrative_is_refused() -> None:
    assert _rules(f"<div {XHTML}> <p/> </div>") == ["txt-2"]


def test_what_is_no_text_is_no_narrative() -> None:
    assert _rules({"div": 1}) == ["type"]
