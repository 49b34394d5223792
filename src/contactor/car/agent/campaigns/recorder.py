"""One campaign in one car: the readings before a trigger, and the rows around it. Pure.

    readings   ──► ring (before_s, bounded in bytes) ──┐ trigger
               └─────────────────────────────────────► ticks ──► rows of group `fast`

While its window is open, a row is made at every tick, from the readings as they came from the car's
buses: a cell holds the last reading that is not stale. Ticks are whole multiples of the period
since 1970. Rows beyond the day's allowance are dropped and counted.

    recorder = CampaignRecorder(campaign, stale_ns=stale_ns)
    for rows in recorder.feed(by_path, newest_ns): ...
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from contactor.car.agent.campaigns.condition import Condition
from contactor.car.agent.series import Series, merge_series
from contactor.car.agent.ticks import SignalTicks
from contactor.clock import NS_PER_DAY, NS_PER_S
from contactor.signals.campaign import Campaign, CampaignState, Progress
from contactor.signals.groups import Group
from contactor.signals.record import Rows, State

RING_BYTES = 8 * 2**20
"""What the readings of one campaign may take before the oldest are let go."""
HELD_NS = 15 * NS_PER_S
"""Before the ring's first tick, a reading that is to be held there must still be found."""
TICKS_AT_ONCE = 1_000
_NEVER = -(2**62)


class Kept(msgspec.Struct, frozen=True):
    """What of a campaign outlives the agent; the readings before a trigger do not.

    Args:
        until_ns: where the window under way ends.
        written_ns: the last tick that was made.
        day, rows_of_day: how many rows were made of that UTC day.
    """

    is_armed: bool = True
    triggered: int = 0
    rows: int = 0
    dropped: int = 0
    last_trigger: int | None = None
    until_ns: int = _NEVER
    written_ns: int = _NEVER
    day: int = 0
    rows_of_day: int = 0


