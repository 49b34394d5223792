"""Alerts of a data folder: through the instance that runs on it, else in its database.

    asked = open_alerts(Path("contactor-data"))
    asked.put(read_document(Path("alerts.toml")))       # Kept
    asked.alerts(limit=20, is_open=True)                # [AlertNow, ...]

What is kept in a folder that is not in use is looked after once an instance runs.
"""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from contactor.app.database_place import database_at, has_database
from contactor.app.folder import DataFolder
from contactor.app.history import open_keeper
from contactor.app.instance_api import PAGE, InstanceApi, quoted, way_to
from contactor.app.lake_place import open_reader
from contactor.clock import NS_PER_DAY, SystemClock
from contactor.cloud.alerts.alerts import Alerts
from contactor.cloud.alerts.document import Document
from contactor.cloud.alerts.lake_facts import LakeFacts
from contactor.cloud.alerts.lake_seen import DAYS
from contactor.cloud.alerts.told import (
    AlertNow,
    AlertPage,
    ChannelNow,
    ChannelPage,
    Kept,
    RuleNow,
    RulePage,
)
from contactor.cloud.alerts.warnings_told import WarningNow, WarningPage, warning_now
from contactor.cloud.database.sqlite import MEMORY
from contactor.cloud.ingest.presence import Presence
from contactor.cloud.lake.lake import Lake
from contactor.errors import UnknownAlert, UnknownVehicle
from contactor.history.facts import Facts

TIMEOUT_S = 60.0
_Answer = TypeVar("_Answer")


class AskedAlerts(Protocol):
    """What can be done with the alerts of a data folder."""

    def alerts(self, *, limit: int, is_open: bool) -> list[AlertNow]:
        """The newest alerts."""
        ...

    def rules(self) -> list[RuleNow]:
        """Every rule."""
        ...

    def channels(self) -> list[ChannelNow]:
        """Every channel."""
        ...

    def put(self, document: Document) -> Kept:
        """Keep rules and channels.

        Raises:
            UsageError: something of it cannot be meant.
        """
        ...

    def remove(self, name: str) -> None:
        """Forget the rule of that name, or else the channel.

        Raises:
            UnknownAlert: there is neither.
        """
        ...

    def acknowledge(self, alert_id: str) -> AlertNow:
        """Somebody has seen it.

        Raises:
            UnknownAlert: there is none of that id.
        """
        ...

    def warnings(self, vehicle_id: str) -> list[WarningNow]:
        """The early warnings of a car now.

        Raises:
            UnknownVehicle: nothing is stored of it.
        """
        ...

    def test(self, channel: str) -> str:
        """Send a message to a channel now; its id.

        Raises:
            UnknownAlert: there is none of that name.
            ContactorError: it was not taken.
        """
        ...


def open_alerts(data: Path) -> AskedAlerts:
    """The way to the alerts of a folder.

    Raises:
        UsageError: there is no such folder.
        FolderError: it is no data folder of ours.
    """
    return way_to(data, _OfFolder, _OfInstance)


