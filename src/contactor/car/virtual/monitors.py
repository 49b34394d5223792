"""How the control units find out that something is wrong: a test for each trouble code.

A test sees what the units measure, never what was broken. It fails when it has seen the fault for
its time without a break, and passes as soon as it does not; some can only be run at times: a weld
is found when the contactors are asked to open (as in the workshop manuals of P0AA1).

    watch = Watch()
    watch.look(seen, now_ns=now_ns)             # [("P0AA6", True)]: what has changed
"""

from collections.abc import Callable
from dataclasses import dataclass

from contactor.car.virtual.faults import BATTERY, BODY, VEHICLE
from contactor.clock import NS_PER_S
from contactor.physics.state import CarState
from contactor.units import convert

INSULATION_KOHM_PER_V = 0.5
"""Source: UN Regulation No. 100, 5.1.3.2: 500 ohm/V where AC and DC circuits are joined."""
CELLS_APART_V = 0.1
"""Twice what the cells of a sound battery lie apart at full power; made up, as the rest here."""
SPEEDS_APART_MPS = convert(10.0, "km/h", "m/s")
BATTERY_APART_K, MOTOR_APART_K = 1.3, 8.0
WELDED = 0.5
COOLANT_LOW, COOLANT_DRY = 0.5, 0.2
INVERTER_HOT_DEGC, BATTERY_HOT_DEGC = 100.0, 58.0


@dataclass(slots=True, kw_only=True)
class Seen:
    """What the control units see in a step.

    Fields:
        state: what all sensors but those below say.
        speed_mps, battery_degc, motor_degc: what the wheel speed sensors, the battery's own sensor
            and the motor's say. Others know better: the motor's position, the other sensors of the
            battery, the model of the motor's heat.
        is_asked_to_close: what is asked of the contactors.
        link_v: between them and the inverter.
        coolant: the part of it that is there, 0 to 1.
        lost_unit, lost_part: whose frames are missing, and how many of them.
    """

    state: CarState
    speed_mps: float = 0.0
    battery_degc: float = 0.0
    motor_degc: float = 0.0
    is_asked_to_close: bool = True
    link_v: float = 0.0
    insulation_kohm: float = 0.0
    coolant: float = 1.0
    lost_unit: int = 0
    lost_part: float = 0.0


Test = Callable[[Seen], bool | None]
"""Whether it sees the fault; None while it cannot be run."""


@dataclass(frozen=True, slots=True)
class Monitor:
    """The test for one trouble code, and for how many seconds it must see the fault."""

    code: str
    sees: Test
    after_s: float


def _cells(seen: Seen) -> bool:
    return seen.state.cell_voltage_max_v - seen.state.cell_voltage_min_v > CELLS_APART_V


def _speed(seen: Seen) -> bool:
    return abs(seen.speed_mps - seen.state.speed_mps) > SPEEDS_APART_MPS


def _battery_sensor(seen: Seen) -> bool:
    return abs(seen.battery_degc - seen.state.battery_temperature_degc) > BATTERY_APART_K


def _motor_sensor(seen: Seen) -> bool:
    return abs(seen.motor_degc - seen.state.motor_temperature_degc) > MOTOR_APART_K


def _weld(seen: Seen) -> bool | None:
    if seen.is_asked_to_close:
        return None
    return seen.link_v > WELDED * seen.state.battery_voltage_v


def _isolation(seen: Seen) -> bool:
    return seen.insulation_kohm < INSULATION_KOHM_PER_V * seen.state.battery_voltage_v


def _silent(unit: int) -> Test:
    return lambda seen: seen.lost_unit == unit and seen.lost_part >= 1


def _broken(unit: int) -> Test:
    """Counters that jump: some frames come, others do not."""
    return lambda seen: seen.lost_unit == unit and 0 < seen.lost_part < 1


MONITORS = (
    Monitor("P0BBD", _cells, 5.0),
    Monitor("P0501", _speed, 2.0),
    Monitor("P0A9C", _battery_sensor, 10.0),
    Monitor("P0A2B", _motor_sensor, 10.0),
    Monitor("P0AA1", _weld, 5.0),
    Monitor("P0AA4", _weld, 5.0),
    Monitor("P0AA6", _isolation, 3.0),
    Monitor("P2560", lambda seen: seen.coolant < COOLANT_LOW, 3.0),
    Monitor("P0A93", lambda seen: seen.coolant < COOLANT_DRY, 10.0),
    Monitor("P0A3C", lambda seen: seen.state.inverter_temperature_degc > INVERTER_HOT_DEGC, 5.0),
    Monitor("P0A7E", lambda seen: seen.state.battery_temperature_degc > BATTERY_HOT_DEGC, 5.0),
    Monitor("U0100", _silent(VEHICLE), 1.0),
    Monitor("U0111", _silent(BATTERY), 1.0),
    Monitor("U0140", _silent(BODY), 1.0),
    Monitor("U0401", _broken(VEHICLE), 2.0),
    Monitor("U0412", _broken(BATTERY), 2.0),
    Monitor("U0422", _broken(BODY), 2.0),
)


class Watch:
    """Owns since when each test sees its fault, and which have failed."""

    def __init__(self) -> None:
        self._since_ns: dict[str, int] = {}
        self._failed: set[str] = set()

    @property
    def is_alarmed(self) -> bool:
        """Whether any test sees its fault, or has failed."""
        return bool(self._since_ns or self._failed)

    def look(self, seen: Seen, *, now_ns: int) -> list[tuple[str, bool]]:
        """Run every test; the codes that now fail, or no longer do."""
        changed: list[tuple[str, bool]] = []
        for monitor in MONITORS:
            code, is_seen = monitor.code, monitor.sees(seen)
            if is_seen is None:
                self._since_ns.pop(code, None)
            elif not is_seen:
                self._since_ns.pop(code, None)
                if code in self._failed:
                    self._failed.discard(code)
                    changed.append((code, False))
            elif code not in self._failed:
                since_ns = self._since_ns.setdefault(code, now_ns)
                if now_ns - since_ns >= monitor.after_s * NS_PER_S:
                    self._failed.add(code)
                    changed.append((code, True))
        return changed
