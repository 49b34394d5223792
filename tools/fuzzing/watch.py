"""Workers under watch: what each of them is reading, for how long, and how it ended.

    for result in watched(command, jobs=2, count=1_000_000):
        result.number, result.outcome      # "read", "refused", or "fault" with kind and trace

`command(first, step)` starts a worker. One that ends, hangs or dies is started again at the input
after the one it was reading.
"""

import json
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any, cast

MAX_INPUT_S = 10.0
# Loading everything, and compiling kernels where nobody has, takes its time.
MAX_START_S = 180.0
LOOK_S = 0.5
READ_BYTES = 65_536
TRACE_BYTES = 8_000

Command = Callable[[int, int], list[str]]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an input."""

    number: int
    outcome: str
    name: str = ""
    kind: str = ""
    where: str = ""
    trace: str = ""


class Worker:
    """A process that reads every `step`-th input; `is_over` once it has ended, however it did."""

    def __init__(self, command: Command, *, first: int, step: int, input_s: float) -> None:
        self._command = command
        self._input_s = input_s
        self._step = step
        self.start(first)

    def start(self, first: int) -> None:
        """Begin with an input."""
        self.next = first
        self.is_over = False
        self._reading: int | None = None
        self._since = time.monotonic()
        self._rest = b""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(
            self._command(first, self._step), stdout=subprocess.PIPE, stderr=self._errors
        )
        self.output: IO[bytes] = cast("IO[bytes]", self._process.stdout)

    def results(self) -> Iterator[Result]:
        """What it has said; the input that a dead one was reading is a fault."""
        read = os.read(self.output.fileno(), READ_BYTES)
        if not read:
            yield from self._buried("died")
            return
        *lines, self._rest = (self._rest + read).split(b"\n")
        for line in lines:
            facts: dict[str, Any] = json.loads(line)
            self._since = time.monotonic()
            if "begins" in facts:
                self._reading = facts["begins"]
            else:
                self._reading, self.next = None, facts["number"] + self._step
                yield Result(**facts)

    def late(self) -> Iterator[Result]:
        """End it where it has been silent for too long."""
        limit_s = MAX_START_S if self._reading is None else self._input_s
        if not self.is_over and time.monotonic() - self._since > limit_s:
            self._process.kill()
            yield from self._buried(f"silent for {limit_s:.0f} s")

    def stop(self) -> None:
        """End it, where it has not ended."""
        self._process.kill()
        self._process.wait()
        self.output.close()
        self._errors.close()

    def _buried(self, how: str) -> Iterator[Result]:
        self.is_over = True
        code = self._process.wait()
        if code == 0 and self._reading is None:
            return
        self._errors.seek(0)
        trace = self._errors.read()[-TRACE_BYTES:].decode(errors="replace")
        if self._reading is None:
            raise SystemExit(f"a worker {how} (code {code}) while it read nothing:\n{trace}")
        self.next = self._reading + self._step
        yield Result(self._reading, "fault", kind=f"{how}, code {code}", trace=trace)


def watched(
    command: Command, *, jobs: int, count: int, input_s: float = MAX_INPUT_S
) -> Iterator[Result]:
    """What becomes of the inputs 0, 1, ... below `count`, as it comes.

    Args:
        input_s: how long one may take.
    """
    workers = [
        Worker(command, first=first, step=jobs, input_s=input_s)
        for first in range(min(jobs, count))
    ]
    try:
        while workers:
            ready, _, _ = select.select([one.output for one in workers], [], [], LOOK_S)
            for worker in list(workers):
                if worker.output in ready:
                    yield from worker.results()
                yield from worker.late()
                if not worker.is_over:
                    continue
                worker.stop()
                if worker.next < count:
                    worker.start(worker.next)
                else:
                    workers.remove(worker)
    finally:
        for worker in workers:
            worker.stop()
