"""One command of the program, from its words to its end: in this process, or in one of its own."""

import os
import resource
import shlex
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

import msgspec
import pytest

from contactor.app.main import main
from tests.app.processes import CONTACTOR

SENT_KEYS = [
    "vehicle_id",
    "stream",
    "rows_read",
    "rows_stored",
    "rows_refused",
    "refused",
    "first_ts",
    "last_ts",
]
"""What `replay` and `import` say of what they sent."""


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    exit_code: int
    out: str
    err: str

    def document(self) -> object:
        """Its one JSON document, where it was asked for one and went well."""
        assert (self.exit_code, self.err) == (0, ""), self
        return msgspec.json.decode(self.out)

    def check_refused(self, exit_code: int, words: str) -> None:
        """It said what is wrong, in one line on stderr, and nothing else."""
        assert (self.out, self.exit_code) == ("", exit_code), self
        assert self.err.startswith("contactor: "), self
        assert self.err.endswith("\n"), self
        assert self.err.count("\n") == 1, self
        assert "Traceback" not in self.err, self
        assert words in self.err, self


def command_here(capfd: pytest.CaptureFixture[str], command: str) -> Ended:
    """Run a command, written as in a shell, in this process."""
    with at_most(60):
        exit_code = main(shlex.split(command))
    return Ended(exit_code, *capfd.readouterr())


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Fail what goes on for longer: a command that was to be refused may run without end."""

    def fail(_: int, frame: FrameType | None) -> None:
        raise AssertionError(f"not ended within {seconds} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def command(
    command: str,
    *,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    largest_file_bytes: int | None = None,
    timeout_s: float = 60,
    stdout: IO[str] | None = None,
) -> Ended:
    """Run a command, written as in a shell, in a process of its own.

    Args:
        largest_file_bytes: what it writes beyond that fails, as on a full disk.
        stdout: where its output goes; default: into what is returned.
    """

    def limit() -> None:
        if largest_file_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file_bytes, resource.RLIM_INFINITY))

    process = subprocess.run(
        [*CONTACTOR, *shlex.split(command)],
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=stdout or subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=timeout_s,
        preexec_fn=limit,
    )
    return Ended(process.returncode, process.stdout or "", process.stderr)


def tree(folder: Path) -> dict[str, bytes | None]:
    """Everything in a folder, with its content; to see that a command touched nothing."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }
