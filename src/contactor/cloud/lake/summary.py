"""What is known of a vehicle's signals, in figures. The JSON of DESIGN.

    summarise(lake, "leaf", None, since="2024-05-01", until=None)

It goes over the lake piece by piece (some millions of cells) and never holds all of it. Unknown is
None, never 0. `min`, `max` and `mean` are of numbers; booleans have no mean, text and arrays none
of the three.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import polars as pl

from contactor.clock import to_iso
from contactor.cloud.lake.cells import is_number, is_ordered, told
from contactor.cloud.lake.instants import Instant, to_ns
from contactor.cloud.lake.lake import Lake
from contactor.signals.catalogue import Signal, catalogue


class SignalSummary(TypedDict):
    """One signal over an interval; instants in ISO 8601."""

    unit: str | None
    datatype: str
    count: int
    unavailable: int
    first: object
    last: object
    min: object
    max: object
    mean: float | None
    first_ts: str | None
    last_ts: str | None


class Summary(TypedDict):
    """Signals of one vehicle over [since, until)."""

    vehicle_id: str
    since: str | None
    until: str | None
    signals: dict[str, SignalSummary]


@dataclass(slots=True)
class _Tally:
    """What was seen of one signal so far."""

    count: int = 0
    unavailable: int = 0
    total: float = 0.0
    low: float | None = None
    high: float | None = None
    first: tuple[int, object] | None = None
    last: tuple[int, object] | None = None

    def add(self, cells: pl.DataFrame, *, is_ordered: bool, is_summed: bool) -> None:
        """Take in cells (`ts`, `value`) in stored order; rows without a value are unavailable."""
        known = cells.drop_nulls("value").sort("ts", maintain_order=True)
        self.unavailable += cells.height - known.height
        if known.is_empty():
            return
        ts, values = known["ts"], known["value"]
        self.count += known.height
        if self.first is None or ts[0] < self.first[0]:
            self.first = (ts[0], _plain(values[0]))
        if self.last is None or ts[-1] >= self.last[0]:
            self.last = (ts[-1], _plain(values[-1]))
        if is_ordered:
            low, high = values.min(), values.max()
            assert isinstance(low, int | float)
            assert isinstance(high, int | float)
            self.low = low if self.low is None else min(self.low, low)
            self.high = high if self.high is None else max(self.high, high)
        if is_summed:
            self.total += float(values.cast(pl.Float64).sum())


def summarise(
    lake: Lake,
    vehicle_id: str,
    paths: Sequence[str] | None,
    since: Instant | None,
    until: Instant | None,
) -> Summary:
    """Each signal of `paths` (default: every one stored for the vehicle) in [since, until).

    Raises:
        UnknownVehicle: there is no such vehicle.
        UnknownSignal: a path is not in the catalogue.
        UsageError: an instant that is none.
    """
    view, selection = lake.select(vehicle_id, paths, since, until)
    tallies = {path: _Tally() for path in selection.paths}
    for path, cells in told(view, selection):
        signal = catalogue()[path]
        tallies[path].add(
            cells, is_ordered=is_ordered(signal.datatype), is_summed=is_number(signal.datatype)
        )
    return {
        "vehicle_id": vehicle_id,
        "since": None if since is None else to_iso(to_ns(since)),
        "until": None if until is None else to_iso(to_ns(until)),
        "signals": {path: _summary(catalogue()[path], tally) for path, tally in tallies.items()},
    }


def _summary(signal: Signal, tally: _Tally) -> SignalSummary:
    has_mean = tally.count and is_number(signal.datatype)
    return {
        "unit": signal.unit,
        "datatype": signal.datatype.value,
        "count": tally.count,
        "unavailable": tally.unavailable,
        "first": tally.first and tally.first[1],
        "last": tally.last and tally.last[1],
        "min": tally.low,
        "max": tally.high,
        "mean": tally.total / tally.count if has_mean else None,
        "first_ts": tally.first and to_iso(tally.first[0]),
        "last_ts": tally.last and to_iso(tally.last[0]),
    }


def _plain(value: object) -> object:
    return value.to_list() if isinstance(value, pl.Series) else value
