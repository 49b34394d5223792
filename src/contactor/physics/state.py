"""What a car is told and what it is: the two things that `CarPhysics` is between.

controls = Controls(target_speed_mps=25.0, ambient_degc=12.0)
state.battery_power_w                   # of the last step, as V x I: + charges, - discharges
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Plug: TypeAlias = Literal["none", "ac", "dc"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Impairments:
    """What is broken in the car.

    Fields:
        cooling: the part of the coolant's heat transfer that is left, 1 to 0.
        drive_power: the part of torque and power that the motor may still give, 1 to 0.
        weak_cell_lag: how much less charge one cell has than the others, 0 to 1.
    """

    cooling: float = 1.0
    drive_power: float = 1.0
    weak_cell_lag: float = 0.0


SOUND = Impairments()


@dataclass(slots=True, kw_only=True)
class Controls:
    """What driver, station and weather do during a step.

    Fields:
        grade: rise per distance, as a ratio.
        station_power_w, station_phases: what the station offers; the phases of an AC one.
        charge_limit: the state of charge to stop at, 0 to 1.
        is_awake: asleep the contactors are open, and only the 12 V battery gives; a charge that is
            allowed and not done keeps the car awake on its own.
        is_driving: someone drives, also at a red light: the motor is ready and the brake is held.
        is_preconditioning: cabin and battery are brought to their temperatures, before leaving or
            on the way to a fast charger; it wakes the car.
    """

    target_speed_mps: float = 0.0
    grade: float = 0.0
    ambient_degc: float = 15.0
    plug: Plug = "none"
    is_charge_allowed: bool = True
    charge_limit: float = 0.8
    station_power_w: float = 0.0
    station_phases: int = 3
    is_awake: bool = True
    is_driving: bool = False
    is_climate_on: bool = False
    is_preconditioning: bool = False
    cabin_target_degc: float = 21.0
    are_lights_on: bool = False
    impairments: Impairments = SOUND


@dataclass(slots=True, kw_only=True)
class CarState:
    """The car after a step; powers, voltage and current are constant over the step that gave them.

    Fields:
        distance_m: all that the car ever drove: its odometer.
        accelerator_pct, brake_pct: the pedals; slowing with both feet up moves neither.
        motor_power_w: at the shaft; + drives, - brakes.
        battery_current_a, battery_power_w: + charges the battery.
        battery_energy_in_j, battery_energy_out_j: voltage times current, summed since the start.
        auxiliary_power_w: all but motor and climate.
        climate_power_w: for cabin and battery.
        charge_power_w: into the battery; charge_wall_power_w: out of the station.
        time_to_limit_s: until the charge limit is reached; 0 where the car does not charge.
        polarisation_v, diffusion_v: of the two RC pairs, + while the battery gives.
        calendar_age, cycle_age: see `contactor.physics.ageing`.
        turn_state_of_charge: where the battery last began to be charged, or to be used.
        low_voltage_charge: of the 12 V battery, 0 to 1.
        is_low_voltage_filling: its charge got low and is being filled; it keeps the car awake.
        is_awake: the contactors are closed.
    """

    speed_mps: float = 0.0
    acceleration_mps2: float = 0.0
    distance_m: float = 0.0
    accelerator_pct: float = 0.0
    brake_pct: float = 0.0
    motor_torque_nm: float = 0.0
    motor_speed_rpm: float = 0.0
    motor_power_w: float = 0.0
    motor_electric_power_w: float = 0.0
    motor_temperature_degc: float
    inverter_temperature_degc: float
    friction_power_w: float = 0.0
    road_load_power_w: float = 0.0
    battery_voltage_v: float = 0.0
    battery_current_a: float = 0.0
    battery_power_w: float = 0.0
    battery_energy_in_j: float = 0.0
    battery_energy_out_j: float = 0.0
    state_of_charge: float
    state_of_health: float
    battery_temperature_degc: float
    polarisation_v: float = 0.0
    diffusion_v: float = 0.0
    calendar_age: float = 0.0
    cycle_age: float = 0.0
    turn_state_of_charge: float = 1.0
    cell_voltage_min_v: float = 0.0
    cell_voltage_max_v: float = 0.0
    auxiliary_power_w: float = 0.0
    climate_power_w: float = 0.0
    cabin_temperature_degc: float
    ambient_degc: float
    is_awake: bool = False
    is_charging: bool = False
    is_charge_done: bool = False
    charge_power_w: float = 0.0
    charge_wall_power_w: float = 0.0
    charge_wall_energy_j: float = 0.0
    time_to_limit_s: float = 0.0
    low_voltage_v: float = 12.7
    low_voltage_charge: float = 1.0
    is_low_voltage_filling: bool = False
    range_m: float = 0.0
    consumption_j_per_m: float
    target_speed_mps: float = 0.0
