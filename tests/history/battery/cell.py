"""A cell's recorded discharges as a car would see them: parts of them, between rests."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contactor.history.columns import Columns

Floats = NDArray[np.float64]
NS = 10**9
SETTLE_S, SLOW_PART = 60.0, 0.4
# A cell's day has eight cycles.
CYCLE_S = 3 * 3600


@dataclass(frozen=True)
class Cycle:
    """A full discharge: time, voltage and current under load, and the rest before it."""

    time_s: Floats
    voltage_v: Floats
    current_a: Floats
    rest_v: float
    capacity_ah: float


def cycles_of(table: Floats) -> list[Cycle]:
    """Of a table with columns voltage, current, time, cycle."""
    cycles = []
    for number in np.unique(table[:, 3]):
        rows = table[table[:, 3] == number]
        loaded = np.flatnonzero(rows[:, 1] < -1.0)
        begin, end = loaded[0], loaded[-1] + 1
        time, volts, amperes = rows[begin:end, 2], rows[begin:end, 0], rows[begin:end, 1]
        held_s = np.diff(time, append=rows[min(end, len(rows) - 1), 2])
        capacity = float(-(amperes * held_s).sum() / 3600)
        cycles.append(Cycle(time, volts, amperes, float(rows[:begin, 0].mean()), capacity))
    return cycles


def as_seen(cycles: list[Cycle], source: np.random.Generator) -> Columns:
    """Random windows of 20 to 60 % of each discharge, with rests before and after them.

    Voltage has a noise of 5 mV, current an offset of 0.2 %. The resistance is that of the recorded
    beginning of each discharge; part of its drop comes and goes within minutes.
    """
    ts: list[Floats] = []
    volts: list[Floats] = []
    amperes: list[Floats] = []
    for number, cycle in enumerate(cycles):
        ohm = (cycle.rest_v - cycle.voltage_v[0]) / -cycle.current_a[0]
        given = np.cumsum(-cycle.current_a * np.diff(cycle.time_s, prepend=0.0))
        depth = given / given[-1]
        width = source.uniform(0.2, 0.6)
        start = source.uniform(0.0, 1.0 - width)
        rows = np.flatnonzero((depth >= start) & (depth <= start + width))
        time = cycle.time_s[rows] - cycle.time_s[rows[0]]
        drop_v = -cycle.current_a[rows] * ohm
        load = cycle.voltage_v[rows] + SLOW_PART * drop_v * np.exp(-time / SETTLE_S)
        rest_s = np.arange(0.0, 1201.0, 20.0)
        before_v = cycle.voltage_v[rows[0]] + drop_v[0]
        after_v = cycle.voltage_v[rows[-1]] + drop_v[-1] * (
            1 - SLOW_PART * np.exp(-rest_s / SETTLE_S)
        )
        base = number * CYCLE_S
        ts += [base + rest_s, base + 1201 + time, base + 1202 + time[-1] + rest_s]
        volts += [np.full(len(rest_s), before_v), load, after_v]
        still = np.zeros(len(rest_s))
        amperes += [still, cycle.current_a[rows], still]
    seconds, voltage, current = (np.concatenate(one) for one in (ts, volts, amperes))
    usual_a = float(np.abs(np.concatenate([one.current_a for one in cycles])).mean())
    return Columns(
        ts=(1.7e9 * NS + seconds * NS).astype(np.int64),
        voltage_v=voltage + source.normal(0, 0.005, len(voltage)),
        current_a=current + 0.002 * usual_a,
    )
