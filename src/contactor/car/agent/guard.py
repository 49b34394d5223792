"""The guard: the last word in the car on what may be asked of it. Pure.

What it allows stands in the profile's `limits.toml`, made stricter by `floor`, and comes from
nowhere else: nothing outside the car can change it. It looks in this order, and the first objection
counts:

    expired             its end has passed by the car's own clock
    virtual only        it is of the branch of virtual cars, and this car is not one, whatever
                        its profile says
    no limit entry      the profile does not let this actuator be asked
    out of range        the value is not of the signal's type, or outside catalogue or limits
    not while moving    the car moves, or nobody knows whether it does
    not while           a signal is what it must not be, or nobody knows
    only while          a signal, the gear for one, is not what it must be, or nobody knows
    excluded            what it excludes is being asked for something, or was just now
    rate limit          too soon after the last one for this actuator

    guard = Guard(profile.limits, car=profile.map)
    guard.objection(command, now=CarNow({SPEED: Seen(0.0, age_s=0.1)}), now_ns=now_ns,
                    monotonic_ns=monotonic_ns)          # None: go ahead
    guard.note_sent(command.path, monotonic_ns)
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from contactor.car.agent.floor import with_floor
from contactor.car.profiles.entry import ActuatorEntry
from contactor.car.profiles.limits import CarState, Limit, Limits
from contactor.car.profiles.mapping import SignalMap
from contactor.clock import NS_PER_S, to_iso
from contactor.errors import InvalidValue
from contactor.signals.catalogue import VIRTUAL_BRANCH
from contactor.signals.command import Command
from contactor.signals.record import Scalar
from contactor.signals.validation import check_value

SPEED: Final = "Vehicle.Speed"
STANDING_KMH = 0.5
"""Below it a wheel speed sensor's noise; above it the car moves."""
SPEED_KNOWN_S = 2.0
"""How old a speed may be to vouch for a car that stands."""
STATE_KNOWN_S = 5.0
"""The same of what else the bus says: states are repeated more slowly."""
EXCLUDED_S = 2.0
"""How long after a frame for one actuator none goes out for another that excludes it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the bus last said of a signal, and how long ago."""

    value: Scalar
    age_s: float


@dataclass(frozen=True, slots=True)
class CarNow:
    """The car as the bus tells it.

    Fields:
        seen: by path; a signal that was never heard is not in it.
        is_asleep: the bus is silent on purpose: what it said last still holds.
        underway: the actuators that wait for the proof of a command.
    """

    seen: Mapping[str, Seen] = field(default_factory=dict)
    is_asleep: bool = False
    underway: Collection[str] = ()


class Guard:
    """Decides about commands of one car; owns when each actuator was last moved.

    Args:
        car: the signals that it tells of, the actuators that it has.
        is_virtual: the car does not exist, and may be broken by command.
    """

    def __init__(self, limits: Limits, *, car: SignalMap, is_virtual: bool = False) -> None:
        told = frozenset(car.paths)
        self._limits = {limit.path: with_floor(limit, told=told) for limit in limits.entries}
        self._is_virtual = is_virtual
        self._actuators = {entry.path: entry for entry in car.actuators}
        self._sent_ns: dict[str, int] = {}
        self._excluded: dict[str, set[str]] = {}
        for limit in limits.entries:
            for path in limit.excludes:
                self._excluded.setdefault(limit.path, set()).add(path)
                self._excluded.setdefault(path, set()).add(limit.path)

    @property
    def watched(self) -> frozenset[str]:
        """The signals that it asks about."""
        limits = self._limits.values()
        states = [state for limit in limits for state in (*limit.not_while, *limit.only_while)]
        return frozenset({SPEED, *(state.path for state in states)})

    def objection(
        self,
        command: Command,
        *,
        now: CarNow,
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
        entry, limit = self._actuators.get(command.path), self._limits.get(command.path)
        if entry is None or limit is None:
            return f"no limit entry: {command.path} may not be asked of this car"
        return (
            _out_of_range(command, entry, limit)
            or (_moving(now) if limit.not_while_moving else None)
            or _wrong_state(limit, now)
            or self._is_excluded(limit, now, monotonic_ns)
            or (None if is_repeat else self._too_soon(limit, monotonic_ns))
        )

    def note_sent(self, path: str, monotonic_ns: int) -> None:
        """A frame for this actuator goes out now."""
        self._sent_ns[path] = monotonic_ns

    def _is_excluded(self, limit: Limit, now: CarNow, monotonic_ns: int) -> str | None:
        for path in sorted(self._excluded.get(limit.path, ())):
            if path in now.underway:
                return f"excluded: {path} is being asked for something"
            since_s = self._since_s(path, monotonic_ns)
            if since_s is not None and since_s < EXCLUDED_S:
                return (
                    f"excluded: {path} was asked for something {since_s:.1f} s ago;"
                    f" allowed: {EXCLUDED_S:g} s after it"
                )
        return None

    def _too_soon(self, limit: Limit, monotonic_ns: int) -> str | None:
        since_s = self._since_s(limit.path, monotonic_ns)
        if since_s is None or since_s >= limit.rate_limit_s:
            return None
        return f"rate limit: one in {limit.rate_limit_s:g} s; the last was {since_s:.1f} s ago"

    def _since_s(self, path: str, monotonic_ns: int) -> float | None:
        """How long ago a frame for this actuator went out; None where none did."""
        sent_ns = self._sent_ns.get(path)
        return None if sent_ns is None else (monotonic_ns - sent_ns) / NS_PER_S


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


def _moving(now: CarNow) -> str | None:
    speed = now.seen.get(SPEED)
    if speed is None:
        return "not while moving: the speed is not known"
    is_standing = abs(float(speed.value)) < STANDING_KMH
    if now.is_asleep:
        said = f"the bus fell silent at {speed.value:.1f} km/h"
        return None if is_standing else f"not while moving: {said}"
    if speed.age_s > SPEED_KNOWN_S:
        return "not while moving: the speed is not known"
    return None if is_standing else f"not while moving: speed is {speed.value:.1f} km/h"


def _wrong_state(limit: Limit, now: CarNow) -> str | None:
    for state in limit.not_while:
        value = _value(state, now)
        if value is None:
            return f"not while: {state.path} is not known"
        if value in state.values:
            return f"not while: {state.path} is {_word(value)}"
    for state in limit.only_while:
        value = _value(state, now)
        if value is None:
            return f"only while: {state.path} is not known"
        if value not in state.values:
            allowed = ", ".join(map(_word, state.values))
            return f"only while: {state.path} is {_word(value)}; allowed: {allowed}"
    return None


def _value(state: CarState, now: CarNow) -> Scalar | None:
    """What the signal is, as far as it is known."""
    seen = now.seen.get(state.path)
    if seen is None or (seen.age_s > STATE_KNOWN_S and not now.is_asleep):
        return None
    return seen.value


def _word(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
