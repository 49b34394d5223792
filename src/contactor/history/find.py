"""What happened to a car, out of its rows: intervals, trips, charges and stands.

    facts = find(columns)
    facts.trips[0].energy.net_kwh

    since = restart_ns(facts, changed_from_ns)      # after rows came, late or new
    kept = [one for one in facts.trips if one.end_ns <= since]
    kept + list(find(rows with ts >= since).trips)  # as `find` of all rows would say

`scan` says which rows are what; the rest says how far, how much, how fast.
"""

from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from contactor.history.charges import charges_of
from contactor.history.columns import Columns
from contactor.history.energy import EnergyAccount
from contactor.history.facts import Facts
from contactor.history.intervals import intervals_of
from contactor.history.loops import Loops, loops_for
from contactor.history.rows import Spans
from contactor.history.rules import FUTURE_NS, TS_MAX_NS, TS_MIN_NS
from contactor.history.scan import CHARGE, MOVED_SILENCE, SILENCE, TRIP, scanned
from contactor.history.stands import stands_of
from contactor.history.trips import trips_of

# Before all rows: everything is found anew.
FROM_THE_START = -(1 << 63)


def find(
    columns: Columns, *, capacity_kwh: float | None = None, now_ns: int | None = None
) -> Facts:
    """Find all that happened.

    Args:
        capacity_kwh: what the battery holds, for cars that tell no more than a state of charge.
        now_ns: the present; rows that lie a day beyond it are left out.
    """
    columns = _possible(columns, now_ns)
    if len(columns) == 0:
        return Facts(intervals=(), trips=(), charges=(), stands=())
    return _Finding(columns, loops_for(len(columns)), capacity_kwh).facts()


def restart_ns(facts: Facts, changed_from_ns: int) -> int:
    """From where on facts are to be found again when rows from an instant on are new.

    Facts that end at or before it stay as they are; the others come from `find` of the rows with
    `ts` >= it. It is the start of the last trip that was over before the change: at a trip's start
    nothing of what was before counts any more.
    """
    over = (trip.start_ns for trip in reversed(facts.trips) if trip.end_ns < changed_from_ns)
    return next(over, FROM_THE_START)


def _possible(columns: Columns, now_ns: int | None) -> Columns:
    """The rows whose instants can be, laid out as the compiled loops know them."""
    latest = TS_MAX_NS if now_ns is None else min(TS_MAX_NS, now_ns + FUTURE_NS)
    first, last = np.searchsorted(columns.ts, [TS_MIN_NS, latest])
    given = {field.name: getattr(columns, field.name) for field in fields(columns)}
    named = {name: column for name, column in given.items() if column is not None}
    if last - first == len(columns) and all(column.flags.carray for column in named.values()):
        return columns
    return replace(
        columns,
        **{name: np.require(one[first:last], None, ("C", "W")) for name, one in named.items()},
    )


def _within(pieces: Spans, stood: Spans) -> tuple[Spans, Spans]:
    """Charges as far as they lie in the stand that they end in, and these stands.

    The row in which a car is switched off may belong to both its trip and its charge.
    """
    place = np.searchsorted(stood[:, 0], pieces[:, 1]) - 1
    places = stood[place]
    begins = np.maximum(pieces[:, 0], places[:, 0])
    is_inside = (place >= 0) & (begins < pieces[:, 1]) & (pieces[:, 1] <= places[:, 1])
    within = np.column_stack((begins, pieces[:, 1]))
    return within[is_inside], places[is_inside]


class _Finding:
    """The rows of one car, and what the scan said of them."""

    def __init__(self, columns: Columns, loops: Loops, capacity_kwh: float | None) -> None:
        self._columns, self._loops = columns, loops
        self._account = EnergyAccount(columns, loops, capacity_kwh)
        events = loops.scan(*scanned(columns))
        events = events[np.lexsort((events[:, 2], events[:, 1]))]
        self._kinds, self._spans = events[:, 0], events[:, 1:]

    def facts(self) -> Facts:
        """Everything, each by time."""
        columns, loops, account = self._columns, self._loops, self._account
        driven, trips = trips_of(columns, loops, account, self._spans_where(self._kinds == TRIP))
        stood = self._between(driven)
        pieces = self._spans_where(self._kinds == CHARGE)
        pieces, places = _within(pieces, stood)
        charged, charges = charges_of(columns, loops, account, pieces, places)
        is_silence = (self._kinds == SILENCE) | (self._kinds == MOVED_SILENCE)
        silences, has_moved = (
            self._spans_where(is_silence),
            self._kinds[is_silence] == MOVED_SILENCE,
        )
        stands = stands_of(columns, account, stood, charged, silences, has_moved)
        intervals = intervals_of(columns.ts, driven, charged, silences, has_moved)
        return Facts(
            intervals=tuple(intervals),
            trips=tuple(trips),
            charges=tuple(charges),
            stands=tuple(stands),
        )

    def _spans_where(self, is_wanted: NDArray[np.bool_]) -> Spans:
        return np.ascontiguousarray(self._spans[is_wanted])

    def _between(self, driven: Spans) -> Spans:
        """The stands: what lies before, between and after the trips."""
        begins = np.concatenate(([0], driven[:, 1]))
        ends = np.concatenate((driven[:, 0], [len(self._columns) - 1]))
        return np.column_stack((begins, ends))[ends > begins]
