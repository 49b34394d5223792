"""What holds of every car, whatever its profile says: a limit is made stricter, never looser. Pure.

doors, locks, hood, trunk, charging port, contactors    never while the car moves
lever, brakes, steering, driver assistance, child lock  never while the car moves
windows                                                 never while a child lock is on that
                                                        the car tells of

with_floor(Limit(lock), told=profile.map.paths).not_while_moving        # True
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from contactor.car.profiles.limits import CarState, Limit

_NEVER_WHILE_MOVING: Final = (
    "Vehicle.Body.Hood.",
    "Vehicle.Body.Trunk.",
    "Vehicle.Cabin.Convertible.",
    "Vehicle.Cabin.IsWindowChildLockEngaged",
    "Vehicle.Powertrain.TractionBattery.Charging.ChargingPort.",
    "Vehicle.Powertrain.TractionBattery.IsPowerConnected",
    "Vehicle.Powertrain.Transmission.",
    "Vehicle.LowVoltageSystemState",
    "Vehicle.Chassis.",
    "Vehicle.MotionManagement.",
    "Vehicle.ADAS.",
)
_DOOR: Final = "Vehicle.Cabin.Door."
_CHILD_LOCK_OF_A_DOOR: Final = ".IsChildLockActive"
_CHILD_LOCK_OF_WINDOWS: Final = "Vehicle.Cabin.IsWindowChildLockEngaged"


def with_floor(limit: Limit, *, told: Collection[str]) -> Limit:
    """A limit as it holds.

    Args:
        told: the signals that the car tells of.
    """
    if _is_window(limit.path):
        locks = tuple(CarState(path, (True,)) for path in sorted(told) if _is_child_lock(path))
        return replace(limit, not_while=(*limit.not_while, *locks))
    is_never_moved = limit.path.startswith(_NEVER_WHILE_MOVING) or _is_door(limit.path)
    return replace(limit, not_while_moving=limit.not_while_moving or is_never_moved)


def _is_window(path: str) -> bool:
    return path.startswith(_DOOR) and ".Window." in path


def _is_door(path: str) -> bool:
    """A door or its lock, but not its window or shade."""
    return path.startswith(_DOOR) and ".Window." not in path and ".Shade." not in path


def _is_child_lock(path: str) -> bool:
    is_of_door = path.startswith(_DOOR) and path.endswith(_CHILD_LOCK_OF_A_DOOR)
    return is_of_door or path == _CHILD_LOCK_OF_WINDOWS
