"""`gateway demo --once` as a user starts it: its output, what it kept, and the log that ends with it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class DemoRun:
    """What came of one run."""

    status: int
    told: str
    """Stdout."""
    complaints: str
    """Stderr of the demonstration itself."""
    gateway_log: str
    """Stderr of the gateway it started."""
    sent: Path
    """The folder of `--out`."""

    @property
    def tally(self) -> dict[str, Any]:
        """The last line."""
        tally: dict[str, Any] = json.loads(self.told.splitlines()[-1])
        return tally


def run_demo(folder: Path, *options: str) -> DemoRun:
    """Run the story to its end, with everything it writes below `folder`."""
    stage, sent = folder / "stage", folder / "sent"
    stage.mkdir()
    errors = folder / "stderr"
    with (
        errors.open("wb") as stderr,
        subprocess.Popen(
            [sys.executable, "-m", "gateway", "demo", "--once", "--out", str(sent), *options],
            stdout=subprocess.PIPE, stderr=stderr, text=True, env={**os.environ, "TMPDIR": str(stage)},
        ) as process,
    ):  # fmt: skip
        assert process.stdout is not None
        told = ""
        for line in process.stdout:
            told += line
            if line.startswith("  gateway "):
                break
        # The folder is removed at the end; a log that was opened before can be read to its end all the same.
        logs = [path.open(encoding="utf-8") for path in stage.glob("*/gateway.log")]
        told += process.stdout.read()
    log = ""
    for opened in logs:
        with opened:
            log += opened.read()
    return DemoRun(process.returncode, told, errors.read_text(encoding="utf-8"), log, sent)
