"""The campaigns of one car: hears what it is to record, keeps that, records it, says how far it is.

    list ──► newer than what it has? ──► checked, kept in the outbox's file ──► report
    readings (`read`) ──► recorders ──► rows (`take`), by lane
                              └ triggered, window ended ──► report

What is asked outlives the agent, and so does where each campaign stands; the readings of the
seconds before a trigger do not. A list with a lower revision than the one it has changes nothing.

    desk = CampaignDesk(vehicle_id="demo", profile=profile, transport=transport, outbox=outbox,
                        clock=clock)
    desk.read(series)               # what the bus says, batch by batch
    desk.take()                     # [(Lane.LIVE, rows), ...]
    await desk.run()
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence

import msgspec

from contactor.car.agent.campaigns.recorder import CampaignRecorder, Kept
from contactor.car.agent.outbox import Lane, Outbox
from contactor.car.agent.series import Series
from contactor.car.profiles.profile import Profile
from contactor.clock import NS_PER_S, Clock
from contactor.errors import LinkError, MalformedRecord, OutboxError, UsageError
from contactor.link import topics
from contactor.link.campaign_messages import (
    CampaignList,
    CampaignReport,
    decode_campaigns,
    encode_campaign_report,
)
from contactor.link.listening import listen
from contactor.link.ports import Transport
from contactor.signals.campaign import (
    MAX_REASON_CHARACTERS,
    Campaign,
    CampaignState,
    Progress,
    Upload,
    check_campaign,
)
from contactor.signals.record import Rows

LOOK_S = 2.0
REPORT_EVERY_S = 30.0
KEEP_EVERY_S = 10.0
REPORT_S = 2.0
RETRY_S = 0.5
LANES = {Upload.AT_ONCE: Lane.LIVE, Upload.BACKLOG: Lane.BACKLOG}

_log = logging.getLogger(__name__)


class _Kept(msgspec.Struct, frozen=True):
    """What stands in the outbox's file."""

    revision: int
    campaigns: tuple[Campaign, ...]
    stands: dict[str, Kept]


_kept = msgspec.json.Decoder(_Kept)


