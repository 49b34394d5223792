"""Intervals: one state at every instant, out of trips, charges and silences."""

import numpy as np
from numpy.typing import NDArray

from contactor.history.facts import Interval, State
from contactor.history.rows import Spans

STATES = tuple(State)
DRIVING, CHARGING, PARKED, ASLEEP, OFFLINE = (
    STATES.index(state)
    for state in (State.DRIVING, State.CHARGING, State.PARKED, State.ASLEEP, State.OFFLINE)
)


def intervals_of(
    ts: NDArray[np.int64],
    driven: Spans,
    charged: Spans,
    silences: Spans,
    has_moved: NDArray[np.bool_],
) -> list[Interval]:
    """Fill a car's time without holes.

    Args:
        ts: of its rows, ns.
        driven, charged: first and last row of trips and charges, none over another.
        silences: rows before and after each, and whether the car moved meanwhile; those in a trip
            or a charge are part of it.
    """
    busy, states = (
        np.concatenate((driven, charged)),
        np.repeat((DRIVING, CHARGING), (len(driven), len(charged))),
    )
    order = np.argsort(busy[:, 0], kind="stable")
    busy, states = busy[order], states[order]
    following = np.searchsorted(busy[:, 1], silences[:, 0], side="right")
    begins = np.append(busy[:, 0], len(ts))
    is_apart = begins[following] >= silences[:, 1]
    told = np.concatenate((busy, silences[is_apart]))
    told_states = np.concatenate((states, np.where(has_moved, OFFLINE, ASLEEP)[is_apart]))
    order = np.argsort(told[:, 0], kind="stable")
    told, told_states = told[order], told_states[order]
    # Before each of them, and after the last, the car was parked.
    bounds = np.concatenate(([0], told.ravel(), [len(ts) - 1]))
    every = np.full(len(bounds) - 1, PARKED)
    every[1::2] = told_states
    is_some = bounds[1:] > bounds[:-1]
    instants, kinds = ts[bounds], every[is_some].tolist()
    starts, ends = instants[:-1][is_some].tolist(), instants[1:][is_some].tolist()
    return [
        Interval(state=STATES[kind], start_ns=start_ns, end_ns=end_ns)
        for kind, start_ns, end_ns in zip(kinds, starts, ends, strict=True)
    ]
