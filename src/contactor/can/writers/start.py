"""When a log with a start in its header began, and how long after that its frames came.

An undated log (its stamps count from some start) starts at 0. A dated one starts at its first
frame, rounded down to what the header can say. No format can say "before the start". Of a log in
which time runs backwards the least stamp must therefore be known beforehand, and it starts there;
where it is not known, a frame from before the start is written at the start, and counted.

    write_log(log.chunks(), file, "asc", least_ts=least_stamp(log.chunks()))
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from contactor.can.frames import FIRST_DATE_NS, FrameTable
from contactor.can.writers.losses import EARLY, Losses


class Start:
    """The start of a log.

    Args:
        first_ts: of its first frame.
        least_ts: of all its frames, where that is known.
        step_ns: what the header can tell apart.
        origin_ns: an instant on which the steps lie.
    """

    def __init__(
        self, first_ts: int, least_ts: int | None, *, step_ns: int, origin_ns: int = 0
    ) -> None:
        self.is_dated = first_ts >= FIRST_DATE_NS
        begin = first_ts if self.is_dated else 0
        begin = begin if least_ts is None else min(begin, least_ts)
        self.ts = begin - (begin - origin_ns) % step_ns if self.is_dated else begin

    def offsets_ns(self, frames: FrameTable, losses: Losses) -> NDArray[np.int64]:
        """How long after the start each frame came, (n,)."""
        offsets = frames.ts - self.ts
        is_early = offsets < 0
        if not is_early.any():
            return offsets
        losses.add(EARLY, int(is_early.sum()))
        return np.maximum(offsets, 0)


def least_stamp(tables: Iterable[FrameTable]) -> int | None:
    """The least stamp of all frames, in ns; None of none."""
    return min((int(table.ts.min()) for table in tables if len(table)), default=None)


def with_first_ts(tables: Iterable[FrameTable]) -> tuple[int, Iterator[FrameTable]]:
    """The stamp of the first frame (0 of none), and the tables that hold any."""
    filled = (table for table in tables if len(table))
    first = next(filled, None)
    if first is None:
        return 0, iter(())

    def all_of() -> Iterator[FrameTable]:
        yield first
        yield from filled

    return int(first.ts[0]), all_of()
