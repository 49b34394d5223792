"""Sums over stretches of rows: plain loops, compiled as they stand where Numba is (`loops`).

    into_j, out_j, known_s = flow(ts, power_w, spans).T

Each takes spans, (n, 2): the first and the last row of each stretch, both included; it uses no row
outside of a stretch, and gives a row for each. A row speaks for the time since the last row that
was known, within limits (`rules`): as the mean of that time where it is short, both ends alike
where it is long. For means that an agent made, and for instants, the sums are the same but for the
very ends.

A stretch is taken in blocks. Of a block the known values are gathered first, behind the last one
that was known before; what is then done with them is the same for each and asks no question, and
each place of a block has a sum of its own. So a compiler makes vectors of it, and the sums do not
depend on how:

    rows      21.5  NaN  21.7  21.9          values   21.2 | 21.5  21.7  21.9
                                             sums            +=    +=    +=
"""

import math

import numpy as np
from numpy.typing import NDArray

from contactor.history.rules import FRESH_NS, GAP_NS, HOLD_NS

S_PER_NS = 1e-9
# Rows of a block: many for a vector, few for the first level of memory.
BLOCK = 128

Stamps = NDArray[np.int64]
Spans = NDArray[np.int64]
Floats = NDArray[np.float32] | NDArray[np.float64]
Doubles = NDArray[np.float64]


def flow(ts: Stamps, power: Floats, spans: Spans) -> Doubles:
    """What flowed, of a power in W: (n, 4).

    Returns:
        In and out, J; seconds known; the longest time between two rows of these, s.
    """
    sums = np.empty((len(spans), 4))
    values, at = np.empty(BLOCK + 1), np.empty(BLOCK + 1, np.int64)
    into, out = np.empty(BLOCK), np.empty(BLOCK)
    for n in range(len(spans)):
        first, last = spans[n, 0], spans[n, 1]
        places = min(BLOCK, last + 1 - first)
        into[:places], out[:places] = 0.0, 0.0
        known_ns, widest_ns = 0, 0
        values[0], at[0] = 0.0, ts[first] - GAP_NS - 1
        for begin in range(first, last + 1, BLOCK):
            rows = min(BLOCK, last + 1 - begin)
            count = gather(ts[begin : begin + rows], power[begin : begin + rows], values, at)
            known, widest = add_flow(values, at, count, into, out)
            known_ns, widest_ns = known_ns + known, max(widest_ns, widest)
        tell_flow(sums[n], into[:places], out[:places], known_ns, widest_ns)
    return sums


def product_flow(ts: Stamps, voltage: Floats, current: Floats, spans: Spans) -> Doubles:
    """As `flow`, of voltage times current; the two may stand in different rows."""
    sums = np.empty((len(spans), 4))
    values, at = np.empty(BLOCK + 1), np.empty(BLOCK + 1, np.int64)
    into, out = np.empty(BLOCK), np.empty(BLOCK)
    for n in range(len(spans)):
        first, last = spans[n, 0], spans[n, 1]
        places = min(BLOCK, last + 1 - first)
        into[:places], out[:places] = 0.0, 0.0
        known_ns, widest_ns = 0, 0
        values[0], at[0] = 0.0, ts[first] - GAP_NS - 1
        volts, volts_ns = 0.0, at[0]
        for begin in range(first, last + 1, BLOCK):
            end = min(begin + BLOCK, last + 1)
            now, volt, ampere = ts[begin:end], voltage[begin:end], current[begin:end]
            count = 0
            for k in range(len(now)):
                value = np.float64(volt[k]) * np.float64(ampere[k])
                values[k + 1], at[k + 1] = value, now[k]
                count += 0 if np.isnan(value) else 1
            if count == len(now):
                volts, volts_ns = np.float64(volt[count - 1]), now[count - 1]
            else:
                count = 0
                for k in range(len(now)):
                    if not np.isnan(volt[k]):
                        volts, volts_ns = np.float64(volt[k]), now[k]
                    if not np.isnan(ampere[k]) and now[k] - volts_ns <= FRESH_NS:
                        count += 1
                        values[count], at[count] = volts * np.float64(ampere[k]), now[k]
            known, widest = add_flow(values, at, count, into, out)
            known_ns, widest_ns = known_ns + known, max(widest_ns, widest)
        tell_flow(sums[n], into[:places], out[:places], known_ns, widest_ns)
    return sums


def gated_flow(ts: Stamps, power: Floats, flag: Floats, spans: Spans) -> Doubles:
    """As `flow`, of the rows alone before which a flag was last told to be 1."""
    sums = np.empty((len(spans), 4))
    values, at = np.empty(BLOCK + 1), np.empty(BLOCK + 1, np.int64)
    into, out = np.empty(BLOCK), np.empty(BLOCK)
    for n in range(len(spans)):
        first, last = spans[n, 0], spans[n, 1]
        places = min(BLOCK, last + 1 - first)
        into[:places], out[:places] = 0.0, 0.0
        known_ns, widest_ns = 0, 0
        values[0], at[0] = 0.0, ts[first] - GAP_NS - 1
        is_open = False
        for begin in range(first, last + 1, BLOCK):
            count = 0
            for i in range(begin, min(begin + BLOCK, last + 1)):
                if not np.isnan(flag[i]):
                    is_open = flag[i] > 0.5
                if is_open and not np.isnan(power[i]):
                    count += 1
                    values[count], at[count] = float(power[i]), ts[i]
            known, widest = add_flow(values, at, count, into, out)
            known_ns, widest_ns = known_ns + known, max(widest_ns, widest)
        tell_flow(sums[n], into[:places], out[:places], known_ns, widest_ns)
    return sums


