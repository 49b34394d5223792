"""`contactor history rebuild`: find trips, charges and the rest anew, out of every row there is."""

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from contactor.app.cars import vehicle_id
from contactor.app.folder import DataFolder
from contactor.app.history import open_keeper
from contactor.app.lake_place import lake_at, open_reader
from contactor.app.output import print_json
from contactor.app.progress import progress_bar
from contactor.app.query import InstanceQuery
from contactor.app.settings import add_data_option
from contactor.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("action", choices=["rebuild"], help="what is to be done")
    parser.add_argument("--vehicle", metavar="ID", help="this one only; default all")
    parser.add_argument(
        "--jobs", metavar="N", type=_jobs, help="vehicles at once; default a core each"
    )
    add_data_option(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Rebuild, and say how many rows that took."""
    wanted = None if args.vehicle is None else vehicle_id(args.vehicle)
    folder = DataFolder.existing(args.data)
    instance = folder.running()
    if instance is not None:
        rows = _in_instance(InstanceQuery(instance.url, folder.shown_secret()), wanted)
    else:
        rows = _here(folder, wanted, args.jobs or os.cpu_count() or 1)
    if args.json:
        print_json([{"vehicle_id": name, "rows_read": count} for name, count in rows.items()])
    else:
        total = sum(count for count in rows.values() if count)
        print(f"{len(rows)} vehicles found anew out of {total} rows")
    return 0


def _in_instance(history: InstanceQuery, wanted: str | None) -> dict[str, int]:
    names = [str(one["vehicle_id"]) for one in history.vehicles()] if wanted is None else [wanted]
    rows = {}
    with progress_bar("history", "vehicle") as on_progress:
        for number, name in enumerate(names):
            rows[name] = history.rebuild(name)
            on_progress(number + 1, len(names))
    return rows


def _here(folder: DataFolder, wanted: str | None, jobs: int) -> dict[str, int]:
    with open_keeper(folder) as keeper, progress_bar("history", "vehicle") as on_progress:
        if wanted is not None:
            keeper.check(wanted)
        names = keeper.vehicles() if wanted is None else [wanted]
        if jobs > 1 and len(names) > 1 and not open_reader(folder).snapshot().kept_from:
            context, workers = get_context("spawn"), min(jobs, len(names))
            with ProcessPoolExecutor(workers, mp_context=context) as executor:
                return keeper.rebuild_all(
                    *(lake_at(folder), names),
                    executor=executor,
                    workers=workers,
                    on_progress=on_progress,
                )
        rows = {}
        for number, name in enumerate(names):
            rows[name] = keeper.rebuild(name).rows_read
            on_progress(number + 1, len(names))
        return rows


def _jobs(text: str) -> int:
    try:
        jobs = int(text)
    except ValueError:
        jobs = 0
    if jobs < 1:
        raise UsageError(f"--jobs {text}: allowed are 1 and more")
    return jobs
