"""What is in a recording, as plain values for JSON: unknown is None, nothing is NaN.

A value that is not available enters no count, minimum, maximum or mean.

    builder = SummaryBuilder(plan)
    builder.add_frames(frames, groups)
    builder.add_columns(columns)
    builder.summary(logs, refused)["signals"]["BatteryState.PackVoltage"]["max"]     # 393.5
"""

import math
from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict, TypeVar

import numpy as np

from contactor.can.checks import Checker, CheckFacts
from contactor.can.clock_set import TimeSpan
from contactor.can.columns import SignalColumn
from contactor.can.frames import FrameTable
from contactor.can.groups import FrameGroups
from contactor.can.identify import BusFacts, IdentifierFacts, IdentifierFactsBuilder
from contactor.can.job import LogSource
from contactor.can.plan import DecodePlan, name_in
from contactor.can.reading import Refusal
from contactor.can.tables import message_rows
from contactor.can.transport import TransportFacts
from contactor.clock import NS_PER_S

Thing = TypeVar("Thing")


class LogFacts(TypedDict):
    """A log: its name, its format, where its stamps come from.

    `frames_off_clock` is there where some come from elsewhere; see `LogFile.off_clock`.
    """

    file: str
    format: str
    time: str
    frames_off_clock: NotRequired[int]


class RefusalFacts(TypedDict):
    """Lines refused for one reason."""

    reason: str
    count: int
    first_line: int
    first_text: str


class SignalFacts(TypedDict):
    """The readings of one signal; all but `unavailable` of those that are available."""

    unit: str
    count: int
    unavailable: int
    first: float | None
    last: float | None
    min: float | None
    max: float | None
    mean: float | None


class MessageChecks(TypedDict):
    """What the counter and the checksum of a message say; see `contactor.can.checks`."""

    counter: str | None
    checksum: str | None
    frames: int
    lost: int
    jumps: int
    repeated: int
    wrong: int
    short: int
    unchecked: list[str]


class Summary(TypedDict):
    """A recording: frames = decoded + unknown + other (error, remote) + refused."""

    logs: list[LogFacts]
    frames: int
    frames_decoded: int
    frames_unknown: int
    frames_other: int
    frames_refused: int
    refused: list[RefusalFacts]
    duration_s: float | None
    messages: dict[str, int]
    signals: dict[str, SignalFacts]
    ids: NotRequired[dict[str, IdentifierFacts]]
    buses: NotRequired[dict[str, BusFacts]]
    checks: NotRequired[dict[str, MessageChecks]]
    transport: NotRequired[TransportFacts]


