"""Decode logs in one call: the engine's face in Python.

    recording = decode("EV-CANeplus2.log", dbc="car.dbc")
    recording.messages["BatteryState"]["PackVoltage"].max()   # 393.5
    recording.summary()["duration_s"]                         # 18.98

Data frames come as polars, which the size `contactor[cloud]` brings; all else needs NumPy alone.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from contactor.can.columns import SignalColumn
from contactor.can.database import load_database
from contactor.can.decode import decode_columns
from contactor.can.frames import FrameTable
from contactor.can.groups import FrameGroups, group_frames
from contactor.can.identify import IdentifierFactsBuilder
from contactor.can.log import LogFile, open_log
from contactor.can.plan import LeftOut, compile_plan
from contactor.can.reading import Progress, Refusal
from contactor.can.summary import (
    LogFacts,
    RefusalFacts,
    Summary,
    duration_s,
    signal_facts,
)
from contactor.can.tables import long_table, message_tables
from contactor.errors import LogError, UsageError

if TYPE_CHECKING:
    import polars as pl

PathLike: TypeAlias = str | Path


@dataclass(frozen=True, slots=True)
class LogSource:
    """A log that went into a recording; `time` says where its stamps come from."""

    file: str
    format: str
    time: str


class Recording:
    """Logs, read and decoded.

    Attributes:
        frames: all frames, log after log.
        logs: where they come from, in that order.
        refused: lines that were no frames.
        columns: the readings of every signal decoded; empty without a database.
        left_out: signals that cannot be decoded, with reasons.
    """

    def __init__(
        self,
        frames: FrameTable,
        *,
        logs: Sequence[LogSource],
        refused: Sequence[Refusal],
        groups: FrameGroups | None,
        columns: Sequence[SignalColumn],
        left_out: Sequence[LeftOut] = (),
    ) -> None:
        self.frames = frames
        self.logs = tuple(logs)
        self.refused = tuple(refused)
        self.columns = tuple(columns)
        self.left_out = tuple(left_out)
        self._groups = groups

    @cached_property
    def messages(self) -> "dict[str, pl.DataFrame]":
        """A table per message: `ts` (ns), `bus`, and each signal's physical values.

        A signal that a frame does not carry, or that the car marked "not available", is null.

        Raises:
            MissingPart: polars is not installed.
        """
        return message_tables(self.frames, self._groups, self.columns)

    def long(self) -> "pl.DataFrame":
        """A row per reading: `ts, bus, message, signal, value, label`, in the order of frames.

        Raises:
            MissingPart: polars is not installed.
        """
        return long_table(self.frames, self.columns)

    def summary(self) -> Summary:
        """What `contactor decode --json` prints; `ids` is there when no database was given."""
        groups = self._groups
        is_other = self.frames.is_error | self.frames.is_remote
        other = groups.other if groups else int(is_other.sum())
        refused = sum(refusal.count for refusal in self.refused)
        summary = Summary(
            logs=[LogFacts(file=log.file, format=log.format, time=log.time) for log in self.logs],
            frames=len(self.frames) + refused,
            frames_decoded=groups.decoded if groups else 0,
            frames_unknown=groups.unknown if groups else len(self.frames) - other,
            frames_other=other,
            frames_refused=refused,
            refused=[
                RefusalFacts(
                    reason=refusal.reason,
                    count=refusal.count,
                    first_line=refusal.first_line,
                    first_text=refusal.first_text,
                )
                for refusal in self.refused
            ],
            duration_s=duration_s(self.frames),
            messages=groups.counts() if groups else {},
            signals={column.name: signal_facts(column) for column in self.columns},
        )
        if groups is None:
            builder = IdentifierFactsBuilder()
            builder.add(self.frames)
            summary["ids"], summary["buses"] = builder.facts(), builder.buses()
        return summary


def decode(
    paths: PathLike | Iterable[PathLike],
    dbc: PathLike | Iterable[PathLike] | None = None,
    signals: Collection[str] | None = None,
    *,
    on_progress: Progress | None = None,
) -> Recording:
    """Read logs and decode them with databases.

    Args:
        paths: one log or several. Logs with dates are put in the order of their first frames; logs
            without follow each other as given, each beginning where the one before it ended.
        dbc: one database or several; where two define an id, the first given counts.
        signals: what to decode, as "Message.Signal", "Message" or "Signal"; None for all.
        on_progress: told the bytes read so far and in all.

    Raises:
        UsageError: a file is missing, a signal is unknown, or signals are named without a database.
        LogError: a log cannot be read, or logs with and without dates are mixed.
        DatabaseError: a database cannot be read.
    """
    if signals is not None and dbc is None:
        raise UsageError("signals are named, but no database to find them in")
    plan = None if dbc is None else compile_plan(load_database(_paths(dbc)), signals=signals)
    logs = _in_time([open_log(path) for path in _paths(paths)])
    frames, refused = _read(logs, on_progress)
    groups = group_frames(frames, plan) if plan else None
    return Recording(
        frames,
        logs=[LogSource(log.path.name, log.format, log.time_source.value) for log in logs],
        refused=refused,
        groups=groups,
        columns=decode_columns(frames, plan, groups) if plan else (),
        left_out=plan.left_out if plan else (),
    )


def _paths(given: PathLike | Iterable[PathLike]) -> list[Path]:
    return [Path(given)] if isinstance(given, str | Path) else [Path(path) for path in given]


def _in_time(logs: list[LogFile]) -> list[LogFile]:
    """Logs with dates by their first frames, logs without as given."""
    if not logs:
        raise UsageError("no log given")
    dated = [log for log in logs if log.has_date]
    if dated and len(dated) < len(logs):
        undated = next(log for log in logs if not log.has_date)
        raise LogError(
            f"{dated[0].path} has dates and {undated.path} has none: decode them one by one"
        )
    return sorted(logs, key=lambda log: log.first_ts) if dated else logs


def _read(
    logs: Sequence[LogFile], on_progress: Progress | None
) -> tuple[FrameTable, list[Refusal]]:
    """The frames of all logs, one log after another, and all that was refused."""
    total = sum(log.size for log in logs)
    tables: list[FrameTable] = []
    refused: list[Refusal] = []
    end_ns, done = 0, 0
    for log in logs:
        start_ns = 0 if log.has_date else end_ns

        def report(read: int, _: int, before: int = done) -> None:
            if on_progress:
                on_progress(before + read, total)

        for table in log.chunks(report):
            shifted = replace(table, ts=table.ts + start_ns) if start_ns else table
            end_ns = max(end_ns, int(shifted.ts.max()))
            tables.append(shifted)
        refused += log.refused
        done += log.size
    return FrameTable.concat(tables), refused
