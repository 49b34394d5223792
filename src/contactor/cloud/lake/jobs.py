"""One question asked of every vehicle and day of a lake, on any executor: here or on a cluster.

    job = Job(("Vehicle.Speed",), top_speed)            # top_speed(frame) -> {"speed_max_kmh": ...}
    with ProcessPoolExecutor() as executor:
        answers = run_days("contactor-data", job, executor=executor)

    client = dask.distributed.Client("tcp://...")       # the same on a Dask cluster
    answers = run_days("s3://fleet/lake", job, executor=client.get_executor())

A day is a task of its own: it opens the lake where it runs, reads that vehicle's UTC day and asks a
pure function, which must be importable there. A day lost with its worker is repeated by the
cluster.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import polars as pl

from contactor.clock import NS_PER_DAY, NS_PER_S
from contactor.cloud.lake.instants import Instant, to_ns
from contactor.cloud.lake.lake import Lake, open_lake

Fact = bool | int | float | str | None
KEPT_OPEN = 4


@dataclass(frozen=True, slots=True)
class Job:
    """What is asked of each day.

    Fields:
        paths: the signals that `answer` is given, as a wide frame with `ts`.
        answer: pure; a mapping with the same names for every day, None for a day without an answer.
    """

    paths: tuple[str, ...]
    answer: Callable[[pl.DataFrame], Mapping[str, Fact] | None]


@dataclass(frozen=True, slots=True)
class _Day:
    """A task."""

    place: str
    vehicle_id: str
    day: date
    job: Job


def run_days(
    place: str | Path,
    job: Job,
    *,
    executor: Executor,
    vehicles: Collection[str] | None = None,
    start: Instant | None = None,
    end: Instant | None = None,
) -> pl.DataFrame:
    """`vehicle_id`, `day` and what the job answers, by both; days without an answer are left out.

    Args:
        place: a data folder, or the url of a lake, that every worker can reach.
        vehicles: those only; default all.
        start, end: whole UTC days that touch [start, end); default all that was stored.

    Raises:
        UnknownVehicle: a vehicle is not in the lake.
        LakeError: the lake cannot be read.
    """
    lake = open_lake(place)
    span = (None if start is None else to_ns(start), None if end is None else to_ns(end))
    names = lake.vehicles()["vehicle_id"].to_list() if vehicles is None else vehicles
    days = [
        _Day(str(place), vehicle_id, day, job)
        for vehicle_id in sorted(names)
        for day in _days(lake, vehicle_id, *span)
    ]
    rows = [row for row in executor.map(_answer, days) if row is not None]
    return pl.DataFrame(rows).sort("vehicle_id", "day") if rows else pl.DataFrame()


def _days(lake: Lake, vehicle_id: str, start: int | None, end: int | None) -> Iterator[date]:
    """The UTC days of a vehicle that may hold anything."""
    lake.paths(vehicle_id)
    [row] = lake.vehicles().filter(pl.col("vehicle_id") == vehicle_id).iter_rows(named=True)
    if row["first_ts"] is None:
        return
    first = max(row["first_ts"], row["first_ts"] if start is None else start)
    last = min(row["last_ts"], row["last_ts"] if end is None else end - 1)
    for number in range(first // NS_PER_DAY, last // NS_PER_DAY + 1):
        yield date(1970, 1, 1) + timedelta(days=number)


def _answer(task: _Day) -> dict[str, object] | None:
    """One day, wherever this runs."""
    midnight = datetime(task.day.year, task.day.month, task.day.day, tzinfo=UTC)
    start = round(midnight.timestamp()) * NS_PER_S
    frame = _opened(task.place).signals(
        task.vehicle_id, task.job.paths, start, start + NS_PER_DAY, layout="wide"
    )
    facts = task.job.answer(frame) if len(frame) else None
    return None if facts is None else {"vehicle_id": task.vehicle_id, "day": task.day, **facts}


@lru_cache(KEPT_OPEN)
def _opened(place: str) -> Lake:
    """The lake as this worker first saw it."""
    return open_lake(place)
