"""What came of a lived scenario: its drives, its charges, its days.

life = live(parameters, scenario)
life.drives[0].distance_m, life.charges[-1].kind, life.days[30].state_of_charge_min
"""

import datetime as dt
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from contactor.physics.road import Place

COLUMNS = (
    "time_s",
    "speed_kmh",
    "battery_power_kw",
    "soc_pct",
    "battery_temperature_degc",
    "cabin_temperature_degc",
    "ambient_degc",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LivedDrive:
    """One drive, from standing to standing.

    Fields:
        missed_m: how much of the road was left where the battery was empty.
    """

    start_ns: int
    from_place: Place
    to_place: Place
    duration_s: float
    distance_m: float
    energy_out_j: float
    energy_in_j: float
    state_of_charge_start: float
    state_of_charge_end: float
    ambient_degc: float
    missed_m: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LivedCharge:
    """One charge: `kind` is ac or dc."""

    start_ns: int
    kind: str
    place: Place
    duration_s: float
    energy_j: float
    wall_j: float
    state_of_charge_start: float
    state_of_charge_end: float


@dataclass(slots=True, kw_only=True)
class Day:
    """What a local day was; energy out of the battery while driving, less what came back."""

    date: dt.date
    distance_m: float = 0.0
    driving_j: float = 0.0
    wall_j: float = 0.0
    standing_j: float = 0.0
    ambient_degc: float = 0.0
    state_of_charge_min: float = 1.0
    state_of_charge_max: float = 0.0
    low_s: float = 0.0


@dataclass(slots=True, kw_only=True)
class Life:
    """What came of it; `series` has a column each of COLUMNS."""

    state_of_charge_start: float
    state_of_charge_end: float = 0.0
    state_of_health_start: float
    state_of_health_end: float = 0.0
    drives: list[LivedDrive] = field(default_factory=list)
    charges: list[LivedCharge] = field(default_factory=list)
    days: list[Day] = field(default_factory=list)
    series: dict[str, NDArray[np.float64]] = field(default_factory=dict)
