"""The console's colours: every pair of text and ground that the sheet puts together reaches WCAG AA."""

import re
from pathlib import Path

import pytest

import gateway.web

SHEET = (Path(gateway.web.__file__).parent / "static" / "console.css").read_text(encoding="utf-8")
PAIRS = [
    ("ink", "paper"), ("ink", "card"), ("ink", "wash"), ("soft", "paper"), ("soft", "card"), ("accent", "paper"),
    ("accent", "card"), ("accent", "wash"), ("accent-ink", "accent"), ("good", "good-wash"), ("wait", "wait-wash"),
    ("bad", "bad-wash"), ("calm", "calm-wash"), ("wait", "card"), ("bad", "card"),
]  # fmt: skip


def luminance(colour: str) -> float:
    """Return the relative luminance (WCAG 2.2)."""
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_stands_out_from_its_ground(scheme: int, text: str, ground: str) -> None:
    block = re.findall(r":root \{(.*?)\}", SHEET, re.DOTALL)[scheme]
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))

    lighter, darker = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)

    assert (lighter + 0.05) / (darker + 0.05) >= 4.5
