"""What can be broken in the virtual car, and what that does to its parts.

    CellImbalance   one cell has a fifth less charge than the others
    StuckSensor     a reading stays what it is now; 1 speed, 2 battery, 3 motor temperature
    ContactorWeld   both contactors stay closed, whatever is asked of them
    IsolationLoss   the insulation falls to 30 kOhm within seconds
    CoolantLoss     the coolant runs out within half a minute
    FrameLoss       frames of a control unit are lost; 1 vehicle, 2 battery, 3 body
    FrameLossPart   how many of them, in percent

Nothing here sets a trouble code: the monitors find what they can see (`monitors.py`).

    faults = Faults()
    faults.ask("VirtualFault.CoolantLoss", 1.0)
    faults.live(0.1)
    faults.impairments          # Impairments(cooling=0.99..., ...)
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from contactor.physics.state import SOUND, Impairments

MESSAGE = "VirtualFault"


@dataclass(frozen=True, slots=True)
class Fault:
    """What a fault may be set to; `sound` is without it."""

    low: float = 0.0
    high: float = 1.0
    sound: float = 0.0


FAULTS: Mapping[str, Fault] = {
    "CellImbalance": Fault(),
    "StuckSensor": Fault(high=3),
    "ContactorWeld": Fault(),
    "IsolationLoss": Fault(),
    "CoolantLoss": Fault(),
    "FrameLoss": Fault(high=3),
    "FrameLossPart": Fault(low=1, high=100, sound=100),
}
"""What can be asked, by the name of its field in the frame `VirtualFault`."""

NO_SENSOR, SPEED, BATTERY_DEGC, MOTOR_DEGC = range(4)
NO_UNIT, VEHICLE, BATTERY, BODY = range(4)

WEAK_CELL_LAG = 0.2
"""Of its charge; made up, as all numbers here without a source."""
INSULATION_KOHM, INSULATION_LOST_KOHM, INSULATION_FALLS_S = 5_000.0, 30.0, 2.0
COOLANT_LEFT, COOLANT_RUNS_OUT_S = 0.05, 10.0
"""A pump that runs dry still leaves a little cooling, by air and through the housings."""


def allowed(name: str) -> str:
    """What a fault may be set to, in words; the names of all where there is no such one."""
    fault = FAULTS.get(name)
    return ", ".join(FAULTS) if fault is None else f"{fault.low:g}..{fault.high:g}"


@dataclass(slots=True)
class Faults:
    """Owns what is broken, and how far it has gone.

    Fields:
        values: each of `FAULTS`, by name.
        insulation_kohm: between the traction battery's circuit and the body.
        coolant: the part of it that is there, 0 to 1.
    """

    values: dict[str, float] = field(
        default_factory=lambda: {name: fault.sound for name, fault in FAULTS.items()}
    )
    insulation_kohm: float = INSULATION_KOHM
    coolant: float = 1.0
    impairments: Impairments = SOUND

    def ask(self, name: str, value: float) -> bool:
        """Set a fault; False where it is none, or cannot be set to that."""
        fault = FAULTS.get(name)
        if fault is None or not fault.low <= value <= fault.high or value != int(value):
            return False
        self.values[name] = value
        if not self.values["IsolationLoss"]:
            self.insulation_kohm = INSULATION_KOHM
        if not self.values["CoolantLoss"]:
            self.coolant = 1.0
        self.live(0.0)
        return True

    @property
    def is_any(self) -> bool:
        """Whether anything is broken."""
        return any(
            value != FAULTS[name].sound
            for name, value in self.values.items()
            if name != "FrameLossPart"
        )

    @property
    def is_welded(self) -> bool:
        """Whether the contactors cannot open."""
        return bool(self.values["ContactorWeld"])

    @property
    def stuck_sensor(self) -> int:
        """Which reading stands still; `NO_SENSOR` for none."""
        return int(self.values["StuckSensor"])

    @property
    def lost(self) -> tuple[int, float]:
        """Whose frames are lost, and which part of them, 0 to 1."""
        unit = int(self.values["FrameLoss"])
        return unit, self.values["FrameLossPart"] / 100 if unit != NO_UNIT else 0.0

    def live(self, dt_s: float) -> None:
        """Let time pass: what leaks goes on leaking."""
        if self.values["IsolationLoss"]:
            left = math.exp(-dt_s / INSULATION_FALLS_S)
            above_kohm = self.insulation_kohm - INSULATION_LOST_KOHM
            self.insulation_kohm = INSULATION_LOST_KOHM + above_kohm * left
        if self.values["CoolantLoss"]:
            left = math.exp(-dt_s / COOLANT_RUNS_OUT_S)
            self.coolant = COOLANT_LEFT + (self.coolant - COOLANT_LEFT) * left
        self.impairments = Impairments(
            cooling=self.coolant,
            weak_cell_lag=WEAK_CELL_LAG if self.values["CellImbalance"] else 0.0,
        )
