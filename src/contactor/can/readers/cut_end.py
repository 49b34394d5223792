"""Whether the last line of a log is cut, where lines do not say how long their payloads are.

lengths = LastLengths()
lengths.add(frames)                   # block after block
lengths.ends_short(last_frames)       # the last frame is shorter than those of its id before
"""

import numpy as np

from contactor.can.frames import BUSES, STANDARD_IDS, FrameTable
from contactor.can.readers.sources import Source

EXTENDED_SHIFT = 30
NO_LENGTH = -1


def may_end_open(source: Source, line_end: int) -> bool:
    """Whether the last line may lack its line end: not where the file's last byte is one."""
    if not source.path.is_file():
        return True
    with source.path.open("rb") as file:
        file.seek(max(0, source.size - 1))
        return file.read(1) != bytes([line_end])


class LastLengths:
    """How long the last frame with each id was, over all blocks of a log."""

    def __init__(self) -> None:
        self._standard = np.full(BUSES * STANDARD_IDS, NO_LENGTH, np.int16)
        self._extended: dict[int, int] = {}

    def add(self, frames: FrameTable) -> None:
        """Take in a block's frames; the last one of an id counts."""
        is_there = ~frames.is_remote
        keys = frames.bus[is_there].astype(np.int64) * STANDARD_IDS
        ids, lengths = frames.can_id[is_there], frames.length[is_there]
        is_standard = ids < STANDARD_IDS
        self._standard[(keys + ids)[is_standard]] = lengths[is_standard]
        rows = np.flatnonzero(~is_standard)
        # Of equal keys NumPy gives the first, so the newest come first.
        own = ((keys[rows] << EXTENDED_SHIFT) + ids[rows])[::-1]
        found, first = np.unique(own, return_index=True)
        self._extended.update(zip(found.tolist(), lengths[rows][::-1][first].tolist(), strict=True))

    def ends_short(self, frames: FrameTable) -> bool:
        """Whether the last frame is shorter than the one before it with its id: it may be cut."""
        if frames.is_remote[-1]:
            return False
        length = int(frames.length[-1])
        is_same = (frames.can_id == frames.can_id[-1]) & (frames.bus == frames.bus[-1])
        lengths = frames.length[is_same & ~frames.is_remote]
        if len(lengths) > 1:
            return length < int(lengths[-2])
        before = self._before(int(frames.bus[-1]), int(frames.can_id[-1]))
        return length == 0 if before == NO_LENGTH else length < before

    def _before(self, bus: int, can_id: int) -> int:
        if can_id < STANDARD_IDS:
            return int(self._standard[bus * STANDARD_IDS + can_id])
        key = (bus * STANDARD_IDS << EXTENDED_SHIFT) + can_id
        return self._extended.get(key, NO_LENGTH)
