"""Looks at what the cars say and what history finds, and notes what fires.

    ingest ──► take_batch ──┐
    presence ───► tick ─────┼─► machine.step, per rule and car ─► noted in one transaction ─► outbox
    facts ──────────────────┘

Rows are looked at, and what fires is noted, before they are committed: what is not noted when the
process is killed comes again with its rows. What fired is kept by what happened, so it fires once
however often it comes.

    watch = Watch(store=store, presence=presence, clock=clock, on_noted=outbox.nudge)
    ingest = Ingest(..., on_batch=watch.take_batch, before_commit=watch.keep_up)
    await watch.run()
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TypeAlias

import numpy as np

from contactor.clock import Clock
from contactor.cloud.alerts.batch_rows import rows_of
from contactor.cloud.alerts.document import Document, check_document
from contactor.cloud.alerts.drivers import check_installed
from contactor.cloud.alerts.settled import Settled
from contactor.cloud.alerts.store import (
    Alert,
    AlertStore,
    KeptRule,
    Noted,
    RuleKey,
)
from contactor.cloud.alerts.words import text_of
from contactor.cloud.ingest.presence import ONLINE_NS, Connectivity, Presence
from contactor.errors import FolderError
from contactor.history.alerts.condition import ConditionState
from contactor.history.alerts.events import (
    Acknowledged,
    Anomalies,
    Ended,
    Event,
    Silence,
    Tick,
    Unknown,
)
from contactor.history.alerts.fence import FenceState
from contactor.history.alerts.machine import RuleState, step
from contactor.history.alerts.rules import OnAnomaly, OnFact, OnSilence, paths_of
from contactor.history.alerts.triggers import SilenceState
from contactor.signals.batch import RowsBatch

TICK_S = 1.0
RETRY_S = 2.0
MAX_NOTED = 10_000

_log = logging.getLogger(__name__)


Stale: TypeAlias = Callable[[str, frozenset[str]], Sequence[str]]
"""Of a car and some paths those whose last value is no longer known to hold."""


class Watch:
    """Owns the states of all rules and cars; lives on one loop.

    Fields:
        fired, lost_noted, failed: since the start: alerts kept; alerts that could not be kept
            while the database could not be written; batches of rows that a rule failed at.

    Args:
        stale: what the twin knows of old values.
        anomalies: the kinds that there are.
        on_noted: told when there may be something to send.
    """

    def __init__(
        self,
        *,
        store: AlertStore,
        presence: Presence,
        clock: Clock,
        stale: Stale = lambda *_: (),
        anomalies: frozenset[str] = frozenset(),
        on_noted: Callable[[], None] = lambda: None,
    ) -> None:
        self.store = store
        self.fired = self.lost_noted = self.failed = 0
        self._presence, self._clock, self._stale = presence, clock, stale
        self._anomalies = anomalies
        self._on_noted = on_noted
        self._rules: dict[str, KeptRule] = {}
        self._channels: tuple[str, ...] = ()
        self._states: dict[RuleKey, RuleState] = {}
        self._paths: frozenset[str] = frozenset()
        self._settled: dict[str, Settled] = {}
        self._waiting: set[RuleKey] = set()
        self._changed: set[RuleKey] = set()
        self._noted: list[Noted] = []
        self._some = asyncio.Event()
        self._writing = asyncio.Lock()

    def open(self) -> None:
        """Take up what is kept; blocks, before anything else is asked."""
        self.store.prune()
        self._states = self.store.states()
        self._know(self.store.rules(), self.store.channels())

    # ── what comes in ────────────────────────────────────────────────────────────────────────────

    def take_batch(self, batch: RowsBatch) -> None:
        """Look at rows; on the ingest's loop, before they are committed; never raises."""
        try:
            self._take_batch(batch)
        except Exception:  # noqa: BLE001  # the edge between rules and the ingest
            # The rows are the ingest's: what goes wrong with a rule must not keep them out.
            self.failed += 1
            if self.failed == 1:
                _log.exception("alert rules failed")

    def _take_batch(self, batch: RowsBatch) -> None:
        if self._paths.isdisjoint(column.path for column in batch.columns):
            return
        now_ns = self._clock.now_ns()
        for name, settled in self._settled.items():
            picked = settled.pick(batch, now_ns)
            if not picked.any():
                continue
            paths = paths_of(self._rules[name].rule)
            for vehicle_id, row in rows_of(batch, paths, np.flatnonzero(picked)):
                self._step(RuleKey(name, vehicle_id), row, now_ns)

    def wants(self) -> tuple[bool, bool]:
        """Whether any rule is about facts, and whether any is about anomalies."""
        live = [one.rule.on for one in self._rules.values() if one.rule.is_enabled]
        return (
            any(isinstance(on, OnFact) for on in live),
            any(isinstance(on, OnAnomaly) for on in live),
        )

    def take_ended(self, vehicle_id: str, ended: Iterable[Ended]) -> None:
        """Trips and charges that history has found; known ones do nothing."""
        now_ns = self._clock.now_ns()
        for one in ended:
            for kept in self._rules.values():
                is_meant = isinstance(kept.rule.on, OnFact) and kept.rule.is_about(vehicle_id)
                if is_meant and one.end_ns >= kept.changed_at:
                    self._step(RuleKey(kept.rule.name, vehicle_id), one, now_ns)

    def take_anomalies(self, vehicle_id: str, anomalies: Anomalies) -> None:
        """All anomalies that history shows of a car now."""
        for kept in self._rules.values():
            if isinstance(kept.rule.on, OnAnomaly) and kept.rule.is_about(vehicle_id):
                key = RuleKey(kept.rule.name, vehicle_id)
                self._step(key, anomalies, self._clock.now_ns())

    def tick(self) -> None:
        """A second is over."""
        now_ns = self._clock.now_ns()
        self._look_for_silence(now_ns)
        for key in tuple(self._waiting):
            gone = self._no_longer_known(key)
            if gone:
                self._step(key, Unknown(gone), now_ns)
            self._step(key, Tick(), now_ns)

    # ── what people ask ──────────────────────────────────────────────────────────────────────────

    async def put(self, document: Document) -> None:
        """Keep rules and channels.

        Raises:
            UsageError: something of it cannot be meant.
            MissingPart: a channel needs what is not installed.
        """
        async with self._writing:
            channels = await asyncio.to_thread(self.store.channels)
            check_document(document, channels=channels, anomalies=self._anomalies)
            for channel in document.channels:
                check_installed(channel)
            await asyncio.to_thread(self.store.put, document, self._clock.now_ns())
            await self._again({rule.name for rule in document.rules})

    async def remove(self, *, rule: str | None = None, channel: str | None = None) -> None:
        """Forget a rule or a channel.

        Raises:
            UnknownAlert: there is none of that name.
        """
        async with self._writing:
            if rule is not None:
                await asyncio.to_thread(self.store.remove_rule, rule)
            if channel is not None:
                await asyncio.to_thread(self.store.remove_channel, channel)
            await self._again({rule} if rule is not None else set())

    async def acknowledge(self, alert: str) -> Alert:
        """Somebody has seen an alert: it is told no more.

        Raises:
            UnknownAlert: there is none of that id.
        """
        now_ns = self._clock.now_ns()
        async with self._writing:
            seen = await asyncio.to_thread(self.store.acknowledge, alert, now_ns)
        key = RuleKey(seen.rule, seen.vehicle_id)
        if key in self._states:
            self._step(key, Acknowledged(seen.key.partition("#")[0]), now_ns)
        return seen

    # ── what runs ────────────────────────────────────────────────────────────────────────────────

    async def run(self) -> None:
        """Tick and write, until cancelled; then what is not written yet is written."""
        ticking = asyncio.create_task(self._tick())
        is_failing = False
        try:
            while True:
                await self._some.wait()
                self._some.clear()
                try:
                    await self.flush()
                    is_failing = False
                except FolderError as error:
                    if not is_failing:
                        _log.error("alerts cannot be noted reason=%s", error)
                    is_failing = True
                    self._some.set()
                    await asyncio.sleep(RETRY_S)
        finally:
            ticking.cancel()
            await asyncio.gather(ticking, return_exceptions=True)
            await self.flush()

    async def flush(self) -> None:
        """Write what is new.

        Raises:
            FolderError: it cannot be written now; it is kept, and tried again with the next.
        """
        async with self._writing:
            changed, noted = self._changed, self._noted
            if not changed and not noted:
                return
            self._changed, self._noted = set(), []
            states = {key: self._states[key] for key in changed if key in self._states}
            try:
                fresh = await asyncio.to_thread(self.store.note, states, noted)
            except FolderError:
                self._changed |= changed
                self._noted = [*noted, *self._noted]
                self.lost_noted += max(len(self._noted) - MAX_NOTED, 0)
                self._noted = self._noted[-MAX_NOTED:]
                raise
        for one in fresh:
            _log.info("alert fired rule=%s vehicle=%s id=%s", one.rule, one.vehicle_id, one.id)
        self.fired += len(fresh)
        if fresh:
            self._on_noted()

    async def keep_up(self) -> None:
        """Write what is new before the ingest commits the rows that brought it; never raises.

        Where it cannot be written now, `run` says so, and the rows are not held up.
        """
        with contextlib.suppress(FolderError):
            await self.flush()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self.tick()

    async def _again(self, changed: Collection[str]) -> None:
        """Read rules and channels anew; what was known of changed rules is forgotten there too."""
        rules = await asyncio.to_thread(self.store.rules)
        channels = await asyncio.to_thread(self.store.channels)
        for name in changed:
            if rules.get(name) != self._rules.get(name):
                self._states = {k: v for k, v in self._states.items() if k.rule != name}
                self._noted = [one for one in self._noted if one.rule != name]
        self._know(rules, channels)

    def _know(self, rules: dict[str, KeptRule], channels: Collection[str]) -> None:
        self._rules, self._channels = rules, tuple(sorted(channels))
        live = [one.rule for one in rules.values() if one.rule.is_enabled]
        self._paths = frozenset(path for rule in live for path in paths_of(rule))
        self._states = {key: one for key, one in self._states.items() if key.rule in rules}
        self._settled = {rule.name: Settled(rule) for rule in live if paths_of(rule)}
        for key, state in self._states.items():
            if key.rule in self._settled:
                self._settled[key.rule].note(key.vehicle_id, state)
        self._waiting = {key for key in self._states if self._is_waiting(key)}

    # ── one step ─────────────────────────────────────────────────────────────────────────────────

    def _step(self, key: RuleKey, event: Event, now_ns: int) -> None:
        kept = self._rules.get(key.rule)
        if kept is None:
            return
        before = self._states.get(key) or RuleState.first(kept.rule)
        settled = self._settled.get(key.rule)
        if settled is not None:
            before = settled.brought(key.vehicle_id, before)
        after, fired = step(kept.rule, before, event, now_ns)
        if settled is not None:
            settled.note(key.vehicle_id, after)
        if after == before and key in self._states:
            return
        self._states[key] = after
        if self._is_waiting(key):
            self._waiting.add(key)
        else:
            self._waiting.discard(key)
        channels = kept.rule.send_to or self._channels
        self._noted += [
            Noted(key.rule, key.vehicle_id, one, text_of(kept.rule, one), channels) for one in fired
        ]
        if fired or not _is_alike(before, after):
            self._changed.add(key)
            self._some.set()

    def _is_waiting(self, key: RuleKey) -> bool:
        """Whether time alone may bring something."""
        state, rule = self._states[key], self._rules[key.rule].rule
        trigger = state.trigger
        if state.open is not None and rule.remind_s is not None:
            return True
        if isinstance(trigger, ConditionState):
            return trigger.is_armed and trigger.true_since is not None
        if isinstance(trigger, FenceState):
            return trigger.is_inside is not trigger.read_is_inside
        return isinstance(trigger, SilenceState) and trigger.since_ns is not None

    def _no_longer_known(self, key: RuleKey) -> tuple[str, ...]:
        trigger = self._states[key].trigger
        if not isinstance(trigger, ConditionState):
            return ()
        if trigger.true_since is None:
            return ()
        paths = frozenset(paths_of(self._rules[key.rule].rule))
        return tuple(self._stale(key.vehicle_id, paths))

    def _look_for_silence(self, now_ns: int) -> None:
        rules = [
            one.rule
            for one in self._rules.values()
            if one.rule.is_enabled and isinstance(one.rule.on, OnSilence)
        ]
        for rule in rules:
            vehicles = rule.vehicles or tuple(self._presence.vehicles)
            for vehicle_id in vehicles:
                key = RuleKey(rule.name, vehicle_id)
                state = self._states.get(key)
                trigger = None if state is None else state.trigger
                was_lost = isinstance(trigger, SilenceState) and trigger.since_ns is not None
                is_lost = self._presence.of(vehicle_id, now_ns) is Connectivity.LOST
                if is_lost is not was_lost:
                    self._step(key, Silence(now_ns - ONLINE_NS if is_lost else None), now_ns)


def _is_alike(before: RuleState, after: RuleState) -> bool:
    """Whether a restart with the state before would come to the same as one with that after.

    What a car said last is told again after a restart; what has fired is not.
    """
    if (before.open, before.sent, before.withheld) != (after.open, after.sent, after.withheld):
        return False
    one, other = before.trigger, after.trigger
    if isinstance(one, ConditionState) and isinstance(other, ConditionState):
        return one.is_armed == other.is_armed and one.true_since == other.true_since
    if isinstance(one, FenceState) and isinstance(other, FenceState):
        return one.is_inside == other.is_inside and one.read_is_inside == other.read_is_inside
    return one == other
