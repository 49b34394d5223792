"""Days of a made-up car whose truth is known, as the rows that a source of any kind gives.

day = live(["park 20", "drive 15", "park 3", "drive 10", "park 60", "charge 90", "park 30"])
columns = day.columns(every_s=1.0)
day.trips, day.charges          # (start, end) in s, km or kWh
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contactor.history.columns import Columns

START_NS = 1_767_225_600 * 10**9  # 2026-01-01
S = 10**9
VOLTS = 360.0
CAPACITY_KWH = 60.0
ALL = (
    "speed_kmh",
    "latitude_deg",
    "longitude_deg",
    "odometer_m",
    "is_on",
    "is_plugged",
    "is_charging",
    "voltage_v",
    "current_a",
    "state_of_charge_pct",
)


@dataclass(frozen=True)
class Span:
    """What truly was: from when to when, s; how far, km; what went out of the battery, kWh."""

    start_s: float
    end_s: float
    km: float
    kwh: float


@dataclass(frozen=True)
class Day:
    """The truth, second by second."""

    seconds: dict[str, NDArray[np.float64]]
    trips: tuple[Span, ...]
    charges: tuple[Span, ...]

    def columns(
        self, *, every_s: float = 1.0, names: Collection[str] = ALL, kept: object = None
    ) -> Columns:
        """Rows at a pace; speed and current are means since the row before, as an agent's are."""
        step = max(int(every_s), 1)
        count = len(self.seconds["speed_kmh"])
        rows = np.arange(0, count, step)
        values = {}
        for name in names:
            column = self.seconds[name]
            if name in ("speed_kmh", "current_a"):
                sums = np.concatenate([[0.0], np.cumsum(column)])
                past = np.maximum(rows - step, -1) + 1
                column = (sums[rows + 1] - sums[past]) / (rows + 1 - past)
                values[name] = column.astype(np.float32)
            else:
                kind = np.float64 if name.endswith(("_deg", "_m")) else np.float32
                values[name] = column[rows].astype(kind)
        ts = START_NS + rows.astype(np.int64) * S
        if kept is not None:
            mask = np.asarray(kept)[rows]
            ts, values = ts[mask], {name: column[mask] for name, column in values.items()}
        return Columns(ts=ts, **values)


def live(plan: Sequence[str], *, seed: int = 1) -> Day:
    """A car that does one thing after another: "drive 15" is a drive of 15 minutes.

    Other words: park, wait (stands with the car on), charge (plugged and charged), plug (plugged
    and idle).
    """
    source = np.random.default_rng(seed)
    spans = [(word, 60 * int(minutes)) for word, minutes in (one.split() for one in plan)]
    count = sum(seconds for _, seconds in spans)
    row = {name: np.zeros(count) for name in ALL}
    at, trips, charges = 0, [], []
    for place, (word, seconds) in enumerate(spans):
        here = slice(at, at + seconds)
        row["is_on"][here] = word in ("drive", "wait")
        row["is_plugged"][here] = word in ("charge", "plug")
        row["is_charging"][here] = word == "charge"
        if word == "drive":
            row["speed_kmh"][here] = _speeds(seconds, source)
            row["current_a"][here] = _currents(row["speed_kmh"][here])
        else:
            idle = {"park": -0.2, "wait": -4.0, "plug": -0.1, "charge": 28.0}[word]
            row["current_a"][here] = idle
        if word == "drive":
            trips.append((place, at, at + seconds))
        if word == "charge":
            charges.append((at, at + seconds))
        at += seconds
    way_m = np.cumsum(row["speed_kmh"] / 3.6)
    row["voltage_v"][:] = VOLTS
    row["odometer_m"] = np.floor(way_m) + 12_345_000
    row["latitude_deg"] = 47.0 + way_m / 111_195
    row["longitude_deg"][:] = 9.5
    gone_kwh = -np.cumsum(row["current_a"] * VOLTS) / 3.6e6
    row["state_of_charge_pct"] = 80.0 - gone_kwh / CAPACITY_KWH * 100

    def span(begin: int, end: int) -> Span:
        here = slice(begin, end)
        kwh = -float((row["current_a"][here] * VOLTS).sum()) / 3.6e6
        return Span(begin, end, float(row["speed_kmh"][here].sum()) / 3600, kwh)

    return Day(
        row,
        tuple(span(begin, end) for _, begin, end in trips),
        tuple(span(begin, end) for begin, end in charges),
    )


def _speeds(seconds: int, source: np.random.Generator) -> NDArray[np.float64]:
    """Stretches of some speed with stops of half a minute between them; it ends standing."""
    speeds = np.zeros(seconds)
    at = 20
    while at < seconds - 80:
        length = min(int(source.integers(60, 240)), seconds - 20 - at)
        top = float(source.uniform(25, 110))
        ramp = np.minimum(np.arange(length), np.arange(length)[::-1]) * 6.0
        speeds[at : at + length] = np.minimum(ramp, top)[: seconds - at]
        at += length + int(source.integers(5, 40))
    speeds[-20:] = 0
    return speeds


def _currents(speeds: NDArray[np.float64]) -> NDArray[np.float64]:
    """What air, road and gathering speed take; braking gives some of it back."""
    mps = speeds / 3.6
    gain = np.diff(mps, prepend=0.0)
    power_w = 400 + 220 * mps + 0.4 * mps**3 + 1500 * mps * gain * np.where(gain < 0, 0.6, 1.1)
    return -power_w / VOLTS
