"""A virtual car's month as a car tells it: rows with what its sensors make of the truth."""

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from contactor.car.profiles.profile import load_profile
from contactor.history.columns import Columns
from contactor.history.facts import Charge, ChargeKind, Facts, Trip
from contactor.physics.calendar import NS_PER_S
from contactor.physics.scenarios import load_scenario
from contactor.physics.scenarios.living import _Living

Floats = NDArray[np.float64]
FIELDS = ("ts", "speed", "voltage", "current", "charge", "warmth", "ambient", "stood")


@dataclass(frozen=True)
class Month:
    """What a car lived, and the truth about its battery."""

    rows: dict[str, Floats]
    ts: NDArray[np.int64]
    facts: Facts
    capacity_kwh: float
    capacity_ah: float


class _Told(_Living):
    """A living car that writes down every step."""

    def __init__(self, *arguments: object) -> None:
        self.told: list[tuple[float, ...]] = []
        super().__init__(*arguments)  # type: ignore[arg-type]  # the same as of the other

    def _pass(self, step_s: float, row_s: int) -> None:
        super()._pass(step_s, row_s)
        state = self._car.state
        self.told.append(
            (
                self._now_ns,
                state.speed_mps * 3.6,
                state.battery_voltage_v,
                state.battery_current_a,
                state.state_of_charge * 100,
                state.battery_temperature_degc,
                state.ambient_degc,
                0.0 if row_s == 10 else 1.0,
            )
        )


def month(
    seed: int, *, model: str = "contactor_ev", days: int = 30, driver: str | None = None
) -> Month:
    """Let a car live, from a day of the year that its seed chooses."""
    physics = load_profile(model).physics
    life = load_scenario("year")
    life = replace(life, first_day=life.first_day + seed * 37 % 300)
    car = _Told(physics, life, seed, life.driver(driver))
    for day in range(days):
        car.live_day(life.first_day + day)
    lived, state = car.end(), car._car.state
    table = np.array(car.told)
    ts = np.array([row[0] for row in car.told], np.int64)
    rows = dict(zip(FIELDS, table.T, strict=True))
    trips = tuple(
        Trip(
            start_ns=one.start_ns,
            end_ns=one.start_ns + int(one.duration_s * NS_PER_S) + 1,
            distance_km=one.distance_m / 1000,
            moving_s=one.duration_s,
            energy=None,
            soc_start_pct=100 * one.state_of_charge_start,
            soc_end_pct=100 * one.state_of_charge_end,
            speed_max_kmh=None,
            ambient_mean_degc=one.ambient_degc,
            battery_mean_degc=None,
            elevation_gain_m=None,
            start_location=None,
            end_location=None,
        )
        for one in lived.drives
    )
    charges = tuple(
        Charge(
            start_ns=one.start_ns,
            end_ns=one.start_ns + int(one.duration_s * NS_PER_S) + 1,
            kind=ChargeKind(one.kind),
            energy=None,
            wall_kwh=None,
            soc_start_pct=100 * one.state_of_charge_start,
            soc_end_pct=100 * one.state_of_charge_end,
            power_max_kw=None,
            battery_mean_degc=None,
            location=None,
        )
        for one in lived.charges
    )
    return Month(
        rows=rows,
        ts=ts,
        facts=Facts(intervals=(), trips=trips, charges=charges, stands=()),
        capacity_kwh=car._car.net_capacity_kwh,
        capacity_ah=physics.battery.capacity_ah * state.state_of_health,
    )


def told(lived: Month, source: np.random.Generator, *, perfect: bool = False) -> Columns:
    """The rows as sensors give them: gains, offsets, noise, steps and lost stretches."""
    rows, count = lived.rows, len(lived.ts)
    current, voltage, charge = rows["current"], rows["voltage"], rows["charge"]
    keep = np.ones(count, bool)
    if not perfect:
        usual_a = float(np.mean(np.abs(current[np.abs(current) > 1])))
        current = current * (1 + source.normal(0, 0.005)) + source.normal(0, 0.005) * usual_a
        current = current + source.normal(0, 0.5, count)
        voltage = voltage * (1 + source.normal(0, 0.002)) + source.normal(0, 0.2, count)
        step = source.choice([0.01, 0.1, 0.5, 1.0])
        # The car's own estimate of its charge lies beside the truth, here above it, there below.
        bent = np.sin(2 * np.pi * (charge / 100 + source.uniform()))
        charge = charge + source.normal(0, 0.15) * bent
        charge = np.clip(charge + source.normal(0, 0.05, count) * (step < 0.5), 0, 100)
        charge = np.round(charge / step) * step
        for _ in range(10):
            begin = source.integers(count)
            keep[begin : begin + source.integers(30, 1800)] = False
    return Columns(
        ts=lived.ts[keep],
        speed_kmh=rows["speed"][keep],
        voltage_v=voltage[keep],
        current_a=current[keep],
        state_of_charge_pct=charge[keep],
        battery_degc=rows["warmth"][keep],
        ambient_degc=rows["ambient"][keep],
    )


def part(columns: Columns, facts: Facts, begin_ns: int, end_ns: int) -> tuple[Columns, Facts]:
    """What lies between two instants."""
    rows = (columns.ts >= begin_ns) & (columns.ts < end_ns)
    named = ((field.name, getattr(columns, field.name)) for field in fields(columns))
    return (
        Columns(**{name: column[rows] for name, column in named if column is not None}),
        Facts(
            intervals=(),
            trips=tuple(one for one in facts.trips if begin_ns <= one.start_ns < end_ns),
            charges=tuple(one for one in facts.charges if begin_ns <= one.start_ns < end_ns),
            stands=(),
        ),
    )
