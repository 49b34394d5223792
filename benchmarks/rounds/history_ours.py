"""Ours in the history benchmark: trips, charges, stands and energies of a fleet.

    python history_ours.py memory|parquet FOLDER CORES

`memory` reads the lake before the clock starts, `parquet` after.
"""

import json
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

KIND, FOLDER, CORES = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
os.environ["CONTACTOR_KERNELS"] = "1"
os.environ["POLARS_MAX_THREADS"] = "1"  # a process a core

from contactor.cloud.history.fleet import tasks_of  # noqa: E402
from contactor.cloud.history.rows import read_columns, read_fleet  # noqa: E402
from contactor.cloud.lake.lake import Lake  # noqa: E402
from contactor.cloud.lake.local_reader import LocalReader  # noqa: E402
from contactor.cloud.lake.reading import View  # noqa: E402
from contactor.history.columns import Columns  # noqa: E402
from contactor.history.find import find  # noqa: E402


def read(vehicle_id: str) -> Columns:
    return read_columns(View(LocalReader(FOLDER).snapshot()), vehicle_id, None, None)


def chunks(vehicles: list[str]) -> list[list[str]]:
    """Cars that are read together, as `contactor history rebuild` does."""
    counts = Lake(LocalReader(FOLDER)).vehicles()
    rows = {str(row["vehicle_id"]): int(row["rows"]) for row in counts.iter_rows(named=True)}
    return tasks_of(vehicles, rows, CORES)


def work(vehicles: list[str]) -> tuple[int, int, int]:
    """Rows, trips and charges of some cars."""
    view = View(LocalReader(FOLDER).snapshot())
    rows = trips = charges = 0
    for _, columns in read_fleet(view, vehicles):
        facts = find(columns)
        rows += len(columns)
        trips += len(facts.trips)
        charges += len(facts.charges)
    return rows, trips, charges


def main() -> None:
    vehicles = sorted({state.vehicle_id for state in LocalReader(FOLDER).streams()})
    find(read(vehicles[0]))  # kernels are loaded
    if KIND == "memory":
        columns = [read(vehicle_id) for vehicle_id in vehicles]
        began_s = time.perf_counter()
        found = [find(one) for one in columns]
        took_s = time.perf_counter() - began_s
        done = [
            (len(one), len(facts.trips), len(facts.charges))
            for one, facts in zip(columns, found, strict=True)
        ]
    elif CORES == 1:
        began_s = time.perf_counter()
        done = [work(some) for some in chunks(vehicles)]
        took_s = time.perf_counter() - began_s
    else:
        with ProcessPoolExecutor(CORES, mp_context=get_context("spawn")) as executor:
            list(executor.map(work, [vehicles[:1]] * CORES))  # they are up
            began_s = time.perf_counter()
            done = list(executor.map(work, chunks(vehicles)))
            took_s = time.perf_counter() - began_s
    rows, trips, charges = (sum(one) for one in zip(*done, strict=True))
    print(json.dumps({"rows_per_s": rows / took_s, "trips": trips, "charges": charges}))


if __name__ == "__main__":
    main()
