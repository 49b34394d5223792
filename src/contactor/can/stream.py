"""Logs as a stream of decoded chunks, in bounded memory and on up to four cores.

    for chunk in stream_of(logs, plan):
        chunk.frames, chunk.groups, chunk.columns()

One thread reads. Where a log's parser can work ahead, the others parse, group and sort out block by
block; the chunks come in the order of the recording all the same.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from contactor.can.columns import SignalColumn
from contactor.can.decode import decode_columns
from contactor.can.frames import FrameTable
from contactor.can.groups import FrameGroups, group_frames
from contactor.can.kernels import are_wanted, cores
from contactor.can.log import LogFile, TimeSource
from contactor.can.plan import DecodePlan
from contactor.can.readers.parsed import FastParsed
from contactor.can.reading import LINE_BYTES, Pass, Piece, Progress
from contactor.clock import NS_PER_S

if TYPE_CHECKING:
    from contactor.can.compiled import SortedOut

# Less is read before a second thread has started.
MANY_BYTES = 4 * 1024 * 1024
# Each works on a block of its own, so that more of them would take more memory.
MOST_WORKERS = 4
# As long as a transfer waits for its next frame (N_Cr, ISO 15765-2:2016, 9.8), and longer than a
# logger takes to open its next file. After more than that nothing can be said of what is missing.
MOST_SEAM_NS = NS_PER_S


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Some consecutive frames of a recording.

    Fields:
        groups: the frames by message; None without a plan.
        part: which frames have which signal, where compiled code is at work.
        carried: readings of what several frames carry together, by the frame with which it ended.
        claimed: how many frames without a message have a part in such.
        begins_anew: whether what came before has nothing to do with it (`goes_on`).
    """

    frames: FrameTable
    plan: DecodePlan | None
    groups: FrameGroups | None
    part: "SortedOut | None"
    carried: tuple[SignalColumn, ...] = ()
    claimed: int = 0
    begins_anew: bool = False

    @classmethod
    def of(cls, frames: FrameTable, plan: DecodePlan | None) -> "Chunk":
        """A chunk of a table."""
        if plan is None:
            return cls(frames, None, None, None)
        groups = group_frames(frames, plan)
        if not are_wanted(len(frames)):
            return cls(frames, plan, groups, None)
        from contactor.can.compiled import sort_out

        return cls(frames, plan, groups, sort_out(frames, plan, groups))

    def columns(self) -> list[SignalColumn]:
        """The readings of every signal that has any here; rows point into `frames`."""
        if self.plan is None or self.groups is None:
            return []
        if self.part is None:
            columns = decode_columns(self.frames, self.plan, self.groups)
        else:
            from contactor.can.compiled import columns_of

            columns = columns_of(self.frames, self.plan, [self.part])
        return [*columns, *self.carried]


# What may be done of a block before its turn: all, what the compiled path reads, or nothing.
Ahead: TypeAlias = tuple[Piece, Chunk] | FastParsed | None


def stream_of(
    logs: Sequence[LogFile],
    plan: DecodePlan | None,
    *,
    on_progress: Progress | None = None,
    executor: Executor | None = None,
    are_kept: bool = False,
) -> Iterator[Chunk]:
    """The chunks of all logs, one log after another.

    Logs without dates are laid end to end: each begins where the one before it ended.

    Args:
        on_progress: told the bytes read so far, and in all.
        executor: see `threads_for`; None does all in this thread.
        are_kept: whether the caller keeps all chunks, so that they may be larger.

    Raises:
        LogError: a log can no longer be read.
    """
    total = sum(log.size for log in logs)
    end_ns, done = 0, 0
    before: LogFile | None = None
    last_ts: int | None = None  # of the log before
    for log in logs:
        start_ns = 0 if log.has_date else end_ns
        begins_anew = False
        if before is not None and last_ts is not None:
            begins_anew = not goes_on(before, last_ts, log)
        before, last_ts = log, None

        def report(read: int, _: int, done: int = done) -> None:
            if on_progress:
                on_progress(done + read, total)

        for chunk in _chunks(log.begin(report, are_kept=are_kept), start_ns, plan, executor):
            if len(logs) > 1:
                newest_ts = int(chunk.frames.ts.max())
                last_ts = max(newest_ts - start_ns, last_ts or 0)
                end_ns = max(end_ns, newest_ts)
            yield replace(chunk, begins_anew=True) if begins_anew else chunk
            begins_anew = False
        done += log.size


def goes_on(before: LogFile, last_ts: int, log: LogFile) -> bool:
    """Whether a log goes on where another ended, as recordings do that were split.

    Args:
        before: the other log.
        last_ts: its greatest stamp, as its `chunks` give it.
        log: begins within `MOST_SEAM_NS` on the same clock if it goes on. Where stamps have dates
            it may begin as much before, for frames that changed places.
    """
    if TimeSource.ASSUMED in (before.time_source, log.time_source):
        return False
    gap_ns = log.first_ns - (last_ts + before.origin_ns)
    return (-MOST_SEAM_NS if log.has_date else 0) <= gap_ns <= MOST_SEAM_NS


def _chunks(
    reading: Pass[Any, Any], start_ns: int, plan: DecodePlan | None, executor: Executor | None
) -> Iterator[Chunk]:
    """The chunks of one log."""

    def work(piece: Piece) -> tuple[Piece, Chunk]:
        frames = piece.frames
        if start_ns:
            frames = replace(frames, ts=frames.ts + start_ns)
        return piece, Chunk.of(frames, plan)

    def work_ahead(block: Any) -> Ahead:
        piece = reading.parse_ahead(block)
        return work(piece) if isinstance(piece, Piece) else piece

    def in_turn(block: Any, done: Ahead) -> Iterator[Chunk]:
        if done is None or isinstance(done, FastParsed):
            done = work(reading.parse(block, done))
        piece, chunk = done
        reading.settle(piece)
        if len(chunk.frames):
            yield chunk

    if executor is None:
        for block in reading.blocks():
            yield from in_turn(block, None)
        return
    blocks = reading.blocks()
    for block in islice(blocks, 1):  # from which the parser learns what it needs to work ahead
        yield from in_turn(block, None)
    waiting: deque[tuple[Any, Future[Ahead]]] = deque()
    for block in blocks:
        waiting.append((block, executor.submit(work_ahead, block)))
        if len(waiting) > workers():
            first, future = waiting.popleft()
            yield from in_turn(first, future.result())
    while waiting:
        first, future = waiting.popleft()
        yield from in_turn(first, future.result())


@contextmanager
def threads_for(logs: Sequence[LogFile]) -> Iterator[Executor | None]:
    """Threads where the logs are worth them; None where one thread does as well."""
    size = sum(log.size for log in logs) or MANY_BYTES
    if workers() < 2 or size < MANY_BYTES or not are_wanted(size // LINE_BYTES):
        yield None
        return
    with ThreadPoolExecutor(workers(), thread_name_prefix="contactor-can") as executor:
        yield executor


def workers() -> int:
    """As many as this process may use cores, 4 at most."""
    return min(cores(), MOST_WORKERS)
