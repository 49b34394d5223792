"""What there is to be allowed, and which role allows it. Pure.

    may(Role.GUEST, Right.OPEN)                         # True
    right_to_set("Vehicle.Cabin.Door.Row1.DriverSide.IsLocked")     # Right.OPEN

A role is held for one vehicle or for all (`EVERY_VEHICLE`). A token has a scope besides: it allows
what both do.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
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


class Role(StrEnum):
    """What somebody is to a vehicle."""

    OWNER = "owner"
    OPERATOR = "operator"
    DRIVER = "driver"
    GUEST = "guest"
    VIEWER = "viewer"
    WORKSHOP = "workshop"
    MAKER = "maker"


class Scope(StrEnum):
    """How much of its person's rights a token has."""

    READ = "read"
    COMMAND = "command"
    ADMIN = "admin"


_READING: Final = frozenset({Right.SEE, Right.LOCATE, Right.HISTORY})
SETTING: Final = frozenset({Right.COMFORT, Right.OPEN})

RIGHTS: Final[Mapping[Role, frozenset[Right]]] = MappingProxyType(
    {
        Role.OWNER: frozenset(Right),
        Role.OPERATOR: frozenset(Right) - {Right.GOVERN},
        Role.DRIVER: _READING | SETTING | {Right.JOURNAL},
        Role.GUEST: SETTING | {Right.SEE},
        Role.VIEWER: _READING,
        Role.WORKSHOP: frozenset({Right.SEE, Right.DIAGNOSE}),
        Role.MAKER: frozenset({Right.DIAGNOSE}),
    }
)
"""The table: all that a role allows."""

SCOPES: Final[Mapping[Scope, frozenset[Right]]] = MappingProxyType(
    {
        Scope.READ: _READING,
        Scope.COMMAND: _READING | SETTING,
        Scope.ADMIN: frozenset(Right),
    }
)

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


_WHERE: Final = ("Vehicle.CurrentLocation", "Vehicle.Cabin.Infotainment.Navigation")


def may(role: Role, right: Right) -> bool:
    """Whether a role allows something."""
    return right in RIGHTS[role]


def tells_where(text: str) -> bool:
    """Whether a signal's path, or a question that names one, is of where a car is."""
    return any(branch in text for branch in _WHERE)


def right_to_set(path: str) -> Right:
    """What setting an actuator needs."""
    return Right.OPEN if path.startswith(_LETS_IN) else Right.COMFORT
