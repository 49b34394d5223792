"""What is to be decoded: logs in their order, and the plan that they are decoded by.

job = open_job(["drive.log"], dbc=["car.dbc"])
for chunk in job.chunks():
    ...
job.refused()
"""

from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from contactor.can.database import DatabaseFile, load_database
from contactor.can.databases.argument import MAX_BUS, database_files
from contactor.can.log import LogFile, open_logs
from contactor.can.plan import DecodePlan, LeftOut, compile_plan
from contactor.can.reading import Progress, Refusal
from contactor.can.signal_set import SignalSet, is_signal_set, load_obd2, load_signal_set
from contactor.can.stream import Chunk, stream_of
from contactor.can.transport import TransportDecoder, frame_plan, names_of
from contactor.errors import LogError, UsageError

PathLike: TypeAlias = str | Path
DatabaseLike: TypeAlias = PathLike | DatabaseFile
# The name of our own signal set for OBD-II, where no file has it.
BUILT_IN = "obd2"
HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class LogSource:
    """A log that is decoded; `time` says where its stamps come from.

    `off_clock` counts the frames of which that is not so; see `LogFile.off_clock`.
    """

    file: str
    format: str
    time: str
    off_clock: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """Logs and what they are decoded by.

    Fields:
        logs: those with dates in the order of their first frames, others as they were given.
        plan: of single frames; None without a database.
        transport: decodes what several frames carry; None where nothing is known of that.
        notes: what people should know, a line each: files in an archive that are no logs, what was
            put right in a database.
        left_out: signals that cannot be decoded, with reasons.
        files: the databases and signal sets.
    """

    logs: tuple[LogFile, ...]
    plan: DecodePlan | None
    transport: TransportDecoder | None
    notes: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    files: tuple[DatabaseFile, ...] = ()

    @property
    def sources(self) -> list[LogSource]:
        """What the logs are, as far as they are read."""
        return [
            LogSource(log.name, log.format, log.time_source.value, log.off_clock)
            for log in self.logs
        ]

    @property
    def size(self) -> int:
        """The bytes of all logs; 0 of a pipe."""
        return sum(log.size for log in self.logs)

    def chunks(
        self,
        *,
        on_progress: Progress | None = None,
        executor: Executor | None = None,
        are_kept: bool = False,
    ) -> Iterator[Chunk]:
        """The chunks of all logs, once; see `stream_of`."""
        chunks = stream_of(
            self.logs, self.plan, on_progress=on_progress, executor=executor, are_kept=are_kept
        )
        if self.transport is None:
            yield from chunks
            return
        waiting: Chunk | None = None
        for chunk in chunks:
            if waiting is not None:
                yield self._with_carried(waiting, is_last=chunk.begins_anew)
            waiting = chunk
        if waiting is not None:
            yield self._with_carried(waiting, is_last=True)

    def refused(self) -> list[Refusal]:
        """What the reading so far has refused, log after log."""
        return [refusal for log in self.logs for refusal in log.refused]

    def _with_carried(self, chunk: Chunk, *, is_last: bool) -> Chunk:
        assert self.transport is not None
        columns = self.transport.feed(chunk.frames, is_last=is_last)
        claimed = self.transport.claimed(chunk.frames, chunk.groups) if chunk.groups else 0
        return replace(chunk, carried=tuple(columns), claimed=claimed)


def open_job(
    paths: PathLike | Iterable[PathLike],
    dbc: DatabaseLike | Iterable[DatabaseLike] | None = None,
    signals: Collection[str] | None = None,
) -> Job:
    """Recognise logs and read databases; arguments and errors as of `contactor.decode`."""
    if signals is not None and dbc is None:
        raise UsageError("signals are named, but no database to find them in")
    notes: list[str] = []
    if dbc is None:
        return Job(_in_time(open_logs(_many(paths), notes.append)), None, None, tuple(notes), ())
    files = {file: _signal_set(file) for file in database_files(_databases(dbc))}
    sets = [signal_set for signal_set in files.values() if signal_set is not None]
    database = load_database([file for file, signal_set in files.items() if signal_set is None])
    notes += [str(repair) for repair in database.repairs]
    wanted = None if signals is None else set(signals)
    in_sets = {name for one in sets for name in names_of(one)}
    plan = compile_plan(database, signals=wanted, others=in_sets)
    logs = _in_time(open_logs(_many(paths), notes.append))
    transport = TransportDecoder(plan, sets, signals=wanted)
    return Job(
        logs,
        frame_plan(plan),
        transport if transport.is_needed else None,
        tuple(notes),
        (*plan.left_out, *(left_out for one in sets for left_out in one.left_out)),
        tuple(files),
    )


def _many(given: PathLike | Iterable[PathLike]) -> list[PathLike]:
    return [given] if isinstance(given, str | Path) else list(given)


def _databases(given: DatabaseLike | Iterable[DatabaseLike]) -> list[DatabaseLike]:
    return [given] if isinstance(given, str | Path | DatabaseFile) else list(given)


def _signal_set(file: DatabaseFile) -> SignalSet | None:
    """The signal set that a file is, or that is built in under that name."""
    if str(file.path) == BUILT_IN and not file.path.exists():
        return load_obd2()
    try:
        with file.path.open("rb") as opened:
            head = opened.read(HEAD_BYTES).decode("utf-8-sig", "replace")
    except FileNotFoundError as error:
        raise _missing(file) from error
    except OSError:  # told by who reads databases
        return None
    return load_signal_set(file.path) if is_signal_set(head) else None


def _missing(file: DatabaseFile) -> UsageError:
    """That a file is missing, and how its name was read where it may have been meant otherwise."""
    bus, is_parted, name = str(file.path).partition("=")
    line = f"no such file: {file.path}"
    if file.bus is not None:
        line += f", given as BUS=FILE for bus {file.bus}; nor is there a file of that whole name"
    elif is_parted and bus and name:
        line += f"; nor is it BUS=FILE: a bus is 0..{MAX_BUS}, or such as can0, not {bus!r}"
    return UsageError(line)


def _in_time(logs: list[LogFile]) -> tuple[LogFile, ...]:
    """Logs with dates by their first frames, logs without as given."""
    if not logs:
        raise UsageError("no log given")
    dated = [log for log in logs if log.has_date]
    if dated and len(dated) < len(logs):
        undated = next(log for log in logs if not log.has_date)
        raise LogError(
            f"{dated[0].label} has dates and {undated.label} has none: decode them one by one"
        )
    return tuple(sorted(logs, key=lambda log: log.first_ts) if dated else logs)
