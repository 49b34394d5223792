"""Decode logs in one call: the engine's face in Python.

    recording = decode("EV-CANeplus2.log", dbc="car.dbc")
    recording.messages["BatteryState"]["PackVoltage"].max()   # 393.5
    recording.summary()["duration_s"]                         # 18.98

Data frames come as polars, which the size `contactor[cloud]` brings; all else needs NumPy alone.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from contactor.can.columns import SignalColumn, merged
from contactor.can.decode import decode_columns
from contactor.can.frames import FrameStore, FrameTable
from contactor.can.groups import FrameGroups, group_frames
from contactor.can.job import DatabaseLike, Job, PathLike, open_job
from contactor.can.kernels import are_wanted
from contactor.can.plan import LeftOut
from contactor.can.reading import LINE_BYTES, Progress
from contactor.can.stream import Chunk, threads_for
from contactor.can.summary import Summary, SummaryBuilder
from contactor.can.tables import long_table, message_rows, message_tables

if TYPE_CHECKING:
    import polars as pl

NO_FRAMES = FrameTable.empty()


class Recording:
    """Logs, read and decoded.

    Attributes:
        frames: all frames, log after log.
        logs, refused, left_out, notes: see `Job`.
        columns: the readings of every signal decoded; empty without a database.
    """

    def __init__(
        self,
        job: Job,
        frames: FrameTable,
        *,
        groups: FrameGroups | None,
        columns: list[SignalColumn],
        claimed: int = 0,
        seams: Sequence[int] = (),
    ) -> None:
        self.frames = frames
        self.logs = tuple(job.sources)
        self.refused = tuple(job.refused())
        self.left_out: tuple[LeftOut, ...] = job.left_out
        self.notes = job.notes
        self.columns = tuple(columns)
        self._plan = job.plan
        self._groups = groups
        self._transport = job.transport
        self._claimed = claimed
        self._seams = tuple(seams)

    @cached_property
    def messages(self) -> "dict[str, pl.DataFrame]":
        """A table per message: `ts` (ns), `bus`, and each signal's physical values.

        A signal that a frame does not carry, or that the car marked "not available", is null.
        Where signals were chosen, only messages with a reading of one are there.

        Raises:
            MissingPart: polars is not installed.
        """
        if self._plan is None or self._groups is None:
            return {}
        rows = message_rows(self._plan.shown(self._groups.rows()), self.columns)
        if self._plan.is_chosen:
            read = {column.message for column in self.columns}
            rows = {label: own for label, own in rows.items() if label in read}
        return message_tables(self.frames, rows, self.columns)

    def long(self) -> "pl.DataFrame":
        """A row per reading: `ts, bus, message, signal, value, label`, in the order of frames.

        Raises:
            MissingPart: polars is not installed.
        """
        return long_table(self.frames, self.columns)

    def summary(self) -> Summary:
        """What `contactor decode --json` prints; `ids` is there when no database was given."""
        builder = SummaryBuilder(self._plan)
        builder.add_frames(self.frames, self._groups, claimed=self._claimed, seams=self._seams)
        builder.add_columns(self.columns)
        transport = self._transport.facts() if self._transport else None
        return builder.summary(self.logs, self.refused, transport)


def decode(
    paths: PathLike | Iterable[PathLike],
    dbc: DatabaseLike | Iterable[DatabaseLike] | None = None,
    signals: Collection[str] | None = None,
    *,
    on_progress: Progress | None = None,
) -> Recording:
    """Read logs and decode them with databases.

    Args:
        paths: one log or several; `-` is standard input. Logs with dates are put in the order of
            their first frames; logs without follow each other as given, each beginning where the
            one before it ended.
        dbc: one database or several; where two define an id, the first given counts. A
            `DatabaseFile` may say which bus it is for.
        signals: what to decode, as "Message.Signal", "Message" or "Signal"; None for all.
        on_progress: told the bytes read so far and in all.

    Raises:
        UsageError: a file is missing, a signal is unknown, or signals are named without a database.
        LogError: a log cannot be read, or logs with and without dates are mixed.
        DatabaseError: a database cannot be read.
    """
    return recorded(open_job(paths, dbc, signals), on_progress)


def recorded(job: Job, on_progress: Progress | None = None) -> Recording:
    """Read and decode what a job says; see `decode`."""
    store = FrameStore(expected=job.size // LINE_BYTES)
    chunks: list[Chunk] = []
    carried: list[SignalColumn] = []
    seams: list[int] = []
    with threads_for(job.logs) as executor:
        for chunk in job.chunks(on_progress=on_progress, executor=executor, are_kept=True):
            if chunk.begins_anew:
                seams.append(len(store))
            carried += [column.moved(len(store)) for column in chunk.carried]
            store.append(chunk.frames)
            # The store has the frames; what is sorted out needs its own no more.
            chunks.append(chunk if chunk.part is None else replace(chunk, frames=NO_FRAMES))
        claimed = sum(chunk.claimed for chunk in chunks)
        frames = store.table()
        if job.plan is None:
            return Recording(job, frames, groups=None, columns=[])
        if not are_wanted(len(frames)):
            groups = group_frames(frames, job.plan)
            columns = decode_columns(frames, job.plan, groups)
            columns += merged(carried)
            return Recording(
                job, frames, groups=groups, columns=columns, claimed=claimed, seams=seams
            )
        from contactor.can.compiled import columns_of, sort_out

        parts = [
            chunk.part or sort_out(chunk.frames, job.plan, chunk.groups)
            for chunk in chunks
            if chunk.groups is not None
        ]
        columns = columns_of(frames, job.plan, parts, executor)
    groups = FrameGroups.joined([part.groups for part in parts])
    columns += merged(carried)
    return Recording(job, frames, groups=groups, columns=columns, claimed=claimed, seams=seams)
