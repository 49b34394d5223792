"""What a virtual car's next start needs to know of this one.

kept = car.keep()
VirtualCar(profile, start_ns=now_ns, kept=kept)
"""

from collections.abc import Mapping

import msgspec

from contactor.car.virtual.body import DOORS, Body
from contactor.car.virtual.diagnostics.dtc import KeptMemory
from contactor.car.virtual.override import BY_PLAN


class Kept(msgspec.Struct, frozen=True):
    """What outlives a restart; the defaults are for what an older version did not keep.

    Fields:
        state_of_health: None for that of a new car.
        faults: what is broken, by the names of `contactor.car.virtual.faults.FAULTS`.
        plug, station_power_kw: as `Override` has them.
        memories: the trouble codes of each control unit.
    """

    distance_m: float
    state_of_charge: float
    temperature_degc: float
    is_locked: tuple[bool, ...]
    charge_limit_pct: float
    is_charge_allowed: bool
    cabin_target_degc: float
    state_of_health: float | None = None
    low_voltage_charge: float = 1.0
    faults: Mapping[str, float] = {}
    plug: int = BY_PLAN
    station_power_kw: float | None = None
    memories: Mapping[str, KeptMemory] = {}


def body_of(kept: Kept) -> Body:
    """The body as it was; its doors are locked where that is not known of each."""
    is_locked = kept.is_locked if len(kept.is_locked) == len(DOORS) else (True,) * len(DOORS)
    return Body(
        is_locked=is_locked,
        charge_limit_pct=kept.charge_limit_pct,
        is_charge_allowed=kept.is_charge_allowed,
        cabin_target_degc=kept.cabin_target_degc,
    )