class CampaignRecorder:
    """Owns the state of one campaign in one car.

    Args:
        stale_ns: of a path, how long its reading stays known.
        kept: where an earlier run of the agent left it.
    """

    def __init__(
        self, campaign: Campaign, *, stale_ns: Callable[[str], int], kept: Kept | None = None
    ) -> None:
        self.campaign = campaign
        self.kept = kept or Kept()
        self._period_ns = round(NS_PER_S / campaign.rate_hz)
        self._before_ns = round(campaign.before_s * NS_PER_S)
        self._after_ns = round(campaign.after_s * NS_PER_S)
        self._stale_ns = {path: stale_ns(path) for path in campaign.signals}
        self._condition = Condition(
            campaign.when,
            stale_ns=[stale_ns(claim.signal) for claim in campaign.when],
            holds_s=campaign.holds_s,
            is_armed=self.kept.is_armed,
        )
        self._ring: deque[tuple[Series, int]] = deque()
        self._ring_bytes = 0
        self._ticks: list[SignalTicks] | None = None
        self._waiting: dict[str, list[Series]] = {}
        self._next_ns = _NEVER

    @property
    def is_recording(self) -> bool:
        """Whether its window is open."""
        return self._ticks is not None

    def progress(self, now_ns: int) -> Progress:
        """What the cloud is told of it."""
        state = CampaignState.ACTIVE if self.is_recording else CampaignState.ACCEPTED
        if now_ns >= self.campaign.until:
            state = CampaignState.ENDED
        kept = self.kept
        return Progress(
            self.campaign.id,
            state,
            None,
            kept.triggered,
            kept.rows,
            kept.dropped,
            kept.last_trigger,
        )

    def feed(self, by_path: Mapping[str, Series], newest_ns: int) -> Iterator[Rows]:
        """The rows that these readings make due; they are all known up to `newest_ns`."""
        for path in self.campaign.signals:
            if path in by_path:
                self._take(by_path[path])
        for fired_ns in self._condition.feed(by_path, newest_ns):
            if fired_ns < self.campaign.until:
                yield from self._rows(fired_ns)  # of a window that ends before this one begins
                self._trigger(fired_ns)
        self._keep(is_armed=self._condition.is_armed)
        if self._ticks is None and self._is_open(newest_ns):
            self._open(newest_ns)
        yield from self._rows(newest_ns)
        self._let_go(newest_ns)

    def forget(self) -> None:
        """Begin anew: the clock has changed, and what was read counts no more."""
        self._ring.clear()
        self._ring_bytes = 0
        self._condition.forget()
        self._close()
        self._keep(until_ns=_NEVER, written_ns=_NEVER)

    # ── windows ──────────────────────────────────────────────────────────────────────────────────

    def _is_open(self, newest_ns: int) -> bool:
        return not self.campaign.when or newest_ns <= self.kept.until_ns

    def _trigger(self, fired_ns: int) -> None:
        until_ns = max(self.kept.until_ns, fired_ns + self._after_ns)
        self._keep(triggered=self.kept.triggered + 1, last_trigger=fired_ns, until_ns=until_ns)
        if self._ticks is None:
            self._open(fired_ns - self._before_ns)

    def _open(self, first_ns: int) -> None:
        """Begin to make rows, from `first_ns` on but never one twice."""
        self._next_ns = max(self._tick_at(first_ns), self.kept.written_ns + self._period_ns)
        self._ticks = [
            SignalTicks(path, stale_ns=stale_ns, is_mean=False)
            for path, stale_ns in self._stale_ns.items()
        ]
        for series, _ in self._ring:
            self._waiting.setdefault(series.path, []).append(series)

    def _close(self) -> None:
        self._ticks = None
        self._waiting = {}

    def _last_ns(self) -> int:
        """The end of the window under way."""
        last_ns = self.campaign.until - 1
        return min(last_ns, self.kept.until_ns) if self.campaign.when else last_ns

    def _rows(self, newest_ns: int) -> Iterator[Rows]:
        if self._ticks is None:
            return
        end_ns = self._last_ns()
        # A reading of the very instant of a tick may still be on its way.
        last_ns = min(self._tick_at(newest_ns) - self._period_ns, end_ns)
        while self._next_ns <= last_ns:
            until_ns = min(last_ns, self._next_ns + TICKS_AT_ONCE * self._period_ns)
            ticks = np.arange(self._next_ns, until_ns + 1, self._period_ns, dtype=np.int64)
            rows = self._allowed(self._made(self._ticks, ticks))
            self._next_ns = int(ticks[-1]) + self._period_ns
            self._keep(written_ns=int(ticks[-1]))
            if len(rows):
                yield rows
        if self._tick_at(newest_ns) - self._period_ns > end_ns:
            self._close()

    def _made(self, signals: list[SignalTicks], ticks: NDArray[np.int64]) -> Rows:
        """The rows at these ticks, without those of which nothing is known."""
        due = self._take_due(int(ticks[-1]))
        columns = tuple(signal.run(ticks, due.get(signal.path))[0] for signal in signals)
        known = np.zeros(len(ticks), np.bool_)
        for column in columns:
            known |= column.state != State.UNKNOWN
        return Rows(Group.FAST, ticks, columns).take(known)

    def _take_due(self, last_tick_ns: int) -> dict[str, Series]:
        due: dict[str, Series] = {}
        rest: dict[str, list[Series]] = {}
        for path, parts in self._waiting.items():
            one = merge_series(parts)
            cut = int(np.searchsorted(one.ts, last_tick_ns, side="right"))
            if cut:
                due[path] = one.take(slice(None, cut))
            if cut < len(one.ts):
                rest[path] = [one.take(slice(cut, None))]
        self._waiting = rest
        return due

    def _allowed(self, rows: Rows) -> Rows:
        """The rows within their day's allowance."""
        kept, parts = self.kept, np.zeros(len(rows), np.bool_)
        day, used = kept.day, kept.rows_of_day
        for number in np.unique(rows.ts // NS_PER_DAY).tolist():
            place = np.flatnonzero(rows.ts // NS_PER_DAY == number)
            if number > day:  # what lies before midnight counts for the day after, if that began
                day, used = number, 0
            room = max(self.campaign.max_rows_per_day - used, 0)
            parts[place[:room]] = True
            used += min(room, len(place))
        allowed = int(parts.sum())
        self._keep(
            rows=kept.rows + allowed,
            dropped=kept.dropped + len(rows) - allowed,
            day=day,
            rows_of_day=used,
        )
        return rows.take(parts)

    def _tick_at(self, ts: int) -> int:
        """The first tick at or after `ts`."""
        return -(-ts // self._period_ns) * self._period_ns

    # ── readings ─────────────────────────────────────────────────────────────────────────────────

    def _take(self, series: Series) -> None:
        if self._ticks is not None:
            self._waiting.setdefault(series.path, []).append(series)
        if self.campaign.when:
            size = _bytes_of(series)
            self._ring.append((series, size))
            self._ring_bytes += size

    def _let_go(self, newest_ns: int) -> None:
        oldest_ns = newest_ns - self._before_ns - HELD_NS
        while self._ring and (
            self._ring_bytes > RING_BYTES or int(self._ring[0][0].ts[-1]) < oldest_ns
        ):
            self._ring_bytes -= self._ring.popleft()[1]

    def _keep(self, **changed: object) -> None:
        self.kept = msgspec.structs.replace(self.kept, **changed)


def _bytes_of(series: Series) -> int:
    """About what a series takes in memory."""
    size = 200 + len(series.ts) * 17
    if series.values.dtype != np.object_:
        return size
    return size + sum(64 + 32 * len(value) for value in series.values)
