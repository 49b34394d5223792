"""The facts of many vehicles found anew: some vehicles are a task, on any executor.

    with ProcessPoolExecutor(2) as executor:
        rebuild_fleet(place, names, store, executor=executor, workers=2)

    client = dask.distributed.Client("tcp://...")       # the same on a Dask cluster
    rebuild_fleet("s3://fleet/lake", names, store, executor=client.get_executor())

Workers read the lake, which each must reach, and send back facts; they are kept here. A file of the
lake holds many vehicles, so it is read once for all of a task. A task lost with its worker is
repeated by the cluster.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from contactor.can.kernels import are_wanted
from contactor.clock import TS_RANGE, SystemClock
from contactor.cloud.database.database import Database
from contactor.cloud.history.area import HISTORY
from contactor.cloud.history.changes import change_of
from contactor.cloud.history.coding import Coded, coded, coded_curves
from contactor.cloud.history.refresh import SPAN_ROWS, Refresher, evidence_of, singles_of
from contactor.cloud.history.rows import groups_read, read_cells, read_fleet
from contactor.cloud.history.store import FactStore, Known
from contactor.cloud.lake.lake import open_lake, reader_at
from contactor.cloud.lake.ports import LakeReader
from contactor.cloud.lake.reading import View
from contactor.history.find import find


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """All facts of a vehicle."""

    vehicle_id: str
    rows_read: int
    known: Known
    found: tuple[Coded, ...]


def rebuild_fleet(
    place: str | Path,
    vehicles: Collection[str],
    store: FactStore,
    *,
    executor: Executor,
    workers: int = 1,
    on_progress: Callable[[int, int], None] | None = None,
) -> dict[str, int]:
    """Find all facts of some vehicles anew, and keep them.

    Not for a lake that has let rows go: what was found of them would go, too.

    Args:
        place: a data folder, or the url of a lake, that every worker can reach.
        workers: how many tasks the executor works on at once; each gets as many.

    Returns:
        How many rows were read of each.

    Raises:
        LakeError: the lake cannot be read.
        FolderError: the facts cannot be kept.
    """
    stored = {
        str(row["vehicle_id"]): int(row["rows"])
        for row in open_lake(place).vehicles().iter_rows(named=True)
    }
    rows = {}
    tasks = tasks_of(sorted(vehicles), stored, workers)
    for number, done in enumerate(_rebuilt(str(place), tasks, executor, stored)):
        store.replace(
            done.vehicle_id,
            done.known,
            facts_from_ns=None,
            evidence_from_ns=None,
            found=done.found,
        )
        rows[done.vehicle_id] = done.rows_read
        if on_progress is not None:
            on_progress(number + 1, len(vehicles))
    return rows


def _rebuilt(
    place: str, tasks: Iterable[Sequence[str]], executor: Executor, rows: Mapping[str, int]
) -> Iterator[Rebuilt]:
    waiting = {executor.submit(found_of, place, some, sum(rows.values())) for some in tasks}
    for future in as_completed(waiting):
        waiting.discard(future)
        yield from future.result()


def tasks_of(vehicles: Sequence[str], rows: Mapping[str, int], workers: int) -> list[list[str]]:
    """Vehicles that are read together: so few that their rows fit, and all tasks alike in size.

    Args:
        vehicles: by id, as the lake has them.
        rows: how many each has.
        workers: of this number, or a multiple of it, there are as many tasks.
    """
    every = sum(rows.get(one, 0) for one in vehicles)
    least = max(-(-every // SPAN_ROWS), 1)
    size = every / (-(-least // workers) * workers)
    tasks: list[list[str]] = []
    before, count = 0, SPAN_ROWS
    for vehicle_id in vehicles:
        mine = rows.get(vehicle_id, 0)
        is_full = count + mine > SPAN_ROWS or before + mine / 2 > len(tasks) * size
        if is_full or not tasks:
            tasks.append([])
            count = 0
        tasks[-1].append(vehicle_id)
        count += mine
        before += mine
    return tasks


def found_of(place: str, vehicles: Sequence[str], rows: int) -> list[Rebuilt]:
    """All facts of some vehicles, wherever this runs.

    Args:
        vehicles: by id; one alone may have more rows than fit, several together may not.
        rows: how many there are in all: many are worth loading compiled loops for.
    """
    are_wanted(rows)
    reader = _opened(place)
    if len(vehicles) == 1:
        return [_span_by_span(reader, vehicles[0])]
    view, now_ns = View(reader.snapshot()), SystemClock().now_ns()
    groups, found = groups_read(view), []
    for vehicle_id, columns in read_fleet(view, vehicles):
        facts = find(columns, now_ns=now_ns)
        cells = read_cells(view, vehicle_id, None, None)
        evidence = evidence_of(columns, facts, cells, TS_RANGE.start)
        known = change_of(view.snapshot, vehicle_id, None, groups).known
        curves = coded_curves(columns, facts.charges)
        every = (*map(coded, singles_of(facts)), *curves, *evidence)
        found.append(Rebuilt(vehicle_id, len(columns), known, every))
    return found


def _span_by_span(reader: LakeReader, vehicle_id: str) -> Rebuilt:
    store = FactStore(Database.open(":memory:", [HISTORY]))
    try:
        done = Refresher(store, reader, clock=SystemClock()).refresh(vehicle_id)
        known = store.known(vehicle_id) or Known()
        return Rebuilt(vehicle_id, done.rows_read, known, tuple(store.all_coded(vehicle_id)))
    finally:
        store.close()


@lru_cache(4)
def _opened(place: str) -> LakeReader:
    return reader_at(place)
