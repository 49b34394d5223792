"""A car made of equations: time in, its state out; plain floats, no clock, no I/O.

    physics = CarPhysics(parameters, seed=1, state_of_charge=0.8, temperature_degc=18.0)
    physics.step(0.1, Controls(target_speed_mps=25.0, ambient_degc=18.0, is_driving=True))
    physics.state.speed_mps, physics.state.battery_power_w

       Motion ──power──►┐
       HeatPump ───────►├──► TractionBattery ◄── ChargeControl ◄── the wall
       LowVoltage ─────►┘

Rules:
- Values of a step are constant over it: `battery_power_w` times `dt_s`, summed, is the energy
  integrals.
- Steps of 0.01 to 1 s while it drives, of up to 60 s while it stands.
"""

import random

from contactor.physics import ageing, equations
from contactor.physics.battery import Source, TractionBattery
from contactor.physics.charge_control import ChargeControl
from contactor.physics.constants import J_PER_KWH
from contactor.physics.heat import HeatPump
from contactor.physics.low_voltage import LowVoltage
from contactor.physics.motion import Motion
from contactor.physics.parameters import CarParameters
from contactor.physics.state import CarState, Controls, Impairments, Plug

__all__ = ["CarPhysics", "CarState", "Controls", "Impairments", "Plug"]

# Range: what the last kilometres took, weighed down over this distance; and what it starts from.
RANGE_MEMORY_M = 80_000.0
CONSUMPTION_J_PER_M = 160 * 3.6  # 160 Wh/km
CONSUMPTION_LEAST_J_PER_M = 90 * 3.6
CONSUMPTION_MOST_J_PER_M = 450 * 3.6


