"""What the README shows is what the program prints: its console blocks are run, in order."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


def transcript(page: str) -> list[tuple[str, str]]:
    """The commands of a page's console blocks, each with what it is said to print."""
    steps = []
    for block in BLOCK.findall((ROOT / page).read_text()):
        for part in block.split("$ ")[1:]:
            command, _, output = part.partition("\n")
            steps.append((command, output.strip()))
    return steps


@pytest.mark.parametrize("page", ["README.md"])
def test_console_blocks_print_what_they_show(page: str, tmp_path: Path) -> None:
    steps = transcript(page)
    assert steps
    for command, expected in steps:
        program, *arguments = shlex.split(command)
        assert program == ".venv/bin/contactor"
        done = subprocess.run(
            [sys.executable, "-m", "contactor.app.main", *arguments],
            cwd=ROOT,
            env={**os.environ, "CONTACTOR_DATA": str(tmp_path / "data")},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert (done.returncode, done.stderr) == (0, ""), command
        assert done.stdout.strip() == expected, command
