"""Who waits where cores are few: heavy work on tables, never the loop that hears the cars.

    let_tables_wait()           # before the first table of the process

Upkeep and flushes run in polars' own threads, one a core, and a rewrite keeps them busy for
seconds. A thread is born as nice as the one that makes it, and none can become less nice again: so
one that has given way makes them all, and ends.
"""

import os
import threading
from typing import Final

NICE: Final = 5
"""Enough that a loop which needs three quarters of a core has them beside polars; with 10, a flush
takes so long on a machine that others use that the intake must wait for it."""


def let_tables_wait() -> None:
    """Have polars make its threads, and make them give way to all others; once a process."""
    maker = threading.Thread(target=_make, name="contactor-priority")
    maker.start()
    maker.join()


def _make() -> None:
    import polars as pl

    thread = threading.get_native_id()
    nice = max(NICE, os.getpriority(os.PRIO_PROCESS, thread))
    os.setpriority(os.PRIO_PROCESS, thread, nice)
    pl.DataFrame({"number": [2, 1]}).lazy().sort("number").collect()
