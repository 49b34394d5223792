"""The cloud in one process: ingest, twin, lake, commands and API over a link.

With its ingests elsewhere (`contactor ingest`) it follows what they take in, and stores no row.
"""

import asyncio
import contextlib
import signal
from typing import Self
from urllib.parse import urlsplit

from contactor.app.access import OpenedAccess, open_access
from contactor.app.ages import ages_of_environment
from contactor.app.database_place import database_at
from contactor.app.elsewhere import Elsewhere
from contactor.app.everything import FolderEverything
from contactor.app.folder import DataFolder
from contactor.app.history import open_facts, open_journal
from contactor.app.lake_place import open_reader, open_store
from contactor.app.listening import Listening
from contactor.app.live_fleet import LiveFleet
from contactor.app.office import open_keys, open_office
from contactor.app.priority import put_loop_first
from contactor.app.ready import tell_ready
from contactor.app.serving import Servers, Serving
from contactor.app.tls import WebTls
from contactor.app.upkeep import BackgroundUpkeep
from contactor.clock import Clock, SystemClock
from contactor.cloud.access.door import CAR
from contactor.cloud.access.people import People
from contactor.cloud.alerts.alerts import Alerts
from contactor.cloud.alerts.lake_facts import LakeFacts
from contactor.cloud.campaigns.sender import CampaignSender
from contactor.cloud.campaigns.store import CampaignStore
from contactor.cloud.commands.dispatcher import Dispatcher
from contactor.cloud.commands.keys import KeyBook
from contactor.cloud.commands.refusals import Detail, Refusals
from contactor.cloud.commands.revoker import Revoker
from contactor.cloud.commands.store import CommandStore
from contactor.cloud.history.documents import fact_id
from contactor.cloud.history.keeper import HistoryKeeper
from contactor.cloud.identities.desk import IdentityDesk
from contactor.cloud.ingest.follower import Follower
from contactor.cloud.ingest.ingest import FLUSH_S, Ingest
from contactor.cloud.ingest.presence import Presence
from contactor.cloud.lake.keeper import LakeKeeper
from contactor.cloud.lake.lake import Lake
from contactor.cloud.lake.ports import LakeReader
from contactor.cloud.twin.keeper import Keeper
from contactor.cloud.twin.snapshot import NAME as TWIN
from contactor.cloud.twin.twin import Twin
from contactor.errors import first_failure
from contactor.faces.web.api import create_api
from contactor.faces.web.fleet import Fleet
from contactor.faces.web.history import History
from contactor.faces.web.live import Live
from contactor.faces.web.login import Access
from contactor.faces.web.metrics import instance_metrics
from contactor.faces.web.same_site import host_name
from contactor.link.broker import read_gate
from contactor.link.identities.grants import CommandSigner
from contactor.link.nats import NatsTransport
from contactor.link.nats.gate import Gate
from contactor.signals.batch import RowsBatch

CHARGE_LIMIT = "Vehicle.Powertrain.TractionBattery.Charging.ChargeLimit"
POLL_S = 0.05
SETTLE_S = FLUSH_S + 1.0


def serve_cloud(folder: DataFolder, *, link: str, serving: Serving) -> int:
    """Serve until SIGINT or SIGTERM, then commit what was taken in; says when the API answers.

    Raises:
        StaleWriter: another ingest writes this lake.
        LakeError: the lake cannot be opened or written.
    """
    put_loop_first()
    return asyncio.run(_serve(folder, link, serving))


async def _serve(folder: DataFolder, link: str, asked: Serving) -> int:
    listening = asked.listening
    tls = None if listening.beside is None else WebTls.open(folder, listening, clock=SystemClock())
    told = Elsewhere.of(listening, tls)
    addresses = (*(() if told is None else told.urls), listening.local_url)
    cloud = await _Cloud.open(folder, link, asked, addresses)
    servers = Servers(cloud.api(listening, tls), listening, tls)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    taking = asyncio.create_task(cloud.ingest.run())
    others = asyncio.create_task(cloud.run_others())
    serving = asyncio.create_task(servers.run())
    stopping = asyncio.create_task(stopped.wait())
    announcing = asyncio.create_task(_announce(servers, asked, told, cloud.opened.access))
    tasks = {taking, others, serving, stopping}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in (taking, others):
            if task.done():
                task.result()
    finally:
        announcing.cancel()
        cloud.live.close()
        servers.stop()
        others.cancel()
        taking.cancel()
        for task in (taking, others):
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await serving
        stopping.cancel()
        await cloud.close()
    return 0


