"""What flowed where the source of an energy was silent: from what stands on both sides.

    filled = Holes(columns, capacity_kwh).filled(power_w, first, last, out_kwh, in_kwh)
    filled.out_kwh, filled.filling

        rows        | | | | | | |                 | | | | |
        flow        known        ├──── hole ─────┤ known
        counter               1204.31         1206.02            what it counted
        level                   61.5            58.0             its fall, at what the known part
                                                                 of the stretch says of a percent
        neither                                                  as the rest of the stretch

A hole is a silence much longer than rows are usually apart, or any that is too long for its two
ends to speak for it. Only what lies in the stretch is used.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contactor.history.columns import Columns, Floats
from contactor.history.facts import Filling
from contactor.history.rules import (
    COUNTED_STEPS,
    COUNTER_MAX_KW,
    COUNTER_TICK_KWH,
    FRESH_NS,
    GAP_NS,
    HOLE_NEAR_NS,
    HOLE_NS,
    HOLE_TIMES,
    MOVING_KMH,
)

NS_PER_HOUR = 3.6e12
W_PER_KW = 1000.0


@dataclass(frozen=True, slots=True)
class Filled:
    """What flowed in a stretch, its holes filled.

    Fields:
        known_s: how long the source itself spoke.
        filling: what filled the longest part of the holes; None where there is none.
    """

    out_kwh: float
    in_kwh: float
    known_s: float
    filling: Filling | None


@dataclass(frozen=True, slots=True)
class _Hole:
    """Between two rows.

    Fields:
        held_kwh: what its two ends said of it, which is in the sum of the flow already; None of a
            hole that is too long for them to speak.
        doubt_kwh: how far they may be off, as far as they differ.
        ends_kw: the mean of its ends, out of the battery.
    """

    first: int
    last: int
    hours: float
    held_kwh: float | None
    doubt_kwh: float
    ends_kw: float


class Holes:
    """Fills the holes of one car's stretches."""

    def __init__(self, columns: Columns, capacity_kwh: float | None) -> None:
        self._columns, self._capacity_kwh = columns, capacity_kwh

    def filled(
        self, power_w: NDArray[np.float64], first: int, last: int, out_kwh: float, in_kwh: float
    ) -> Filled:
        """A stretch with its holes filled.

        Args:
            power_w: of each row from `first` to `last`, NaN where the source is silent.
            out_kwh, in_kwh: what the source summed up.
        """
        hours = float(self._columns.ts[last] - self._columns.ts[first]) / NS_PER_HOUR
        holes = self._holes(power_w, first, last)
        silent_hours = sum(hole.hours for hole in holes)
        if not holes or silent_hours >= hours:
            return Filled(out_kwh, in_kwh, 3600 * hours, None)
        out_kwh -= sum(max(hole.held_kwh or 0.0, 0.0) for hole in holes)
        in_kwh -= sum(max(-(hole.held_kwh or 0.0), 0.0) for hole in holes)
        rest_kw = (out_kwh - in_kwh) / (hours - silent_hours)
        per_pct = self._kwh_per_pct(holes, first, last, out_kwh - in_kwh)
        longest: dict[Filling, float] = {}
        for hole in holes:
            filling, out, into = self._fill(hole, first, last, per_pct, rest_kw)
            out_kwh, in_kwh = out_kwh + out, in_kwh + into
            if filling is None:
                silent_hours -= hole.hours
            else:
                longest[filling] = longest.get(filling, 0.0) + hole.hours
        named = max(longest, key=lambda one: longest[one]) if longest else None
        return Filled(out_kwh, in_kwh, 3600 * (hours - silent_hours), named)

    def _holes(self, power_w: NDArray[np.float64], first: int, last: int) -> list[_Hole]:
        known = np.flatnonzero(np.isfinite(power_w))
        if len(known) < 2:
            return []
        rows = known + first
        apart = np.diff(self._columns.ts[rows])
        least = min(max(HOLE_TIMES * float(np.median(apart)), HOLE_NS), GAP_NS)
        kw = -power_w[known] / W_PER_KW
        begin, end = int(rows[0]), int(rows[-1])
        holes = [
            self._hole(first, begin, kw[0], kw[0], is_held=False),
            self._hole(end, last, kw[-1], kw[-1], is_held=False),
        ]
        holes = [hole for hole in holes if hole.hours * NS_PER_HOUR > HOLE_NS]
        for at in np.flatnonzero(apart > least).tolist():
            is_held = bool(apart[at] <= GAP_NS)
            begin, end = int(rows[at]), int(rows[at + 1])
            holes.append(self._hole(begin, end, kw[at], kw[at + 1], is_held=is_held))
        return holes

    def _hole(
        self, first: int, last: int, before_kw: float, after_kw: float, *, is_held: bool
    ) -> _Hole:
        hours = float(self._columns.ts[last] - self._columns.ts[first]) / NS_PER_HOUR
        ends_kw = float(before_kw + after_kw) / 2
        return _Hole(
            first,
            last,
            hours,
            held_kwh=ends_kw * hours if is_held else None,
            doubt_kwh=abs(float(after_kw - before_kw)) / 4 * hours if is_held else math.inf,
            ends_kw=ends_kw,
        )

    def _fill(
        self, hole: _Hole, first: int, last: int, per_pct: float | None, rest_kw: float
    ) -> tuple[Filling | None, float, float]:
        """Who tells of a hole, None if its ends do; and what went out and in, kWh."""
        counted = self._counted(hole, first, last)
        if counted is not None and counted[2] < hole.doubt_kwh:
            return Filling.COUNTERS, counted[0], counted[1]
        for filling, level, kwh in (
            (Filling.STORED_ENERGY, self._columns.stored_kwh, 1.0),
            (Filling.STATE_OF_CHARGE, self._columns.state_of_charge_pct, per_pct),
        ):
            fall = None if level is None else self._fall(level, hole, first, last)
            if fall is not None and kwh is not None and fall[1] * abs(kwh) < hole.doubt_kwh:
                return filling, *_out_and_in(fall[0] * kwh)
        if hole.held_kwh is not None:
            return None, *_out_and_in(hole.held_kwh)
        is_under_way = self._moves(hole.first) and self._moves(hole.last)
        return Filling.REST, *_out_and_in((rest_kw if is_under_way else hole.ends_kw) * hole.hours)

    def _moves(self, row: int) -> bool:
        """Whether the car moved at a row, as far as its speed tells."""
        speed = self._columns.speed_kmh
        return speed is None or not speed[row] <= MOVING_KMH

    def _counted(self, hole: _Hole, first: int, last: int) -> tuple[float, float, float] | None:
        """What the counters say went out and in, and how far they may be off, kWh."""
        columns = self._columns
        if columns.consumed_kwh is None or columns.charged_kwh is None:
            return None
        told, step = [], 0.0
        for counter in (columns.consumed_kwh, columns.charged_kwh):
            near = self._near(counter, hole, first, last)
            if near is None:
                return None
            went = float(counter[near[1]]) - float(counter[near[0]])
            if not 0 <= went <= COUNTER_MAX_KW * hole.hours + COUNTER_TICK_KWH:
                return None
            told.append(went)
            step = max(step, self._step(counter, first, last))
        return told[0], told[1], step / 2

    def _fall(
        self, level: Floats, hole: _Hole, first: int, last: int
    ) -> tuple[float, float] | None:
        """How far a level fell, and how far that may be off."""
        near = self._near(level, hole, first, last)
        if near is None:
            return None
        fell = float(level[near[0]]) - float(level[near[1]])
        return fell, self._step(level, first, last) / 2

    def _kwh_per_pct(
        self, holes: list[_Hole], first: int, last: int, known_kwh: float
    ) -> float | None:
        """What a percent is worth, from the part of the stretch that is known."""
        if self._capacity_kwh is not None:
            return self._capacity_kwh / 100
        level = self._columns.state_of_charge_pct
        if level is None:
            return None
        known = np.flatnonzero(np.isfinite(level[first : last + 1])) + first
        falls = [self._fall(level, hole, first, last) for hole in holes]
        if len(known) < 2:
            return None
        fell = float(level[known[0]]) - float(level[known[-1]])
        fell -= sum(fall[0] for fall in falls if fall is not None)
        if abs(fell) < COUNTED_STEPS * self._step(level, first, last) or fell * known_kwh <= 0:
            return None
        return known_kwh / fell

    def _near(self, column: Floats, hole: _Hole, first: int, last: int) -> tuple[int, int] | None:
        """The rows nearest to both ends of a hole, outside of it, that know a column."""
        ts, before, after = self._columns.ts, hole.first, hole.last
        while before > first and np.isnan(column[before]):
            before -= 1
        while after < last and np.isnan(column[after]):
            after += 1
        if np.isnan(column[before]) or np.isnan(column[after]):
            return None
        is_near = ts[hole.first] - ts[before] <= HOLE_NEAR_NS
        return (before, after) if is_near and ts[after] - ts[hole.last] <= HOLE_NEAR_NS else None

    def _step(self, column: Floats, first: int, last: int) -> float:
        """The finest step of a level or counter in a stretch."""
        values = np.asarray(column[first : last + 1], np.float64)
        steps = np.abs(np.diff(values[np.isfinite(values)]))
        steps = steps[steps > 0]
        return float(np.quantile(steps, 0.1)) if len(steps) else 1.0


def _out_and_in(net_kwh: float) -> tuple[float, float]:
    return max(net_kwh, 0.0), max(-net_kwh, 0.0)


def carried_power_w(columns: Columns, first: int, last: int) -> NDArray[np.float64]:
    """Voltage times current of each row, as `sums.product_flow` has it; NaN where unknown."""
    rows = slice(first, last + 1)
    assert columns.voltage_v is not None
    assert columns.current_a is not None
    volts, ts = columns.voltage_v[rows], columns.ts[rows]
    at = np.maximum.accumulate(np.where(np.isfinite(volts), np.arange(len(volts)), 0))
    held = np.where(ts - ts[at] <= FRESH_NS, volts[at].astype(np.float64), np.nan)
    return held * columns.current_a[rows].astype(np.float64)