class _OfFolder:
    """In the database; the folder is held while it is written."""

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder

    def alerts(self, *, limit: int, is_open: bool) -> list[AlertNow]:
        found, _ = self._read(
            lambda alerts: alerts.alerts(limit=limit, before=None, is_open=is_open)
        )
        return found

    def rules(self) -> list[RuleNow]:
        return self._read(lambda alerts: alerts.rules())

    def channels(self) -> list[ChannelNow]:
        return self._read(lambda alerts: alerts.channels())

    def put(self, document: Document) -> Kept:
        return Kept(*self._write(lambda alerts: alerts.put(document)))

    def remove(self, name: str) -> None:
        async def removed(alerts: Alerts) -> None:
            is_rule = name in {one.rule.name for one in await alerts.rules()}
            await alerts.watch.remove(**{"rule" if is_rule else "channel": name})

        self._write(removed)

    def acknowledge(self, alert_id: str) -> AlertNow:
        return self._write(lambda alerts: alerts.acknowledge(alert_id))

    def warnings(self, vehicle_id: str) -> list[WarningNow]:
        clock, lake = SystemClock(), Lake(open_reader(self._folder))
        since_ns = clock.now_ns() - DAYS * NS_PER_DAY
        with open_keeper(self._folder) as keeper:

            def facts(vehicle_id: str) -> Facts:
                keeper.refresh(vehicle_id)
                return keeper.facts(vehicle_id, since_ns, None)

            source = LakeFacts(lake, clock=clock, facts=facts)
            return [warning_now(one) for one in asyncio.run(source.shown(vehicle_id))]

    def test(self, channel: str) -> str:
        return self._write(lambda alerts: alerts.outbox.test(channel)).id

    def _write(self, ask: Callable[[Alerts], Coroutine[object, object, _Answer]]) -> _Answer:
        with self._folder.held():
            return self._asked(database_at(self._folder), ask)

    def _read(self, ask: Callable[[Alerts], Coroutine[object, object, _Answer]]) -> _Answer:
        """A folder without a database does not get one by being asked."""
        place = database_at(self._folder) if has_database(self._folder) else MEMORY
        return self._asked(place, ask)

    def _asked(
        self, place: Path | str, ask: Callable[[Alerts], Coroutine[object, object, _Answer]]
    ) -> _Answer:
        async def asked() -> _Answer:
            alerts = Alerts.open(place, presence=Presence(), clock=SystemClock())
            try:
                return await ask(alerts)
            finally:
                await alerts.close()

        return asyncio.run(asked())


class _OfInstance:
    """Through the running instance."""

    def __init__(self, url: str, secret: str | None) -> None:
        root = f"{url}/api/v1"
        self._api = InstanceApi(
            f"{root}/alerts", secret=secret, timeout_s=TIMEOUT_S, unknown=UnknownAlert
        )
        self._vehicles = InstanceApi(
            f"{root}/vehicles", secret=secret, timeout_s=TIMEOUT_S, unknown=UnknownVehicle
        )

    def alerts(self, *, limit: int, is_open: bool) -> list[AlertNow]:
        found: list[AlertNow] = []
        cursor: str | None = None
        while True:
            page = msgspec.convert(
                self._api.ask(
                    "GET",
                    query={
                        "limit": min(limit - len(found), PAGE),
                        "cursor": cursor,
                        "open": str(is_open).lower(),
                    },
                ),
                AlertPage,
            )
            found, cursor = found + page.items, page.next
            if cursor is None or len(found) >= limit:
                return found

    def rules(self) -> list[RuleNow]:
        return msgspec.convert(self._api.ask("GET", "/rules"), RulePage).items

    def channels(self) -> list[ChannelNow]:
        return msgspec.convert(self._api.ask("GET", "/channels"), ChannelPage).items

    def put(self, document: Document) -> Kept:
        return msgspec.convert(self._api.ask("POST", "/rules", msgspec.json.encode(document)), Kept)

    def remove(self, name: str) -> None:
        is_rule = name in {one.rule.name for one in self.rules()}
        self._api.ask("DELETE", f"/{'rules' if is_rule else 'channels'}/{quoted(name)}")

    def acknowledge(self, alert_id: str) -> AlertNow:
        answer = self._api.ask("POST", f"/{quoted(alert_id)}/acknowledge", b"")
        return msgspec.convert(answer, AlertNow)

    def warnings(self, vehicle_id: str) -> list[WarningNow]:
        answer = self._vehicles.ask("GET", f"/{quoted(vehicle_id)}/warnings")
        return msgspec.convert(answer, WarningPage).items

    def test(self, channel: str) -> str:
        answer = self._api.ask("POST", f"/channels/{quoted(channel)}/test", b"")
        return msgspec.convert(answer, dict[str, str])["message"]
