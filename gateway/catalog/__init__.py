"""Find and read the shipped data (mappings, profiles) and an installation's own, once, at start."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent

STARTER = Path(__file__).with_name("starter")
"""The configuration that `gateway init` copies."""


def shipped(*parts: str) -> Path:
    """Return the path of a file or folder the product ships, e.g. `shipped("mappings", "codes")`.

    In a wheel they lie inside the package; in a source checkout or editable install beside it.
    """
    inside = _PACKAGE / "shipped"
    root = inside if inside.is_dir() else _PACKAGE.parent
    return root.joinpath(*parts)
