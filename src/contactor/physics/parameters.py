"""The numbers that make one car model: what `physics.toml` of a profile holds.

Every field carries its unit in its name and its allowed range with it, so that the reader of the
file needs no list of its own. A field without a default must be given.

    profile = load_profile("contactor_ev")
    profile.physics.battery.energy_kwh      # 82.0: from full to empty at no current
    ranges_of(Battery)["capacity_ah"]       # Range(low=1.0, high=1000.0, by=None)
"""

import dataclasses
from dataclasses import MISSING, dataclass, field
from itertools import pairwise
from typing import Any


@dataclass(frozen=True, slots=True)
class Range:
    """What a parameter may be: a number in low..high, or numbers, one for each of the field `by`.

    Fields:
        by: the list that this list goes along with; its own name where it is the one that counts
            up; None for a single number.
        is_whole: it counts something.
    """

    low: float
    high: float
    by: str | None = None
    is_whole: bool = False


def _in(low: float, high: float, default: Any = MISSING, by: str | None = None) -> Any:
    """A field of a parameter group, with its range; without a default it must be given."""
    return field(default=default, metadata={"range": Range(low, high, by)})


def _whole(low: int, high: int, default: Any = MISSING) -> Any:
    """A field that counts something."""
    return field(default=default, metadata={"range": Range(low, high, is_whole=True)})


