"""What the virtual car says: each signal of its frames, from physics, situation and body.

Each physics step leaves one row of fields; all that is said is computed from many rows at once.

    fields      speed_mps  ...  latitude  ...  is_locked_Trunk  ...     (n, fields), a row a step
    derived     is_moving, brake light, charge rate ...                 from whole columns
    signals     "VehicleSpeed.Speed" = speed_mps x 3.6                  (n, signals)
"""

from collections.abc import Sequence
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from contactor.car.virtual.body import BODY_FIELDS, DOORS, Body
from contactor.car.virtual.condition import CONDITION_FIELDS
from contactor.car.virtual.faults import FAULTS
from contactor.physics.car import CONSUMPTION_LEAST_J_PER_M, CarState
from contactor.physics.plan import Situation
from contactor.units import convert

Fields = tuple[float, ...]

STATE_FIELDS = (
    *("speed_mps", "acceleration_mps2", "distance_m", "accelerator_pct", "brake_pct"),
    *("motor_torque_nm", "motor_speed_rpm", "motor_power_w"),
    *("motor_temperature_degc", "inverter_temperature_degc"),
    *("battery_voltage_v", "battery_current_a", "state_of_charge", "state_of_health"),
    *("battery_temperature_degc", "cell_voltage_min_v", "cell_voltage_max_v"),
    *("cabin_temperature_degc", "ambient_degc"),
    *("is_charging", "charge_power_w", "charge_wall_power_w", "time_to_limit_s"),
    *("auxiliary_power_w", "climate_power_w", "low_voltage_v", "range_m", "consumption_j_per_m"),
    "is_awake",
)
SITUATION_FIELDS = (
    *("latitude", "longitude", "altitude_m", "heading_deg"),
    *("is_driving", "are_lights_on", "driver_door_open"),
)
CODE_FIELDS = ("gear", "plug", "plug_asked", "station_power_w")
GEARS = {"P": 0.0, "R": 1.0, "N": 2.0, "D": 3.0}
PLUGS = {"none": 0.0, "ac": 1.0, "dc": 2.0}
FIELDS = (*STATE_FIELDS, *SITUATION_FIELDS, *CODE_FIELDS, *BODY_FIELDS, *CONDITION_FIELDS)

MOVES_MPS = 0.05
BRAKE_LIGHT_MPS2 = 1.3
"""Braking without the pedal that must light the brake lights. Source: UN R13-H, 5.2.22.4."""
CELL_SPREAD_DEGC = 0.8
"""How far the coldest and the warmest cell lie from the average; made up."""

_KMH = convert(1.0, "m/s", "km/h")
_KW = convert(1.0, "W", "kW")
_PCT = convert(1.0, "ratio", "percent")

