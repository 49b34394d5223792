"""Sends each vehicle the list of what it is to record until it says so, and follows its reports.

    start, stop ──► a new list of each vehicle, kept ──► told, again every 5 s while it is heard
                       └ until its report names the list's revision

A car reports when its link is there again: one that goes by another list is sent its own at once.

    sender = CampaignSender(store=store, transport=transport, presence=presence, clock=clock,
                            fleet=fleet)
    started = sender.start(request)
    await sender.run()              # until cancelled
"""

import asyncio
import logging
import uuid
from collections.abc import Collection
from typing import Protocol

from contactor.clock import NS_PER_S, Clock
from contactor.cloud.campaigns.request import MAX_VEHICLES, CampaignRequest
from contactor.cloud.campaigns.store import CampaignStore, Started
from contactor.cloud.ingest.presence import Presence
from contactor.cloud.telling import Telling
from contactor.errors import FolderError, MalformedRecord, UnknownVehicle, UsageError
from contactor.link import topics
from contactor.link.campaign_messages import decode_campaign_report, encode_campaigns
from contactor.link.listening import listen
from contactor.link.ports import Message, Transport

AGAIN_NS = 5 * NS_PER_S

_log = logging.getLogger(__name__)


class KnownFleet(Protocol):
    """What is known of the vehicles that a campaign may be for."""

    def unknown(self, vehicles: Collection[str]) -> list[str]:
        """Those of which nothing is stored."""
        ...

    def select(self, where: str, *, limit: int) -> list[str]:
        """At most `limit` vehicles of which a question is true now.

        Raises:
            MalformedQuery: it cannot be read.
        """
        ...


def start_campaign(
    store: CampaignStore, fleet: KnownFleet, request: CampaignRequest, now_ns: int
) -> tuple[Started, list[str]]:
    """Keep a campaign under a new id; the vehicles that it is for.

    Raises:
        UnknownVehicle: nothing is stored of one of the vehicles.
        UsageError: something of it no car could do, or there is no vehicle for it.
        FolderError: it cannot be kept.
    """
    campaign = request.campaign(uuid.uuid4().hex[:16], now_ns)
    vehicles = sorted(set(request.vehicles))
    if request.where is not None:
        vehicles = fleet.select(request.where, limit=MAX_VEHICLES + 1)
        if not 1 <= len(vehicles) <= MAX_VEHICLES:
            count = f"more than {MAX_VEHICLES}" if vehicles else "no"
            raise UsageError(f"where is true of {count} vehicles; allowed: 1 to {MAX_VEHICLES}")
    unknown = fleet.unknown(vehicles)
    if unknown:
        raise UnknownVehicle(f"no vehicle {unknown[0]!r}")
    store.start(campaign, vehicles, now_ns)
    return store.find(campaign.id), vehicles


class CampaignSender:
    """Owns what is on its way to the vehicles; lives on one loop."""

    def __init__(
        self,
        *,
        store: CampaignStore,
        transport: Transport,
        presence: Presence,
        clock: Clock,
        fleet: KnownFleet,
    ) -> None:
        self.store = store
        self.reports_ignored = 0
        self._transport = transport
        self._clock = clock
        self._fleet = fleet
        self._telling = Telling(
            self._list_of,
            what="campaigns",
            again_ns=AGAIN_NS,
            transport=transport,
            presence=presence,
            clock=clock,
            waiting=store.unacknowledged(),
        )

    def start(self, request: CampaignRequest) -> Started:
        """Start a campaign; see `start_campaign`."""
        now_ns = self._clock.now_ns()
        started, vehicles = start_campaign(self.store, self._fleet, request, now_ns)
        self._telling.tell(vehicles)
        return started

    def stop(self, campaign_id: str) -> Started:
        """Stop a campaign.

        Raises:
            UnknownCampaign: there is none of that id.
            FolderError: it cannot be kept.
        """
        self._telling.tell(self.store.stop(campaign_id, self._clock.now_ns()))
        return self.store.find(campaign_id)

    def resend(self, vehicle_id: str) -> None:
        """The car is back: send what it has not acknowledged at once."""
        if self._telling.is_waiting(vehicle_id):
            self._telling.tell([vehicle_id])

    async def run(self) -> None:
        """Send and follow until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(listen(self._transport, topics.ALL_CAMPAIGN_REPORTS, self.hear))
            group.create_task(self._telling.run())

    async def step(self) -> None:
        """Publish what is due."""
        await self._telling.step()

    def _list_of(self, vehicle_id: str) -> tuple[str, bytes]:
        wanted = self.store.wanted(vehicle_id, self._clock.now_ns())
        return topics.campaign(vehicle_id), encode_campaigns(wanted)

    def hear(self, message: Message) -> None:
        """Take in what a car reports; what one says of another is ignored."""
        try:
            report = decode_campaign_report(message.payload)
            sender = topics.vehicle_of(message.subject)
        except MalformedRecord as error:
            self.reports_ignored += 1
            _log.warning("report of campaigns refused reason=%s", error)
            return
        if sender != report.vehicle_id:
            self.reports_ignored += 1
            return
        try:
            is_newest = self.store.hear(
                sender, report.revision, report.campaigns, self._clock.now_ns()
            )
        except FolderError as error:
            _log.error("report of campaigns not kept vehicle=%s reason=%s", sender, error)
            return
        if is_newest:
            self._telling.settle(sender)
        elif not self._telling.is_waiting(sender) or self._is_due_again(sender):
            self._telling.tell([sender])

    def _is_due_again(self, vehicle_id: str) -> bool:
        """Not within a second: a report of the list before may have crossed the new one."""
        age_ns = self._telling.age_ns(vehicle_id)
        return age_ns is not None and age_ns >= NS_PER_S
