"""Frames that a control unit should have sent and did not, or not all of them.

    loss = Loss(profile.database)
    loss.without(frames, BATTERY, 0.5)      # every second frame of its is missing

A unit that has lost all its frames is off the bus: no tester hears it either.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from contactor.can.database import Database
from contactor.can.frames import FrameTable
from contactor.car.virtual.diagnostics import ecus
from contactor.car.virtual.faults import BATTERY, BODY, VEHICLE

MESSAGES: Mapping[int, tuple[str, ...]] = {
    VEHICLE: (
        *("MotorState", "VehicleSpeed", "DriverDemand", "GearState", "DriveTemperature"),
        *("ChargeState", "ChargeProgress", "LowVoltage", "DriveStatus"),
    ),
    BATTERY: (
        *("BatteryPower", "BatteryCharge", "BatteryHealth", "BatteryTemperature"),
        *("CellVoltages", "CellLimits", "BatterySafety"),
    ),
    BODY: (*("DoorState", "LightState", "SystemState", "ClimateState", "Ambient", "Odometer"),),
}
"""Which control unit sends what."""
ANSWER_IDS: Mapping[int, int] = {
    VEHICLE: ecus.VEHICLE_ID + ecus.ANSWER_AFTER,
    BATTERY: ecus.BATTERY_ID + ecus.ANSWER_AFTER,
    BODY: ecus.BODY_ID + ecus.ANSWER_AFTER,
}


class Loss:
    """Knows the ids of each control unit."""

    def __init__(self, database: Database) -> None:
        id_of = {message.name: message.can_id for message in database.messages}
        self._ids = {
            unit: np.array([id_of[name] for name in names if name in id_of], np.uint32)
            for unit, names in MESSAGES.items()
        }

    def without(self, frames: FrameTable, unit: int, part: float) -> FrameTable:
        """The frames but for a part (0 to 1) of those of a unit, the same ones at any time."""
        is_its = np.isin(frames.can_id, self._ids[unit])
        if part >= 1:
            return frames.take(~(is_its | (frames.can_id == ANSWER_IDS[unit])))
        return frames.take(~(is_its & (_chance(frames.ts) < part)))

    def is_silent(self, answer_id: int, unit: int, part: float) -> bool:
        """Whether the control unit of an answer is off the bus."""
        return part >= 1 and ANSWER_IDS.get(unit) == answer_id


def _chance(ts: NDArray[np.int64]) -> NDArray[np.float64]:
    """A number from 0 to 1 for each instant, without order (Knuth's multiplicative hash)."""
    mixed = (ts // 1000).astype(np.uint64) * np.uint64(2_654_435_761) & np.uint64(0xFFFF_FFFF)
    return mixed.astype(np.float64) / 2.0**32
