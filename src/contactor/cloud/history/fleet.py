"""The facts of many vehicles found anew: a vehicle is a task, on any executor.

    with ProcessPoolExecutor() as executor:
        rebuild_fleet(place, names, store, executor=executor)

    client = dask.distributed.Client("tcp://...")       # the same on a Dask cluster
    rebuild_fleet("s3://fleet/lake", names, store, executor=client.get_executor())

Workers read the lake, which each must reach, and send back facts; they are kept here. A vehicle
lost with its worker is repeated by the cluster.
"""

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from contactor.clock import SystemClock
from contactor.cloud.database.database import Database
from contactor.cloud.history.area import HISTORY
from contactor.cloud.history.coding import Coded
from contactor.cloud.history.refresh import Refresher
from contactor.cloud.history.store import FactStore, Known
from contactor.cloud.lake.lake import reader_at
from contactor.cloud.lake.ports import LakeReader


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
    on_progress: Callable[[int, int], None] | None = None,
) -> dict[str, int]:
    """Find all facts of some vehicles anew, and keep them.

    Not for a lake that has let rows go: what was found of them would go, too.

    Args:
        place: a data folder, or the url of a lake, that every worker can reach.

    Returns:
        How many rows were read of each.

    Raises:
        LakeError: the lake cannot be read.
        FolderError: the facts cannot be kept.
    """
    rows = {}
    for number, done in enumerate(_rebuilt(str(place), vehicles, executor)):
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


def _rebuilt(place: str, vehicles: Collection[str], executor: Executor) -> Iterator[Rebuilt]:
    waiting = {executor.submit(found_of, place, vehicle_id) for vehicle_id in sorted(vehicles)}
    for future in as_completed(waiting):
        waiting.discard(future)
        yield future.result()


def found_of(place: str, vehicle_id: str) -> Rebuilt:
    """All facts of one vehicle, wherever this runs."""
    store = FactStore(Database.open(":memory:", [HISTORY]))
    try:
        done = Refresher(store, _opened(place), clock=SystemClock()).refresh(vehicle_id)
        known = store.known(vehicle_id) or Known()
        return Rebuilt(vehicle_id, done.rows_read, known, tuple(store.all_coded(vehicle_id)))
    finally:
        store.close()


@lru_cache(4)
def _opened(place: str) -> LakeReader:
    return reader_at(place)