class CampaignDesk:
    """Owns the campaigns of one car; lives on one loop."""

    def __init__(
        self,
        *,
        vehicle_id: str,
        profile: Profile,
        transport: Transport,
        outbox: Outbox,
        clock: Clock,
    ) -> None:
        self._vehicle_id = vehicle_id
        self._profile = profile
        self._paths = frozenset(profile.map.paths)
        self._transport = transport
        self._outbox = outbox
        self._clock = clock
        self._note = f"campaigns:{vehicle_id}"
        self._revision = 0
        self._campaigns: tuple[Campaign, ...] = ()
        self._recorders: dict[str, CampaignRecorder] = {}
        self._refused: dict[str, str] = {}
        self._rows: list[tuple[Lane, Rows]] = []
        self._changed = asyncio.Event()
        noted = outbox.noted(self._note)
        if noted is not None:
            kept = _kept.decode(noted)
            self._revision = kept.revision
            self._use(kept.campaigns, kept.stands)

    # ── what the car says ────────────────────────────────────────────────────────────────────────

    def read(self, series: Sequence[Series]) -> None:
        """Take in what the bus says now."""
        if not self._recorders or not series:
            return
        by_path = {one.path: one for one in series}
        newest_ns = max(int(one.ts[-1]) for one in series)
        for recorder in self._recorders.values():
            was = (recorder.is_recording, recorder.kept.triggered)
            lane = LANES[recorder.campaign.upload]
            self._rows += [(lane, rows) for rows in recorder.feed(by_path, newest_ns)]
            if was != (recorder.is_recording, recorder.kept.triggered):
                self._keep()
                self._changed.set()

    def take(self) -> list[tuple[Lane, Rows]]:
        """The rows recorded since they were last taken, each with the lane to send it by."""
        rows, self._rows = self._rows, []
        return rows

    def forget(self) -> None:
        """The clock has changed: what was read before counts no more."""
        for recorder in self._recorders.values():
            recorder.forget()

    # ── what the cloud says ──────────────────────────────────────────────────────────────────────

    async def run(self) -> None:
        """Hear, keep and report until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                lists = topics.campaign(self._vehicle_id)
                group.create_task(
                    listen(self._transport, lists, lambda message: self.hear(message.payload))
                )
                group.create_task(self._report_changes())
                group.create_task(self._keep_now_and_then())
        finally:
            self._keep()

    def hear(self, payload: bytes) -> None:
        """Take a list, if it is one for this car and not older than what it has."""
        try:
            asked = decode_campaigns(payload)
        except MalformedRecord as error:
            _log.warning("campaigns refused reason=%s", error)
            return
        if asked.vehicle_id != self._vehicle_id:
            return
        if asked.revision > self._revision:
            self._take_list(asked)
        self._changed.set()  # whoever sends a list has not heard the report

    def _take_list(self, asked: CampaignList) -> None:
        stands = {name: one.kept for name, one in self._recorders.items()}
        before = (self._revision, self._campaigns, stands)
        self._revision = asked.revision
        self._use(asked.campaigns, stands)
        if self._keep():
            _log.info(
                "campaigns taken vehicle=%s revision=%s campaigns=%s",
                self._vehicle_id,
                asked.revision,
                len(asked.campaigns),
            )
            return
        # It would be forgotten with the next start: the cloud sends it again.
        self._revision = before[0]
        self._use(before[1], before[2])

    def _use(self, campaigns: Sequence[Campaign], stands: dict[str, Kept]) -> None:
        """Record these from now on; one that is recorded already goes on."""
        recorders, self._refused = {}, {}
        for campaign in campaigns:
            objection = self._objection(campaign)
            known = self._recorders.get(campaign.id)
            if objection is not None:
                self._refused[campaign.id] = objection[:MAX_REASON_CHARACTERS]
            elif known is not None and known.campaign == campaign:
                recorders[campaign.id] = known
            else:
                recorders[campaign.id] = CampaignRecorder(
                    campaign, stale_ns=self._stale_ns, kept=stands.get(campaign.id)
                )
        self._campaigns, self._recorders = tuple(campaigns), recorders

    def _objection(self, campaign: Campaign) -> str | None:
        """Why this car cannot record it; None where it can."""
        try:
            check_campaign(campaign)
        except UsageError as error:
            return str(error)
        asked = [*campaign.signals, *(claim.signal for claim in campaign.when)]
        missing = [path for path in asked if path not in self._paths]
        if missing:
            return f"profile {self._profile.name} gives no signal {missing[0]}"
        return None

    def _stale_ns(self, path: str) -> int:
        return round(self._profile.map.stale_s_of(path) * NS_PER_S)

    # ── what it says and keeps ───────────────────────────────────────────────────────────────────

    def progress(self) -> tuple[Progress, ...]:
        """Where each campaign stands."""
        now_ns = self._clock.now_ns()
        return tuple(
            self._recorders[one.id].progress(now_ns)
            if one.id in self._recorders
            else Progress(one.id, CampaignState.REFUSED, self._refused.get(one.id))
            for one in self._campaigns
        )

    async def _report_changes(self) -> None:
        """Report when the link is there again, when something changed, and now and then."""
        connects, told_ns = -1, 0
        told: tuple[Progress, ...] = ()
        while True:
            is_asked = self._changed.is_set() or connects != self._transport.connects
            self._changed.clear()
            now, now_ns = self.progress(), self._clock.monotonic_ns()
            is_due = now != told and now_ns - told_ns >= REPORT_EVERY_S * NS_PER_S
            if is_asked or is_due:
                connects = self._transport.connects
                if await self._report(now):
                    told, told_ns = now, now_ns
                else:
                    self._changed.set()
                    await asyncio.sleep(RETRY_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._changed.wait()

    async def _report(self, progress: tuple[Progress, ...]) -> bool:
        """Say where each stands; whether it went out."""
        report = CampaignReport(self._vehicle_id, self._revision, progress)
        try:
            async with asyncio.timeout(REPORT_S):
                await self._transport.publish(
                    topics.campaign_report(self._vehicle_id), encode_campaign_report(report)
                )
        except (LinkError, TimeoutError):
            return False
        return True

    async def _keep_now_and_then(self) -> None:
        kept: dict[str, Kept] = {}
        while True:
            await asyncio.sleep(KEEP_EVERY_S)
            now = {name: one.kept for name, one in self._recorders.items()}
            if now != kept and self._keep():
                kept = now

    def _keep(self) -> bool:
        """Keep what is asked and where it stands; whether it could be written."""
        stands = {name: one.kept for name, one in self._recorders.items()}
        kept = msgspec.json.encode(_Kept(self._revision, self._campaigns, stands)).decode()
        try:
            self._outbox.note(self._note, kept)
        except OutboxError as error:
            _log.error("campaigns not kept vehicle=%s reason=%s", self._vehicle_id, error)
            return False
        return True
