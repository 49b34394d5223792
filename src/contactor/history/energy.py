"""What flowed through the battery in stretches, from the best source that the car gives.

    account = EnergyAccount(columns, loops, capacity_kwh=None)
    flows = account.between(spans)         # figures of each stretch: flows.net_kwh
    flows.energies()                       # Energy, or None where nothing tells

Sources, best first: voltage times current, power, the car's counters, its stored energy, its state
of charge times a capacity that somebody gives. One that knows little of the stretch gives way to
one that knows more. A source is asked about those stretches alone that need it still.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from contactor.history.columns import Columns, Floats
from contactor.history.facts import Energy, EnergySource, Filling
from contactor.history.holes import Holes, carried_power_w
from contactor.history.loops import Loops
from contactor.history.rows import Figures, Spans, seconds_of
from contactor.history.rules import (
    COUNTED_STEPS,
    COUNTER_MAX_KW,
    COUNTER_TICK_KWH,
    HOLE_NS,
    HOLE_TIMES,
    KNOWN_MIN,
    MEANS_NS,
    SPARSE_NS,
)
from contactor.history.sums import S_PER_NS

J_PER_KWH = 3.6e6
S_PER_HOUR = 3600.0
SOURCES = tuple(EnergySource)
FILLINGS = tuple(Filling)
POWER, PRODUCT, COUNTERS, STORED, LEVEL = (
    SOURCES.index(source)
    for source in (
        EnergySource.POWER,
        EnergySource.VOLTAGE_CURRENT,
        EnergySource.COUNTERS,
        EnergySource.STORED_ENERGY,
        EnergySource.STATE_OF_CHARGE,
    )
)
NOBODY = -1

_Ask: TypeAlias = Callable[[Spans], Figures]
_Places: TypeAlias = NDArray[np.int64]
# A source, how it is asked, and which stretches ask it in this turn.
_Turn: TypeAlias = tuple[int, _Ask, NDArray[np.bool_]]


@dataclass(frozen=True, slots=True, eq=False)
class Flows:
    """What flowed in each of n stretches; every field (n,).

    Fields:
        source, check: places in SOURCES, NOBODY where none spoke.
        out_kwh, in_kwh, known_s: what the source says; 0 where none spoke.
        check_net_kwh: what the next best source says.
        filling: place in FILLINGS of what told of the silences of the source, NOBODY without any.
    """

    source: _Places
    out_kwh: Figures
    in_kwh: Figures
    known_s: Figures
    check: _Places
    check_net_kwh: Figures
    filling: _Places

    @property
    def net_kwh(self) -> Figures:
        """What went out but for what came in; NaN where nobody tells."""
        return np.where(self.source == NOBODY, np.nan, self.out_kwh - self.in_kwh)

    @property
    def is_of_flow(self) -> NDArray[np.bool_]:
        """Whether the source saw energy flow, rather than a level or a counter change."""
        seen: NDArray[np.bool_] = (self.source == PRODUCT) | (self.source == POWER)
        return seen

    def energies(self) -> list[Energy | None]:
        """An energy for each stretch."""
        columns = (
            *(self.source.tolist(), self.out_kwh.tolist(), self.in_kwh.tolist()),
            *(self.known_s.tolist(), self.check.tolist(), self.check_net_kwh.tolist()),
            self.filling.tolist(),
        )
        return [
            None
            if source == NOBODY
            else Energy(
                out_kwh=out_kwh,
                in_kwh=in_kwh,
                source=SOURCES[source],
                known_s=known_s,
                check_source=None if check == NOBODY else SOURCES[check],
                check_net_kwh=None if check == NOBODY else check_net_kwh,
                filling=None if filling == NOBODY else FILLINGS[filling],
            )
            for source, out_kwh, in_kwh, known_s, check, check_net_kwh, filling in zip(
                *columns, strict=True
            )
        ]


@dataclass(frozen=True, slots=True)
class EnergyAccount:
    """Asks the sources of one car about stretches of its rows."""

    columns: Columns
    loops: Loops
    capacity_kwh: float | None = None

    def between(self, spans: Spans, *, is_silent: bool = False) -> Flows:
        """What flowed in each stretch.

        Args:
            is_silent: nothing is told within: only a level or a counter can know.
        """
        flows, _ = self._between(spans, is_silent=is_silent)
        return flows

    def whole(self, spans: Spans) -> Flows:
        """The same, of what the best source is silent on as well (`holes`)."""
        flows, widest_s = self._between(spans)
        seconds = seconds_of(self.columns, spans)
        usual_s = seconds / np.maximum(spans[:, 1] - spans[:, 0], 1)
        is_silent = seconds - flows.known_s > HOLE_NS * S_PER_NS
        is_uneven = widest_s > np.maximum(HOLE_TIMES * usual_s, HOLE_NS * S_PER_NS)
        has_holes = flows.is_of_flow & (is_silent | is_uneven)
        places = np.flatnonzero(has_holes)
        if len(places) == 0:
            return flows
        holes = Holes(self.columns, self.capacity_kwh)
        out_kwh, in_kwh = flows.out_kwh.copy(), flows.in_kwh.copy()
        known_s, filling = flows.known_s.copy(), flows.filling.copy()
        for place in places.tolist():
            first, last = spans[place].tolist()
            if flows.source[place] == PRODUCT:
                power_w = carried_power_w(self.columns, first, last)
            else:
                assert self.columns.power_w is not None
                power_w = self.columns.power_w[first : last + 1].astype(np.float64)
            one = holes.filled(power_w, first, last, float(out_kwh[place]), float(in_kwh[place]))
            if one.filling is not None:
                out_kwh[place], in_kwh[place] = one.out_kwh, one.in_kwh
                known_s[place], filling[place] = one.known_s, FILLINGS.index(one.filling)
        return replace(flows, out_kwh=out_kwh, in_kwh=in_kwh, known_s=known_s, filling=filling)

    def _between(self, spans: Spans, *, is_silent: bool = False) -> tuple[Flows, Figures]:
        """What flowed, and how far apart the rows were at most of which it is known, s."""
        needed_s = KNOWN_MIN * seconds_of(self.columns, spans)
        turns = [*(() if is_silent else self._flows(spans)), *self._levels(spans)]
        if len(turns) == 1:
            said = turns[0][1](spans)
            return _alone(turns[0][0], said), said[:, 3]
        said = np.zeros((len(turns), len(spans), 4))  # out, in, for how long, how far apart
        source = np.full((len(turns), len(spans)), NOBODY)
        is_open = np.ones(len(spans), np.bool_)
        for turn, (number, ask, is_meant) in enumerate(turns):
            rows = np.flatnonzero(is_open & is_meant)
            if len(rows) == 0:
                continue
            source[turn, rows], said[turn, rows] = number, ask(spans[rows])
            spoke = said[:, :, 2] > 0
            has_best = (spoke & (said[:, :, 2] >= needed_s)).any(axis=0)
            is_open = ~has_best | (spoke.sum(axis=0) < 2)
        return _chosen(source, said, needed_s)

    def taken_kwh(self, power: Floats | None, spans: Spans) -> Figures:
        """What a consumer, or a station, whose power is positive drew: (n,), NaN where unknown."""
        if power is None:
            return np.full(len(spans), np.nan)
        flowed = self.loops.flow(self.columns.ts, power, spans)
        drawn_kwh: Figures = np.where(flowed[:, 2] > 0, flowed[:, 0] / J_PER_KWH, np.nan)
        return drawn_kwh

    def _flows(self, spans: Spans) -> Iterator[_Turn]:
        """The sources that see energy flow, in the order in which each stretch asks them."""
        columns, every = self.columns, np.ones(len(spans), np.bool_)
        if columns.consumed_kwh is not None and columns.charged_kwh is not None:
            rows_ns = SPARSE_NS * (spans[:, 1] - spans[:, 0])
            is_sparse = columns.ts[spans[:, 1]] - columns.ts[spans[:, 0]] > rows_ns
            if is_sparse.any():
                yield COUNTERS, self._counters_with_steps, is_sparse
        has_product = columns.voltage_v is not None and columns.current_a is not None
        if columns.power_w is None:
            if has_product:
                yield PRODUCT, self._product, every
        elif not has_product:
            yield POWER, self._power, every
        else:
            rows_ns = MEANS_NS * (spans[:, 1] - spans[:, 0])
            is_of_means = columns.ts[spans[:, 1]] - columns.ts[spans[:, 0]] >= rows_ns
            yield POWER, self._power, is_of_means
            yield PRODUCT, self._product, every
            yield POWER, self._power, ~is_of_means

    def _levels(self, spans: Spans) -> Iterator[_Turn]:
        """The sources that see something rise or fall."""
        columns, every = self.columns, np.ones(len(spans), np.bool_)
        if columns.consumed_kwh is not None and columns.charged_kwh is not None:
            yield COUNTERS, self._counters, every
        if columns.stored_kwh is not None:
            yield STORED, self._stored, every
        if columns.state_of_charge_pct is not None and self.capacity_kwh is not None:
            yield LEVEL, self._level, every

    def _power(self, spans: Spans) -> Figures:
        assert self.columns.power_w is not None
        return _of_joules(self.loops.flow(self.columns.ts, self.columns.power_w, spans))

    def _product(self, spans: Spans) -> Figures:
        columns = self.columns
        flowed = self.loops.product_flow(columns.ts, columns.voltage_v, columns.current_a, spans)
        return _of_joules(flowed)

    def _counters_with_steps(self, spans: Spans) -> Figures:
        """The counters, silent where they hardly counted."""
        return self._counters(spans, least_steps=COUNTED_STEPS)

    def _counters(self, spans: Spans, *, least_steps: int = 0) -> Figures:
        columns, most = self.columns, (COUNTER_MAX_KW / S_PER_HOUR, COUNTER_TICK_KWH)
        out = self.loops.counted(columns.ts, columns.consumed_kwh, spans, *most)
        into = self.loops.counted(columns.ts, columns.charged_kwh, spans, *most)
        finest = np.minimum(out[:, 1], into[:, 1])
        has_counted = out[:, 0] + into[:, 0] >= least_steps * np.where(finest < np.inf, finest, 0)
        is_told = has_counted & ((least_steps == 0) | (finest < np.inf))
        known_s = np.where(is_told, np.minimum(out[:, 2], into[:, 2]), 0.0)
        said = np.column_stack((out[:, 0], into[:, 0], known_s, np.zeros(len(spans))))
        told: Figures = np.maximum(said, 0.0)  # -1 where nothing is known
        return told

    def _stored(self, spans: Spans) -> Figures:
        assert self.columns.stored_kwh is not None
        return self._fallen(self.columns.stored_kwh, spans, 1.0)

    def _level(self, spans: Spans) -> Figures:
        assert self.columns.state_of_charge_pct is not None
        assert self.capacity_kwh is not None
        return self._fallen(self.columns.state_of_charge_pct, spans, self.capacity_kwh / 100)

    def _fallen(self, level: Floats, spans: Spans, kwh: float) -> Figures:
        """How far a level fell between its first and last known value, and in what time."""
        rows = self.loops.known_ends(level, spans)
        ends = level[rows].astype(np.float64)
        fell_kwh = np.where(rows[:, 0] >= 0, ends[:, 0] - ends[:, 1], 0.0) * kwh
        known_s = seconds_of(self.columns, rows)
        out_kwh, in_kwh = np.maximum(fell_kwh, 0.0), np.maximum(-fell_kwh, 0.0)
        return np.column_stack((out_kwh, in_kwh, known_s, np.zeros(len(spans))))


def _of_joules(flowed: Figures) -> Figures:
    """In and out, J, as out and in, kWh."""
    return np.column_stack((flowed[:, 1::-1] / J_PER_KWH, flowed[:, 2:]))


def _alone(source: int, said: Figures) -> Flows:
    """What the only source says, without another to check it."""
    spoke, nobody = said[:, 2] > 0, np.full(len(said), NOBODY)
    out_kwh, in_kwh, known_s, _ = said.T
    chosen = np.where(spoke, source, nobody)
    return Flows(chosen, out_kwh, in_kwh, known_s, nobody, np.zeros(len(said)), nobody)


def _chosen(source: _Places, said: Figures, needed_s: Figures) -> tuple[Flows, Figures]:
    """The first that knows enough, else who knows most; and for a check the first of the others.

    Args:
        source: (asked, n) who was asked. said: (asked, n, 4).
    """
    count = len(needed_s)
    nobody, nothing = np.full(count, NOBODY), np.zeros(count)
    if len(said) == 0:
        return Flows(nobody, nothing, nothing, nothing, nobody, nothing, nobody), nothing
    at, known_s = np.arange(count), said[:, :, 2]
    spoke = known_s > 0
    is_enough = spoke & (known_s >= needed_s)
    best = np.where(is_enough.any(axis=0), is_enough.argmax(axis=0), known_s.argmax(axis=0))
    has_best = spoke[best, at]
    others = spoke.copy()
    others[best, at] = False
    check, has_check = others.argmax(axis=0), others.any(axis=0)
    out_kwh, in_kwh, for_s, widest_s = said[best, at].T
    flows = Flows(
        source=np.where(has_best, source[best, at], NOBODY),
        out_kwh=out_kwh,
        in_kwh=in_kwh,
        known_s=for_s,
        check=np.where(has_check, source[check, at], NOBODY),
        check_net_kwh=said[check, at, 0] - said[check, at, 1],
        filling=nobody,
    )
    return flows, widest_s