class CarPhysics:
    """One car; `state` is what it is after the last step."""

    __slots__ = (
        "_battery",
        "_charge",
        "_heat",
        "_impairments",
        "_low_voltage",
        "_motion",
        "parameters",
        "state",
    )

    def __init__(
        self,
        parameters: CarParameters,
        *,
        seed: int = 1,
        state_of_charge: float = 0.8,
        state_of_health: float | None = None,
        temperature_degc: float = 18.0,
        distance_m: float = 0.0,
    ) -> None:
        """A car that stood for long at `temperature_degc`; `distance_m` is on its odometer.

        Args:
            state_of_health: None for that of a car a year or two old, by the seed.
        """
        if state_of_health is None:
            state_of_health = random.Random(f"health {seed}").uniform(0.95, 0.995)
        calendar_age, cycle_age = ageing.ages_of(state_of_health)
        self.parameters = parameters
        self.state = state = CarState(
            distance_m=distance_m,
            state_of_charge=state_of_charge,
            state_of_health=state_of_health,
            calendar_age=calendar_age,
            cycle_age=cycle_age,
            turn_state_of_charge=state_of_charge,
            motor_temperature_degc=temperature_degc,
            inverter_temperature_degc=temperature_degc,
            battery_temperature_degc=temperature_degc,
            cabin_temperature_degc=temperature_degc,
            ambient_degc=temperature_degc,
            low_voltage_v=parameters.auxiliaries.low_voltage_asleep_v,
            consumption_j_per_m=CONSUMPTION_J_PER_M,
        )
        self._impairments = Impairments()
        self._battery = TractionBattery(parameters.battery, state, seed=seed)
        self._motion = Motion(parameters, state)
        self._heat = HeatPump(parameters.climate)
        self._charge = ChargeControl(parameters.charging, self._battery.pack, state)
        self._low_voltage = LowVoltage(parameters.auxiliaries, state)
        self._show_range()

    @property
    def net_capacity_kwh(self) -> float:
        """What the battery holds from full to empty at its present health."""
        return self._battery.pack.stored_j(1.0, self.state.state_of_health) / J_PER_KWH

    def cell_voltages_v(self) -> list[float]:
        """The voltage of each cell in series, (n,); they add up to the battery's."""
        return self._battery.cell_voltages_v(self._impairments)

    def step(self, dt_s: float, controls: Controls) -> None:
        """Let `dt_s` seconds pass under `controls`."""
        state, impairments = self.state, controls.impairments
        state.ambient_degc, self._impairments = controls.ambient_degc, impairments
        before_m = state.distance_m
        is_charging = self._charge.look(controls)
        if is_charging != state.is_charging:
            state.turn_state_of_charge = state.state_of_charge
        state.is_charging = is_charging
        is_filling = self._low_voltage.look()
        state.is_awake = is_awake = (
            controls.is_awake or is_charging or is_filling or controls.is_preconditioning
        )
        source = self._battery.source(dt_s, impairments)
        cabin_w = battery_w = aux_w = filling_w = 0.0
        if is_awake:
            filling_w = self._low_voltage.power_w()
            cabin_w, battery_w, aux_w = self._consumers(controls, filling_w)
        else:
            state.auxiliary_power_w = state.climate_power_w = 0.0
        if controls.is_awake and controls.plug == "none":
            give_w, take_w = max(source.give_w - aux_w, 0.0), source.take_w + aux_w
            power_w = aux_w + self._motion.move(dt_s, controls, give_w, take_w)
        else:
            self._motion.stand()
            power_w = aux_w
        if is_charging:
            power_w = -self._charge.charge_w(dt_s, controls, aux_w, source)
        else:
            power_w -= self._charge.feed_w(controls, aux_w)
        state.charge_wall_energy_j += state.charge_wall_power_w * dt_s
        self._pass(dt_s, power_w, source, battery_w, impairments)
        if is_charging:
            state.charge_power_w = max(state.battery_power_w, 0.0)
        cabin = self._heat.cabin_slope(state.cabin_temperature_degc, state.ambient_degc, cabin_w)
        state.cabin_temperature_degc += cabin * dt_s
        self._motion.warm(dt_s, impairments.cooling)
        self._low_voltage.step(dt_s, filling_w, is_awake=is_awake)
        if controls.is_driving or state.speed_mps > 0:
            self._count_consumption(state.distance_m - before_m, -state.battery_power_w * dt_s)
        self._show_range()

    def _consumers(self, controls: Controls, filling_w: float) -> tuple[float, float, float]:
        """Heat into the cabin, heat into the battery, and the power of all but the motor."""
        state, auxiliaries = self.state, self.parameters.auxiliaries
        base_w = auxiliaries.base_w + filling_w
        if controls.are_lights_on:
            base_w += auxiliaries.lights_w
        cabin_w, cabin_power_w = 0.0, 0.0
        if controls.is_climate_on or controls.is_preconditioning:
            cabin_w, cabin_power_w = self._heat.cabin(
                state.cabin_temperature_degc, controls.cabin_target_degc, controls.ambient_degc
            )
        battery_w, battery_power_w = 0.0, 0.0
        if controls.is_driving or state.is_charging or controls.is_preconditioning:
            is_fast_charging = state.is_charging and controls.plug == "dc"
            battery_w, battery_power_w = self._heat.battery(
                state.battery_temperature_degc,
                controls.ambient_degc,
                is_warmed=is_fast_charging or controls.is_preconditioning,
                cooling=controls.impairments.cooling,
            )
        state.auxiliary_power_w = base_w
        state.climate_power_w = cabin_power_w + battery_power_w
        return cabin_w, battery_w, base_w + state.climate_power_w

    def _pass(
        self, dt_s: float, power_w: float, source: Source, heat_w: float, impairments: Impairments
    ) -> None:
        """Let the battery give `power_w`, or what of it it can."""
        current_a = equations.current_at_a(power_w, source.voltage_v, source.resistance_ohm)
        current_a = min(max(current_a, -source.take_a), source.give_a)
        self._battery.let_pass(dt_s, current_a, source, heat_w, impairments)

    # ── range ────────────────────────────────────────────────────────────────────────────────────

    def _count_consumption(self, moved_m: float, used_j: float) -> None:
        state = self.state
        remembered_j = state.consumption_j_per_m * RANGE_MEMORY_M
        state.consumption_j_per_m = (remembered_j + used_j) / (RANGE_MEMORY_M + moved_m)

    def _show_range(self) -> None:
        state = self.state
        per_m = max(state.consumption_j_per_m, CONSUMPTION_LEAST_J_PER_M)
        per_m = min(per_m, CONSUMPTION_MOST_J_PER_M)
        stored_j = self._battery.pack.stored_j(state.state_of_charge, state.state_of_health)
        state.range_m = stored_j / per_m