def ranges_of(group: type) -> dict[str, Range]:
    """The range of every parameter of a group, by name."""
    return {one.name: one.metadata["range"] for one in dataclasses.fields(group)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What resists motion.

    Fields:
        rotating_mass: inertia of wheels, gears and rotor, as a part of the mass.
        rolling_resistance: force per weight, at 20 °C.
        rolling_resistance_per_mps: how much it grows with speed, force per weight and m/s.
        rolling_resistance_per_degc: how much less of it each degree of warmth leaves, as a ratio;
            0.008 for tyres of passenger cars (UN Regulation No. 117, Annex 6).
        brake_deceleration_mps2: what the friction brakes can do at full pedal.
    """

    mass_kg: float = _in(300, 10_000)
    rotating_mass: float = _in(0, 0.3, 0.04)
    drag_area_m2: float = _in(0.1, 10)
    rolling_resistance: float = _in(0.001, 0.05)
    rolling_resistance_per_degc: float = _in(0, 0.02, 0.008)
    rolling_resistance_per_mps: float = _in(-0.001, 0.001, 0.0)
    wheel_radius_m: float = _in(0.1, 1)
    brake_deceleration_mps2: float = _in(2, 15, 9.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Driveline:
    """Motor, inverter and gear; `loss = copper T² + iron ω + windage ω³ + constant + inverter |P|`.

    Fields:
        speed_max_kmh: where the car drives no faster, whatever is asked.
        motor_speed_max_rpm: beyond it the losses are those at it.
        motor_derate_from_degc, motor_temperature_max_degc: from the first on the motor gives less,
            nothing at the second.
        regeneration_from_kmh, regeneration_full_kmh: below the first there is none, from the second
            on all of it.
        lift_off_deceleration_mps2: what the car does on its own with both feet up; asking for more
            takes the brake pedal, and still regenerates what it can.
    """

    gear_ratio: float = _in(1, 30)
    speed_max_kmh: float = _in(10, 500, 500.0)
    motor_speed_max_rpm: float = _in(1000, 30_000, 16_000.0)
    gear_efficiency: float = _in(0.5, 1, 0.97)
    torque_max_nm: float = _in(10, 5000)
    power_max_kw: float = _in(1, 2000)
    regeneration_power_max_kw: float = _in(0, 1000)
    regeneration_from_kmh: float = _in(0, 50, 3.0)
    regeneration_full_kmh: float = _in(0, 50, 10.0)
    lift_off_deceleration_mps2: float = _in(0, 3, 1.0)
    copper_w_per_nm2: float = _in(0.0001, 10)
    iron_w_s: float = _in(0, 20)
    windage_w_s3: float = _in(0, 0.001)
    constant_w: float = _in(0, 5000)
    inverter_loss: float = _in(0, 0.2)
    motor_heat_capacity_j_per_k: float = _in(1000, 1e6, 45_000.0)
    motor_cooling_w_per_k: float = _in(1, 1000, 45.0)
    motor_derate_from_degc: float = _in(60, 250, 140.0)
    motor_temperature_max_degc: float = _in(60, 250, 170.0)
    inverter_heat_capacity_j_per_k: float = _in(1000, 1e6, 9_000.0)
    inverter_cooling_w_per_k: float = _in(1, 1000, 30.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """The traction battery; state of charge is of the usable window, 0 to 1.

    Fields:
        open_circuit_v: of one cell, for each of open_circuit_state_of_charge (0 first, 1 last).
        resistance_ohm: of the pack at 25 °C and half charge, felt at once.
        resistance_activation_k: its warmth: `exp(k (1/T - 1/298.15 K))` (Arrhenius).
        resistance_when_empty: how much of it an empty battery adds, as a ratio.
        polarisation_resistance_ohm, polarisation_time_s: an RC pair, of the charge transfer.
        diffusion_resistance_ohm, diffusion_time_s: a slower one; none where it has 0 ohm.
        charge_factor: of the charge current, for each of charge_factor_degc.
        cell_voltage_spread_mv, cell_resistance_spread, cell_capacity_spread: standard deviations
            over the cells; the last two as parts of the mean.
        calendar_ageing, cycle_ageing: how many times the capacity lost by the cells of
            `contactor.physics.ageing`.
        resistance_growth: how much more resistance, as a ratio, each part of lost capacity brings.
    """

    cells_in_series: int = _whole(1, 400)
    capacity_ah: float = _in(1, 1000)
    open_circuit_state_of_charge: tuple[float, ...] = _in(0, 1, by="open_circuit_state_of_charge")
    open_circuit_v: tuple[float, ...] = _in(1, 5, by="open_circuit_state_of_charge")
    cell_voltage_min_v: float = _in(1, 5)
    cell_voltage_max_v: float = _in(1, 5)
    resistance_ohm: float = _in(0.0001, 2)
    resistance_activation_k: float = _in(0, 10_000, 2400.0)
    resistance_when_empty: float = _in(0, 5, 0.8)
    polarisation_resistance_ohm: float = _in(0.0001, 2)
    polarisation_time_s: float = _in(1, 1000, 30.0)
    diffusion_resistance_ohm: float = _in(0, 2, 0.0)
    diffusion_time_s: float = _in(10, 20_000, 900.0)
    discharge_current_max_a: float = _in(1, 5000)
    charge_current_max_a: float = _in(1, 5000)
    charge_factor_degc: tuple[float, ...] = _in(-60, 100, by="charge_factor_degc")
    charge_factor: tuple[float, ...] = _in(0, 1, by="charge_factor_degc")
    heat_capacity_j_per_k: float = _in(1000, 1e7)
    cooling_w_per_k: float = _in(0, 1000, 6.0)
    cell_voltage_spread_mv: float = _in(0, 100, 2.5)
    cell_resistance_spread: float = _in(0, 0.3, 0.03)
    cell_capacity_spread: float = _in(0, 0.1, 0.005)
    calendar_ageing: float = _in(0, 10, 1.0)
    cycle_ageing: float = _in(0, 10, 1.0)
    resistance_growth: float = _in(0, 10, 2.1)

    @property
    def energy_kwh(self) -> float:
        """What a new battery holds from full to empty, without resistance."""
        points = pairwise(zip(self.open_circuit_state_of_charge, self.open_circuit_v, strict=True))
        mean_v = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in points)
        return mean_v * self.cells_in_series * self.capacity_ah / 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Climate:
    """Cabin and battery, held at their temperatures; a COP is heat moved per electricity.

    Fields:
        heating_cop: at 0 °C outside; heating_cop_per_degc more with each degree.
        battery_cool_from_degc, battery_heat_to_degc: the battery is cooled above the first, and
            warmed up to the second while it charges fast.
    """

    cabin_heat_capacity_j_per_k: float = _in(1000, 1e6)
    cabin_loss_w_per_k: float = _in(1, 1000)
    cabin_gain_w: float = _in(0, 2000, 150.0)
    fan_w: float = _in(0, 2000, 120.0)
    heating_max_kw: float = _in(0, 20)
    cooling_max_kw: float = _in(0, 20)
    heating_cop: float = _in(1, 6)
    heating_cop_per_degc: float = _in(0, 0.3, 0.05)
    cooling_cop: float = _in(0.5, 8)
    battery_cool_from_degc: float = _in(15, 60, 32.0)
    battery_heat_to_degc: float = _in(-20, 40, 20.0)
    battery_thermal_max_kw: float = _in(0, 20, 5.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charging:
    """What the car takes from a station.

    Fields:
        ac_phases, ac_current_max_a: what the on-board charger can use of each, at 230 V.
        ac_efficiency, ac_constant_w: `battery side = efficiency (wall - constant)`.
        dc_power_kw: the most at 25 °C, for each of dc_state_of_charge (0 first, 1 last).
        ramp_kw_per_s: how fast the power rises.
    """

    ac_power_max_kw: float = _in(0.5, 100)
    ac_phases: int = _whole(1, 3, 3)
    ac_current_max_a: float = _in(6, 150, 32.0)
    ac_efficiency: float = _in(0.5, 1)
    ac_constant_w: float = _in(0, 1000)
    dc_state_of_charge: tuple[float, ...] = _in(0, 1, by="dc_state_of_charge")
    dc_power_kw: tuple[float, ...] = _in(0.1, 2000, by="dc_state_of_charge")
    ramp_kw_per_s: float = _in(0.1, 1000, 5.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Auxiliaries:
    """What is always on while the car is awake, and the 12 V network.

    Fields:
        base_w, lights_w: taken from the traction battery, the converter's losses with them.
        low_voltage_awake_v: what the DC/DC converter holds; low_voltage_asleep_v: of the full 12 V
            battery at rest.
        low_voltage_capacity_wh: of the 12 V battery.
        low_voltage_charge_max_w: what the converter puts into it, at the most.
        low_voltage_wake_at: its state of charge at which a sleeping car wakes to fill it, 0 to 1.
        sleep_drain_w: what a sleeping car takes from it.
    """

    base_w: float = _in(0, 5000)
    lights_w: float = _in(0, 1000, 120.0)
    low_voltage_awake_v: float = _in(6, 60, 13.9)
    low_voltage_asleep_v: float = _in(6, 60, 12.7)
    low_voltage_capacity_wh: float = _in(10, 5000, 540.0)
    low_voltage_charge_max_w: float = _in(1, 5000, 300.0)
    low_voltage_wake_at: float = _in(0, 0.95, 0.6)
    dcdc_efficiency: float = _in(0.5, 1, 0.92)
    sleep_drain_w: float = _in(0, 100, 0.6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """Who follows the target speed.

    Fields:
        time_constant_s: how fast a speed error is driven out.
    """

    acceleration_max_mps2: float = _in(0.5, 10, 3.0)
    deceleration_max_mps2: float = _in(0.5, 10, 5.0)
    time_constant_s: float = _in(0.05, 10, 0.8)


@dataclass(frozen=True, slots=True, kw_only=True)
class CarParameters:
    """All of one car model."""

    body: Body
    driveline: Driveline
    battery: Battery
    climate: Climate
    charging: Charging
    auxiliaries: Auxiliaries
    driver: Driver = Driver()
