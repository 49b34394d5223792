"""The traction battery: voltage behind a resistance, what it can give and take, and its cells.

    V = E - V₁ - I R            E open circuit, V₁ the slow part (one RC pair), I discharging
    P = V I                     solved for I exactly: I = (E' - sqrt(E'² - 4 R P)) / 2R, E' = E - V₁

The cells differ by a fixed, seeded spread in voltage and in resistance; both spreads add up to
nothing, so the cells always add up to the pack.
"""

import math
import random

from contactor.physics.constants import S_PER_HOUR, ZERO_DEGC_K
from contactor.physics.curve import Curve
from contactor.physics.parameters import Battery

REFERENCE_K = 298.15
# The resistance's rise towards empty fades with this much charge.
EMPTY_FADE = 0.07

Line = tuple[float, float]


class Pack:
    """One battery; it holds no state of its own, only its curves and its cells."""

    __slots__ = (
        "_activation_k",
        "_charge_factor",
        "_highest",
        "_lines",
        "_lowest",
        "_open_circuit",
        "_resistance_of_charge",
        "_stored",
        "capacity_as",
        "cells",
        "charge_current_max_a",
        "discharge_current_max_a",
        "polarisation_resistance_ohm",
        "polarisation_time_s",
        "voltage_max_v",
        "voltage_min_v",
    )

    def __init__(self, battery: Battery, *, seed: int) -> None:
        cells = battery.cells_in_series
        charge = battery.open_circuit_state_of_charge
        self.cells = cells
        self.capacity_as = battery.capacity_ah * S_PER_HOUR
        self.voltage_min_v = battery.cell_voltage_min_v * cells
        self.voltage_max_v = battery.cell_voltage_max_v * cells
        self.discharge_current_max_a = battery.discharge_current_max_a
        self.charge_current_max_a = battery.charge_current_max_a
        self.polarisation_resistance_ohm = battery.polarisation_resistance_ohm
        self.polarisation_time_s = battery.polarisation_time_s
        self._open_circuit = Curve(charge, [volt * cells for volt in battery.open_circuit_v])
        self._stored = self._open_circuit.integral()
        self._activation_k = battery.resistance_activation_k
        steps = [index / 100 for index in range(101)]
        self._resistance_of_charge = Curve(
            steps,
            [
                battery.resistance_ohm
                * (1 + battery.resistance_when_empty * math.exp(-step / EMPTY_FADE))
                for step in steps
            ],
        )
        self._charge_factor = Curve(battery.charge_factor_degc, battery.charge_factor)
        self._lines = _spread(battery, seed)
        self._lowest = _lower_hull(self._lines)
        self._highest = [(-a, -b) for a, b in _lower_hull([(-a, -b) for a, b in self._lines])]

    def open_circuit_v(self, state_of_charge: float) -> float:
        """Of the pack, at no current."""
        return self._open_circuit.at(state_of_charge)

    def stored_j(self, state_of_charge: float, state_of_health: float) -> float:
        """What there is to give, without resistance."""
        return self._stored.at(state_of_charge) * self.capacity_as * state_of_health

    def resistance_ohm(self, state_of_charge: float, temperature_degc: float) -> float:
        """Of the pack, felt at once; the cold raises it (Arrhenius)."""
        warmth = self.resistance_factor(temperature_degc)
        return self.resistance_of_charge_ohm(state_of_charge) * warmth

    def resistance_of_charge_ohm(self, state_of_charge: float) -> float:
        """Of the pack at 25 °C."""
        return self._resistance_of_charge.at(state_of_charge)

    def resistance_factor(self, temperature_degc: float) -> float:
        """How many times the resistance of 25 °C it is."""
        inverse = 1 / (temperature_degc + ZERO_DEGC_K) - 1 / REFERENCE_K
        return math.exp(self._activation_k * inverse)

    def charge_factor(self, temperature_degc: float) -> float:
        """How much of the charge current the temperature allows, 0 to 1."""
        return self._charge_factor.at(temperature_degc)

    def cell_voltages_v(self, voltage_v: float, drop_v: float) -> list[float]:
        """Every cell, where the pack has `voltage_v` after a drop of `drop_v` in its resistance."""
        mean_v, drop_v = voltage_v / self.cells, drop_v / self.cells
        return [mean_v + offset_v - part * drop_v for part, offset_v in self._lines]

    def cell_extremes_v(self, voltage_v: float, drop_v: float) -> tuple[float, float]:
        """The least and the greatest of `cell_voltages_v`."""
        mean_v, drop_v = voltage_v / self.cells, -drop_v / self.cells
        low = min([offset_v + part * drop_v for part, offset_v in self._lowest])
        high = max([offset_v + part * drop_v for part, offset_v in self._highest])
        return mean_v + low, mean_v + high


def _spread(battery: Battery, seed: int) -> list[Line]:
    """For each cell: how much more it drops than the mean (a ratio), and its offset in volts."""
    source = random.Random(f"cells {seed}")
    count = battery.cells_in_series
    offsets = [source.gauss(0, battery.cell_voltage_spread_mv / 1000) for _ in range(count)]
    parts = [source.gauss(0, battery.cell_resistance_spread) for _ in range(count)]
    middle_offset, middle_part = sum(offsets) / count, sum(parts) / count
    return [(b - middle_part, a - middle_offset) for a, b in zip(offsets, parts, strict=True)]


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
