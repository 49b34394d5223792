"""Weeks of a virtual car as its sensors tell them, sound or broken; no frames, so in seconds.

Rows every ten seconds while it is awake, as the slow clock writes them. A drive gives a trip, what
is between drives a stand, with the energies of the physics.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from contactor.car.profiles.profile import load_profile
from contactor.car.virtual.diagnostics.desk import DiagnosticDesk
from contactor.car.virtual.life import Life
from contactor.car.virtual.report import CELL_SPREAD_DEGC, FIELDS
from contactor.clock import NS_PER_DAY, NS_PER_S
from contactor.history.anomalies.cells import CellDays, cell_days
from contactor.history.anomalies.look import (
    GREATEST_DEGC,
    INSULATION,
    IS_CHARGING,
    LEAST_DEGC,
    LOW_VOLTAGE,
    PACK_VOLTAGE,
    POWER,
    Seen,
    Series,
)
from contactor.history.facts import Energy, EnergySource, Stand, Trip
from contactor.physics.parameters import CarParameters
from contactor.physics.plan import PlanKind

START = 1_772_323_200 * NS_PER_S  # 2026-03-01, a midnight
ROW_NS = 10 * NS_PER_S
J_PER_KWH = 3.6e6
PLACES = {name: place for place, name in enumerate(FIELDS)}
SOURCES = {
    "Vehicle.Speed": ("speed_shown_mps", 3.6, 0.01),
    POWER: ("battery_power_w", 1.0, 1.0),
    IS_CHARGING: ("is_charging", 1.0, 1.0),
    PACK_VOLTAGE: ("battery_voltage_v", 1.0, 0.1),
    INSULATION: ("insulation_kohm", 1.0, 1.0),
    LOW_VOLTAGE: ("low_voltage_v", 1.0, 0.01),
    "Vehicle.Powertrain.TractionBattery.Temperature.Average": ("battery_shown_degc", 1.0, 0.1),
    "Vehicle.Powertrain.ElectricMotor.Temperature": ("motor_shown_degc", 1.0, 1.0),
    "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current": ("state_of_charge", 100.0, 0.1),
}
"""Path → field of the car, factor, resolution."""


@dataclass
class _Span:
    """A drive, or a stand."""

    start_ns: int
    distance_m: float
    net_j: float
    charged_j: float
    ambient_degc: list[float] = field(default_factory=list)
    moving_s: float = 0.0


class VirtualWeeks:
    """Owns a car and what it has told so far."""

    def __init__(
        self, seed: int, change: Callable[[CarParameters], CarParameters] = lambda same: same
    ) -> None:
        physics = load_profile("contactor_ev").physics
        assert physics is not None
        self.seed, self._change, self._physics = seed, change, physics
        self._life = self._made(change(physics), None)
        self._ts: list[int] = []
        self._rows: list[tuple[float, ...]] = []
        self._cells: list[list[float]] = []
        self._is_driving = False
        self._span = self._begun()
        self.trips: list[Trip] = []
        self.stands: list[Stand] = []

    def _made(self, physics: CarParameters, before: Life | None) -> Life:
        now_ns = START if before is None else before.at_ns
        return Life(
            physics,
            DiagnosticDesk(seed=self.seed).units,
            seed=self.seed,
            start_ns=now_ns,
            plan=PlanKind.DAY,
            live_from_ns=START + 10_000 * NS_PER_DAY,
            kept=None if before is None else before.keep(),
            state_of_charge=0.7,
            step_ns=NS_PER_S,
        )

    @property
    def now_ns(self) -> int:
        return self._life.at_ns

    @property
    def is_driving(self) -> bool:
        return self._is_driving

    def copy(self) -> "VirtualWeeks":
        return copy.deepcopy(self)

    def breaks(self, fault: str, value: float = 1.0) -> None:
        """A fault of the virtual car begins."""
        assert self._life.ask(f"VirtualFault.{fault}", value, now_ns=self.now_ns)

    def changes(self, change: Callable[[CarParameters], CarParameters]) -> None:
        """From now on it is another car, in the same state."""
        self._life = self._made(change(self._physics), self._life)
        self._span = self._begun()

    def live(self, days: float) -> "VirtualWeeks":
        end_ns = self.now_ns + round(days * NS_PER_DAY)
        life = self._life
        while life.at_ns < end_ns:
            if life.is_awake():
                life.live(min(life.at_ns + NS_PER_S, end_ns))
                if not self._ts or life.at_ns >= self._ts[-1] + ROW_NS:
                    self._note()
            else:
                life.sleep(end_ns, is_cut=True)
            self._follow()
        return self

    def seen(self) -> Seen:
        """What is known now."""
        ts = np.array(self._ts, np.int64)
        rows = np.array(self._rows, np.float64)
        told = (*FIELDS, "battery_power_w", "battery_degc")
        columns = {}
        for path, (name, factor, resolution) in SOURCES.items():
            values = rows[:, told.index(name)] * factor
            columns[path] = Series(ts, np.round(values / resolution) * resolution)
        degc = rows[:, told.index("battery_degc")]
        columns[LEAST_DEGC] = Series(ts, degc - CELL_SPREAD_DEGC)
        columns[GREATEST_DEGC] = Series(ts, degc + CELL_SPREAD_DEGC)
        return Seen(columns=columns, cells=self.cells(), trips=self.trips, stands=self.stands)

    def cells(self) -> CellDays:
        return cell_days(np.array(self._ts, np.int64), np.round(np.array(self._cells), 3))

    def _note(self) -> None:
        life, state = self._life, self._life.physics.state
        more = (state.battery_power_w, state.battery_temperature_degc)
        self._ts.append(life.at_ns)
        self._rows.append((*life.fields(), *more))
        self._cells.append(life.physics.cell_voltages_v())

    # ── trips and stands ─────────────────────────────────────────────────────────────────────────

    def _begun(self) -> _Span:
        state = self._life.physics.state
        net_j = state.battery_energy_out_j - state.battery_energy_in_j
        return _Span(self.now_ns, state.distance_m, net_j, state.battery_energy_in_j)

    def _follow(self) -> None:
        life, state, span = self._life, self._life.physics.state, self._span
        is_driving = bool(life._situation.is_driving)  # what the car is told
        if is_driving:
            span.ambient_degc.append(state.ambient_degc)
            span.moving_s += state.speed_mps > 0.1
        if is_driving is self._is_driving:
            return
        if self._is_driving:
            self._end_trip(span)
        else:
            self._end_stand(span)
        self._is_driving, self._span = is_driving, self._begun()

    def _end_trip(self, span: _Span) -> None:
        state = self._life.physics.state
        net_j = state.battery_energy_out_j - state.battery_energy_in_j - span.net_j
        trip = Trip(
            start_ns=span.start_ns,
            end_ns=self.now_ns,
            distance_km=(state.distance_m - span.distance_m) / 1000,
            moving_s=span.moving_s,
            energy=Energy(
                out_kwh=net_j / J_PER_KWH,
                in_kwh=0.0,
                source=EnergySource.VOLTAGE_CURRENT,
                known_s=span.moving_s,
            ),
            soc_start_pct=None,
            soc_end_pct=None,
            speed_max_kmh=None,
            ambient_mean_degc=float(np.mean(span.ambient_degc)),
            battery_mean_degc=None,
            elevation_gain_m=None,
            start_location=None,
            end_location=None,
        )
        if trip.distance_km > 0:
            self.trips.append(trip)

    def _end_stand(self, span: _Span) -> None:
        state = self._life.physics.state
        net_j = state.battery_energy_out_j - state.battery_energy_in_j - span.net_j
        was_charged = state.battery_energy_in_j > span.charged_j + 1e5
        stand = Stand(
            start_ns=span.start_ns,
            end_ns=self.now_ns,
            location=None,
            soc_start_pct=None,
            soc_end_pct=None,
            lost_kwh=None if was_charged else net_j / J_PER_KWH,
            awake_kwh=None,
        )
        self.stands.append(stand)


def heavier_rolling(physics: CarParameters) -> CarParameters:
    """A dragging brake: it rolls twice as hard."""
    body = replace(physics.body, rolling_resistance=2 * physics.body.rolling_resistance)
    return replace(physics, body=body)


def thirsty_asleep(physics: CarParameters) -> CarParameters:
    """A control unit that never sleeps empties the 12 V battery."""
    return replace(physics, auxiliaries=replace(physics.auxiliaries, sleep_drain_w=12.0))
