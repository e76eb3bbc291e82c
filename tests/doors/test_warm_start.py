"""An installation that is open has loaded all code it needs: nobody's first message waits for an import."""

import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from gateway.cli import main

ROOT = Path(__file__).parents[2]


def test_the_first_record_and_message_load_no_code(tmp_path: Path) -> None:
    assert CliRunner().invoke(main, ["init", str(tmp_path / "gateway")]).exit_code == 0

    told = subprocess.run(
        [sys.executable, "-m", "tests.support.first_messages", str(tmp_path / "gateway")],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert told.stdout == ""
