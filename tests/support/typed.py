"""Commands of our pages, typed word for word as a newcomer would."""

import os
import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def commands_under(heading: str, page: str = "README.md") -> str:
    """Return the first block of commands below a heading of a page."""
    section = (REPOSITORY / page).read_text(encoding="utf-8").partition(f"## {heading}")[2]
    found = re.search(r"```\n(.*?)```", section, re.DOTALL)
    assert found is not None
    return found[1]


def type_in(folder: Path, commands: str, *, stop_at_failure: bool = True) -> "subprocess.CompletedProcess[str]":
    """Run commands in a shell that finds `gateway` where this Python has it."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    strict = "set -euo pipefail" if stop_at_failure else "set -u"
    return subprocess.run(
        ["bash", "-c", f"{strict}\n{commands}"],
        cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
