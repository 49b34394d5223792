"""Which rows of many cars can change anything for a rule: of a fleet nearly none do.

    says of each claim      FALSE FALSE FALSE  TRUE  TRUE ...       fired, and still TRUE
    looked at               no    no    no     yes   yes (it holds) no

A car is settled where its condition neither holds nor waits: then a row that says the same as the
last changes nothing but the time of the reading, which is kept here, in arrays over all cars. Of a
car with any other row in a batch every row is looked at.

    settled = settled_of(rule)
    rows = settled.pick(batch, now_ns)      # bool (n,)
    state = settled.brought(vehicle_id, state)
    settled.note(vehicle_id, state_after)
"""

from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from contactor.history.alerts.condition import LONG_AGO, OLD_NS, ConditionState, Says
from contactor.history.alerts.fence import FenceState
from contactor.history.alerts.machine import RuleState
from contactor.history.alerts.rules import POSITION, OnFence, OnSignal, Rule, fence_of, paths_of
from contactor.history.geofence import Circle, distances_m, vectors, vectors_of
from contactor.signals.batch import BatchColumn, RowsBatch
from contactor.signals.campaign import Claim
from contactor.signals.record import State

Codes = NDArray[np.int8]
UNSETTLED = -1
FIRST_CARS = 16


class Settled:
    """What one rule knows of all its cars: the codes of its claims, and when they were read."""

    def __init__(self, rule: Rule) -> None:
        self._rule, self._paths = rule, frozenset(paths_of(rule))
        self._claims: tuple[Claim, ...] = rule.on.when if isinstance(rule.on, OnSignal) else ()
        self._circle = _circle_of(rule)
        count = max(len(self._claims), 1)
        self._rows: dict[str, int] = {}
        self._says = np.full((count, FIRST_CARS), UNSETTLED, np.int8)
        self._read_ts = np.full((count, FIRST_CARS), LONG_AGO, np.int64)

    def pick(self, batch: RowsBatch, now_ns: int) -> NDArray[np.bool_]:
        """The rows that are to be looked at, (n,)."""
        columns = [column for column in batch.columns if column.path in self._paths]
        none = np.zeros(len(batch), np.bool_)
        if not columns:
            return none
        rows = np.array([self._row(name) for name in batch.vehicles], np.intp)[batch.vehicle]
        usable = (rows >= 0) & (batch.ts >= now_ns - OLD_NS)
        if not usable.any():
            return none
        is_told, is_new = none.copy(), none.copy()
        read: list[tuple[int, NDArray[np.bool_]]] = []
        for place, cells, codes in self._codes(columns, len(batch)):
            told = cells & usable
            is_told |= told
            late = batch.ts < self._read_ts[place, rows]
            is_new |= told & ~late & (codes != self._says[place, rows])
            read.append((place, told))
        is_busy = np.zeros(len(batch.vehicles), np.bool_)
        is_busy[batch.vehicle[is_new]] = True
        busy = is_busy[batch.vehicle]
        for place, told in read:
            quiet = told & ~busy
            np.maximum.at(self._read_ts[place], rows[quiet], batch.ts[quiet])
        return is_told & busy

    def brought(self, vehicle_id: str, state: RuleState) -> RuleState:
        """The state of a car with the readings that were not looked at."""
        row, trigger = self._rows.get(vehicle_id), state.trigger
        if row is None:
            return state
        read: list[int] = self._read_ts[:, row].tolist()
        if isinstance(trigger, ConditionState) and len(trigger.read_ts) == len(read):
            newest = tuple(map(max, trigger.read_ts, read))
            return replace(state, trigger=replace(trigger, read_ts=newest))
        if isinstance(trigger, FenceState):
            newer = max(trigger.read_ts, read[0])
            return replace(state, trigger=replace(trigger, read_ts=newer))
        return state

    def note(self, vehicle_id: str, state: RuleState) -> None:
        """What is known of a car after a step."""
        row, trigger = self._row(vehicle_id), state.trigger
        if row < 0:
            return
        self._says[:, row] = _says_of(trigger) if _is_settled(trigger) else UNSETTLED
        if isinstance(trigger, ConditionState | FenceState):
            self._read_ts[:, row] = trigger.read_ts

    def _codes(
        self, columns: Sequence[BatchColumn], count: int
    ) -> list[tuple[int, NDArray[np.bool_], Codes]]:
        """Of each claim that is told: its place, which rows tell it, and what they say."""
        by_path = {column.path: column for column in columns}
        if isinstance(self._rule.on, OnFence):
            return self._sides(by_path.get(POSITION[0]), by_path.get(POSITION[1]), count)
        return [
            (place, column.state != State.UNKNOWN, codes_of(claim, column))
            for place, claim in enumerate(self._claims)
            if (column := by_path.get(claim.signal)) is not None
        ]

    def _sides(
        self, latitude: BatchColumn | None, longitude: BatchColumn | None, count: int
    ) -> list[tuple[int, NDArray[np.bool_], Codes]]:
        """Where a position is, of a circle; what lies between says what was said before: all."""
        if latitude is None or longitude is None:
            return []
        told = (latitude.state == State.VALID) & (longitude.state == State.VALID)
        if self._circle is None:
            return [(0, told, np.full(count, Says.BETWEEN, np.int8))]
        circle, margin_m = self._circle
        degrees = [np.where(told, side.values, 0.0).astype(float) for side in (latitude, longitude)]
        away_m = distances_m(vectors(*degrees), vectors_of((circle.centre,)))
        codes = np.full(count, Says.BETWEEN, np.int8)
        codes[away_m <= circle.radius_m] = Says.TRUE
        codes[away_m > circle.radius_m + margin_m] = Says.FALSE
        return [(0, told, codes)]

    def _row(self, vehicle_id: str) -> int:
        """The place of a car; -1 where the rule is not about it."""
        row = self._rows.get(vehicle_id)
        if row is not None:
            return row
        if not self._rule.is_about(vehicle_id):
            return -1
        row = self._rows[vehicle_id] = len(self._rows)
        if row == self._says.shape[1]:
            self._says = np.hstack([self._says, np.full_like(self._says, UNSETTLED)])
            self._read_ts = np.hstack([self._read_ts, np.full_like(self._read_ts, LONG_AGO)])
        return row


