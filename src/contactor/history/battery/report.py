"""What is said of a battery: its capacity with a band, its health, its cells, its use.

Every band is one of 95 %. What cannot be known is None. An uncertainty is half the band's width.
"""

from dataclasses import dataclass
from enum import StrEnum


class Method(StrEnum):
    """How a capacity was found."""

    CHARGE_COUNTED = "charge_counted"
    ENERGY_COUNTED = "energy_counted"
    VOLTAGE_CURVE = "voltage_curve"


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityPoint:
    """The capacity as it was known at an instant; `capacity_ah` None where only energy counts."""

    ts_ns: int
    capacity_kwh: float
    low_kwh: float
    high_kwh: float
    capacity_ah: float | None
    sessions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Resistance:
    """Of the pack at 25 °C, felt within seconds.

    Fields:
        change_pct_per_year: None where the time is too short to tell.
    """

    ohm: float
    uncertainty_ohm: float
    steps_used: int
    change_pct_per_year: float | None
    history: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellOutlier:
    """A cell that lies beside the others: its number from 1 on; negative is lower."""

    cell: int
    away_mv: float
    change_mv_per_year: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CellSpread:
    """How alike the cells are at rest.

    Fields:
        spread_mv: greatest less least, the median of the last looks.
        deviation_mv: standard deviation over the cells, likewise.
        away_mv: each cell's distance from the median cell.
    """

    cells: int
    spread_mv: float
    deviation_mv: float
    away_mv: tuple[float, ...]
    outliers: tuple[CellOutlier, ...]
    history: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """How the battery was used over the whole history; shares are 0 to 1 of the known time.

    Fields:
        full_cycles: charge that went out over the capacity.
        charge_share: time in each bucket between 0, CHARGE_EDGES_PCT and 100 %.
        warmth_share: time in each bucket of WARMTH_EDGES_DEGC.
    """

    days: int
    given_kwh: float
    taken_kwh: float
    full_cycles: float | None
    charge_share: tuple[float, ...] | None
    charge_mean_pct: float | None
    warmth_share: tuple[float, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastPoint:
    """What the capacity will be, if the car goes on being used as it was."""

    ts_ns: int
    capacity_kwh: float
    low_kwh: float
    high_kwh: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryReport:
    """The truth about a battery, as far as its history shows it.

    Fields:
        capacity_kwh: from full to empty at no current, and half the width of its band.
        new_capacity_kwh: given, or else the first that was known well (`is_new_measured`).
        method: None where nothing could be measured.
        sessions_used, sessions_set_aside: drives and charges in the capacity, and those that
            contradict the others.
        since_ns, until_ns: of the sessions.
    """

    capacity_kwh: float | None = None
    capacity_uncertainty_kwh: float | None = None
    capacity_ah: float | None = None
    capacity_uncertainty_ah: float | None = None
    new_capacity_kwh: float | None = None
    is_new_measured: bool = False
    state_of_health_pct: float | None = None
    state_of_health_uncertainty_pct: float | None = None
    method: Method | None = None
    sessions_used: int = 0
    sessions_set_aside: int = 0
    since_ns: int | None = None
    until_ns: int | None = None
    history: tuple[CapacityPoint, ...] = ()
    resistance: Resistance | None = None
    cells: CellSpread | None = None
    use: Use | None = None
    forecast: tuple[ForecastPoint, ...] = ()
