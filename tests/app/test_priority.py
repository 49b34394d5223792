"""Threads of a real process, as the kernel tells of them."""

import os
import re
import subprocess
import sys

from contactor.app.priority import NICE

PROGRAM = """
import os, threading
from pathlib import Path
from contactor.app.priority import put_loop_first
put_loop_first()
import polars as pl
pl.DataFrame({"a": list(range(100_000))}).lazy().sort("a").group_by("a").len().collect()
for task in Path("/proc/self/task").iterdir():
    # the 19th field is nice; the second, in brackets, may hold anything
    nice = (task / "stat").read_text().rpartition(")")[2].split()[16]
    print((task / "comm").read_text().strip(), nice)
print("main", os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
"""


def test_tables_give_way_and_nobody_else() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    threads = [tuple(line.split()) for line in done.stdout.splitlines()]
    own = os.getpriority(os.PRIO_PROCESS, 0)
    workers = {int(nice) for name, nice in threads if re.fullmatch(r"polars-\d+", name)}
    assert workers == {min(max(own, NICE), 19)}
    assert ("main", str(own)) in threads
