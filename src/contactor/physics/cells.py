"""The cells of a pack: none is like the other, and together they are the pack.

They differ by a fixed, seeded spread in voltage, in resistance and in capacity; each spread adds up
to nothing. All are full together; the smaller a cell, the sooner it is empty, so the cells drift
apart towards the lower end of the curve.
"""

import random
from typing import NamedTuple

from contactor.physics.curve import Curve
from contactor.physics.parameters import Battery

Line = tuple[float, float]
# The cells' places on the curve are worked out for so many states of charge.
STEPS = 50


class _Lines(NamedTuple):
    """Each cell's voltage above the mean as a line over the mean's drop; the hulls of them all."""

    cells: list[Line]
    lowest: list[Line]
    highest: list[Line]


class Cells:
    """The cells of one pack; `count` in series."""

    __slots__ = ("_kept", "_offsets", "_open_circuit", "_parts", "_sizes", "count")

    def __init__(self, battery: Battery, open_circuit: Curve, *, seed: int) -> None:
        """`open_circuit` is of the pack, over the state of charge."""
        self.count = battery.cells_in_series
        source = random.Random(f"cells {seed}")
        self._offsets = self._spread(source, battery.cell_voltage_spread_mv / 1000)
        self._parts = self._spread(source, battery.cell_resistance_spread)
        self._sizes = self._spread(source, battery.cell_capacity_spread)
        self._open_circuit = open_circuit
        self._kept: dict[int, _Lines] = {}

    def _spread(self, source: random.Random, deviation: float) -> list[float]:
        """A number for each cell; they add up to nothing."""
        values = [source.gauss(0, deviation) for _ in range(self.count)]
        middle = sum(values) / self.count
        return [value - middle for value in values]

    def voltages_v(
        self, voltage_v: float, drop_v: float, state_of_charge: float, weak_v: float = 0.0
    ) -> list[float]:
        """Every cell, where the pack has `voltage_v` after a drop of `drop_v` in its resistance.

        Args:
            weak_v: how far the first cell lies below where it should be.
        """
        mean_v, drop_v = (voltage_v + weak_v) / self.count, drop_v / self.count
        lines = self._at(state_of_charge).cells
        cells = [mean_v + offset_v + part * drop_v for part, offset_v in lines]
        cells[0] -= weak_v
        return cells

    def extremes_v(
        self, voltage_v: float, drop_v: float, state_of_charge: float, weak_v: float = 0.0
    ) -> tuple[float, float]:
        """The least and the greatest of `voltages_v`."""
        if weak_v:
            cells = self.voltages_v(voltage_v, drop_v, state_of_charge, weak_v)
            return min(cells), max(cells)
        mean_v, drop_v = voltage_v / self.count, drop_v / self.count
        lines = self._at(state_of_charge)
        low = min([offset_v + part * drop_v for part, offset_v in lines.lowest])
        high = max([offset_v + part * drop_v for part, offset_v in lines.highest])
        return mean_v + low, mean_v + high

    def _at(self, state_of_charge: float) -> _Lines:
        step = min(max(round(state_of_charge * STEPS), 0), STEPS)
        kept = self._kept.get(step)
        if kept is None:
            self._kept[step] = kept = self._work_out(step / STEPS)
        return kept

    def _work_out(self, state_of_charge: float) -> _Lines:
        low, high = max(state_of_charge - 0.01, 0.0), min(state_of_charge + 0.01, 1.0)
        rise_v = self._open_circuit.at(high) - self._open_circuit.at(low)
        # A cell that is larger by a part has that part of what was taken still in it.
        per_size_v = rise_v / (high - low) / self.count * (1 - state_of_charge)
        cells = [
            (-part, offset_v + size * per_size_v)
            for part, offset_v, size in zip(self._parts, self._offsets, self._sizes, strict=True)
        ]
        upper = _lower_hull([(-a, -b) for a, b in cells])
        return _Lines(cells, _lower_hull(cells), [(-a, -b) for a, b in upper])


def _lower_hull(lines: list[Line]) -> list[Line]:
    """The lines `y = a x + b` that are lowest somewhere, for any x."""
    hull: list[Line] = []
    for slope, offset in sorted(lines, key=lambda line: (-line[0], line[1])):
        if hull and hull[-1][0] == slope:
            continue
        while len(hull) > 1 and _is_hidden(hull[-2], hull[-1], (slope, offset)):
            hull.pop()
        hull.append((slope, offset))
    return hull


def _is_hidden(first: Line, middle: Line, last: Line) -> bool:
    """Whether `middle` is nowhere below both others; slopes go down from first to last."""
    left = (last[1] - first[1]) * (first[0] - middle[0])
    right = (middle[1] - first[1]) * (first[0] - last[0])
    return left <= right
