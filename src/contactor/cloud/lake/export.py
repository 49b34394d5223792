"""A vehicle's stored values out of a lake into files of others, a day at a time.

    export_file(lake, Wanted("leaf"), Path("leaf.parquet"))
    export_folder(lake, Wanted("leaf"), Path("leaf"))       # leaf/2024-05-01.parquet, one a day

The columns are those of `Lake.signals`: `ts` in ns UTC and one per signal, in its VSS type. In CSV
arrays are JSON. Memory holds one day of one vehicle.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import polars as pl

from contactor.clock import NS_PER_DAY
from contactor.cloud.lake.frames import to_json
from contactor.cloud.lake.lake import Lake
from contactor.cloud.lake.reading import Selection
from contactor.signals.groups import Group

_EPOCH: Final = date(1970, 1, 1)
_LEVEL: Final = 3

OnProgress = Callable[[int, int], None]
"""Is told how many days are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is exported: signals (None for all) of one vehicle in [start, end), ns."""

    vehicle_id: str
    paths: tuple[str, ...] | None = None
    start: int | None = None
    end: int | None = None


@dataclass(slots=True)
class Exported:
    """What an export came to; instants in ns, None without a row."""

    rows: int = 0
    signals: int = 0
    first_ts: int | None = None
    last_ts: int | None = None

    def add(self, rows: pl.DataFrame) -> None:
        """Count rows in time order."""
        self.rows += rows.height
        self.signals = rows.width - 1
        if not rows.is_empty():
            self.first_ts = rows["ts"][0] if self.first_ts is None else self.first_ts
            self.last_ts = rows["ts"][-1]


def export_folder(
    lake: Lake, wanted: Wanted, folder: Path, on_progress: OnProgress | None = None
) -> Exported:
    """A Parquet file per UTC day that has rows.

    Raises:
        UnknownVehicle, UnknownSignal, LakeError: as `Lake.signals`.
        OSError: it cannot be written.
    """
    exported = Exported()
    folder.mkdir(parents=True, exist_ok=True)
    for day, rows in _days(lake, wanted, on_progress):
        exported.add(rows)
        rows.write_parquet(folder / f"{day}.parquet", compression_level=_LEVEL)
    return exported


def export_file(
    lake: Lake, wanted: Wanted, file: Path, form: str, on_progress: OnProgress | None = None
) -> Exported:
    """One file with all rows in time order.

    Args:
        form: ".parquet" or ".csv".

    Raises:
        UnknownVehicle, UnknownSignal, LakeError: as `Lake.signals`.
        OSError: it cannot be written.
    """
    write = _write_csv if form == ".csv" else _write_parquet
    return write(lake, wanted, file, on_progress)


def _write_csv(lake: Lake, wanted: Wanted, file: Path, on_progress: OnProgress | None) -> Exported:
    exported = Exported()
    nothing = _nothing(lake, wanted)
    exported.add(nothing)
    with file.open("wb") as out:
        _flat(nothing).write_csv(out)
        for _, rows in _days(lake, wanted, on_progress):
            exported.add(rows)
            _flat(rows).write_csv(out, include_header=False)
    return exported


def _write_parquet(
    lake: Lake, wanted: Wanted, file: Path, on_progress: OnProgress | None
) -> Exported:
    exported = Exported()
    days = Path(tempfile.mkdtemp(prefix=".contactor-export-", dir=file.absolute().parent))
    try:
        parts = [days / "none.parquet"]
        nothing = _nothing(lake, wanted)
        exported.add(nothing)
        nothing.write_parquet(parts[0])
        for day, rows in _days(lake, wanted, on_progress):
            exported.add(rows)
            parts.append(days / f"{day}.parquet")
            rows.write_parquet(parts[-1], compression_level=_LEVEL)
        pl.scan_parquet(parts, glob=False).sink_parquet(file, compression_level=_LEVEL)
    finally:
        shutil.rmtree(days, ignore_errors=True)
    return exported


def _nothing(lake: Lake, wanted: Wanted) -> pl.DataFrame:
    """No rows, in the columns of all."""
    return lake.signals(wanted.vehicle_id, wanted.paths, 0, 0)


def _days(
    lake: Lake, wanted: Wanted, on_progress: OnProgress | None
) -> Iterator[tuple[date, pl.DataFrame]]:
    view, selection = lake.select(wanted.vehicle_id, wanted.paths, wanted.start, wanted.end)
    days = {
        part.day
        for part in view.snapshot.parts
        if part.group in tuple(Group)
        and part.may_hold(selection.vehicle_id, selection.start, selection.end)
    }
    days |= {day for item in view.pending for day in _days_of(item.frame, selection)}
    for done, day in enumerate(sorted(days), 1):
        start = (day - _EPOCH).days * NS_PER_DAY
        rows = lake.signals(
            wanted.vehicle_id,
            wanted.paths,
            start if wanted.start is None else max(start, wanted.start),
            start + NS_PER_DAY if wanted.end is None else min(start + NS_PER_DAY, wanted.end),
        )
        if not rows.is_empty():
            yield day, rows
        if on_progress is not None:
            on_progress(done, len(days))


def _days_of(frame: pl.DataFrame, selection: Selection) -> list[date]:
    """The UTC days of which a frame that is not committed holds rows."""
    rows = frame.filter(selection.matches())
    return [_EPOCH + timedelta(days=day) for day in (rows["ts"] // NS_PER_DAY).unique().to_list()]


def _flat(rows: pl.DataFrame) -> pl.DataFrame:
    arrays = [name for name, dtype in rows.schema.items() if isinstance(dtype, pl.List)]
    return rows.with_columns(
        pl.Series(
            name,
            [None if cell is None else to_json(cell) for cell in rows[name].to_list()],
            pl.String,
        )
        for name in arrays
    )
