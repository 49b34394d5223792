"""What one car told over time, as arrays: the only thing that history is made of.

    columns = Columns(ts=ts, speed_kmh=speed, power_w=power)
    len(columns), columns.speed_kmh

A row is an instant of the source. A number that is not known there is NaN; a column that the car
never gave is None. Nothing is carried from row to row here: how long a value holds is a question
for those who read it.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from contactor.errors import InvalidValue

Floats = NDArray[np.float32] | NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """One car's rows, sorted by `ts`, each stamp once; every other field (n,) or None.

    Fields:
        ts: int64 ns UTC, (n,).
        speed_kmh: mean over the time since the row before where the car's agent made the row.
        latitude_deg, longitude_deg, altitude_m: of the car's receiver.
        odometer_m: the car's own count.
        is_on: 1 where the car is ready to drive (ignition on), 0 where it is not.
        gear: VSS: 0 neutral, negative reverse, 126 park (of `SelectedGear`), else forward.
        is_plugged, is_charging: 1 or 0.
        voltage_v, current_a, power_w: of the traction battery, positive into it.
        state_of_charge_pct: of what can be used.
        stored_kwh: energy in the battery as the car tells it.
        charged_kwh, consumed_kwh: the car's own counts of energy into and out of the battery.
        wall_w: power drawn from a station on alternating current.
        station_w: power that a station on direct current gives.
        auxiliary_w, heating_w: of all but the motor; of cabin and battery warmth.
        ambient_degc, battery_degc: temperatures of the air outside and of the battery.
    """

    ts: NDArray[np.int64]
    speed_kmh: Floats | None = None
    latitude_deg: Floats | None = None
    longitude_deg: Floats | None = None
    altitude_m: Floats | None = None
    odometer_m: Floats | None = None
    is_on: Floats | None = None
    gear: Floats | None = None
    is_plugged: Floats | None = None
    is_charging: Floats | None = None
    voltage_v: Floats | None = None
    current_a: Floats | None = None
    power_w: Floats | None = None
    state_of_charge_pct: Floats | None = None
    stored_kwh: Floats | None = None
    charged_kwh: Floats | None = None
    consumed_kwh: Floats | None = None
    wall_w: Floats | None = None
    station_w: Floats | None = None
    auxiliary_w: Floats | None = None
    heating_w: Floats | None = None
    ambient_degc: Floats | None = None
    battery_degc: Floats | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            column = getattr(self, field.name)
            if column is not None and column.shape != self.ts.shape:
                raise InvalidValue(
                    f"column {field.name} has shape {column.shape}, ts has {self.ts.shape}"
                )

    def __len__(self) -> int:
        return len(self.ts)
