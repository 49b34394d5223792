"""What goes wrong between a car and its history: each way a function that spoils rows.

    rows = SPOILS["gaps"](rows, kit, life, np.random.default_rng(1))

Each takes all rows of a car, told well, and gives those that come. What a stamp or a value was, is
changed; what truly was, is not.
"""

from collections.abc import Callable, Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tests.history.truth.lives import Floats, Life
from tests.history.truth.told import START_NS, WHERE, Kit, Rows, S

Random = np.random.Generator
Spoil = Callable[[Rows, Kit, Life, Random], Rows]

MIN_S, HOUR_S, DAY_S = 60.0, 3600.0, 86_400.0
YEAR_1970_NS = 0
# So long a rest stays one, whatever the clock says.
REST_S = 70 * MIN_S


def gaps(rows: Rows, kit: Kit, life: Life, random: Random) -> Rows:
    """Silences of seconds to hours, most of them while it drives or charges."""
    count = random.poisson(1.5 * life.seconds[-1] / DAY_S)
    return _without(rows, [(_busy_s(life, random), _silence_s(kit, random)) for _ in range(count)])


def ends(rows: Rows, kit: Kit, life: Life, random: Random) -> Rows:
    """Silences over the beginnings and ends of drives and charges."""
    lost = []
    for flags in (life.is_on, life.is_charging):
        edges_s = life.seconds[np.flatnonzero(flags[1:] != flags[:-1]) + 1]
        for edge_s in random.choice(edges_s, len(edges_s) // 10):
            lasts_s = _silence_s(kit, random)
            lost.append((edge_s - random.uniform(0, lasts_s), lasts_s))
    return _without(rows, lost)


def late(rows: Rows, kit: Kit, life: Life, random: Random) -> Rows:
    """Rows told twice, some a little later, and stretches that come when all else was read."""
    twice = random.random(len(rows)) < 0.05
    again = rows.where(twice)
    again_ts = again.ts + random.choice([0, 1_000_000, 20_000_000], len(again))
    both = Rows(
        second=np.concatenate([rows.second, again.second]),
        ts=np.concatenate([rows.ts, again_ts]),
        values={
            name: np.concatenate([column, again.values[name]])
            for name, column in rows.values.items()
        },
    )
    is_late = np.zeros(len(both), bool)
    for _ in range(6):
        begin_s = _busy_s(life, random)
        is_late |= (both.second >= begin_s) & (both.second < begin_s + _silence_s(kit, random))
    return Rows(second=both.second, ts=both.ts, values=both.values, late=is_late)


def clock(rows: Rows, kit: Kit, life: Life, random: Random) -> Rows:
    """A clock that was not set for a while, one that is ahead over a drive, one set under way."""
    ts = rows.ts.copy()
    plugged = np.interp(rows.second, life.seconds, life.is_plugged) > 0
    for begin, end in _wakes(rows):
        fate = random.random()
        if fate < 0.03:  # not set until somewhere under way
            until = begin + int(random.integers(1, max(min(end - begin, 200), 2)))
            ts[begin:until] = YEAR_1970_NS + (ts[begin:until] - START_NS)
        elif fate < 0.08 and begin > 0 and end < len(rows) and not plugged[begin:end].any():
            # An agent's clock: ahead or behind, until the car rests.
            before_s = rows.second[begin] - rows.second[begin - 1] - REST_S
            after_s = rows.second[end] - rows.second[end - 1] - REST_S
            low_s, high_s = -np.clip(before_s, 0, HOUR_S), np.clip(after_s, 0, HOUR_S)
            ts[begin:end] += int(random.uniform(low_s, high_s) * S)
        elif fate < 0.12 and end - begin > 20:  # a logger's, put right under way by seconds
            at = int(random.integers(begin + 5, end - 5))
            ts[begin:at] += int(random.uniform(-20, 20) * S)
    return Rows(second=rows.second, ts=ts, values=rows.values)


def frozen(rows: Rows, kit: Kit, life: Life, random: Random) -> Rows:
    """Sensors that say the same for a while, beside others that show it."""
    names = ["state_of_charge_pct", "ambient_degc", "speed_kmh"]
    if kit.gives("speed_kmh"):
        names += ["odometer_m", *WHERE]
    values = {name: column.copy() for name, column in rows.values.items()}
    for _ in range(int(random.poisson(0.5 * life.seconds[-1] / DAY_S))):
        name = str(random.choice([name for name in names if kit.gives(name)]))
        begin_s = _busy_s(life, random)
        longest_s = {"speed_kmh": 2 * MIN_S, "state_of_charge_pct": 10 * MIN_S}.get(
            name, 3 * HOUR_S
        )
        lasts_s = random.uniform(10, longest_s)
        for both in WHERE if name in WHERE else (name,):
            _freeze(values[both], rows.second, begin_s, lasts_s)
    if kit.gives("speed_kmh") and kit.gives("is_on", "gear"):
        # The last speed stays when a drive is over.
        stays_kmh, is_on = random.uniform(2, 60), _is_on(life, rows.second)
        off_s = life.seconds[np.flatnonzero(life.is_on[:-1] & ~life.is_on[1:]) + 1]
        for end_s in random.choice(off_s, len(off_s) // 12):
            after = (rows.second > end_s) & (rows.second < end_s + 4 * HOUR_S)
            values["speed_kmh"][after & ~is_on] = stays_kmh
    return rows.with_values(**values)


def unavailable(rows: Rows, kit: Kit, life: Life, random: Random) -> Rows:
    """Values that are not there: here and there, for minutes, and all of a signal for a day."""
    beside = ("odometer_m", *WHERE) if kit.gives("speed_kmh") else ()
    values = {name: column.copy() for name, column in rows.values.items()}
    for name, column in values.items():
        column[random.random(len(column)) < random.choice([0.0, 0.02, 0.2])] = np.nan
        for _ in range(int(random.poisson(0.3 * life.seconds[-1] / DAY_S))):
            begin_s, lasts_s = _busy_s(life, random), random.uniform(5, 6 * MIN_S)
            column[(rows.second >= begin_s) & (rows.second < begin_s + lasts_s)] = np.nan
        if name in ("consumed_kwh", "ambient_degc") or name in beside:
            begin_s = random.uniform(0, life.seconds[-1])
            column[(rows.second >= begin_s) & (rows.second < begin_s + DAY_S)] = np.nan
    return rows.with_values(**values)


def position(rows: Rows, kit: Kit, life: Life, random: Random) -> Rows:
    """Fixes that spike, that say 0, 0, and the wrong ones before a receiver's lock."""
    if not kit.gives(*WHERE):
        return rows
    latitude, longitude = (rows.values[name].copy() for name in WHERE)
    spikes = np.flatnonzero(random.random(len(rows)) < 0.001)
    latitude[spikes] += random.normal(0, 0.5, len(spikes))
    longitude[spikes] += random.normal(0, 0.5, len(spikes))
    nowhere = np.flatnonzero(random.random(len(rows)) < 0.001)
    latitude[nowhere] = longitude[nowhere] = 0.0
    for begin, end in _wakes(rows):
        if random.random() < 0.1:
            until = begin + int(random.integers(1, max(min(end - begin, 20), 2)))
            latitude[begin:until], longitude[begin:until] = 52.0, 13.0
    return rows.with_values(latitude_deg=latitude, longitude_deg=longitude)


def resets(rows: Rows, kit: Kit, life: Life, random: Random) -> Rows:
    """Counters that begin anew, and lone values that are nonsense."""
    values = {}
    for name in ("odometer_m", "consumed_kwh", "charged_kwh"):
        if not kit.gives(name):
            continue
        column = rows.values[name].copy()
        for _ in range(2):
            begin = int(random.integers(len(rows)))
            column[begin:] -= column[begin] * random.choice([1.0, 0.5])
        wild = np.flatnonzero(random.random(len(rows)) < 2e-4)
        column[wild] = random.choice([0.0, 65_535.0, 4.3e9], len(wild))
        values[name] = column
    return rows.with_values(**values)


def nothing(rows: Rows, kit: Kit, life: Life, random: Random) -> Rows:
    """Nothing but what the sensors err."""
    return rows


def everything(rows: Rows, kit: Kit, life: Life, random: Random) -> Rows:
    """All of it at once."""
    for one in (position, resets, frozen, unavailable, gaps, ends, clock, late):
        rows = one(rows, kit, life, random)
    return rows


SPOILS: Mapping[str, Spoil] = {
    "nothing": nothing,
    "gaps": gaps,
    "ends": ends,
    "late": late,
    "clock": clock,
    "frozen": frozen,
    "unavailable": unavailable,
    "position": position,
    "resets": resets,
    "everything": everything,
}


def _silence_s(kit: Kit, random: Random) -> float:
    """How long a silence is: off the limits at which one becomes another thing (`truth`)."""
    knows_way = kit.gives("odometer_m", *WHERE)
    bounds = [(min(3.0 * kit.drive_s, 100.0), 170.0), (190.0, 9 * MIN_S), (35 * MIN_S, 6 * HOUR_S)]
    if knows_way:
        bounds.append((9 * MIN_S, 28 * MIN_S))
    low, high = bounds[int(random.integers(len(bounds)))]
    return float(np.exp(random.uniform(np.log(low), np.log(high))))


def _busy_s(life: Life, random: Random) -> float:
    """An instant, mostly one at which the car drives or charges."""
    flags = (life.is_on, life.is_charging, None)[int(random.choice(3, p=[0.6, 0.25, 0.15]))]
    steps = np.arange(len(life.seconds)) if flags is None else np.flatnonzero(flags)
    return float(life.seconds[random.choice(steps)]) if len(steps) else 0.0


def _without(rows: Rows, lost: list[tuple[float, float]]) -> Rows:
    kept = np.ones(len(rows), bool)
    for begin_s, lasts_s in lost:
        kept &= (rows.second < begin_s) | (rows.second >= begin_s + lasts_s)
    return rows.where(kept)


def _freeze(column: Floats, second: Floats, begin_s: float, lasts_s: float) -> None:
    held = np.flatnonzero((second >= begin_s) & (second < begin_s + lasts_s))
    if len(held):
        column[held] = column[held[0]]


def _is_on(life: Life, second: Floats) -> NDArray[np.bool_]:
    at = np.minimum(np.searchsorted(life.seconds, second), len(life.seconds) - 1)
    flags: NDArray[np.bool_] = life.is_on[at]
    return flags


def _wakes(rows: Rows) -> list[tuple[int, int]]:
    """Rows between two silences, as places: first, and behind the last."""
    cuts = np.flatnonzero(np.diff(rows.second) > 10 * MIN_S) + 1
    bounds = [0, *cuts.tolist(), len(rows)]
    return list(pairwise(bounds))
