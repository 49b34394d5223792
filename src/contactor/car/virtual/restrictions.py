"""What the car no longer does once a trouble code is there.

    restriction_of({"P0A93"}, {"P0A93"})     # Restriction(drive_power=0.4, ...)

All numbers are made up; makers do not publish theirs.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """What is left.

    Fields:
        drive_power: the part of the motor's torque and power, 0 to 1.
        charge_limit: up to which state of charge it charges, 0 to 1.
        is_charge_refused: it does not charge at all.
        is_ready_refused: where it stands, the contactors open, and it does not drive off again.
    """

    drive_power: float = 1.0
    charge_limit: float = 1.0
    is_charge_refused: bool = False
    is_ready_refused: bool = False


NONE = Restriction()
_SHUT = Restriction(is_charge_refused=True, is_ready_refused=True)
_LIMP = Restriction(drive_power=0.3, is_charge_refused=True)

UNTIL_CLEARED: Mapping[str, Restriction] = {"P0AA1": _SHUT, "P0AA4": _SHUT}
"""Those that only a workshop ends, by clearing the code: a contactor has to be looked at."""
WHILE_FAILING: Mapping[str, Restriction] = {
    "P0AA6": _SHUT,
    "P0BBD": Restriction(drive_power=0.5, charge_limit=0.7),
    "P0A93": Restriction(drive_power=0.4),
    "P0A3C": Restriction(drive_power=0.4),
    "P0A7E": Restriction(drive_power=0.4, is_charge_refused=True),
    "P0A9C": Restriction(drive_power=0.8),
    "P0A2B": Restriction(drive_power=0.8),
    "U0100": _LIMP,
    "U0111": _LIMP,
    "U0401": _LIMP,
    "U0412": _LIMP,
}


def restriction_of(failing: Collection[str], confirmed: Collection[str]) -> Restriction:
    """The strictest of all; codes without an entry restrict nothing.

    Args:
        failing: the codes whose test fails now.
        confirmed: those that were not cleared since.
    """
    found = [WHILE_FAILING[code] for code in failing if code in WHILE_FAILING]
    found += [UNTIL_CLEARED[code] for code in confirmed if code in UNTIL_CLEARED]
    if not found:
        return NONE
    return Restriction(
        drive_power=min(one.drive_power for one in found),
        charge_limit=min(one.charge_limit for one in found),
        is_charge_refused=any(one.is_charge_refused for one in found),
        is_ready_refused=any(one.is_ready_refused for one in found),
    )
