"""What happened to a car, out of its rows: intervals, trips, charges and stands.

    facts = find(columns)
    facts.trips[0].energy.net_kwh

    since = restart_ns(facts, changed_from_ns)      # after rows came, late or new
    kept = [one for one in facts.trips if one.end_ns <= since]
    kept + list(find(rows with ts >= since).trips)  # as `find` of all rows would say

`scan` says which rows are what; the rest says how far, how much, how fast.
"""

from bisect import bisect_left
from dataclasses import fields, replace
from typing import TypeVar

import numpy as np

from contactor.history.charges import charge_of
from contactor.history.columns import Columns
from contactor.history.energy import EnergyAccount
from contactor.history.facts import Charge, Facts, Stand, Trip
from contactor.history.intervals import intervals_of
from contactor.history.loops import Loops, loops_for
from contactor.history.rules import FUTURE_NS, TS_MAX_NS, TS_MIN_NS
from contactor.history.scan import CHARGE, MOVED_SILENCE, SILENCE, TRIP, scanned
from contactor.history.stands import stand_of
from contactor.history.trips import trip_of

_Span = TypeVar("_Span", tuple[int, int], tuple[int, int, bool])

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
    """The rows whose instants can be."""
    latest = TS_MAX_NS if now_ns is None else min(TS_MAX_NS, now_ns + FUTURE_NS)
    first, last = np.searchsorted(columns.ts, [TS_MIN_NS, latest])
    if first == 0 and last == len(columns):
        return columns
    named = ((field.name, getattr(columns, field.name)) for field in fields(columns))
    return replace(columns, **{k: v[first:last] for k, v in named if v is not None})


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
        trip_rows, trips = self._trips()
        charge_rows, charges, stands = [], [], []
        still, moved = self._rows_of(SILENCE), self._rows_of(MOVED_SILENCE)
        silences = sorted([(*rows, False) for rows in still] + [(*rows, True) for rows in moved])
        pieces = self._rows_of(CHARGE)
        for rows in self._between(trip_rows):
            found = self._charges(_within(pieces, rows), rows)
            charge_rows += [span for span, _ in found]
            charges += [charge for _, charge in found]
            stands += self._stand(rows, [span for span, _ in found], silences)
        ts = self._columns.ts
        silent = [(int(ts[a]), int(ts[b]), has_moved) for a, b, has_moved in silences]
        intervals = intervals_of(int(ts[0]), int(ts[-1]), trips, charges, silent)
        return Facts(
            intervals=tuple(intervals),
            trips=tuple(trips),
            charges=tuple(charges),
            stands=tuple(stands),
        )

    def _rows_of(self, kind: int) -> list[tuple[int, int]]:
        return [(int(a), int(b)) for a, b in self._spans[self._kinds == kind]]

    def _trips(self) -> tuple[list[tuple[int, int]], list[Trip]]:
        rows, trips = [], []
        for first, last in self._rows_of(TRIP):
            trip = trip_of(self._columns, self._loops, self._account, first, last)
            if trip is not None:
                rows.append((first, last))
                trips.append(trip)
        return rows, trips

    def _between(self, trip_rows: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """The stands: what lies before, between and after the trips."""
        starts = [0, *(last for _, last in trip_rows)]
        ends = [*(first for first, _ in trip_rows), len(self._columns) - 1]
        return [(a, b) for a, b in zip(starts, ends, strict=True) if b > a]

    def _charges(
        self, pieces: list[tuple[int, int]], stand: tuple[int, int]
    ) -> list[tuple[tuple[int, int], Charge]]:
        found = []
        for piece in pieces:
            charge = charge_of(self._columns, self._loops, self._account, piece, stand)
            if charge is not None:
                found.append((piece, charge))
        return found

    def _stand(
        self,
        rows: tuple[int, int],
        charged: list[tuple[int, int]],
        silences: list[tuple[int, int, bool]],
    ) -> list[Stand]:
        inside = _within(silences, rows)
        return [stand_of(self._columns, self._account, rows, charged, inside)]


def _within(spans: list[_Span], rows: tuple[int, int]) -> list[_Span]:
    """Of some spans of rows, sorted and apart, those that lie in others."""
    first = bisect_left(spans, rows[0], key=lambda span: span[0])
    last = bisect_left(spans, rows[1], lo=first, key=lambda span: span[0])
    return [span for span in spans[first:last] if span[1] <= rows[1]]
