"""In what condition the virtual car is: what is broken, what its units notice, what they then do.

Faults ──► impairments ─► physics ◄─ less power, no charge ── Restriction
   └─────► readings, link, insulation, coolant ─► Watch ─► trouble codes ┘

condition = Condition(units, parameters.driveline)
condition.ask("VirtualFault.IsolationLoss", 1.0, state)
condition.live(0.1, state, now_ns=now_ns, is_awake=True)
condition.restriction.is_charge_refused     # True three seconds later
"""

import math
from collections.abc import Mapping
from dataclasses import replace

from contactor.car.virtual import faults as broken
from contactor.car.virtual.diagnostics.dtc import Status
from contactor.car.virtual.diagnostics.ecus import ControlUnits
from contactor.car.virtual.diagnostics.identifiers import snapshot_of
from contactor.car.virtual.faults import FAULTS, MESSAGE, Faults
from contactor.car.virtual.monitors import COOLANT_DRY, COOLANT_LOW, Seen, Watch
from contactor.car.virtual.restrictions import NONE, Restriction, restriction_of
from contactor.physics import equations
from contactor.physics.parameters import Driveline
from contactor.physics.state import CarState, Impairments

LINK_FALLS_S = 1.0
"""Made up; it must be below 60 V within 5 s. Source: ISO 6469-4:2015, 5.2."""

ANY = Status(0xFF)

CONDITION_FIELDS = (
    *("speed_shown_mps", "battery_shown_degc", "motor_shown_degc"),
    *("insulation_kohm", "link_v", "drive_limit_kw", "coolant_level"),
    *("trouble_codes", "is_warning_lamp_on"),
    *(f"fault_{name}" for name in FAULTS),
)
"""What `Condition.report` tells, in its order; true and false as 1 and 0."""


class Condition:
    """Owns what is broken in one car and what its control units have noticed.

    Args:
        units: whose trouble codes are set.
        values: of `FAULTS`, what is broken at the start.
    """

    def __init__(
        self,
        units: ControlUnits,
        driveline: Driveline,
        state: CarState,
        values: Mapping[str, float],
    ) -> None:
        self.restriction: Restriction = NONE
        self.faults = Faults()
        self._units = units
        self._driveline = driveline
        self._watch = Watch()
        self._seen = Seen(state=state)
        self._stuck_at = 0.0
        self._is_touched = bool(units.codes_with(ANY, now_ns=0))
        self._link_v = 0.0
        for name, value in values.items():
            self.ask(f"{MESSAGE}.{name}", value, state)

    @property
    def impairments(self) -> Impairments:
        """What physics is to know of it."""
        impairments, restriction = self.faults.impairments, self.restriction
        if restriction is NONE:
            return impairments
        return replace(impairments, drive_power=restriction.drive_power)

    @property
    def must_open(self) -> bool:
        """Whether the contactors are asked to open wherever the car stands."""
        return self.faults.is_welded or self.restriction.is_ready_refused

    def ask(self, field: str, value: float, state: CarState) -> bool:
        """Break or mend something; False where the field or the value is none."""
        name = field.removeprefix(f"{MESSAGE}.")
        was_stuck = self.faults.stuck_sensor
        if not self.faults.ask(name, value):
            return False
        self._is_touched = True
        if self.faults.stuck_sensor != was_stuck:
            readings = (0.0, state.speed_mps, *_temperatures(state))
            self._stuck_at = readings[self.faults.stuck_sensor]
        return True

    def live(self, dt_s: float, state: CarState, *, now_ns: int, is_awake: bool) -> None:
        """Take in what the step has done to the car; units that sleep notice nothing."""
        if not self._is_touched:
            self._link_v = state.battery_voltage_v if state.is_awake else 0.0
            return
        self.faults.live(dt_s)
        if state.is_awake or self.faults.is_welded:
            self._link_v = state.battery_voltage_v
        else:
            self._link_v *= math.exp(-dt_s / LINK_FALLS_S)
        if not is_awake:
            return
        for code, is_failing in self._watch.look(self._look(state), now_ns=now_ns):
            self._units.set_active(
                code,
                is_failing,
                now_ns=now_ns,
                distance_m=state.distance_m,
                snapshot=snapshot_of(self.shown(state)),
            )
        self.restriction = restriction_of(
            self._units.codes_with(Status.FAILED, now_ns=now_ns),
            self._units.codes_with(Status.CONFIRMED, now_ns=now_ns),
        )

    def _look(self, state: CarState) -> Seen:
        seen, faults = self._seen, self.faults
        seen.speed_mps, seen.battery_degc, seen.motor_degc = self._readings(state)
        seen.is_asked_to_close = state.is_awake
        seen.link_v = self._link_v
        seen.insulation_kohm, seen.coolant = faults.insulation_kohm, faults.coolant
        seen.lost_unit, seen.lost_part = faults.lost
        return seen

    def _readings(self, state: CarState) -> tuple[float, float, float]:
        """What the sensors that can be stuck say: speed, battery and motor temperature."""
        stuck = self.faults.stuck_sensor
        battery_degc, motor_degc = _temperatures(state)
        return (
            self._stuck_at if stuck == broken.SPEED else state.speed_mps,
            self._stuck_at if stuck == broken.BATTERY_DEGC else battery_degc,
            self._stuck_at if stuck == broken.MOTOR_DEGC else motor_degc,
        )

    def shown(self, state: CarState) -> CarState:
        """The state as the control units know it."""
        if self.faults.stuck_sensor == broken.NO_SENSOR:
            return state
        speed_mps, battery_degc, motor_degc = self._readings(state)
        return replace(
            state,
            speed_mps=speed_mps,
            battery_temperature_degc=battery_degc,
            motor_temperature_degc=motor_degc,
        )

    @property
    def insulation_kohm(self) -> float:
        """Between the traction battery's circuit and the body."""
        return self.faults.insulation_kohm

    @property
    def link_v(self) -> float:
        """Between contactors and inverter."""
        return self._link_v

    def report(self, state: CarState, *, now_ns: int) -> tuple[float, ...]:
        """What can be read of it, in the order of `CONDITION_FIELDS`."""
        driveline, faults = self._driveline, self.faults
        part = self.restriction.drive_power * equations.derating(
            state.motor_temperature_degc,
            driveline.motor_derate_from_degc,
            driveline.motor_temperature_max_degc,
        )
        codes, is_lamp_on = 0, False
        if self._is_touched:
            codes = len(self._units.codes_with(Status.CONFIRMED, now_ns=now_ns))
            is_lamp_on = bool(self._units.codes_with(Status.WARNING_LAMP, now_ns=now_ns))
        return (
            *self._readings(state),
            faults.insulation_kohm,
            self._link_v,
            driveline.power_max_kw * part,
            (faults.coolant >= COOLANT_DRY) + (faults.coolant >= COOLANT_LOW),
            codes,
            is_lamp_on,
            *faults.values.values(),
        )


def _temperatures(state: CarState) -> tuple[float, float]:
    return state.battery_temperature_degc, state.motor_temperature_degc
