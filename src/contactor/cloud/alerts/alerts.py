"""All of alerts in one: what is kept, what looks, what sends.

alerts = Alerts.open(folder.database, presence=presence, clock=clock, stale=stale)
alerts.watch.take_batch(batch)
await alerts.run()                      # until cancelled
alerts.close()
"""

import asyncio
from pathlib import Path
from typing import Self

from contactor.clock import Clock
from contactor.cloud.alerts.document import Document
from contactor.cloud.alerts.facts import follow_facts
from contactor.cloud.alerts.lake_facts import LakeFacts
from contactor.cloud.alerts.messages import MessageStore
from contactor.cloud.alerts.outbox import Outbox
from contactor.cloud.alerts.store import Alert, AlertStore
from contactor.cloud.alerts.tables import ALERTS
from contactor.cloud.alerts.told import AlertNow, ChannelNow, RuleNow, alert_now
from contactor.cloud.alerts.warnings_told import WarningNow, warning_now
from contactor.cloud.alerts.watch import Stale, Watch
from contactor.cloud.database.database import Database
from contactor.cloud.ingest.presence import Presence
from contactor.errors import UnknownVehicle, first_failure
from contactor.history.anomalies.anomaly import KINDS


class Alerts:
    """Owns the alerts of an instance; lives on one loop, its database in threads."""

    def __init__(
        self,
        database: Database,
        *,
        presence: Presence,
        clock: Clock,
        stale: Stale = lambda *_: (),
        facts: LakeFacts | None = None,
    ) -> None:
        self._database, self._clock, self._facts = database, clock, facts
        self.store, self.messages = AlertStore(database), MessageStore(database)
        self.outbox = Outbox(store=self.store, messages=self.messages, clock=clock)
        self.watch = Watch(
            store=self.store,
            presence=presence,
            clock=clock,
            stale=stale,
            anomalies=KINDS,
            on_noted=self.outbox.nudge,
        )
        self.watch.open()

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        presence: Presence,
        clock: Clock,
        stale: Stale = lambda *_: (),
        facts: LakeFacts | None = None,
    ) -> Self:
        """Over the instance's database; blocks.

        Raises:
            FolderError: it cannot be opened.
        """
        database = Database.open(path, [ALERTS])
        return cls(database, presence=presence, clock=clock, stale=stale, facts=facts)

    async def run(self) -> None:
        """Look and send, until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.watch.run())
                group.create_task(self.outbox.run())
                if self._facts is not None:
                    group.create_task(follow_facts(self._facts, self.watch))
        except BaseExceptionGroup as failures:
            raise first_failure(failures) from failures

    async def close(self) -> None:
        """Note what is not noted yet, let go of the database.

        Raises:
            FolderError: it could not be noted.
        """
        try:
            await self.watch.flush()
        finally:
            self._database.close()

    # ── what people ask ──────────────────────────────────────────────────────────────────────────

    async def put(self, document: Document) -> tuple[list[RuleNow], list[ChannelNow]]:
        """Keep rules and channels; those kept, as they are told.

        Raises:
            UsageError: something of it cannot be meant.
            MissingPart: a channel needs what is not installed.
        """
        await self.watch.put(document)
        rules, channels = await self.rules(), await self.channels()
        named = {one.name for one in document.rules}, {one.name for one in document.channels}
        return (
            [one for one in rules if one.rule.name in named[0]],
            [one for one in channels if one.name in named[1]],
        )

    async def rules(self) -> list[RuleNow]:
        """Every rule, by name."""
        kept = await asyncio.to_thread(self.store.rules)
        return [RuleNow.of(one) for one in kept.values()]

    async def channels(self) -> list[ChannelNow]:
        """Every channel, by name, without its secrets."""
        kept = await asyncio.to_thread(self.store.channels)
        return [ChannelNow.of(one) for one in kept.values()]

    async def alerts(
        self, *, limit: int, before: int | None, is_open: bool
    ) -> tuple[list[AlertNow], int | None]:
        """At most `limit` alerts, newest first, and the number that the next page is before."""
        found = await asyncio.to_thread(
            self.store.alerts, limit=limit + 1, before=before, is_open=is_open
        )
        page = found[:limit]
        sent = await asyncio.to_thread(self.messages.sent, [one.id for one in page])
        told = [alert_now(one, sent.get(one.id, ())) for one in page]
        return told, page[-1].number if len(found) > limit else None

    async def alert(self, alert_id: str) -> AlertNow:
        """One alert.

        Raises:
            UnknownAlert: there is none of that id.
        """
        return await self._told(await asyncio.to_thread(self.store.alert, alert_id))

    async def acknowledge(self, alert_id: str) -> AlertNow:
        """Somebody has seen it.

        Raises:
            UnknownAlert: there is none of that id.
        """
        return await self._told(await self.watch.acknowledge(alert_id))

    async def warnings(self, vehicle_id: str) -> list[WarningNow]:
        """The early warnings of a car now.

        Raises:
            UnknownVehicle: nothing is stored of it.
        """
        if self._facts is None:
            raise UnknownVehicle(f"no vehicle {vehicle_id!r}")
        return [warning_now(one) for one in await self._facts.shown(vehicle_id)]

    async def push_key(self) -> str:
        """What browsers subscribe with: the public half of the instance's key.

        Raises:
            ModuleNotFoundError: cryptography is not installed.
        """
        from contactor.cloud.alerts.drivers.vapid import public_key

        return public_key(await asyncio.to_thread(self.outbox.push_key))

    async def _told(self, alert: Alert) -> AlertNow:
        sent = await asyncio.to_thread(self.messages.sent, [alert.id])
        return alert_now(alert, sent.get(alert.id, ()))
