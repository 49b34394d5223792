"""What a car's bus said last of the signals that commands depend on.

What it said before it fell asleep holds until it wakes, and is noted in the outbox's file: an agent
that starts anew meanwhile knows it. What was noted ends when the car wakes.

    seen = LastSeen("leaf", watched=paths, kept=guard.watched, outbox=outbox, clock=clock)
    seen.read(series)                       # what the bus says, batch by batch
    seen.note_sleep(is_asleep=False)        # now and then
    seen.of(path), seen.ages()              # Reading, {path: Seen}
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec

from contactor.car.agent.guard import Seen
from contactor.car.agent.outbox import Outbox
from contactor.car.agent.series import Series
from contactor.clock import NS_PER_S, Clock
from contactor.errors import OutboxError
from contactor.signals.record import Scalar, State

LONG_AGO_NS = 3_600 * NS_PER_S
"""So old is what an agent before heard: it holds while the car sleeps, and no longer."""

_log = logging.getLogger(__name__)
_noted = msgspec.json.Decoder(dict[str, Scalar])


@dataclass(frozen=True, slots=True)
class Reading:
    """The last valid reading of a signal, and when it was heard (monotonic)."""

    value: Scalar
    heard_ns: int


class LastSeen:
    """Owns the last readings of one car.

    Args:
        watched: the signals that are looked at.
        kept: those of them that are noted when it falls asleep.
    """

    def __init__(
        self,
        vehicle_id: str,
        *,
        watched: Collection[str],
        kept: Collection[str],
        outbox: Outbox,
        clock: Clock,
    ) -> None:
        self._note = f"seen:{vehicle_id}"
        self._watched, self._kept = frozenset(watched), frozenset(kept)
        self._outbox = outbox
        self._clock = clock
        self._was_asleep: bool | None = None
        self._readings: dict[str, Reading] = {}
        noted = outbox.noted(self._note)
        if noted is not None:
            heard_ns = clock.monotonic_ns() - LONG_AGO_NS
            for path, value in _noted.decode(noted).items():
                self._readings[path] = Reading(value, heard_ns)

    def read(self, series: Sequence[Series]) -> None:
        """Take in what the bus says now."""
        heard_ns = self._clock.monotonic_ns()
        for one in series:
            if one.path not in self._watched or one.state[-1] != State.VALID:
                continue
            value: Scalar = one.values[-1:].tolist()[0]
            self._readings[one.path] = Reading(value, heard_ns)

    def of(self, path: str) -> Reading | None:
        """The last reading of a signal; None where there was none."""
        return self._readings.get(path)

    def ages(self) -> dict[str, Seen]:
        """What each signal was, and how long ago."""
        now_ns = self._clock.monotonic_ns()
        return {
            path: Seen(reading.value, (now_ns - reading.heard_ns) / NS_PER_S)
            for path, reading in self._readings.items()
        }

    def note_sleep(self, *, is_asleep: bool) -> None:
        """Note what the car said last once it sleeps, and once it wakes that this has ended.

        Where it cannot be noted, the next call tries again.
        """
        if is_asleep is self._was_asleep:
            return
        known = {
            path: reading.value
            for path, reading in self._readings.items()
            if is_asleep and path in self._kept
        }
        try:
            self._outbox.note(self._note, msgspec.json.encode(known).decode())
        except OutboxError as error:
            _log.warning("what the car said last not noted reason=%s", error)
            return
        self._was_asleep = is_asleep
