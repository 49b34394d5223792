"""What is found in a car's history.

Every instant is int64 ns UTC, every interval half open: [start_ns, end_ns). What cannot be known is
None, never 0. Energies are at the battery's terminals unless a name says otherwise.

A fleet has millions of them, so each is made fast, and of no interest to the garbage collector:
none holds what could hold it.
"""

from dataclasses import dataclass
from enum import StrEnum

from msgspec import Struct


class State(StrEnum):
    """What a car was doing; at every instant of its history exactly one."""

    DRIVING = "driving"
    CHARGING = "charging"
    PARKED = "parked"
    ASLEEP = "asleep"
    OFFLINE = "offline"


class EnergySource(StrEnum):
    """What an energy was computed from, best first."""

    VOLTAGE_CURRENT = "voltage_current"
    POWER = "power"
    COUNTERS = "counters"
    STORED_ENERGY = "stored_energy"
    STATE_OF_CHARGE = "state_of_charge"


class Filling(StrEnum):
    """What told of the silences of a source; `rest`: nothing, they are taken for as the rest."""

    COUNTERS = "counters"
    STORED_ENERGY = "stored_energy"
    STATE_OF_CHARGE = "state_of_charge"
    REST = "rest"


class Location(Struct, frozen=True, gc=False):
    """A point on the Earth, WGS 84."""

    latitude_deg: float
    longitude_deg: float


class Interval(Struct, frozen=True, kw_only=True, gc=False):
    """A stretch of one state; intervals of a car follow each other without holes."""

    state: State
    start_ns: int
    end_ns: int


class Energy(Struct, frozen=True, kw_only=True, gc=False):
    """What flowed through the battery's terminals, both kWh and at least 0; net is out less in.

    Fields:
        source: what it was computed from.
        known_s: how much of the interval the source spoke for, s.
        filling: what told of the silences of the source; None without any.
        check_source, check_net_kwh: the next best source that the car gives, and what it says.
    """

    out_kwh: float
    in_kwh: float
    source: EnergySource
    known_s: float
    check_source: EnergySource | None = None
    check_net_kwh: float | None = None
    filling: Filling | None = None

    @property
    def sources(self) -> str:
        """Source and filling by name: `voltage_current+counters`."""
        return self.source if self.filling is None else f"{self.source}+{self.filling}"

    @property
    def net_kwh(self) -> float:
        return self.out_kwh - self.in_kwh


class Trip(Struct, frozen=True, kw_only=True, gc=False):
    """From the moment that the car was made ready for a drive until it was left.

    Fields:
        moving_s: how long its wheels turned.
        auxiliary_kwh, heating_kwh: parts of what came out of the battery, where the car tells them.
    """

    start_ns: int
    end_ns: int
    distance_km: float
    moving_s: float
    energy: Energy | None
    soc_start_pct: float | None
    soc_end_pct: float | None
    speed_max_kmh: float | None
    ambient_mean_degc: float | None
    battery_mean_degc: float | None
    elevation_gain_m: float | None
    start_location: Location | None
    end_location: Location | None
    auxiliary_kwh: float | None = None
    heating_kwh: float | None = None


class ChargeKind(StrEnum):
    """Where the alternating current is made direct: in the car, or in the station."""

    AC = "ac"
    DC = "dc"


class Charge(Struct, frozen=True, kw_only=True, gc=False):
    """Energy given to the battery by a station, from the first to the last of it.

    Fields:
        energy: through the battery's terminals; `in_kwh` is what was charged.
        wall_kwh: what the station gave, where a meter says so.
        plugged_start_ns, plugged_end_ns: how long the cable was in, where the car tells.
    """

    start_ns: int
    end_ns: int
    kind: ChargeKind | None
    energy: Energy | None
    wall_kwh: float | None
    soc_start_pct: float | None
    soc_end_pct: float | None
    power_max_kw: float | None
    battery_mean_degc: float | None
    location: Location | None
    plugged_start_ns: int | None = None
    plugged_end_ns: int | None = None


class Stand(Struct, frozen=True, kw_only=True, gc=False):
    """A stretch between trips: what standing cost, charges apart.

    Fields:
        lost_kwh: net out of the battery, charges left out; None where nothing tells it.
        awake_kwh: of it, while the car was awake; the rest went while asleep or offline.
        preheating_kwh: of it, taken to make the car ready while plugged in, where visible.
        soc_start_pct, soc_end_pct: at its ends.
    """

    start_ns: int
    end_ns: int
    location: Location | None
    soc_start_pct: float | None
    soc_end_pct: float | None
    lost_kwh: float | None
    awake_kwh: float | None
    preheating_kwh: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All of a stretch of one car's history, each by time."""

    intervals: tuple[Interval, ...]
    trips: tuple[Trip, ...]
    charges: tuple[Charge, ...]
    stands: tuple[Stand, ...]
