"""Who waits where cores are few: heavy work on tables, never the loop that hears the cars.

    put_loop_first()            # before the first table of the process

Upkeep and flushes run in polars' own threads, one a core, and a rewrite keeps them busy for
seconds. A thread is born as nice as the one that makes it, and none can become less nice again: so
one that has given way makes them all, and ends.

Of Python's own threads only one runs at a time. The loop lets go of its turn at each read of a
socket, and would get it back from a thread that makes a flush after 5 ms, for each read: it is
given back sooner. And the collector of cycles, which by itself looks after every 700 new objects,
among messages that all live until they are committed, looks seldom.
"""

import gc
import os
import sys
import threading
from typing import Final

NICE: Final = 5
"""Enough that a loop which needs three quarters of a core has them beside polars; with 10, a flush
takes so long on a machine that others use that the intake must wait for it."""
TURN_S: Final = 0.0005
COLLECT_AFTER: Final = (20_000, 20, 50)
"""New objects, and how often the young and the middle-aged are looked at before those older."""


def put_loop_first() -> None:
    """Have polars' threads and all others give way to the one that waits; once a process."""
    sys.setswitchinterval(TURN_S)
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    maker = threading.Thread(target=_make_threads_of_tables, name="contactor-priority")
    maker.start()
    maker.join()


def _make_threads_of_tables() -> None:
    import polars as pl

    thread = threading.get_native_id()
    nice = max(NICE, os.getpriority(os.PRIO_PROCESS, thread))
    os.setpriority(os.PRIO_PROCESS, thread, nice)
    pl.DataFrame({"number": [2, 1]}).lazy().sort("number").collect()
