"""The process that reads inputs, one after another, until one of them ends it.

It says on its standard output what it begins and what came of it, a line of JSON each; whoever
started it watches the time. Memory is limited, warnings are errors, and a fault of the machine
leaves a trace on standard error.

    {"begins": 17}
    {"number": 17, "outcome": "refused"}
    {"number": 19, "outcome": "fault", "kind": "KeyError", "where": "plan.py:12 f", "trace": "..."}
"""

import faulthandler
import json
import os
import resource
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.fuzzing.cases import Case, Cases

# Beyond what the process holds once everything is loaded.
MORE_MEMORY_BYTES = 768 * 1024**2
# A new process after so many inputs, so that what leaks slowly is not taken for one input's fault.
MAX_INPUTS = 20_000

Reader = Callable[[Case, Path], str]


def work(cases: Cases, read: Reader, *, first: int, step: int, count: int) -> None:
    """Read the inputs first, first + step, ... below count, at most MAX_INPUTS of them."""
    out = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nothing that is read may write among the facts
    faulthandler.enable()
    warnings.simplefilter("error")
    _limit_memory()

    def tell(facts: dict[str, Any]) -> None:
        os.write(out, json.dumps(facts).encode() + b"\n")

    with tempfile.TemporaryDirectory() as folder:
        for number in range(first, min(count, first + step * MAX_INPUTS), step):
            tell({"begins": number})
            case = cases.make(number)
            tell({"number": number, "name": case.sample.name} | _outcome(read, case, Path(folder)))


def _outcome(read: Reader, case: Case, folder: Path) -> dict[str, str]:
    path = folder / f"input{case.suffix}"
    path.write_bytes(case.content)
    lost: list[BaseException] = []
    sys.unraisablehook = lambda raised: lost.append(raised.exc_value)
    try:
        outcome = read(case, path)
        if lost:
            raise lost[0]  # a file that nobody closed, for one
        return {"outcome": outcome}
    except Exception as error:  # noqa: BLE001 - what nobody expected is what is looked for
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if "contactor" in Path(frame.filename).parts]
        last = (ours or frames)[-1]
        return {
            "outcome": "fault",
            "kind": type(error).__name__,
            "where": f"{Path(last.filename).name}:{last.lineno} {last.name}",
            "trace": traceback.format_exc(),
        }
    finally:
        path.unlink(missing_ok=True)


def _limit_memory() -> None:
    """No more data than now and a good deal: an allocation beyond it fails."""
    lines = Path("/proc/self/status").read_text().splitlines()
    now = next(int(line.split()[1]) for line in lines if line.startswith("VmData")) * 1024
    limit = now + MORE_MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
