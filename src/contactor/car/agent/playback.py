"""A recording as the messages of one stream: the same each time it is read.

Its stream number is a hash of the file's bytes, the profile, the start, the vehicle and the way of
sampling. So a recording is its own outbox: what was lost can be made again, and is recognised.

    playback = Playback(recording, profile, vehicle_id="leaf", sampling=Sampling.EVERY)
    for batch in playback.batches():
        outbox.append(stream, [batch.groups])
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from contactor.can.reading import Progress
from contactor.car.adapters.recording import Recording, source_hash
from contactor.car.agent.recorder import CUT_VERSION, cut_batches
from contactor.car.agent.road import Road
from contactor.car.agent.sampling import Sampling
from contactor.car.profiles.profile import Profile
from contactor.signals.record import Rows


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What one message will carry, and the newest instant in it (ns UTC)."""

    groups: tuple[Rows, ...]
    last_ts: int

    @property
    def row_count(self) -> int:
        return sum(len(rows) for rows in self.groups)


class Playback:
    """One recording, one profile, one vehicle.

    Args:
        start_ns: the start that the user asked for, or None; a part of the stream's identity.
    """

    def __init__(
        self,
        recording: Recording,
        profile: Profile,
        *,
        vehicle_id: str,
        sampling: Sampling,
        start_ns: int | None = None,
    ) -> None:
        self.recording = recording
        self._profile, self._sampling = profile, sampling
        start = "" if start_ns is None else str(start_ns)
        words = (f"cut {CUT_VERSION}", profile.fingerprint, start, vehicle_id, sampling)
        digest = source_hash(recording.log.path, *words)
        self.stream = int.from_bytes(digest.digest()[:8], "big")
        self.road = Road(profile, sampling=sampling, origin_ns=recording.first_ts)

    def lay_from(self, first_ts: int) -> None:
        """Move the first frame to another instant, before anything is played; the stream stays."""
        self.recording = self.recording.laid_from(first_ts)
        self.road = Road(self._profile, sampling=self._sampling, origin_ns=first_ts)

    def batches(self, on_progress: Progress | None = None) -> Iterator[Batch]:
        """Every batch from the first on, in the order of the recording."""
        for frames in self.recording.frames(on_progress):
            for rows in self.road.feed(frames):
                yield from self._cut(rows)
        yield from self._cut(self.road.finish())

    def _cut(self, rows: Sequence[Rows]) -> Iterator[Batch]:
        for groups in cut_batches(rows, origin_ns=self.recording.first_ts):
            yield Batch(groups, max(int(one.ts[-1]) for one in groups))