def codes_of(claim: Claim, column: BatchColumn) -> Codes:
    """What each cell says of a claim, as `contactor.history.alerts.condition.says_of` has it."""
    values = column.values
    if claim.equals is not None:
        is_true = np.asarray(values == claim.equals, np.bool_)
        codes = np.where(is_true, np.int8(Says.TRUE), np.int8(Says.FALSE))
    else:
        numbers = values.astype(np.float64)  # as Python compares them: 0.1 of a float is not 0.1
        codes = np.full(len(numbers), Says.BETWEEN, np.int8)
        if claim.below is not None:
            rearm = claim.below if claim.rearm is None else claim.rearm
            codes[numbers >= rearm] = Says.FALSE
            codes[numbers < claim.below] = Says.TRUE
        elif claim.above is not None:
            rearm = claim.above if claim.rearm is None else claim.rearm
            codes[numbers <= rearm] = Says.FALSE
            codes[numbers > claim.above] = Says.TRUE
        codes[np.isnan(numbers)] = Says.NOTHING
    codes[column.state != State.VALID] = Says.NOTHING
    return codes


def _circle_of(rule: Rule) -> tuple[Circle, float] | None:
    if not isinstance(rule.on, OnFence):
        return None
    fence = fence_of(rule.on)
    return (fence, rule.on.margin_m) if isinstance(fence, Circle) else None


def _is_settled(trigger: object) -> bool:
    """Whether neither time nor a row that says the same can change it."""
    if isinstance(trigger, ConditionState):
        return not (trigger.is_armed and trigger.true_since is not None)
    if isinstance(trigger, FenceState):
        return trigger.is_inside is not None and trigger.is_inside is trigger.read_is_inside
    return False


def _says_of(trigger: object) -> Codes:
    if isinstance(trigger, ConditionState):
        return np.array(trigger.says, np.int8)
    is_inside = isinstance(trigger, FenceState) and trigger.is_inside
    return np.array([Says.TRUE if is_inside else Says.FALSE], np.int8)
