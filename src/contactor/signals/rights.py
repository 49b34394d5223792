"""What there is to be allowed, in the cloud and in a car. Pure.

    right_to_set("Vehicle.Cabin.Door.Row1.DriverSide.IsLocked")     # Right.OPEN

A right is held for one vehicle or for all (`EVERY_VEHICLE`).
"""

from enum import StrEnum
from typing import Final

EVERY_VEHICLE: Final = "*"


class Right(StrEnum):
    """Something that can be allowed."""

    SEE = "see"
    """Last and stored values, but where the car is; whether it is heard."""
    LOCATE = "locate"
    """Where it is and was: positions, ways, places."""
    HISTORY = "history"
    """Trips, charges, the battery, reports, the journal."""
    COMFORT = "comfort"
    """To set what lets nobody in: climate, charging, lights."""
    OPEN = "open"
    """To set what lets somebody in or away: doors, windows, lids, contactors."""
    JOURNAL = "journal"
    """To write: tags, notes, names, places, tariffs."""
    RULES = "rules"
    """Alert rules and channels, campaigns, recordings."""
    DIAGNOSE = "diagnose"
    """Trouble codes and raw diagnostics, and to clear them."""
    SHARE = "share"
    """To give others a role or a key for the vehicle, and to take it back."""
    GOVERN = "govern"
    """People, tokens, the audit log, erasure, updates."""


_LETS_IN: Final = (
    "Vehicle.Cabin.Door.",
    "Vehicle.Cabin.Sunroof.",
    "Vehicle.Cabin.Convertible.",
    "Vehicle.Cabin.IsWindowChildLockEngaged",
    "Vehicle.Body.Hood.",
    "Vehicle.Body.Trunk.",
    "Vehicle.Powertrain.TractionBattery.Charging.ChargingPort.",
    "Vehicle.Powertrain.TractionBattery.IsPowerConnected",
    "Vehicle.LowVoltageSystemState",
    "Vehicle.Contactor.",
)


def right_to_set(path: str) -> Right:
    """What setting an actuator needs."""
    return Right.OPEN if path.startswith(_LETS_IN) else Right.COMFORT


_WHERE: Final = (
    "Vehicle.CurrentLocation",
    "Vehicle.Cabin.Infotainment.Navigation",
    "Vehicle.Powertrain.TractionBattery.Charging.Location",
    "Vehicle.Powertrain.TractionBattery.Charging.EvseId",  # registers tell where that one stands
)


def tells_where(text: str) -> bool:
    """Whether a signal's path, or a question that names one, is of where a car is."""
    return any(branch in text for branch in _WHERE)
