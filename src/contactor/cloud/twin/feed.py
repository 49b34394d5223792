"""Subscriptions to the twin: each hears what it asked for, and never more than is newest.

    subscription = feed.subscribe(vehicles=frozenset({"leaf"}), paths=None)
    for event in await subscription.next(timeout_s=2.0):    # about one vehicle; [] after 2 s
        send(event.wire)
    subscription.close()

What nobody has taken yet is merged: per vehicle and path only the newest value waits, so memory is
bounded by the twin's size and a slow reader is sent nothing that is out of date. A reader that
keeps up gets each event as it was published, one object for all readers.
"""

import asyncio
from collections.abc import Callable, Iterable

from contactor.cloud.twin.events import (
    Change,
    CommandEvent,
    ConnectivityChange,
    Desired,
    Event,
    Stale,
)
from contactor.signals.record import Value

MAX_COMMANDS_WAITING = 1_000


class Feed:
    """Hands events to every subscription; lives on one loop."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()
        self._merged_before = 0

    @property
    def is_heard(self) -> bool:
        """Whether anybody subscribes."""
        return bool(self._subscriptions)

    @property
    def subscribers(self) -> int:
        return len(self._subscriptions)

    @property
    def merged(self) -> int:
        """How many values were replaced by newer ones before they were taken."""
        return self._merged_before + sum(one.merged for one in self._subscriptions)

    def subscribe(
        self, *, vehicles: frozenset[str] | None = None, paths: frozenset[str] | None = None
    ) -> "Subscription":
        """Hear of those vehicles and paths from now on; None for all.

        Commands and connectivity are told of the vehicles, whatever the paths.
        """
        subscription = Subscription(vehicles, paths, on_close=self._forget)
        self._subscriptions.add(subscription)
        return subscription

    def publish(self, event: Event) -> None:
        """Tell those who asked for it."""
        shaped: dict[frozenset[str], Event | None] = {}
        for subscription in self._subscriptions:
            if subscription.vehicles is not None and event.vehicle_id not in subscription.vehicles:
                continue
            paths = subscription.paths
            if paths is None or not isinstance(event, Change | Stale | Desired):
                subscription.offer(event)
                continue
            if paths not in shaped:
                shaped[paths] = event.only(paths)
            if (part := shaped[paths]) is not None:
                subscription.offer(part)

    def _forget(self, subscription: "Subscription") -> None:
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
            self._merged_before += subscription.merged


class Subscription:
    """What one reader has not taken yet; made by `Feed.subscribe`."""

    def __init__(
        self,
        vehicles: frozenset[str] | None,
        paths: frozenset[str] | None,
        *,
        on_close: Callable[["Subscription"], None],
    ) -> None:
        self.vehicles, self.paths = vehicles, paths
        self.merged = 0
        self._on_close = on_close
        self._waiting: dict[str, _Waiting] = {}
        self._some = asyncio.Event()

    def offer(self, event: Event) -> None:
        """Let an event wait to be taken; for the feed."""
        waiting = self._waiting.get(event.vehicle_id)
        if waiting is None:
            waiting = self._waiting[event.vehicle_id] = _Waiting(event.vehicle_id)
        self.merged += waiting.add(event)
        self._some.set()

    async def next(self, timeout_s: float) -> list[Event]:
        """What waits of one vehicle, the one that waits longest; none after `timeout_s`."""
        if not self._waiting:
            self._some.clear()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._some.wait()
            except TimeoutError:
                return []
        return self.take()

    def take(self) -> list[Event]:
        """What waits of one vehicle now; none where nothing does."""
        if not self._waiting:
            return []
        return self._waiting.pop(next(iter(self._waiting))).events()

    def close(self) -> None:
        """Hear no more."""
        self._on_close(self)


class _Waiting:
    """What waits of one vehicle."""

    def __init__(self, vehicle_id: str) -> None:
        self._vehicle_id = vehicle_id
        self._whole: list[Change] = []  # as published, while no path comes twice
        self._seen: set[str] = set()
        self._cells: dict[str, tuple[str, Value | None]] = {}
        self._stale: dict[str, None] = {}
        self._desired: dict[str, Value | None] = {}
        self._connectivity: ConnectivityChange | None = None
        self._commands: dict[str, CommandEvent] = {}

    def add(self, event: Event) -> int:
        """Take an event in; how many values it replaced."""
        if isinstance(event, Change):
            return self._change(event)
        if isinstance(event, Stale):
            self._stale |= dict.fromkeys(event.paths)
        elif isinstance(event, Desired):
            replaced = len(self._desired.keys() & event.values.keys())
            self._desired |= event.values
            return replaced
        elif isinstance(event, ConnectivityChange):
            self._connectivity = event
        elif isinstance(event, CommandEvent):
            return self._command(event)
        return 0

    def events(self) -> list[Event]:
        """What waits, in an order in which the last word on each path is the newest."""
        changes: list[Event] = [*self._whole, *self._merged_changes()]
        rest: list[Event] = []
        if self._stale:
            rest.append(Stale(self._vehicle_id, tuple(self._stale)))
        if self._desired:
            rest.append(Desired(self._vehicle_id, self._desired))
        if self._connectivity is not None:
            rest.append(self._connectivity)
        return [*changes, *rest, *self._commands.values()]

    def _change(self, event: Change) -> int:
        for path in self._stale.keys() & event.values.keys():
            del self._stale[path]
        if not self._cells and self._seen.isdisjoint(event.values):
            self._whole.append(event)
            self._seen.update(event.values)
            return 0
        self._cells |= _cells(self._whole)
        self._whole, self._seen = [], set()
        replaced = len(self._cells.keys() & event.values.keys())
        self._cells |= _cells([event])
        return replaced

    def _command(self, event: CommandEvent) -> int:
        replaced = self._commands.pop(event.id, None) is not None
        self._commands[event.id] = event
        if len(self._commands) > MAX_COMMANDS_WAITING:
            del self._commands[next(iter(self._commands))]
            return 1
        return int(replaced)

    def _merged_changes(self) -> Iterable[Change]:
        by_ts: dict[str, dict[str, Value | None]] = {}
        for path, (ts, value) in self._cells.items():
            by_ts.setdefault(ts, {})[path] = value
        return [Change(self._vehicle_id, ts, values) for ts, values in by_ts.items()]


def _cells(changes: Iterable[Change]) -> dict[str, tuple[str, Value | None]]:
    return {path: (change.ts, value) for change in changes for path, value in change.values.items()}
