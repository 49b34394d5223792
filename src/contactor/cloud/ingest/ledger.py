"""What of each stream has been taken in: the cloud's half of the watermark protocol. Pure.

    sequence   1  2  3  4  5  6  7  8
               └ watermark 4 ┘  └──┘ above: [(6, 7)], missing: [(5, 5)]

The watermark is the greatest n with all of 1..n taken in, never the highest seen. A message over
sequences that were taken in already is a repeat; a gap counts only for what nobody delivered.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from contactor.cloud.ingest.ranges import Range, RangeSet
from contactor.cloud.lake.schema import StreamState

MAX_RANGES_ABOVE = 64
MAX_NAMED = 8
"""Groups of signals that are known to be named; what is named for long has few."""


@dataclass(slots=True)
class StreamLedger:
    """The account of one stream; owned by the ingest."""

    vehicle_id: str
    stream: int
    profile: str = ""
    lane: str = ""
    watermark: int = 0
    above: RangeSet = field(default_factory=RangeSet)
    rows_stored: int = 0
    rows_refused: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    paths: tuple[str, ...] = ()
    """Sorted: each flush asks for them, and they seldom change."""
    first_ts: int | None = None
    last_ts: int | None = None
    received_at: int = 0
    _named: deque[tuple[str, ...]] = field(default_factory=lambda: deque(maxlen=MAX_NAMED))

    @classmethod
    def restored(cls, state: StreamState) -> "StreamLedger":
        """The account as it was committed."""
        return cls(
            vehicle_id=state.vehicle_id,
            stream=state.stream,
            profile=state.profile,
            lane=state.lane,
            watermark=state.watermark,
            above=RangeSet(state.above),
            rows_stored=state.rows_stored,
            rows_refused=state.rows_refused,
            refused=Counter(state.refused),
            paths=state.paths,
            first_ts=state.first_ts,
            last_ts=state.last_ts,
            received_at=state.received_at,
        )

    def state(self) -> StreamState:
        """The account as it is to be committed."""
        return StreamState(
            vehicle_id=self.vehicle_id,
            stream=self.stream,
            profile=self.profile,
            lane=self.lane,
            watermark=self.watermark,
            above=self.above.as_tuple(),
            rows_stored=self.rows_stored,
            rows_refused=self.rows_refused,
            refused=dict(self.refused),
            paths=self.paths,
            first_ts=self.first_ts,
            last_ts=self.last_ts,
            received_at=self.received_at,
        )

    def news(self, first: int, last: int) -> Sequence[Range] | None:
        """What of first..last is new; nothing is taken in yet.

        Returns:
            The parts that are new, empty for a repeat; None when it lies so far out of order that
            it would leave more than `MAX_RANGES_ABOVE` holes: the sender must come again with it.
        """
        parts = [
            part
            for begin, end in self.above.without(first, last)
            if (part := (max(begin, self.watermark + 1), end))[0] <= end
        ]
        if not parts or parts[0][0] == self.watermark + 1:
            return parts
        trial = RangeSet([*self.above.as_tuple(), *parts])
        return parts if len(trial) <= MAX_RANGES_ABOVE else None

    def take(self, parts: Sequence[Range]) -> None:
        """Take in parts that are new."""
        for first, last in parts:
            self.above.add(first, last)
        ranges = self.above.as_tuple()
        if ranges and ranges[0][0] == self.watermark + 1:
            self.watermark = ranges[0][1]
            self.above.drop_upto(self.watermark)

    def take_next(self, count: int) -> None:
        """Take in that many more than were taken in ever."""
        if len(self.above):
            self.take([(self.highest + 1, self.highest + count)])
        else:
            self.watermark += count

    @property
    def highest(self) -> int:
        """The highest sequence taken in."""
        ranges = self.above.as_tuple()
        return ranges[-1][1] if ranges else self.watermark

    def missing(self) -> tuple[Range, ...]:
        """The holes between the watermark and the highest taken in."""
        holes, start = [], self.watermark + 1
        for first, last in self.above.as_tuple():
            holes.append((start, first - 1))
            start = last + 1
        return tuple(holes)

    def refuse(self, reason: str, rows: int = 1) -> None:
        """Count what was refused, under its reason."""
        self.rows_refused += rows
        self.refused[reason] += rows

    def name(self, groups: Iterable[tuple[str, ...]]) -> None:
        """Note the signals of the groups of a record."""
        for paths in groups:
            if paths not in self._named:
                self._named.append(paths)
                self.paths = tuple(sorted({*self.paths, *paths}))

    def span(self, first_ts: int, last_ts: int) -> None:
        """Widen the span of instants stored."""
        self.first_ts = first_ts if self.first_ts is None else min(self.first_ts, first_ts)
        self.last_ts = last_ts if self.last_ts is None else max(self.last_ts, last_ts)


class Ledger:
    """The accounts of all streams."""

    def __init__(self, states: Iterable[StreamState]) -> None:
        self._streams = {
            (state.vehicle_id, state.stream): StreamLedger.restored(state) for state in states
        }
        self._by_vehicle: dict[str, list[StreamLedger]] = defaultdict(list)
        for account in self._streams.values():
            self._by_vehicle[account.vehicle_id].append(account)

    def __iter__(self) -> Iterator[StreamLedger]:
        return iter(self._streams.values())

    def find(self, vehicle_id: str, stream: int) -> StreamLedger | None:
        """The account of a stream that something was taken in of."""
        return self._streams.get((vehicle_id, stream))

    def of_vehicle(self, vehicle_id: str) -> Sequence[StreamLedger]:
        """The accounts of the streams of a vehicle."""
        return self._by_vehicle.get(vehicle_id, ())

    def of(self, vehicle_id: str, stream: int) -> StreamLedger:
        """The account of a stream; a new one begins at watermark 0."""
        key = (vehicle_id, stream)
        account = self._streams.get(key)
        if account is None:
            self._streams[key] = account = StreamLedger(vehicle_id, stream)
            self._by_vehicle[vehicle_id].append(account)
        return account
