"""How the car moves: the driver's wish, the road, the driveline, and how warm it gets.

It works on a car's state. Work is done at the mean speed of the step, so the energy balance closes
at any step size.
"""

from contactor.physics import equations
from contactor.physics.constants import GRAVITY_MPS2, RPM_PER_RAD_PER_S
from contactor.physics.driveline import Drive
from contactor.physics.parameters import CarParameters
from contactor.physics.resistance import drag_kg_per_m, rolling_resistance
from contactor.physics.state import CarState, Controls, Impairments

# The motor's part of the loss; the rest is the inverter's.
MOTOR_HEAT = 0.75
# Slower than this towards a target of 0 is standing.
STANDSTILL_MPS = 0.02
HOLD_PEDAL_PCT = 15.0


class Motion:
    """One car's driver, driveline and wheels."""

    __slots__ = ("_drive", "_inertia_kg", "_parameters", "_state")

    def __init__(self, parameters: CarParameters, state: CarState) -> None:
        self._parameters = parameters
        self._drive = Drive(parameters.driveline, parameters.body)
        self._inertia_kg = parameters.body.mass_kg * (1 + parameters.body.rotating_mass)
        self._state = state

    def stand(self) -> None:
        """No motion: plugged in, or asleep."""
        state = self._state
        state.speed_mps = state.acceleration_mps2 = state.target_speed_mps = 0.0
        state.accelerator_pct = state.brake_pct = 0.0
        state.motor_torque_nm = state.motor_speed_rpm = 0.0
        state.motor_power_w = state.motor_electric_power_w = 0.0
        state.friction_power_w = state.road_load_power_w = 0.0

    def move(self, dt_s: float, controls: Controls, give_w: float, take_w: float) -> float:
        """Follow the target speed; returns the power that the inverter takes."""
        state, drive = self._state, self._drive
        speed = state.speed_mps
        wanted = self._wanted_mps2(dt_s, controls)
        if speed + wanted * dt_s / 2 <= equations.STANDING_MPS:
            target_mps = state.target_speed_mps
            self.stand()
            state.target_speed_mps = target_mps
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
        torque = drive.torque_nm(force_n, mean, self._part(controls.impairments))
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
        state, driver = self._state, self._parameters.driver
        before = state.target_speed_mps
        state.target_speed_mps = min(controls.target_speed_mps, self._drive.speed_max_mps)
        return equations.asked_mps2(
            state.speed_mps,
            state.target_speed_mps,
            before,
            dt_s,
            max(driver.time_constant_s, dt_s),
            driver.acceleration_max_mps2,
            driver.deceleration_max_mps2,
        )

    def _part(self, impairments: Impairments) -> float:
        """What of its torque and power the motor may give."""
        driveline = self._parameters.driveline
        return impairments.drive_power * equations.derating(
            self._state.motor_temperature_degc,
            driveline.motor_derate_from_degc,
            driveline.motor_temperature_max_degc,
        )

    def _road_load_n(self, speed_mps: float, controls: Controls) -> float:
        """Rolling resistance, drag and slope; a small grade's sine is its tangent."""
        body = self._parameters.body
        weight_n = body.mass_kg * GRAVITY_MPS2
        return equations.road_load_n(
            speed_mps,
            weight_n * rolling_resistance(body, controls.ambient_degc),
            weight_n * body.rolling_resistance_per_mps,
            drag_kg_per_m(body, controls.ambient_degc),
            weight_n * controls.grade,
        )

    def warm(self, dt_s: float, cooling: float) -> None:
        """Most of the loss is the motor's, the rest the inverter's; both are cooled to outside.

        Args:
            cooling: the part of the coolant that is left, 0 to 1.
        """
        state, driveline = self._state, self._parameters.driveline
        loss_w = state.motor_electric_power_w - state.motor_power_w
        above = state.motor_temperature_degc - state.ambient_degc
        heat_w = loss_w * MOTOR_HEAT - driveline.motor_cooling_w_per_k * cooling * above
        state.motor_temperature_degc += heat_w * dt_s / driveline.motor_heat_capacity_j_per_k
        above = state.inverter_temperature_degc - state.ambient_degc
        heat_w = loss_w * (1 - MOTOR_HEAT) - driveline.inverter_cooling_w_per_k * cooling * above
        state.inverter_temperature_degc += heat_w * dt_s / driveline.inverter_heat_capacity_j_per_k
