"""The lake's face: what was stored, as polars frames. Opening it takes no lock.

    lake = open_lake("contactor-data")
    lake.vehicles()
    lake.signals("leaf", ["Vehicle.Speed"], start="2024-05-01", end="2024-05-02")

A lake shows one instant: that of its opening or of the last `refresh()`. From outside a running
instance that is the newest commit, at most one flush old, and `committed_until` says when it was;
inside, `pending` adds the rows not committed yet.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

import polars as pl

from contactor.cloud.lake.instants import Instant, to_ns
from contactor.cloud.lake.layouts import long, wide
from contactor.cloud.lake.local_reader import LocalReader
from contactor.cloud.lake.object_reader import ObjectReader
from contactor.cloud.lake.object_url import is_url
from contactor.cloud.lake.ports import LakeReader
from contactor.cloud.lake.reading import MAX_CELLS, PendingFrame, Selection, View, read_all
from contactor.cloud.lake.schema import GAPS, QUARANTINE, STREAMS, StreamState, is_signal
from contactor.cloud.lake.series import Series, series
from contactor.cloud.lake.tables import states, unsigned
from contactor.errors import UnknownVehicle, UsageError
from contactor.signals.catalogue import catalogue
from contactor.signals.groups import Group

if TYPE_CHECKING:
    from contactor.cloud.history.keeper import HistoryKeeper

_VEHICLES = {
    "vehicle_id": pl.String,
    "profile": pl.String,
    "rows": pl.Int64,
    "signals": pl.Int64,
    "first_ts": pl.Int64,
    "last_ts": pl.Int64,
    "received_at": pl.Int64,
}


def open_lake(path: str | Path) -> "Lake":
    """The lake of the data folder `path`, for reading; also beside a running instance.

    Args:
        path: or the url of a lake in an object storage, `s3://BUCKET/PREFIX`.

    Raises:
        UsageError: that is no url of a lake.
        FolderError: no such folder, or it cannot be read.
        LakeError: it holds no lake.
    """
    return Lake(reader_at(path))


def reader_at(path: str | Path) -> LakeReader:
    """What reads the lake of a data folder, or at a url.

    Raises:
        UsageError, FolderError, LakeError: as `open_lake`.
    """
    text = str(path)
    return ObjectReader(text) if is_url(text) else LocalReader(Path(path))


class Lake:
    """The history of every car."""

    def __init__(
        self,
        store: LakeReader,
        *,
        pending: Callable[[], Sequence[PendingFrame]] = tuple,
        max_cells: int = MAX_CELLS,
    ) -> None:
        """A lake over `store`.

        Args:
            pending: the frames of an instance that are not committed yet. Those committed between
                its answer and the store's are left out, so that no row is doubled or missed.
            max_cells: how many cells (rows x columns) a summary reads at a time, about.
        """
        self._store, self._max_cells = store, max_cells
        self._pending = pending
        self._shown = self._look()

    def refresh(self) -> Self:
        """Show the newest instant from now on; queries under way keep theirs."""
        self._shown = self._look()
        return self

    def fork(self) -> "Lake":
        """Another lake over the same store, which shows the newest instant of now."""
        return Lake(self._store, pending=self._pending, max_cells=self._max_cells)

    def _look(self) -> "_Shown":
        pending = tuple(self._pending())
        snapshot = self._store.snapshot()
        waiting = tuple(item for item in pending if item.flush > snapshot.flush)
        return _Shown(View(snapshot, waiting, self._max_cells))

    @property
    def view(self) -> View:
        """The instant that this lake shows."""
        return self._shown.view

    @property
    def committed_until(self) -> int | None:
        """When the newest record in the newest commit arrived, ns; None before the first."""
        parts = self.view.snapshot.parts
        received = [part.ts[1] for part in parts if part.group in (STREAMS, QUARANTINE)]
        return max(received, default=None)

    # ── what there is ────────────────────────────────────────────────────────────────────────────

    def vehicles(self) -> pl.DataFrame:
        """A row per vehicle, by id: `profile`, how many `rows` and `signals`, and instants.

        `first_ts`, `last_ts` and `received_at` (of the newest record) are Int64 ns UTC. What is
        counted was committed.
        """
        rows = [_vehicle(states) for states in self._shown.by_vehicle.values()]
        return pl.DataFrame(rows, _VEHICLES, orient="row").sort("vehicle_id")

    def paths(self, vehicle_id: str) -> tuple[str, ...]:
        """Every signal ever stored for the vehicle, sorted.

        Raises:
            UnknownVehicle: there is no such vehicle.
        """
        shown = self._shown
        shown.check(vehicle_id)
        return shown.paths(vehicle_id)

    # ── values ───────────────────────────────────────────────────────────────────────────────────

    def signals(
        self,
        vehicle_id: str,
        paths: Sequence[str] | None = None,
        start: Instant | None = None,
        end: Instant | None = None,
        layout: Literal["wide", "long"] = "wide",
    ) -> pl.DataFrame:
        """The stored values of `paths` (default: all of the vehicle) in [start, end), by `ts`.

        Args:
            start, end: ns UTC, an aware date-time or ISO 8601.
            layout: "wide": `ts` Int64 ns UTC and a column per path in its VSS type, a row per
                stored instant at which any of them is known or "not available" (both are then
                null). "long": `ts`, `path`, `value`, `text`, a row per such value.

        Raises:
            UnknownVehicle: there is no such vehicle.
            UnknownSignal: a path is not in the catalogue.
            UsageError: an instant or layout that is none.
        """
        if layout not in ("wide", "long"):
            raise UsageError(f"unknown layout {layout!r}; allowed: wide, long")
        shown = self._shown
        selection = shown.select(vehicle_id, paths, start, end)
        return (wide if layout == "wide" else long)(shown.view, selection)

    def series(
        self,
        vehicle_id: str,
        path: str,
        start: Instant | None,
        end: Instant | None,
        max_points: int,
    ) -> Series:
        """The values of one signal in [start, end) for a picture: at most `max_points`.

        No extreme is hidden. Long spans are read from the sums of minutes and hours: see `series`.

        Raises:
            UnknownVehicle: there is no such vehicle.
            UsageError: an unknown path, an instant that is none, or `max_points` under 1.
        """
        return series(*self.select(vehicle_id, [path], start, end), max_points)

    def select(
        self,
        vehicle_id: str,
        paths: Sequence[str] | None = None,
        start: Instant | None = None,
        end: Instant | None = None,
    ) -> tuple[View, Selection]:
        """What `signals` would read, for those who compute on it piece by piece."""
        shown = self._shown
        return shown.view, shown.select(vehicle_id, paths, start, end)

    # ── what happened ────────────────────────────────────────────────────────────────────────────

    def trips(
        self, vehicle_id: str, start: Instant | None = None, end: Instant | None = None
    ) -> pl.DataFrame:
        """The trips that began in [start, end), by time; columns as `contactor trips --json`.

        They are found in what was committed, and not kept: the first question reads all rows.

        Raises:
            UnknownVehicle: there is no such vehicle.
        """
        from contactor.cloud.history.frames import trips_frame

        self._shown.check(vehicle_id)
        return trips_frame(self._history, vehicle_id, *_span(start, end))

    def charges(
        self, vehicle_id: str, start: Instant | None = None, end: Instant | None = None
    ) -> pl.DataFrame:
        """The charges that began in [start, end), by time; columns as `contactor charges --json`.

        Raises:
            UnknownVehicle: there is no such vehicle.
        """
        from contactor.cloud.history.frames import charges_frame

        self._shown.check(vehicle_id)
        return charges_frame(self._history, vehicle_id, *_span(start, end))

    def battery(self, vehicle_id: str) -> pl.DataFrame:
        """The battery's capacity over time: `ts`, `capacity_kwh`, `low_kwh`, `high_kwh` and more.

        The last row is the newest; the band is one of 95 %.

        Raises:
            UnknownVehicle: there is no such vehicle.
        """
        from contactor.cloud.history.frames import battery_frame

        self._shown.check(vehicle_id)
        return battery_frame(self._history, vehicle_id)

    @cached_property
    def _history(self) -> "HistoryKeeper":
        from contactor.cloud.history.frames import keeper_in_memory

        return keeper_in_memory(self._store)

    # ── what was lost or refused ─────────────────────────────────────────────────────────────────

    def gaps(self, vehicle_id: str) -> pl.DataFrame:
        """Records that the car had to drop: `stream`, `first`..`last`, `reason`, what they held.

        Raises:
            UnknownVehicle: there is no such vehicle.
        """
        self._shown.check(vehicle_id)
        rows = read_all(self.view.snapshot, GAPS, vehicle_id)
        return rows.select(
            "vehicle_id",
            _stream(rows),
            pl.col("sequence").alias("first"),
            "last",
            "reason",
            "row_count",
            "first_ts",
            "last_ts",
        )

    def quarantined(self, vehicle_id: str | None = None) -> pl.DataFrame:
        """Messages that could not be stored as rows, of one vehicle or of all."""
        rows = read_all(self.view.snapshot, QUARANTINE, vehicle_id)
        received = pl.col("ts").alias("received_at")
        return rows.select("vehicle_id", _stream(rows), "sequence", "reason", "payload", received)


def _span(start: Instant | None, end: Instant | None) -> tuple[int | None, int | None]:
    return None if start is None else to_ns(start), None if end is None else to_ns(end)


class _Shown:
    """One instant of the lake, and what is computed of it once."""

    def __init__(self, view: View) -> None:
        self.view = view

    @cached_property
    def by_vehicle(self) -> Mapping[str, list[StreamState]]:
        found: dict[str, list[StreamState]] = {}
        for state in states(read_all(self.view.snapshot, STREAMS)):
            found.setdefault(state.vehicle_id, []).append(state)
        return found

    @cached_property
    def _waiting(self) -> Mapping[str, set[str]]:
        """The signals of each vehicle that waits to be committed."""
        found: dict[str, set[str]] = {}
        for item in self.view.pending:
            for vehicle_id in item.frame["vehicle_id"].unique().to_list():
                rows = item.frame.filter(pl.col("vehicle_id") == vehicle_id)
                found.setdefault(vehicle_id, set()).update(_signals_of(item.group, rows))
        return found

    def check(self, vehicle_id: str) -> None:
        known = sorted({*self.by_vehicle, *self._waiting})
        if vehicle_id not in known:
            named = ", ".join(known[:10]) + (f" and {len(known) - 10} more" if known[10:] else "")
            raise UnknownVehicle(f"unknown vehicle {vehicle_id!r}; stored: {named or 'none'}")

    def paths(self, vehicle_id: str) -> tuple[str, ...]:
        stored = (state.paths for state in self.by_vehicle.get(vehicle_id, ()))
        return tuple(sorted(self._waiting.get(vehicle_id, set()).union(*stored)))

    def select(
        self,
        vehicle_id: str,
        paths: Sequence[str] | None,
        start: Instant | None,
        end: Instant | None,
    ) -> Selection:
        self.check(vehicle_id)
        asked = self.paths(vehicle_id) if paths is None else tuple(dict.fromkeys(paths))
        for path in asked:
            catalogue()[path]
        return Selection(
            vehicle_id,
            asked,
            *_span(start, end),
        )


def _signals_of(group: Group, rows: pl.DataFrame) -> set[str]:
    if group is Group.EVENTS:
        return set(rows["path"].unique().to_list())
    told = {path for path in filter(is_signal, rows.columns) if rows[path].count()}
    return told.union(rows["unavailable"].explode().drop_nulls().unique().to_list())


def _vehicle(streams: Sequence[StreamState]) -> tuple[object, ...]:
    newest = max(streams, key=lambda state: state.received_at)
    # A table has no profile; what was imported last must not make the car's own forgotten.
    latest = max(streams, key=lambda state: (bool(state.profile), state.received_at))
    first = [state.first_ts for state in streams if state.first_ts is not None]
    last = [state.last_ts for state in streams if state.last_ts is not None]
    return (
        newest.vehicle_id,
        latest.profile,
        sum(state.rows_stored for state in streams),
        len({path for state in streams for path in state.paths}),
        min(first, default=None),
        max(last, default=None),
        newest.received_at,
    )


def _stream(rows: pl.DataFrame) -> pl.Series:
    return pl.Series(
        "stream",
        [None if stream is None else unsigned(stream) for stream in rows["stream"].to_list()],
        pl.UInt64,
    )
