"""What a car is told and what it is: the two things that `CarPhysics` is between.

controls = Controls(target_speed_mps=25.0, ambient_degc=12.0)
state.battery_power_w                   # of the last step, as V x I: + charges, - discharges
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Plug: TypeAlias = Literal["none", "ac", "dc"]


@dataclass(slots=True, kw_only=True)
class Controls:
    """What driver, station and weather do during a step.

    Fields:
        grade: rise per distance, as a ratio.
        charge_limit: the state of charge to stop at, 0 to 1.
        is_awake: asleep the contactors are open, and only the 12 V battery gives; a charge that is
            allowed and not done keeps the car awake on its own.
        is_driving: someone drives, also at a red light: the motor is ready and the brake is held.
    """

    target_speed_mps: float = 0.0
    grade: float = 0.0
    ambient_degc: float = 15.0
    plug: Plug = "none"
    is_charge_allowed: bool = True
    charge_limit: float = 0.8
    station_power_w: float = 0.0
    is_awake: bool = True
    is_driving: bool = False
    is_climate_on: bool = False
    cabin_target_degc: float = 21.0
    are_lights_on: bool = False


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
    range_m: float = 0.0
    consumption_j_per_m: float
    target_speed_mps: float = 0.0