SOURCES: dict[str, tuple[str, float]] = {
    "MotorState.MotorTorque": ("motor_torque_nm", 1.0),
    "MotorState.MotorSpeed": ("motor_speed_rpm", 1.0),
    "MotorState.MotorPower": ("motor_power_w", _KW),
    "VehicleSpeed.Speed": ("speed_shown_mps", _KMH),
    "VehicleSpeed.Moving": ("is_moving", 1.0),
    "VehicleSpeed.Acceleration": ("acceleration_mps2", 1.0),
    "DriverDemand.AcceleratorPedal": ("accelerator_pct", 1.0),
    "DriverDemand.BrakePedal": ("brake_pct", 1.0),
    "GearState.SelectedGear": ("gear", 1.0),
    "GearState.CurrentGear": ("current_gear", 1.0),
    "BatteryPower.PackVoltage": ("battery_voltage_v", 1.0),
    "BatteryPower.PackCurrent": ("battery_current_a", 1.0),
    "BatteryPower.Contactors": ("is_awake", 1.0),
    "BatteryCharge.StateOfCharge": ("state_of_charge", _PCT),
    "BatteryCharge.DisplayedStateOfCharge": ("state_of_charge", _PCT),
    "BatteryHealth.StateOfHealth": ("state_of_health", _PCT),
    "BatteryHealth.NetCapacity": ("net_capacity_kwh", 1.0),
    "BatteryHealth.Range": ("range_m", 1.0),
    "BatteryTemperature.AverageTemperature": ("battery_shown_degc", 1.0),
    "BatteryTemperature.LeastTemperature": ("battery_least_degc", 1.0),
    "BatteryTemperature.GreatestTemperature": ("battery_greatest_degc", 1.0),
    "CellLimits.LeastCellVoltage": ("cell_voltage_min_v", 1.0),
    "CellLimits.GreatestCellVoltage": ("cell_voltage_max_v", 1.0),
    "DriveTemperature.MotorTemperature": ("motor_shown_degc", 1.0),
    "DriveTemperature.InverterTemperature": ("inverter_temperature_degc", 1.0),
    "BatterySafety.InsulationResistance": ("insulation_kohm", 1.0),
    "BatterySafety.LinkVoltage": ("link_v", 1.0),
    "DriveStatus.DrivePowerLimit": ("drive_limit_kw", 1.0),
    "DriveStatus.TroubleCodes": ("trouble_codes", 1.0),
    "DriveStatus.CoolantLevel": ("coolant_level", 1.0),
    "DriveStatus.WarningLamp": ("is_warning_lamp_on", 1.0),
    "ChargeState.Charging": ("is_charging", 1.0),
    "ChargeState.CableConnected": ("is_plugged", 1.0),
    "ChargeState.ChargeAllowed": ("is_charge_allowed", 1.0),
    "ChargeState.PlugKind": ("plug", 1.0),
    "ChargeState.ChargeLimit": ("charge_limit_pct", 1.0),
    "ChargeState.ChargePower": ("charge_power_w", _KW),
    "ChargeProgress.TimeToLimit": ("time_to_limit_s", 1.0),
    "ChargeProgress.ChargeRate": ("charge_rate_kmh", 1.0),
    "ChargeProgress.PowerLoss": ("charge_loss_w", 1.0),
    "LowVoltage.LowVoltage": ("low_voltage_v", 1.0),
    **{f"DoorState.{door}Open": ("is_never_open", 1.0) for door in DOORS},
    "DoorState.FrontLeftOpen": ("driver_door_open", 1.0),
    **{f"DoorState.{door}Locked": (f"is_locked_{door}", 1.0) for door in DOORS},
    "LightState.LowBeam": ("are_lights_on", 1.0),
    "LightState.RunningLight": ("are_running_lights_on", 1.0),
    "LightState.BrakeLight": ("are_brake_lights_on", 1.0),
    "SystemState.PowerMode": ("power_mode", 1.0),
    "ClimateState.ClimateOn": ("is_climate_on", 1.0),
    "ClimateState.TargetTemperature": ("cabin_target_degc", 1.0),
    "ClimateState.CabinTemperature": ("cabin_temperature_degc", 1.0),
    "Ambient.AmbientTemperature": ("ambient_degc", 1.0),
    "Odometer.Odometer": ("distance_m", 1.0),
    "Position.Latitude": ("latitude", 1.0),
    "Position.Longitude": ("longitude", 1.0),
    "PositionDetail.Altitude": ("altitude_m", 1.0),
    "PositionDetail.Heading": ("heading_deg", 1.0),
    **{f"VirtualState.{name}": (f"fault_{name}", 1.0) for name in FAULTS},
    "VirtualState.Plug": ("plug_asked", 1.0),
    "VirtualState.StationPower": ("station_power_w", _KW),
}
"""Each signal that the car says, as "Message.Signal": its field, and the factor to its unit."""

_state_of = attrgetter(*STATE_FIELDS)
_situation_of = attrgetter(*SITUATION_FIELDS)