class _Cloud:
    """The parts of the cloud, wired; they live on one loop."""

    def __init__(
        self,
        reader: LakeReader,
        store: LakeKeeper | None,
        commands: CommandStore,
        campaigns: CampaignStore,
        link: str,
        folder: DataFolder,
        opened: OpenedAccess,
        *,
        has_gate: bool,
    ) -> None:
        """Wire them; without a `store` to write to, what ingests elsewhere take in is followed."""
        self._clock = clock = SystemClock()
        presence = Presence()
        self._commands = commands
        self.opened = opened
        self._transport = NatsTransport(link, name="cloud")
        self.identities = _identities(folder, self._transport, clock) if has_gate else None
        self.twin = Twin(presence=presence, clock=clock)
        self.keeper = Keeper(self.twin, store=reader, path=folder.root / TWIN, clock=clock)
        self.journal = open_journal(folder)
        history = HistoryKeeper(
            store=open_facts(folder), reader=reader, clock=clock, journal=self.journal
        )
        self.history = History(history, clock)
        self.everything = FolderEverything(
            folder, keeper=history, people=opened.access.people, records=opened.records
        )
        self.alerts = Alerts.open(
            database_at(folder),
            presence=presence,
            clock=clock,
            stale=self._stale,
            facts=LakeFacts(
                Lake(reader),
                clock=clock,
                facts=self.history.recent,
                id_of=fact_id,
                limit_pct=self._charge_limit_pct,
            ),
        )
        self._keys: KeyBook | None = None
        signer: CommandSigner | None = None
        if self.identities is not None:
            self._keys, signer = open_keys(folder, self.identities.office.authority, clock)
        self._refusals = Refusals(self._note_refusal, clock=clock)
        self.dispatcher = Dispatcher(
            store=commands,
            transport=self._transport,
            twin=self.twin,
            presence=presence,
            clock=clock,
            signer=signer,
            checker=self._keys,
            refusals=self._refusals,
        )
        self.revoker = (
            None
            if self._keys is None
            else Revoker(keys=self._keys, transport=self._transport, presence=presence, clock=clock)
        )
        self.ingest: Ingest | Follower
        if store is not None:
            self.ingest = Ingest(
                store=store,
                transport=self._transport,
                clock=clock,
                presence=presence,
                on_batch=self._take_batch,
                before_commit=self.alerts.watch.keep_up,
                on_return=self._has_returned,
            )
        else:
            self.ingest = Follower(
                reader=reader,
                transport=self._transport,
                clock=clock,
                presence=presence,
                on_batch=self._take_batch,
                on_return=self._has_returned,
            )
        self.campaigns = CampaignSender(
            store=campaigns,
            transport=self._transport,
            presence=presence,
            clock=clock,
            fleet=LiveFleet(self.ingest, self.twin),
        )
        lake = Lake(reader, pending=self.ingest.pending)
        self.fleet = Fleet(ingest=self.ingest, twin=self.twin, lake=lake, clock=clock)
        self.live = Live(fleet=self.fleet, twin=self.twin, clock=clock)
        self._upkeep = (
            None
            if store is None
            else BackgroundUpkeep(store, ages=ages_of_environment(), clock=clock)
        )

    @classmethod
    async def open(
        cls, folder: DataFolder, link: str, asked: Serving, addresses: tuple[str, ...]
    ) -> Self:
        """The cloud over a data folder, its twin as it was last.

        Args:
            addresses: how people reach its pages; links are made with the first.

        Raises:
            LinkError: it is to follow others, and there is no broker.
        """
        store = await asyncio.to_thread(open_store, folder) if asked.has_ingest else None
        reader: LakeReader = (
            await asyncio.to_thread(open_reader, folder) if store is None else store
        )
        commands, campaigns = CommandStore(folder.commands), CampaignStore(folder.campaigns)
        opened = open_access(
            folder,
            has_login=asked.has_login,
            clock=SystemClock(),
            addresses=addresses,
        )
        cloud = cls(
            reader, store, commands, campaigns, link, folder, opened, has_gate=asked.has_gate
        )
        if isinstance(cloud.ingest, Follower):
            await cloud.ingest.prepare()
            # What was on its way to the lake is in it then; what comes after waits in the queue.
            await asyncio.sleep(SETTLE_S)
            await asyncio.to_thread(cloud.ingest.begin)
        await asyncio.to_thread(cloud.keeper.restore)
        return cloud

    def api(self, listening: Listening, tls: WebTls | None) -> object:
        """The HTTP API over it."""
        public_url = listening.public_url
        public_host = None if public_url is None else urlsplit(public_url).netloc
        names = () if tls is None else tls.names
        strict = frozenset() if tls is None else tls.public_names
        return create_api(
            self.fleet,
            dispatcher=self.dispatcher,
            campaigns=self.campaigns,
            live=self.live,
            clock=self._clock,
            alerts=self.alerts,
            history=self.history,
            journal=self.journal,
            access=self.opened.access,
            records=self.opened.records,
            everything=self.everything,
            public_host=public_host,
            names=names,
            strict_names=strict if public_host is None else {*strict, host_name(public_host)},
            identities=self.identities,
            revoker=self.revoker,
            measures=lambda: instance_metrics(
                ingest=self.ingest, twin=self.twin, dispatcher=self.dispatcher, live=self.live
            ),
        )

    def _take_batch(self, batch: RowsBatch) -> None:
        """Rows that came: the newest to the twin, all of them to the rules of alerts."""
        self.twin.take_batch(batch)
        self.alerts.watch.take_batch(batch)

    def _stale(self, vehicle_id: str, paths: frozenset[str]) -> list[str]:
        """Of a car's signals those whose last value is no longer known to hold."""
        now = self.twin.signals(vehicle_id, paths)
        return [path for path, signal in now.items() if signal.stale]

    def _charge_limit_pct(self, vehicle_id: str) -> float | None:
        """The state of charge at which a car stops charging, where it says so."""
        now = self.twin.signals(vehicle_id, frozenset({CHARGE_LIMIT})).get(CHARGE_LIMIT)
        limit = None if now is None else now.value
        return float(limit) if isinstance(limit, int | float) else None

    def _has_returned(self, vehicle_id: str) -> None:
        """A car is heard again: what it has not answered goes out at once."""
        self.dispatcher.resend(vehicle_id)
        self.campaigns.resend(vehicle_id)
        if self.revoker is not None:
            self.revoker.resend(vehicle_id)

    async def run_others(self) -> None:
        """All but the ingest, until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                if self.identities is not None:
                    group.create_task(self.identities.run())
                group.create_task(self.dispatcher.run())
                group.create_task(self._refusals.run())
                group.create_task(self.campaigns.run())
                if self.revoker is not None:
                    group.create_task(self.revoker.run())
                group.create_task(self.live.run())
                group.create_task(self.alerts.run())
                group.create_task(self.keeper.run())
                if self._upkeep is not None:
                    group.create_task(self._upkeep.run())
        except BaseExceptionGroup as failures:
            raise first_failure(failures) from failures

    def _note_refusal(self, vehicle_id: str, detail: Detail) -> None:
        self.opened.records.note(CAR, "command", "refused", vehicle_id=vehicle_id, detail=detail)

    async def close(self) -> None:
        """Keep the twin, let go of what is open."""
        self.everything.stop()
        self.keeper.keep_now()
        self.fleet.close()
        self._commands.close()
        if self._keys is not None:
            self._keys.close()
        self.campaigns.store.close()
        if self.identities is not None:
            self.identities.office.close()
        await self.alerts.close()
        await asyncio.to_thread(self.history.close)
        self.journal.close()
        self.opened.close()
        await self._transport.close()


def _identities(folder: DataFolder, transport: NatsTransport, clock: Clock) -> IdentityDesk:
    """Who says who comes in at the folder's own broker."""
    office = open_office(folder, clock)
    gate = Gate(read_gate(folder.broker), doorkeeper=office, clock=clock)
    return IdentityDesk(office, gate=gate, transport=transport)


async def _announce(
    servers: Servers, asked: Serving, told: Elsewhere | None, access: Access
) -> None:
    while not servers.is_started:
        await asyncio.sleep(POLL_S)
    code = None
    if asked.has_login and not asked.is_supervised:
        code = await access.change(People.first_owner_code)
    tell_ready(asked.listening, told, code=code)
