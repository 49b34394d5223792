"""Which changes must reach the cloud ahead of everything else: faults, alarms, a crash. Pure.

A signal is urgent where its path matches a row of `RULES` (`*` stands for one word of the path) and
its profile puts it into the group `events`, whose rows say nothing but changes.

    urgency_of("Vehicle.Contactor.IsWarningLampOn")             # Urgency.ALWAYS
    urgency_of("Vehicle.Cabin.Door.Row1.DriverSide.IsOpen")     # Urgency.PARKED
    urgency_of("Vehicle.Speed")                                 # Urgency.NEVER
"""

from enum import StrEnum
from functools import cache

SPEED = "Vehicle.Speed"
PARKED_KMH = 1.0
"""A car that is slower, or says no speed, is parked."""


class Urgency(StrEnum):
    """When a change of a signal is urgent."""

    NEVER = "never"
    PARKED = "parked"
    ALWAYS = "always"


RULES = (
    ("Vehicle.Contactor.IsWarningLampOn", Urgency.ALWAYS),
    ("Vehicle.Diagnostics.DTCCount", Urgency.ALWAYS),
    ("Vehicle.Diagnostics.DTCList", Urgency.ALWAYS),
    ("Vehicle.Powertrain.TractionBattery.ErrorCodes", Urgency.ALWAYS),
    ("Vehicle.Powertrain.TractionBattery.IsPowerConnected", Urgency.ALWAYS),
    ("Vehicle.Powertrain.TractionBattery.IsGroundConnected", Urgency.ALWAYS),
    ("Vehicle.Cabin.Seat.*.*.Airbag.IsDeployed", Urgency.ALWAYS),
    ("Vehicle.ADAS.EBA.IsEngaged", Urgency.ALWAYS),
    ("Vehicle.Chassis.Brake.IsDriverEmergencyBrakingDetected", Urgency.ALWAYS),
    ("Vehicle.Cabin.Door.*.*.IsOpen", Urgency.PARKED),
    ("Vehicle.Cabin.Door.*.*.IsLocked", Urgency.PARKED),
    ("Vehicle.Body.Trunk.*.IsOpen", Urgency.PARKED),
    ("Vehicle.Body.Trunk.*.IsLocked", Urgency.PARKED),
    ("Vehicle.Body.Hood.IsOpen", Urgency.PARKED),
)
"""Paths and when their changes are urgent."""


@cache
def urgency_of(path: str) -> Urgency:
    """When a change of `path` is urgent."""
    words = path.split(".")
    for pattern, urgency in RULES:
        wanted = pattern.split(".")
        if len(wanted) == len(words) and all(
            want in ("*", word) for want, word in zip(wanted, words, strict=True)
        ):
            return urgency
    return Urgency.NEVER
