"""A reader that is broken in every way that must be found, for the test of the watch."""

import os
import signal
import time
import warnings
from pathlib import Path

from contactor.errors import LogError
from tools.fuzzing.cases import Case

TOO_MUCH_BYTES = 4 * 1024**3


def read_case(case: Case, path: Path) -> str:
    """Dies, hangs, holds too much, raises, warns: by the number of the input; else reads."""
    if case.number == 1:
        os.kill(os.getpid(), signal.SIGSEGV)
    if case.number == 3:
        time.sleep(3600)
    if case.number == 5:
        return str(len(bytearray(TOO_MUCH_BYTES)))
    if case.number == 7:
        raise KeyError(path.name)
    if case.number == 9:
        warnings.warn("a column was made from a string", RuntimeWarning, stacklevel=1)
    if case.number == 11:
        raise LogError("one line\nand another")
    return "read"
