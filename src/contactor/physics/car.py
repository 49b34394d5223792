"""A car made of equations: time in, its state out; plain floats, no clock, no I/O.

    physics = CarPhysics(parameters, seed=1, state_of_charge=0.8, temperature_degc=18.0)
    physics.step(0.1, Controls(target_speed_mps=25.0, ambient_degc=18.0, is_driving=True))
    physics.state.speed_mps, physics.state.battery_power_w

Rules:
- Values of a step are constant over it: `battery_power_w` times `dt_s`, summed, is the energy
  integrals.
- Work is done at the mean speed of the step, so the energy balance closes at any step size.
- Steps of 0.01 to 1 s while it drives, of up to 60 s while it stands.
"""

import math
import random

from contactor.physics import equations
from contactor.physics.charger import Charger
from contactor.physics.constants import GRAVITY_MPS2, J_PER_KWH, RPM_PER_RAD_PER_S
from contactor.physics.driveline import Drive
from contactor.physics.heat import HeatPump
from contactor.physics.pack import Pack
from contactor.physics.parameters import CarParameters
from contactor.physics.resistance import drag_kg_per_m, rolling_resistance
from contactor.physics.state import CarState, Controls, Plug

__all__ = ["CarPhysics", "CarState", "Controls", "Plug"]

# The motor's part of the loss; the rest is the inverter's.
MOTOR_HEAT = 0.75
# Slower than this towards a target of 0 is standing.
STANDSTILL_MPS = 0.02
HOLD_PEDAL_PCT = 15.0
# A charge that is done begins anew when this much is gone.
RESUME = 0.005
CHARGE_DONE = 1e-6
ESTIMATE_EVERY_S = 15.0
# Range: what the last kilometres took, weighed down over this distance; and what it starts from.
RANGE_MEMORY_M = 80_000.0
CONSUMPTION_J_PER_M = 160 * 3.6  # 160 Wh/km
CONSUMPTION_LEAST_J_PER_M = 90 * 3.6
CONSUMPTION_MOST_J_PER_M = 450 * 3.6
# 12 V: how fast the DC/DC converter lifts it and how slowly it sinks when asleep.
LOW_VOLTAGE_RISE_S = 20.0
LOW_VOLTAGE_FALL_S = 900.0
# A cell ages to 80 % in 1500 full cycles.
FADE_PER_CYCLE = 0.2 / 1500


