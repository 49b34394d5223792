"""The guard: the last word in the car on what may be asked of it. Pure.

What it allows stands in the profile's `limits.toml` and comes from nowhere else: nothing outside
the car can change it. It looks in this order, and the first objection counts:

    expired             its end has passed by the car's own clock
    virtual only        it is of the branch of virtual cars, and this car is not one, whatever
                        its profile says
    no limit entry      the profile does not let this actuator be asked
    out of range        the value is not of the signal's type, or outside catalogue or limits
    not while moving    the car moves, or nobody knows whether it does
    rate limit          too soon after the last one for this actuator

    guard = Guard(profile.limits, actuators=profile.map.actuators)
    guard.objection(command, speed=SpeedNow(0.0, age_s=0.1), now_ns=now_ns)     # None: go ahead
    guard.note_sent(command.path, monotonic_ns)
"""

from collections.abc import Iterable
from dataclasses import dataclass

from contactor.car.profiles.entry import ActuatorEntry
from contactor.car.profiles.limits import Limit, Limits
from contactor.clock import NS_PER_S, to_iso
from contactor.errors import InvalidValue
from contactor.signals.catalogue import VIRTUAL_BRANCH
from contactor.signals.command import Command
from contactor.signals.validation import check_value

STANDING_KMH = 0.5
"""Below it a wheel speed sensor's noise; above it the car moves."""
SPEED_KNOWN_S = 2.0
"""How old a speed may be to vouch for a car that stands."""


@dataclass(frozen=True, slots=True)
class SpeedNow:
    """What the bus last said of the car's speed; `is_asleep`: the bus is silent on purpose."""

    speed_kmh: float | None
    age_s: float
    is_asleep: bool = False


class Guard:
    """Decides about commands of one car; owns when each actuator was last moved.

    Args:
        is_virtual: the car does not exist, and may be broken by command.
    """

    def __init__(
        self, limits: Limits, *, actuators: Iterable[ActuatorEntry], is_virtual: bool = False
    ) -> None:
        self._limits = limits
        self._is_virtual = is_virtual
        self._actuators = {entry.path: entry for entry in actuators}
        self._sent_ns: dict[str, int] = {}

    def objection(
        self,
        command: Command,
        *,
        speed: SpeedNow,
        now_ns: int,
        monotonic_ns: int,
        is_repeat: bool = False,
    ) -> str | None:
        """Why the command may not be done now; None where it may.

        Args:
            now_ns: the car's own wall clock, ns UTC.
            monotonic_ns: its monotonic clock, for the rate limit.
            is_repeat: it is the same frame once more, to which the rate limit does not apply.
        """
        if command.expires_at <= now_ns:
            return f"expired: its end was {to_iso(command.expires_at)}"
        if command.path.startswith(VIRTUAL_BRANCH) and not self._is_virtual:
            return f"virtual only: {command.path} is of virtual cars, and this is none"
        entry, limit = self._actuators.get(command.path), self._limits.of(command.path)
        if entry is None or limit is None:
            return f"no limit entry: {command.path} may not be asked of this car"
        return (
            _out_of_range(command, entry, limit)
            or (_moving(speed) if limit.not_while_moving else None)
            or (None if is_repeat else self._too_soon(limit, monotonic_ns))
        )

    def note_sent(self, path: str, monotonic_ns: int) -> None:
        """A frame for this actuator goes out now."""
        self._sent_ns[path] = monotonic_ns

    def _too_soon(self, limit: Limit, monotonic_ns: int) -> str | None:
        sent_ns = self._sent_ns.get(limit.path)
        if sent_ns is None or not limit.rate_limit_s:
            return None
        since_s = (monotonic_ns - sent_ns) / NS_PER_S
        if since_s >= limit.rate_limit_s:
            return None
        return f"rate limit: one in {limit.rate_limit_s:g} s; the last was {since_s:.1f} s ago"


def _out_of_range(command: Command, entry: ActuatorEntry, limit: Limit) -> str | None:
    try:
        value = check_value(entry.signal, command.value)
    except InvalidValue as error:
        return f"out of range: {error}"
    if limit.allowed and value not in limit.allowed:
        return f"out of range: {value!r}; allowed: {', '.join(map(str, limit.allowed))}"
    if entry.values and value not in entry.values:
        return f"out of range: {value!r}; allowed: {', '.join(map(str, entry.values))}"
    if isinstance(value, bool | str | tuple):
        return None
    is_low = limit.minimum is not None and value < limit.minimum
    is_high = limit.maximum is not None and value > limit.maximum
    if not (is_low or is_high):
        return None
    low = "-inf" if limit.minimum is None else f"{limit.minimum:g}"
    high = "inf" if limit.maximum is None else f"{limit.maximum:g}"
    return f"out of range: {value:g}; allowed: {low}..{high}"


def _moving(speed: SpeedNow) -> str | None:
    if speed.is_asleep:
        return None
    if speed.speed_kmh is None or speed.age_s > SPEED_KNOWN_S:
        return "not while moving: the speed is not known"
    if abs(speed.speed_kmh) >= STANDING_KMH:
        return f"not while moving: speed is {speed.speed_kmh:.1f} km/h"
    return None
