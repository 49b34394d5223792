"""What a vehicle's battery was when it was new, as its built-in profile says.

new = new_battery("nissan_leaf_ze1")        # NewBattery(capacity_kwh=39.0, ends=Ends(...)), or None

Only built-in profiles are looked at: the name comes from the car, and names no folder of ours.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from contactor.cloud.lake.schema import StreamState
from contactor.history.battery import Ends


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBattery:
    """Usable when new, and where it is full at rest and empty under load."""

    capacity_kwh: float
    ends: Ends


def profile_of(streams: Iterable[StreamState], vehicle_id: str) -> str | None:
    """The name of the profile that a vehicle's latest stream has; tables have none."""
    named = [one for one in streams if one.vehicle_id == vehicle_id and one.profile]
    return max(named, key=lambda one: one.received_at).profile if named else None


@cache
def new_battery(profile: str) -> NewBattery | None:
    """Of a profile; None where it is none of the built-in ones, or says nothing of its battery."""
    # Kept out of the start of other commands: what reads profiles reads CAN databases as well.
    from contactor.car.profiles.profile import installed_profiles, load_profile
    from contactor.errors import ContactorError

    if profile not in installed_profiles():
        return None
    try:
        physics = load_profile(profile).physics
    except ContactorError:
        return None
    if physics is None:
        return None
    battery = physics.battery
    return NewBattery(
        capacity_kwh=battery.energy_kwh,
        ends=Ends(
            full_v=battery.open_circuit_v[-1] * battery.cells_in_series,
            empty_v=battery.cell_voltage_min_v * battery.cells_in_series,
        ),
    )