def counted(ts: Stamps, counter: Floats, spans: Spans, most_per_s: float, tick: float) -> Doubles:
    """How far a counter went, resets and spikes left out: (n, 3).

    Args:
        most_per_s: how fast it can count.
        tick: what it may count at once besides.

    Returns:
        How far, -1 where it is unknown; its finest step, inf without one; seconds known.
    """
    sums = np.empty((len(spans), 3))
    values, at = np.empty(BLOCK + 1), np.empty(BLOCK + 1, np.int64)
    went, finest = np.empty(BLOCK), np.empty(BLOCK)
    for n in range(len(spans)):
        first, last = spans[n, 0], spans[n, 1]
        places = min(BLOCK, last + 1 - first)
        went[:places], finest[:places] = 0.0, math.inf
        begin_ns = ts[first]
        is_known = False
        for begin in range(first, last + 1, BLOCK):
            rows = min(BLOCK, last + 1 - begin)
            count = gather(ts[begin : begin + rows], counter[begin : begin + rows], values, at)
            if count > 0 and not is_known:
                is_known, begin_ns = True, at[1]
                values[0], at[0] = values[1], at[1]
            for k in range(count):
                step = values[k + 1] - values[k]
                far = most_per_s * (S_PER_NS * (at[k + 1] - at[k])) + tick
                is_step = (step > 0.0) & (step <= far)
                went[k] += step if is_step else 0.0
                finest[k] = min(finest[k], step if is_step else math.inf)
            if count > 0:
                values[0], at[0] = values[count], at[count]
        sums[n, 0] = total(went[:places]) if is_known else -1.0
        sums[n, 1] = finest[:places].min()
        sums[n, 2] = (at[0] - begin_ns) * S_PER_NS if is_known else 0.0
    return sums


def means(values: Floats, spans: Spans, low: float, high: float) -> Doubles:
    """The mean of what lies within bounds, NaN where nothing does: (n,)."""
    found = np.empty(len(spans))
    sums = np.empty(BLOCK)
    for n in range(len(spans)):
        first, last = spans[n, 0], spans[n, 1]
        places = min(BLOCK, last + 1 - first)
        sums[:places] = 0.0
        count = 0
        for begin in range(first, last + 1, BLOCK):
            block = values[begin : min(begin + BLOCK, last + 1)]
            for k in range(len(block)):
                value = float(block[k])
                is_inside = (value >= low) & (value <= high)
                sums[k] += value if is_inside else 0.0
                count += 1 if is_inside else 0
        found[n] = total(sums[:places]) / count if count else math.nan
    return found


# ── of a block ───────────────────────────────────────────────────────────────────────────────────


def gather(now: Stamps, block: Floats, values: Doubles, at: Stamps) -> int:
    """Put the known values of a block, and their stamps, from place 1 on; how many they are."""
    count = 0
    for k in range(len(block)):
        value = float(block[k])
        values[k + 1], at[k + 1] = value, now[k]
        count += 0 if np.isnan(value) else 1
    if count < len(block):
        count = 0
        for k in range(len(block)):
            if not np.isnan(block[k]):
                count += 1
                values[count], at[count] = float(block[k]), now[k]
    return count


def add_flow(
    values: Doubles, at: Stamps, count: int, into: Doubles, out: Doubles
) -> tuple[int, int]:
    """Add what flowed until each value, W ns; the last one comes first.

    Returns:
        For how long, ns; and the longest time between two of them, ns.
    """
    known_ns, widest_ns = 0, 0
    for k in range(count):
        apart = at[k + 1] - at[k]
        mean = values[k + 1] if apart <= HOLD_NS else (values[k + 1] + values[k]) * 0.5
        work = mean * apart if apart <= GAP_NS else 0.0
        into[k] += work if work > 0.0 else 0.0
        out[k] -= work if work < 0.0 else 0.0
        known = apart if apart <= GAP_NS else 0
        known_ns += known
        widest_ns = max(widest_ns, known)
    values[0], at[0] = values[count], at[count]
    return known_ns, widest_ns


def tell_flow(told: Doubles, into: Doubles, out: Doubles, known_ns: int, widest_ns: int) -> None:
    """Put down what flowed in a stretch, J and s."""
    told[0], told[1] = total(into) * S_PER_NS, total(out) * S_PER_NS
    told[2], told[3] = known_ns * S_PER_NS, widest_ns * S_PER_NS


def total(sums: Doubles) -> float:
    """The sum of the sums of all places, always in the same order."""
    whole = 0.0
    for one in sums:
        whole += one
    return whole


PARTS = (gather, add_flow, total, tell_flow)
