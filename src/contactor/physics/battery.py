"""The traction battery over time: what it can give, and what a current does to it.

It works on a car's state: charge, voltage, temperature and age.
"""

from typing import NamedTuple

from contactor.physics import ageing, equations
from contactor.physics.cells import Cells
from contactor.physics.pack import DERATE_FROM_DEGC, TEMPERATURE_MAX_DEGC, Pack
from contactor.physics.parameters import Battery
from contactor.physics.state import CarState, Impairments


class Source(NamedTuple):
    """The battery during one step: a voltage behind a resistance, and its limits, 0 or more.

    Fields:
        resistance_ohm: the RC pairs' share with it; instant_ohm: without.
    """

    voltage_v: float
    resistance_ohm: float
    instant_ohm: float
    give_a: float
    take_a: float

    @property
    def give_w(self) -> float:
        """The most that the terminals give."""
        return (self.voltage_v - self.give_a * self.resistance_ohm) * self.give_a

    @property
    def take_w(self) -> float:
        """The most that the terminals take."""
        return (self.voltage_v + self.take_a * self.resistance_ohm) * self.take_a


class TractionBattery:
    """One car's battery."""

    __slots__ = ("_battery", "_calendar", "_cells", "_cycling", "_drop_v", "_state", "pack")

    def __init__(self, battery: Battery, state: CarState, *, seed: int) -> None:
        self.pack = Pack(battery)
        self._battery = battery
        self._cells = Cells(battery, self.pack.open_circuit, seed=seed)
        self._calendar = battery.calendar_ageing**ageing.CALENDAR_POWER
        self._cycling = battery.cycle_ageing**2
        self._state = state
        self._drop_v = 0.0
        self._show(0.0, self.pack.open_circuit_v(state.state_of_charge), 0.0)

    def cell_voltages_v(self, impairments: Impairments) -> list[float]:
        """The voltage of each cell in series, (n,); they add up to the battery's."""
        state = self._state
        return self._cells.voltages_v(
            state.battery_voltage_v,
            self._drop_v,
            state.state_of_charge,
            self._weak_v(impairments),
        )

    def source(self, dt_s: float, impairments: Impairments) -> Source:
        """What the battery is during the coming step of constant current."""
        state, pack = self._state, self.pack
        charge, degc = state.state_of_charge, state.battery_temperature_degc
        polarisation, diffusion = pack.pairs(dt_s)
        source_v = (
            pack.open_circuit_v(charge)
            - state.polarisation_v * polarisation.mean
            - state.diffusion_v * diffusion.mean
            - self._weak_v(impairments)
        )
        instant_ohm = pack.resistance_ohm(charge, degc, state.state_of_health)
        ohm = instant_ohm + polarisation.share_ohm + diffusion.share_ohm
        capacity_as = pack.capacity_as * state.state_of_health
        give_a, take_a = equations.current_limits_a(
            charge,
            source_v,
            ohm,
            pack.charge_factor(degc),
            capacity_as,
            dt_s,
            pack.voltage_min_v,
            pack.voltage_max_v,
            pack.discharge_current_max_a
            * equations.derating(degc, DERATE_FROM_DEGC, TEMPERATURE_MAX_DEGC),
            pack.charge_current_max_a,
        )
        weakest = max(charge - impairments.weak_cell_lag, 0.0)
        give_a = min(give_a, weakest * capacity_as / dt_s)
        return Source(source_v, ohm, instant_ohm, give_a, take_a)

    def let_pass(
        self,
        dt_s: float,
        current_a: float,
        source: Source,
        heat_w: float,
        impairments: Impairments,
    ) -> None:
        """Let `current_a` (+ discharges) pass for the step; `heat_w` comes from the heat pump."""
        state, battery, pack = self._state, self._battery, self.pack
        voltage_v = source.voltage_v - current_a * source.resistance_ohm
        power_w = voltage_v * current_a
        if power_w > 0:
            state.battery_energy_out_j += power_w * dt_s
        else:
            state.battery_energy_in_j -= power_w * dt_s
        self._drop_v = current_a * source.instant_ohm
        polarisation, diffusion = pack.pairs(dt_s)
        state.polarisation_v, fast_w = polarisation.after(state.polarisation_v, current_a)
        state.diffusion_v, slow_w = diffusion.after(state.diffusion_v, current_a)
        loss_w = current_a * self._drop_v + fast_w + slow_w
        capacity_as = pack.capacity_as * state.state_of_health
        charge = state.state_of_charge - current_a * dt_s / capacity_as
        state.state_of_charge = min(max(charge, 0.0), 1.0)
        self._age(dt_s, current_a)
        cooling_w_per_k = battery.cooling_w_per_k * impairments.cooling
        out_w = cooling_w_per_k * (state.battery_temperature_degc - state.ambient_degc)
        slope = (loss_w + heat_w - out_w) / battery.heat_capacity_j_per_k
        state.battery_temperature_degc += slope * dt_s
        self._show(current_a, voltage_v, self._weak_v(impairments))

    def _age(self, dt_s: float, current_a: float) -> None:
        """Lose capacity by the time that passes and by the charge that does."""
        state, pack = self._state, self.pack
        cell_v = pack.open_circuit_v(state.state_of_charge) / pack.cells
        rate_per_s = ageing.calendar_of_voltage(cell_v) * ageing.calendar_of_warmth_per_s(
            state.battery_temperature_degc
        )
        state.calendar_age += self._calendar * rate_per_s * dt_s
        through_ah = abs(current_a) * dt_s / pack.capacity_as * ageing.CELL_AH
        depth = abs(state.state_of_charge - state.turn_state_of_charge)
        state.cycle_age += self._cycling * ageing.cycling_per_ah(cell_v, depth) * through_ah
        lost = ageing.lost_by_time(state.calendar_age) + ageing.lost_by_cycles(state.cycle_age)
        state.state_of_health = 1 - lost

    def _weak_v(self, impairments: Impairments) -> float:
        """How far the weak cell's voltage lies below where it should be."""
        lag = impairments.weak_cell_lag
        if not lag:
            return 0.0
        charge, pack = self._state.state_of_charge, self.pack
        below_v = pack.open_circuit_v(charge) - pack.open_circuit_v(max(charge - lag, 0.0))
        return below_v / pack.cells

    def _show(self, current_a: float, voltage_v: float, weak_v: float) -> None:
        """Put what can be measured into the state."""
        state = self._state
        state.battery_voltage_v = voltage_v
        state.battery_current_a = 0.0 - current_a
        state.battery_power_w = state.battery_voltage_v * state.battery_current_a
        low, high = self._cells.extremes_v(voltage_v, self._drop_v, state.state_of_charge, weak_v)
        state.cell_voltage_min_v, state.cell_voltage_max_v = low, high