def fields_of(
    state: CarState,
    situation: Situation,
    body: Body,
    *,
    plug: tuple[float, float],
    condition: tuple[float, ...],
) -> Fields:
    """What is true after a step, in the order of `FIELDS`.

    Args:
        plug: what `Override.report` tells.
        condition: what `Condition.report` tells.
    """
    codes = (GEARS[situation.gear], PLUGS[situation.plug], *plug)
    found: Fields = _state_of(state) + _situation_of(situation) + codes + body.report() + condition
    return found


class Report:
    """Computes what is said from rows of fields.

    Args:
        names: the signals, as "Message.Signal", in the order of the matrix's columns; a cell of the
            battery is "CellVoltages.Cell1" and so on, what is not known stays NaN.
        net_capacity_kwh: what the battery holds when new.
    """

    def __init__(self, names: Sequence[str], *, net_capacity_kwh: float) -> None:
        self._net_capacity_kwh = net_capacity_kwh
        place_of = {field: place for place, field in enumerate((*FIELDS, *self._derived_names()))}
        self._said = [place for place, name in enumerate(names) if name in SOURCES]
        sources = [SOURCES[names[place]] for place in self._said]
        self._fields = [place_of[field] for field, _ in sources]
        self._factors = np.array([factor for _, factor in sources])
        cells = [name.removeprefix("CellVoltages.Cell") for name in names]
        is_cell = [name.startswith("CellVoltages.Cell") for name in names]
        self._cells = [place for place, yes in enumerate(is_cell) if yes]
        self._cell_numbers = [int(cells[place]) - 1 for place in self._cells]
        self._width = len(names)

    def values(
        self, rows: Sequence[Fields], cells: Sequence[Sequence[float]] | None
    ) -> NDArray[np.float64]:
        """Physical values (n, signals) of n rows, and of the cells' voltages of the same rows."""
        fields = np.array(rows, np.float64).reshape(len(rows), len(FIELDS))
        everything = np.column_stack([fields, *self._derived(fields)])
        values = np.full((len(rows), self._width), np.nan)
        values[:, self._said] = everything[:, self._fields] * self._factors
        if cells is not None and self._cells:
            values[:, self._cells] = np.array(cells, np.float64)[:, self._cell_numbers]
        return values

    @staticmethod
    def _derived_names() -> tuple[str, ...]:
        return (
            *("is_moving", "current_gear", "is_never_open", "is_plugged"),
            *("battery_least_degc", "battery_greatest_degc", "net_capacity_kwh"),
            *("charge_rate_kmh", "charge_loss_w"),
            *("are_running_lights_on", "are_brake_lights_on", "power_mode"),
        )

    def _derived(self, fields: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """The columns of `_derived_names`."""
        now = dict(zip(FIELDS, fields.T, strict=True))
        gear, degc = now["gear"], now["battery_temperature_degc"]
        capacity_kwh = self._net_capacity_kwh * now["state_of_health"]
        used_j_per_m = np.maximum(now["consumption_j_per_m"], CONSUMPTION_LEAST_J_PER_M)
        is_driving, is_lit = now["is_driving"], now["are_lights_on"]
        is_braking = (now["brake_pct"] > 0) | (now["acceleration_mps2"] < -BRAKE_LIGHT_MPS2)
        lost_w = now["charge_wall_power_w"] - now["charge_power_w"]
        lost_w -= now["auxiliary_power_w"] + now["climate_power_w"]
        return [
            (now["speed_shown_mps"] > MOVES_MPS).astype(np.float64),
            gear * ((gear == GEARS["R"]) | (gear == GEARS["D"])),
            np.zeros(len(fields)),
            (now["plug"] > 0).astype(np.float64),
            degc - CELL_SPREAD_DEGC,
            degc + CELL_SPREAD_DEGC,
            capacity_kwh,
            now["charge_power_w"] / used_j_per_m * _KMH,
            np.maximum(lost_w, 0.0) * now["is_charging"],
            is_driving * (1 - is_lit),
            (is_braking & (is_driving > 0)).astype(np.float64),
            np.maximum(2 * is_driving, now["driver_door_open"]),
        ]
