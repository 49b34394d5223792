"""The traction battery: a voltage behind a resistance and two RC pairs.

    V = E - V₁ - V₂ - I R       E open circuit, V₁ and V₂ of the pairs, I discharging
    P = V I                     solved for I exactly (`equations.current_at_a`)

For a step of constant current a pair is a source and a resistance as well, so the step is exact
however long it is: see `Pair`.
"""

import math
from typing import NamedTuple

from contactor.physics import equations
from contactor.physics.constants import S_PER_HOUR, ZERO_DEGC_K
from contactor.physics.curve import Curve
from contactor.physics.parameters import Battery

REFERENCE_K = 298.15
# The resistance's rise towards empty fades with this much charge.
EMPTY_FADE = 0.07

# Of a discharge, from here on less of the current is allowed, and none at the second.
DERATE_FROM_DEGC, TEMPERATURE_MAX_DEGC = 52.0, 62.0


def pair_over(resistance_ohm: float, time_s: float, dt_s: float) -> tuple[float, float, float]:
    """What `Pair` knows of a pair over a step: kept, mean and stored_w_per_v2."""
    kept = math.exp(-dt_s / time_s)
    stored = time_s / (2 * resistance_ohm * dt_s) if resistance_ohm > 0 else 0.0
    return kept, (1 - kept) * time_s / dt_s, stored


class Pair(NamedTuple):
    """One RC pair over steps of one length.

    Fields:
        kept: the part of its voltage that a step leaves.
        mean: the part of it that there is in the mean over a step.
        stored_w_per_v2: its capacitance, as energy for each square volt, over the step's length.
    """

    resistance_ohm: float
    kept: float
    mean: float
    stored_w_per_v2: float

    @classmethod
    def of(cls, resistance_ohm: float, time_s: float, dt_s: float) -> "Pair":
        """Of a time constant; a pair of 0 ohm is none."""
        return cls(resistance_ohm, *pair_over(resistance_ohm, time_s, dt_s))

    @property
    def share_ohm(self) -> float:
        """What of its resistance a step feels."""
        return self.resistance_ohm * (1 - self.mean)

    def after(self, before_v: float, current_a: float) -> tuple[float, float]:
        """Its voltage after a step, and what it turned into heat, in watts."""
        after_v = equations.pair_v(before_v, current_a, self.resistance_ohm, self.kept)
        mean_v = equations.pair_v(before_v, current_a, self.resistance_ohm, self.mean)
        loss_w = equations.pair_loss_w(before_v, after_v, mean_v, current_a, self.stored_w_per_v2)
        return after_v, loss_w


class Pack:
    """One battery; it holds no state of its own, only its curves."""

    __slots__ = (
        "_activation_k",
        "_battery",
        "_charge_factor",
        "_pairs",
        "_resistance_of_charge",
        "_stored",
        "capacity_as",
        "cells",
        "charge_current_max_a",
        "discharge_current_max_a",
        "open_circuit",
        "resistance_growth",
        "voltage_max_v",
        "voltage_min_v",
    )

    def __init__(self, battery: Battery) -> None:
        cells = battery.cells_in_series
        charge = battery.open_circuit_state_of_charge
        self.cells = cells
        self._battery = battery
        self._pairs: tuple[float, Pair, Pair] | None = None
        self.capacity_as = battery.capacity_ah * S_PER_HOUR
        self.voltage_min_v = battery.cell_voltage_min_v * cells
        self.voltage_max_v = battery.cell_voltage_max_v * cells
        self.discharge_current_max_a = battery.discharge_current_max_a
        self.charge_current_max_a = battery.charge_current_max_a
        self.resistance_growth = battery.resistance_growth
        self.open_circuit = Curve(charge, [volt * cells for volt in battery.open_circuit_v])
        self._stored = self.open_circuit.integral()
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

    def open_circuit_v(self, state_of_charge: float) -> float:
        """Of the pack, at no current."""
        return self.open_circuit.at(state_of_charge)

    def pairs(self, dt_s: float) -> tuple[Pair, Pair]:
        """Polarisation and diffusion, for steps of `dt_s`."""
        kept, battery = self._pairs, self._battery
        if kept is None or kept[0] != dt_s:
            first = battery.polarisation_resistance_ohm, battery.polarisation_time_s
            second = battery.diffusion_resistance_ohm, battery.diffusion_time_s
            self._pairs = kept = dt_s, Pair.of(*first, dt_s), Pair.of(*second, dt_s)
        return kept[1], kept[2]

    def stored_j(self, state_of_charge: float, state_of_health: float) -> float:
        """What there is to give, without resistance."""
        return self._stored.at(state_of_charge) * self.capacity_as * state_of_health

    def resistance_ohm(
        self, state_of_charge: float, temperature_degc: float, state_of_health: float = 1.0
    ) -> float:
        """Of the pack, felt at once; the cold raises it (Arrhenius), and age."""
        factor = self.resistance_factor(temperature_degc) * self.resistance_of_age(state_of_health)
        return self.resistance_of_charge_ohm(state_of_charge) * factor

    def resistance_of_age(self, state_of_health: float) -> float:
        """How many times the resistance of a new battery it is."""
        return 1 + self.resistance_growth * (1 - state_of_health)

    def resistance_of_charge_ohm(self, state_of_charge: float) -> float:
        """Of the new pack at 25 °C."""
        return self._resistance_of_charge.at(state_of_charge)

    def resistance_factor(self, temperature_degc: float) -> float:
        """How many times the resistance of 25 °C it is."""
        inverse = 1 / (temperature_degc + ZERO_DEGC_K) - 1 / REFERENCE_K
        return math.exp(self._activation_k * inverse)

    def charge_factor(self, temperature_degc: float) -> float:
        """How much of the charge current the temperature allows, 0 to 1."""
        return self._charge_factor.at(temperature_degc)
