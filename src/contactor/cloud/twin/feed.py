"""Subscriptions to the twin: each hears what it asked for; a slow one costs the others nothing.

    subscription = feed.subscribe(vehicles=frozenset({"leaf"}), paths=None)
    for event in await subscription.next(timeout_s=2.0):    # about one vehicle; [] after 2 s
        send(event.wire)
    subscription.close()

    keeps up   each event as it was published, one object for all subscribers
    slow       where a newer value comes before the older was taken, both are dropped; when it is
               the vehicle's turn, its state of then is told instead: always the newest
    stands     one that took nothing for `IDLE_TICKS` ticks is parked: what waits is dropped, and
               publishing does not even look at it. When it takes again, it is told the state of
               each vehicle, one after another

So what waits is at most one value of each signal, and of one that stands nothing but commands.
"""

import asyncio
from collections.abc import Callable, Sequence

from contactor.cloud.twin.events import (
    Change,
    CommandEvent,
    Desired,
    Event,
    Stale,
)

MAX_COMMANDS_WAITING = 1_000
IDLE_TICKS = 2

Retell = Callable[[str, frozenset[str] | None], Sequence[Event]]


class Feed:
    """Hands events to every subscription; lives on one loop.

    Args:
        retell: tells the state of a vehicle as events, of those paths or of all.
        vehicles: names every vehicle that has a state.
    """

    def __init__(self, *, retell: Retell, vehicles: Callable[[], Sequence[str]]) -> None:
        self.retell, self.vehicles = retell, vehicles
        self._subscriptions: set[Subscription] = set()
        self._of_all: dict[Subscription, None] = {}
        self._by_vehicle: dict[str, dict[Subscription, None]] = {}
        self._parked: set[Subscription] = set()
        self._merged_before = 0
        self._parked_before = 0

    @property
    def is_heard(self) -> bool:
        """Whether anybody subscribes."""
        return bool(self._subscriptions)

    @property
    def subscribers(self) -> int:
        return len(self._subscriptions)

    @property
    def parked(self) -> int:
        """How many subscriptions stand now."""
        return len(self._parked)

    @property
    def merged(self) -> int:
        """How many values were replaced by newer ones before they were taken."""
        return self._merged_before + sum(one.merged for one in self._subscriptions)

    @property
    def wanted(self) -> frozenset[str] | None:
        """The vehicles that anybody who keeps up wants to hear of; None for all."""
        return None if self._of_all else frozenset(self._by_vehicle)

    def subscribe(
        self, *, vehicles: frozenset[str] | None = None, paths: frozenset[str] | None = None
    ) -> "Subscription":
        """Hear of those vehicles and paths from now on; None for all.

        Commands and connectivity are told of the vehicles, whatever the paths.
        """
        subscription = Subscription(self, vehicles, paths)
        self._subscriptions.add(subscription)
        self._list(subscription)
        return subscription

    def publish(self, event: Event) -> None:
        """Tell those who asked for it."""
        shaped: dict[frozenset[str], Event | None] = {}
        for subscription in (*self._of_all, *self._by_vehicle.get(event.vehicle_id, ())):
            paths = subscription.paths
            if paths is None or not isinstance(event, Change | Stale | Desired):
                subscription.offer(event)
                continue
            if paths not in shaped:
                shaped[paths] = event.only(paths)
            if (part := shaped[paths]) is not None:
                subscription.offer(part)
        if isinstance(event, CommandEvent):
            for subscription in self._parked:
                if subscription.vehicles is None or event.vehicle_id in subscription.vehicles:
                    subscription.offer(event)

    def tick(self) -> None:
        """A second is over: park those that took nothing of what waits."""
        for subscription in self._subscriptions - self._parked:
            if subscription.is_idle():
                self._unlist(subscription)
                self._parked.add(subscription)
                subscription.park()

    def resume(self, subscription: "Subscription") -> None:
        """One that was parked takes again; for the subscription."""
        self._parked.discard(subscription)
        self._list(subscription)

    def forget(self, subscription: "Subscription") -> None:
        """One has closed; for the subscription."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
            self._unlist(subscription)
            self._parked.discard(subscription)
            self._merged_before += subscription.merged

    def _list(self, subscription: "Subscription") -> None:
        if subscription.vehicles is None:
            self._of_all[subscription] = None
        for vehicle_id in subscription.vehicles or ():
            self._by_vehicle.setdefault(vehicle_id, {})[subscription] = None

    def _unlist(self, subscription: "Subscription") -> None:
        self._of_all.pop(subscription, None)
        for vehicle_id in subscription.vehicles or ():
            others = self._by_vehicle.get(vehicle_id, {})
            others.pop(subscription, None)
            if not others:
                self._by_vehicle.pop(vehicle_id, None)


class Subscription:
    """What one reader has not taken yet; made by `Feed.subscribe`."""

    def __init__(
        self, feed: Feed, vehicles: frozenset[str] | None, paths: frozenset[str] | None
    ) -> None:
        self.vehicles, self.paths = vehicles, paths
        self.merged = 0
        self._feed = feed
        self._waiting: dict[str, _Waiting] = {}
        self._commands: dict[str, CommandEvent] = {}
        self._to_retell: list[str] = []
        self._idle_ticks = 0
        self._is_parked = False
        self._is_turn_of_retold = False
        self._some = asyncio.Event()

    def offer(self, event: Event) -> None:
        """Let an event wait to be taken; for the feed."""
        if isinstance(event, CommandEvent):
            self._offer_command(event)
        if not self._is_parked:
            waiting = self._waiting.get(event.vehicle_id)
            if waiting is None:
                waiting = self._waiting[event.vehicle_id] = _Waiting()
            self.merged += waiting.add(event)
        self._some.set()

    async def next(self, timeout_s: float) -> list[Event]:
        """What waits of one vehicle, the one that waits longest; none after `timeout_s`."""
        if not self._has_some():
            self._some.clear()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._some.wait()
            except TimeoutError:
                return []
        return self.take()

    def take(self) -> list[Event]:
        """What waits of one vehicle now; none where nothing does."""
        self._idle_ticks = 0
        if self._is_parked:
            self._resume()
        # In turn, so that neither many changes nor many vehicles to be retold hold up the others.
        self._is_turn_of_retold = not self._is_turn_of_retold
        if self._to_retell and (self._is_turn_of_retold or not self._waiting):
            return self._retold(self._to_retell.pop())
        if not self._waiting:
            return []
        vehicle_id = next(iter(self._waiting))
        waiting = self._waiting.pop(vehicle_id)
        events = self._retold(vehicle_id) if waiting.is_late else waiting.events
        if not self._commands:
            return events
        told = [one for one in self._commands.values() if one.vehicle_id == vehicle_id]
        for one in told:
            del self._commands[one.id]
        return [*events, *told]

    def is_idle(self) -> bool:
        """Whether it took nothing of what waits for some ticks; told once a tick, by the feed."""
        self._idle_ticks = self._idle_ticks + 1 if self._has_some() else 0
        return self._idle_ticks >= IDLE_TICKS

    def park(self) -> None:
        """Drop what waits; for the feed."""
        self.merged += sum(waiting.values for waiting in self._waiting.values())
        self._waiting, self._to_retell, self._is_parked = {}, [], True

    def close(self) -> None:
        """Hear no more."""
        self._feed.forget(self)

    def _has_some(self) -> bool:
        return bool(self._waiting or self._commands or self._to_retell or self._is_parked)

    def _resume(self) -> None:
        self._is_parked = False
        self._feed.resume(self)
        all_or_named = self._feed.vehicles() if self.vehicles is None else sorted(self.vehicles)
        self._to_retell = list(reversed(all_or_named))
        for command in self._commands.values():
            self._waiting[command.vehicle_id] = _Waiting(is_late=True)

    def _retold(self, vehicle_id: str) -> list[Event]:
        return list(self._feed.retell(vehicle_id, self.paths))

    def _offer_command(self, event: CommandEvent) -> None:
        """The newest state of a command; of too many the oldest are dropped."""
        self.merged += self._commands.pop(event.id, None) is not None
        self._commands[event.id] = event
        if len(self._commands) > MAX_COMMANDS_WAITING:
            del self._commands[next(iter(self._commands))]
            self.merged += 1


class _Waiting:
    """What waits of one vehicle: events as published, or that its state is to be told.

    Commands wait apart, so that neither a late vehicle nor a parked reader misses their newest.
    """

    __slots__ = ("_known", "_stale", "events", "is_late")

    def __init__(self, *, is_late: bool = False) -> None:
        self.events: list[Event] = []
        self.is_late = is_late
        self._known: set[str] = set()
        self._stale: set[str] = set()

    @property
    def values(self) -> int:
        """How many values wait."""
        return sum(_weight(event) for event in self.events)

    def add(self, event: Event) -> int:
        """Take an event in; how many values are not told because newer ones will be."""
        if isinstance(event, CommandEvent):
            return 0
        if self.is_late:
            return _weight(event)
        said = self._stale if isinstance(event, Stale | Desired) else self._known
        what = _said(event)
        if said.isdisjoint(what):
            said.update(what)
            self.events.append(event)
            return 0
        dropped = self.values
        self.is_late, self.events = True, []
        self._known, self._stale = set(), set()
        return dropped


def _said(event: Event) -> Sequence[str]:
    """What must not come twice: paths, and one word each for the rest."""
    if isinstance(event, Stale):
        return event.paths
    if isinstance(event, Desired):
        return [f"desired {path}" for path in event.values]
    return tuple(event.values) if isinstance(event, Change) else ("connectivity",)


def _weight(event: Event) -> int:
    return len(event.values) if isinstance(event, Change) else 0
