"""What is to be decoded: logs in their order, and the plan that they are decoded by.

job = open_job(["drive.log"], dbc=["car.dbc"])
for chunk in job.chunks():
    ...
job.refused()
"""

from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from contactor.can.database import DatabaseFile, load_database
from contactor.can.log import LogFile, open_logs
from contactor.can.plan import DecodePlan, LeftOut, compile_plan
from contactor.can.reading import Progress, Refusal
from contactor.can.stream import Chunk, stream_of
from contactor.errors import LogError, UsageError

PathLike: TypeAlias = str | Path
DatabaseLike: TypeAlias = PathLike | DatabaseFile


@dataclass(frozen=True, slots=True)
class LogSource:
    """A log that is decoded; `time` says where its stamps come from."""

    file: str
    format: str
    time: str


@dataclass(frozen=True, slots=True)
class Job:
    """Logs and a plan.

    Fields:
        logs: those with dates in the order of their first frames, others as they were given.
        plan: None without a database.
        notes: what people should know, a line each: files in an archive that are no logs, what was
            put right in a database.
    """

    logs: tuple[LogFile, ...]
    plan: DecodePlan | None
    notes: tuple[str, ...]

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """Signals that cannot be decoded, with reasons."""
        return self.plan.left_out if self.plan else ()

    @property
    def sources(self) -> list[LogSource]:
        """What the logs are."""
        return [LogSource(log.name, log.format, log.time_source.value) for log in self.logs]

    @property
    def size(self) -> int:
        """The bytes of all logs; 0 of a pipe."""
        return sum(log.size for log in self.logs)

    def chunks(
        self, *, on_progress: Progress | None = None, executor: Executor | None = None
    ) -> Iterator[Chunk]:
        """See `stream_of`."""
        return stream_of(self.logs, self.plan, on_progress=on_progress, executor=executor)

    def refused(self) -> list[Refusal]:
        """What the reading so far has refused, log after log."""
        return [refusal for log in self.logs for refusal in log.refused]


def open_job(
    paths: PathLike | Iterable[PathLike],
    dbc: DatabaseLike | Iterable[DatabaseLike] | None = None,
    signals: Collection[str] | None = None,
) -> Job:
    """Recognise logs and read databases; arguments and errors as of `contactor.decode`."""
    if signals is not None and dbc is None:
        raise UsageError("signals are named, but no database to find them in")
    notes: list[str] = []
    plan = None
    if dbc is not None:
        database = load_database(_many(dbc))
        notes += [str(repair) for repair in database.repairs]
        plan = compile_plan(database, signals=signals)
    logs = open_logs(_many(paths), notes.append)
    return Job(tuple(_in_time(logs)), plan, tuple(notes))


def _many(given: DatabaseLike | Iterable[DatabaseLike]) -> list[DatabaseLike]:
    return [given] if isinstance(given, str | Path | DatabaseFile) else list(given)


def _in_time(logs: list[LogFile]) -> list[LogFile]:
    """Logs with dates by their first frames, logs without as given."""
    if not logs:
        raise UsageError("no log given")
    dated = [log for log in logs if log.has_date]
    if dated and len(dated) < len(logs):
        undated = next(log for log in logs if not log.has_date)
        raise LogError(
            f"{dated[0].label} has dates and {undated.label} has none: decode them one by one"
        )
    return sorted(logs, key=lambda log: log.first_ts) if dated else logs