class SummaryBuilder:
    """Adds up a recording chunk by chunk, in bounded memory.

    Args:
        plan: what is decoded, for the order of the signals; None without a database.
        with_ids: whether, without a database, to look into every id.
    """

    def __init__(self, plan: DecodePlan | None, *, with_ids: bool = True) -> None:
        self._plan = plan
        self._frames = 0
        self._decoded, self._unknown, self._other = 0, 0, 0
        self._span = TimeSpan()
        self._framed: dict[str, int] = {}
        self._carried: dict[str, int] = {}
        self._signals: dict[str, SignalTally] = {}
        self._checker = Checker(plan) if plan is not None else None
        self._ids = IdentifierFactsBuilder() if plan is None and with_ids else None

    def add_frames(
        self,
        frames: FrameTable,
        groups: FrameGroups | None,
        *,
        claimed: int = 0,
        seams: Sequence[int] = (),
    ) -> None:
        """Count what was recorded next.

        Args:
            groups: the frames by message; None without a plan.
            claimed: frames without a message that carried readings all the same.
            seams: see `Checker.check`.
        """
        if not len(frames):
            return
        self._frames += len(frames)
        self._span.add(frames.ts)
        if groups is None:
            other = int((frames.is_error | frames.is_remote).sum())
            self._other += other
            self._unknown += len(frames) - other
        else:
            self._decoded += groups.decoded + claimed
            self._unknown += groups.unknown - claimed
            self._other += groups.other
            for label, count in groups.counts().items():
                self._framed[label] = self._framed.get(label, 0) + count
            if self._checker is not None:
                self._checker.check(frames, groups, seams)
        if self._ids is not None:
            self._ids.add(frames)

    def add_columns(self, columns: Sequence[SignalColumn]) -> None:
        """Take in readings of frames that were counted, each signal's in the order of frames."""
        carried = (column for column in columns if column.message not in self._framed)
        for label, rows in message_rows({}, carried).items():
            self._carried[label] = self._carried.get(label, 0) + len(rows)
        with np.errstate(over="ignore"):
            for column in columns:
                tally = self._signals.get(column.name)
                if tally is None:
                    tally = self._signals[column.name] = SignalTally(column.unit)
                tally.add(column)

    def summary(
        self,
        logs: Sequence[LogSource],
        refused: Sequence[Refusal],
        transport: TransportFacts | None = None,
    ) -> Summary:
        """What was added up."""
        refused_count = sum(refusal.count for refusal in refused)
        lasted_ns = self._span.lasted_ns
        summary = Summary(
            logs=[_log_facts(log) for log in logs],
            frames=self._frames + refused_count,
            frames_decoded=self._decoded,
            frames_unknown=self._unknown,
            frames_other=self._other,
            frames_refused=refused_count,
            refused=[
                RefusalFacts(
                    reason=refusal.reason,
                    count=refusal.count,
                    first_line=refusal.first_line,
                    first_text=refusal.first_text,
                )
                for refusal in refused
            ],
            duration_s=None if lasted_ns is None else lasted_ns / NS_PER_S,
            messages=self._in_plan_order(self._framed | self._carried),
            signals={
                name: tally.facts() for name, tally in self._in_plan_order(self._signals).items()
            },
        )
        checks = self._checker.totals() if self._checker is not None else []
        if checks:
            summary["checks"] = {facts.label: _check_facts(facts) for facts in checks}
        if transport is not None:
            summary["transport"] = transport
        if self._ids is not None:
            summary["ids"], summary["buses"] = self._ids.facts(), self._ids.buses()
        return summary

    def _in_plan_order(self, found: Mapping[str, Thing]) -> dict[str, Thing]:
        """Messages or signals by their places in the plan; what it does not name comes last."""
        ranks: dict[str, int] = {}
        for message in self._plan.messages if self._plan else ():
            ranks.setdefault(message.name, len(ranks))
            for signal in message.signals:
                ranks.setdefault(f"{message.name}.{signal.name}", len(ranks))

        def rank(name: str) -> int:
            return ranks.get(name_in(name, ranks), len(ranks))

        return {name: found[name] for name in sorted(found, key=rank)}


def _log_facts(log: LogSource) -> LogFacts:
    facts = LogFacts(file=log.file, format=log.format, time=log.time)
    if log.off_clock:
        facts["frames_off_clock"] = log.off_clock
    return facts


def _check_facts(facts: CheckFacts) -> MessageChecks:
    return MessageChecks(
        counter=facts.counter,
        checksum=facts.checksum,
        frames=facts.frames,
        lost=facts.lost,
        jumps=facts.jumps,
        repeated=facts.repeated,
        wrong=facts.wrong,
        short=facts.short,
        unchecked=list(facts.unchecked),
    )


class SignalTally:
    """Count, first, last, least, greatest and mean of the readings that are available."""

    __slots__ = (
        "_count",
        "_first",
        "_last",
        "_max",
        "_min",
        "_rest",
        "_sum",
        "_unavailable",
        "_unit",
    )

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._count, self._unavailable = 0, 0
        self._first, self._last = math.nan, math.nan
        self._min, self._max = math.inf, -math.inf
        # Neumaier's sum: what the sum loses by rounding is summed apart.
        self._sum, self._rest = 0.0, 0.0

    def add(self, column: SignalColumn) -> None:
        """Take in a column's readings; their sum may be beyond a float64."""
        values = column.available
        self._unavailable += len(column.values) - len(values)
        if not len(values):
            return
        if not self._count:
            self._first = float(values[0])
        self._count += len(values)
        self._last = float(values[-1])
        self._min = min(self._min, float(values.min()))
        self._max = max(self._max, float(values.max()))
        more = float(values.sum())
        total = self._sum + more
        large, small = (self._sum, more) if abs(self._sum) >= abs(more) else (more, self._sum)
        self._rest += (large - total) + small
        self._sum = total

    def facts(self) -> SignalFacts:
        """What was added up; None for what no reading tells."""
        is_there = self._count > 0
        mean = (self._sum + self._rest) / self._count if is_there else math.inf
        return SignalFacts(
            unit=self._unit,
            count=self._count,
            unavailable=self._unavailable,
            first=self._first if is_there else None,
            last=self._last if is_there else None,
            min=self._min if is_there else None,
            max=self._max if is_there else None,
            mean=mean if math.isfinite(mean) else None,
        )
