"""Command frames of one car: the counter of each message goes on, and proof knows the resolution.

maker = FrameMaker(profile)
frames = maker.frames("Vehicle.Cabin.Door.Row1.DriverSide.IsLocked", True, ts=now_ns)
maker.is_same(path, asked=21.3, read=21.5)      # True where the car knows halves of a degree
"""

from collections import Counter

from contactor.can.frames import FrameTable
from contactor.car.profiles.actuate import encode_actuator
from contactor.car.profiles.entry import ActuatorEntry
from contactor.car.profiles.profile import Profile
from contactor.errors import UnknownSignal
from contactor.signals.record import Scalar
from contactor.units import convert

HALF_STEP = 0.5 + 1e-6
"""A number is moved to the nearest step, by half of one at most; with room for float32."""


class FrameMaker:
    """Owns how many frames of each message were made."""

    def __init__(self, profile: Profile) -> None:
        self._database = profile.database
        self._entries = {entry.path: entry for entry in profile.map.actuators}
        self._steps = {entry.path: _step(profile, entry) for entry in profile.map.actuators}
        self._made: Counter[str] = Counter()

    def frames(self, path: str, value: Scalar, *, ts: int) -> FrameTable:
        """The frame that asks for `value`.

        Args:
            ts: ns UTC.

        Raises:
            UnknownSignal: the map has no such actuator.
            InvalidValue: the frame cannot hold the value.
        """
        entry = self._entries.get(path)
        if entry is None:
            raise UnknownSignal(f"the map has no actuator {path!r}")
        message = entry.frame.partition(".")[0]
        frames = encode_actuator(self._database, entry, value, counter=self._made[message], ts=ts)
        self._made[message] += 1
        return frames

    def is_same(self, path: str, asked: Scalar, read: Scalar) -> bool:
        """Whether a value read from the bus is the one asked for, to what the bus can tell."""
        if isinstance(asked, bool | str) or isinstance(read, bool | str):
            return asked == read
        return abs(asked - read) <= self._steps[path] * HALF_STEP


def _step(profile: Profile, entry: ActuatorEntry) -> float:
    """The coarsest step in the catalogue's unit with which an actuator is asked or read back."""
    steps = [_step_of(profile, entry.frame, entry.scaling.scale, entry.unit, entry.signal.unit)]
    for known in profile.map.entries:
        if known.path == entry.path and known.values is None:
            scale, unit = known.scaling.scale, known.unit
            steps += [
                _step_of(profile, name, scale, unit, known.signal.unit) for name in known.sources
            ]
    return max(steps)


def _step_of(
    profile: Profile, name: str, scale: float, unit: str | None, wanted: str | None
) -> float:
    message, _, signal_name = name.partition(".")
    signals = {signal.name: signal for signal in profile.database.message(message).signals}
    step = abs(float(signals[signal_name].scale) * scale)
    if unit is None or wanted is None:
        return step
    return abs(float(convert(step, unit, wanted)) - float(convert(0.0, unit, wanted)))