class CarPhysics:
    """One car; `state` is what it is after the last step."""

    __slots__ = (
        "_charger",
        "_drive",
        "_drop_v",
        "_estimate_age_s",
        "_heat",
        "_inertia_kg",
        "_pack",
        "parameters",
        "state",
    )

    def __init__(
        self,
        parameters: CarParameters,
        *,
        seed: int = 1,
        state_of_charge: float = 0.8,
        temperature_degc: float = 18.0,
        distance_m: float = 0.0,
    ) -> None:
        """A car that stood for long at `temperature_degc`; `distance_m` is on its odometer."""
        body = parameters.body
        self.parameters = parameters
        self._pack = Pack(parameters.battery, seed=seed)
        self._drive = Drive(parameters.driveline, body)
        self._heat = HeatPump(parameters.climate)
        self._charger = Charger(parameters.charging)
        self._inertia_kg = body.mass_kg * (1 + body.rotating_mass)
        self._drop_v = 0.0
        self._estimate_age_s = math.inf
        self.state = CarState(
            distance_m=distance_m,
            state_of_charge=state_of_charge,
            state_of_health=random.Random(f"health {seed}").uniform(0.95, 0.995),
            motor_temperature_degc=temperature_degc,
            inverter_temperature_degc=temperature_degc,
            battery_temperature_degc=temperature_degc,
            cabin_temperature_degc=temperature_degc,
            ambient_degc=temperature_degc,
            low_voltage_v=parameters.auxiliaries.low_voltage_asleep_v,
            consumption_j_per_m=CONSUMPTION_J_PER_M,
        )
        self._show_battery(0.0, self._pack.open_circuit_v(state_of_charge))
        self._show_range()

    @property
    def net_capacity_kwh(self) -> float:
        """What the battery holds from full to empty at its present health."""
        return self._pack.stored_j(1.0, self.state.state_of_health) / J_PER_KWH

    def cell_voltages_v(self) -> list[float]:
        """The voltage of each cell in series, (n,); they add up to the battery's."""
        return self._pack.cell_voltages_v(self.state.battery_voltage_v, self._drop_v)

    def step(self, dt_s: float, controls: Controls) -> None:
        """Let `dt_s` seconds pass under `controls`."""
        state, pack = self.state, self._pack
        state.ambient_degc = ambient_degc = controls.ambient_degc
        before_m = state.distance_m
        state.is_charging = is_charging = self._is_charging(controls)
        state.is_awake = is_awake = controls.is_awake or is_charging
        cabin_w, battery_w, aux_w = self._consumers(controls) if is_awake else self._asleep()
        open_v = pack.open_circuit_v(state.state_of_charge) - state.polarisation_v
        ohm = pack.resistance_ohm(state.state_of_charge, state.battery_temperature_degc)
        give_a, take_a = self._current_limits(dt_s, open_v, ohm)
        if is_awake and controls.plug == "none":
            give_w = (open_v - give_a * ohm) * give_a - aux_w
            take_w = (open_v + take_a * ohm) * take_a + aux_w
            power_w = aux_w + self._move(dt_s, controls, max(give_w, 0.0), take_w)
        else:
            self._stand()
            power_w = aux_w
        if is_charging:
            power_w = -self._charge(dt_s, controls, aux_w, open_v, ohm)
        else:
            state.charge_power_w = state.time_to_limit_s = 0.0
            is_fed = is_awake and self._is_fed(controls)
            state.charge_wall_power_w = self._charger.wall_w("ac", aux_w) if is_fed else 0.0
            power_w = 0.0 if is_fed else power_w
        state.charge_wall_energy_j += state.charge_wall_power_w * dt_s
        current_a = equations.current_at_a(power_w, open_v, ohm)
        current_a = min(max(current_a, -take_a), give_a)
        self._pass(dt_s, current_a, open_v - current_a * ohm, ohm, battery_w)
        if is_charging:
            state.charge_power_w = max(state.battery_power_w, 0.0)
        cabin = self._heat.cabin_slope(state.cabin_temperature_degc, ambient_degc, cabin_w)
        state.cabin_temperature_degc += cabin * dt_s
        self._warm_motor(dt_s)
        self._low_voltage(dt_s, is_awake)
        if controls.is_driving or state.speed_mps > 0:
            self._count_consumption(state.distance_m - before_m, -state.battery_power_w * dt_s)
        self._show_range()

    # ── consumers ────────────────────────────────────────────────────────────────────────────────

    def _consumers(self, controls: Controls) -> tuple[float, float, float]:
        """Heat into the cabin, heat into the battery, and the power of all but the motor."""
        state = self.state
        auxiliaries = self.parameters.auxiliaries
        base_w = auxiliaries.base_w
        if controls.are_lights_on:
            base_w += auxiliaries.lights_w
        cabin_w, cabin_power_w = 0.0, 0.0
        if controls.is_climate_on:
            cabin_w, cabin_power_w = self._heat.cabin(
                state.cabin_temperature_degc, controls.cabin_target_degc, controls.ambient_degc
            )
        battery_w, battery_power_w = 0.0, 0.0
        if controls.is_driving or state.is_charging:
            battery_w, battery_power_w = self._heat.battery(
                state.battery_temperature_degc,
                controls.ambient_degc,
                is_fast_charging=state.is_charging and controls.plug == "dc",
            )
        state.auxiliary_power_w = base_w
        state.climate_power_w = cabin_power_w + battery_power_w
        return cabin_w, battery_w, base_w + state.climate_power_w

    def _asleep(self) -> tuple[float, float, float]:
        self.state.auxiliary_power_w = self.state.climate_power_w = 0.0
        return 0.0, 0.0, 0.0

    def _low_voltage(self, dt_s: float, is_awake: bool) -> None:
        state, auxiliaries = self.state, self.parameters.auxiliaries
        if is_awake:
            target_v, time_s = auxiliaries.low_voltage_awake_v, LOW_VOLTAGE_RISE_S
        else:
            target_v, time_s = auxiliaries.low_voltage_asleep_v, LOW_VOLTAGE_FALL_S
        state.low_voltage_v += (target_v - state.low_voltage_v) * min(1.0, dt_s / time_s)

    # ── motion ───────────────────────────────────────────────────────────────────────────────────

    def _stand(self) -> None:
        """No motion: plugged in, or asleep."""
        state = self.state
        state.speed_mps = state.acceleration_mps2 = state.target_speed_mps = 0.0
        state.accelerator_pct = state.brake_pct = 0.0
        state.motor_torque_nm = state.motor_speed_rpm = 0.0
        state.motor_power_w = state.motor_electric_power_w = 0.0
        state.friction_power_w = state.road_load_power_w = 0.0

    def _move(self, dt_s: float, controls: Controls, give_w: float, take_w: float) -> float:
        """Follow the target speed; returns the power that the inverter takes."""
        state, drive = self.state, self._drive
        speed = state.speed_mps
        wanted = self._wanted_mps2(dt_s, controls)
        if speed + wanted * dt_s / 2 <= equations.STANDING_MPS:
            self._stand()
            if not controls.is_driving:
                return 0.0
            state.brake_pct = HOLD_PEDAL_PCT
            loss_w = drive.loss_w(0.0, 0.0)
            state.motor_electric_power_w = loss_w = min(loss_w, give_w)
            return loss_w
        mean = speed + wanted * dt_s / 2
        load_n = self._road_load_n(mean, controls)
        force_n = self._inertia_kg * wanted + load_n
        shaft = drive.motor_speed_rad_per_s(mean)
        torque = drive.torque_nm(force_n, mean)
        loss_w = drive.loss_w(torque, shaft)
        less = equations.within_battery_nm(torque, shaft, loss_w, give_w, take_w)
        loss_w = drive.loss_w(less, shaft)
        torque = equations.within_battery_nm(torque, shaft, loss_w, give_w, take_w)
        motor_n = drive.force_n(torque)
        acceleration, friction_n = equations.reached_mps2(
            speed, force_n, motor_n, load_n, drive.brake_max_n, self._inertia_kg, dt_s
        )
        mean = speed + acceleration * dt_s / 2
        shaft = drive.motor_speed_rad_per_s(mean)
        state.speed_mps = speed + acceleration * dt_s
        if state.speed_mps < STANDSTILL_MPS and controls.target_speed_mps == 0.0:
            state.speed_mps = 0.0
        state.acceleration_mps2 = acceleration
        state.distance_m += mean * dt_s
        state.motor_torque_nm = torque
        state.motor_speed_rpm = shaft * RPM_PER_RAD_PER_S
        state.motor_power_w = torque * shaft
        state.accelerator_pct = drive.accelerator_pct(torque, shaft)
        state.brake_pct = drive.brake_pct(force_n)
        state.friction_power_w = -friction_n * mean
        state.road_load_power_w = load_n * mean
        state.motor_electric_power_w = electric_w = torque * shaft + loss_w
        return electric_w

    def _wanted_mps2(self, dt_s: float, controls: Controls) -> float:
        """What the driver asks for."""
        state, driver = self.state, self.parameters.driver
        before, state.target_speed_mps = state.target_speed_mps, controls.target_speed_mps
        return equations.asked_mps2(
            state.speed_mps,
            controls.target_speed_mps,
            before,
            dt_s,
            max(driver.time_constant_s, dt_s),
            driver.acceleration_max_mps2,
            driver.deceleration_max_mps2,
        )

    def _road_load_n(self, speed_mps: float, controls: Controls) -> float:
        """Rolling resistance, drag and slope; a small grade's sine is its tangent."""
        body = self.parameters.body
        weight_n = body.mass_kg * GRAVITY_MPS2
        return equations.road_load_n(
            speed_mps,
            weight_n * rolling_resistance(body, controls.ambient_degc),
            weight_n * body.rolling_resistance_per_mps,
            drag_kg_per_m(body, controls.ambient_degc),
            weight_n * controls.grade,
        )

    def _warm_motor(self, dt_s: float) -> None:
        """Most of the loss is the motor's, the rest the inverter's; both are cooled to outside."""
        state, driveline = self.state, self.parameters.driveline
        loss_w = state.motor_electric_power_w - state.motor_power_w
        ambient_degc = state.ambient_degc
        above = state.motor_temperature_degc - ambient_degc
        heat_w = loss_w * MOTOR_HEAT - driveline.motor_cooling_w_per_k * above
        state.motor_temperature_degc += heat_w * dt_s / driveline.motor_heat_capacity_j_per_k
        above = state.inverter_temperature_degc - ambient_degc
        heat_w = loss_w * (1 - MOTOR_HEAT) - driveline.inverter_cooling_w_per_k * above
        state.inverter_temperature_degc += heat_w * dt_s / driveline.inverter_heat_capacity_j_per_k

    # ── charging ─────────────────────────────────────────────────────────────────────────────────

    def _is_charging(self, controls: Controls) -> bool:
        """Whether this step charges; a charge that is done stays done until some of it is gone."""
        state = self.state
        if controls.plug == "none":
            state.is_charge_done = False
            return False
        if state.state_of_charge >= controls.charge_limit - CHARGE_DONE:
            state.is_charge_done = True
        elif state.state_of_charge < controls.charge_limit - RESUME:
            state.is_charge_done = False
        is_ready = controls.is_charge_allowed and controls.station_power_w > 0
        return is_ready and not state.is_charge_done

    def _is_fed(self, controls: Controls) -> bool:
        """Whether the wall carries what is awake, because the charge is done."""
        is_ready = controls.is_charge_allowed and controls.station_power_w > 0
        return is_ready and controls.plug == "ac" and self.state.is_charge_done

    def _charge(
        self, dt_s: float, controls: Controls, aux_w: float, open_v: float, ohm: float
    ) -> float:
        """The power into the battery's terminals; less than nothing where the station is weak."""
        state, pack, charger = self.state, self._pack, self._charger
        offered_w = charger.offered_w(controls.plug, controls.station_power_w) - aux_w
        factor = pack.charge_factor(state.battery_temperature_degc)
        left_as = (controls.charge_limit - state.state_of_charge) * pack.capacity_as
        left_a = left_as * state.state_of_health / dt_s
        most_a = min(
            left_a, pack.charge_current_max_a * factor, (pack.voltage_max_v - open_v) / ohm
        )
        power_w = min(
            offered_w,
            charger.accepted_w(state.state_of_charge, factor),
            state.charge_power_w + charger.ramp_w_per_s * dt_s,
            (open_v + most_a * ohm) * most_a,
        )
        state.charge_wall_power_w = charger.wall_w(controls.plug, power_w + aux_w)
        self._estimate(dt_s, controls, offered_w, factor)
        return power_w

    def _estimate(self, dt_s: float, controls: Controls, offered_w: float, factor: float) -> None:
        """Count the time to the limit down, and work it out anew now and then."""
        state = self.state
        self._estimate_age_s += dt_s
        if state.time_to_limit_s > dt_s and self._estimate_age_s < ESTIMATE_EVERY_S:
            state.time_to_limit_s -= dt_s
            return
        self._estimate_age_s = 0.0
        state.time_to_limit_s = self._charger.time_to_limit_s(
            self._pack,
            state_of_charge=state.state_of_charge,
            state_of_health=state.state_of_health,
            limit=controls.charge_limit,
            offered_w=offered_w,
            factor=factor,
        )

    # ── battery ──────────────────────────────────────────────────────────────────────────────────

    def _current_limits(
        self, dt_s: float, open_v: float, resistance_ohm: float
    ) -> tuple[float, float]:
        """The most that the battery gives and takes in this step, in ampere, both 0 or more."""
        state, pack = self.state, self._pack
        return equations.current_limits_a(
            state.state_of_charge,
            open_v,
            resistance_ohm,
            pack.charge_factor(state.battery_temperature_degc),
            pack.capacity_as * state.state_of_health,
            dt_s,
            pack.voltage_min_v,
            pack.voltage_max_v,
            pack.discharge_current_max_a,
            pack.charge_current_max_a,
        )

    def _pass(
        self,
        dt_s: float,
        current_a: float,
        voltage_v: float,
        resistance_ohm: float,
        heat_w: float,
    ) -> None:
        """Let `current_a` (+ discharges) pass for the step."""
        state, pack = self.state, self._pack
        power_w = voltage_v * current_a
        if power_w > 0:
            state.battery_energy_out_j += power_w * dt_s
        else:
            state.battery_energy_in_j -= power_w * dt_s
        capacity_as = pack.capacity_as * state.state_of_health
        charge = state.state_of_charge - current_a * dt_s / capacity_as
        state.state_of_charge = min(max(charge, 0.0), 1.0)
        state.state_of_health -= abs(current_a) * dt_s / capacity_as / 2 * FADE_PER_CYCLE
        # The RC pair, exactly for a constant current.
        slow_ohm = pack.polarisation_resistance_ohm
        loss_w = current_a * current_a * resistance_ohm + state.polarisation_v**2 / slow_ohm
        kept = math.exp(-dt_s / pack.polarisation_time_s)
        state.polarisation_v = state.polarisation_v * kept + current_a * slow_ohm * (1 - kept)
        battery = self.parameters.battery
        out_w = battery.cooling_w_per_k * (state.battery_temperature_degc - state.ambient_degc)
        slope = (loss_w + heat_w - out_w) / battery.heat_capacity_j_per_k
        state.battery_temperature_degc += slope * dt_s
        self._drop_v = current_a * resistance_ohm
        self._show_battery(current_a, voltage_v)

    def _show_battery(self, current_a: float, voltage_v: float) -> None:
        """Put what can be measured into the state."""
        state = self.state
        state.battery_voltage_v = voltage_v
        state.battery_current_a = 0.0 - current_a
        state.battery_power_w = state.battery_voltage_v * state.battery_current_a
        low, high = self._pack.cell_extremes_v(voltage_v, self._drop_v)
        state.cell_voltage_min_v, state.cell_voltage_max_v = low, high

    # ── range ────────────────────────────────────────────────────────────────────────────────────

    def _count_consumption(self, moved_m: float, used_j: float) -> None:
        state = self.state
        remembered_j = state.consumption_j_per_m * RANGE_MEMORY_M
        state.consumption_j_per_m = (remembered_j + used_j) / (RANGE_MEMORY_M + moved_m)

    def _show_range(self) -> None:
        state = self.state
        per_m = max(state.consumption_j_per_m, CONSUMPTION_LEAST_J_PER_M)
        per_m = min(per_m, CONSUMPTION_MOST_J_PER_M)
        state.range_m = self._pack.stored_j(state.state_of_charge, state.state_of_health) / per_m
