"""Campaigns as people and programs are told of them; instants in ISO 8601.

campaign_now(store, store.find(campaign_id), now_ns)        # CampaignNow
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from contactor.clock import to_iso
from contactor.cloud.campaigns.store import CampaignStore, Started
from contactor.signals.campaign import CampaignState, Claim, Progress, Upload


class Stands(StrEnum):
    """Where a campaign stands as a whole."""

    RUNNING = "running"
    ENDED = "ended"
    STOPPED = "stopped"


class CampaignNow(msgspec.Struct, frozen=True):
    """A campaign, and where it stands over all its vehicles.

    Fields:
        vehicles: how many it is for; `states`: how many of them stand where.
        triggered, rows, dropped: sums over them.
    """

    id: str
    name: str
    state: Stands
    signals: tuple[str, ...]
    rate_hz: float
    when: tuple[Claim, ...]
    holds_s: float
    before_s: float
    after_s: float
    upload: Upload
    until: str
    max_rows_per_day: int
    started_at: str
    stopped_at: str | None
    vehicles: int
    states: Mapping[CampaignState, int]
    triggered: int
    rows: int
    dropped: int


class VehicleProgress(msgspec.Struct, frozen=True):
    """Where a campaign stands in one vehicle, as that says; `reason` where it refused."""

    vehicle_id: str
    state: CampaignState
    reason: str | None
    triggered: int
    rows: int
    dropped: int
    last_trigger: str | None


class CampaignPage(msgspec.Struct, frozen=True):
    """One page of campaigns, newest first; `next` is the cursor of the next page, or null."""

    items: list[CampaignNow]
    next: str | None


class ProgressPage(msgspec.Struct, frozen=True):
    """One page of a campaign's vehicles, by id; `next` is the cursor of the next page, or null."""

    items: list[VehicleProgress]
    next: str | None


def campaign_now(store: CampaignStore, started: Started, now_ns: int) -> CampaignNow:
    """A campaign as it stands now."""
    asked, totals = started.campaign, store.totals(started.campaign.id)
    state = Stands.ENDED if asked.until <= now_ns else Stands.RUNNING
    return CampaignNow(
        id=asked.id,
        name=asked.name,
        state=state if started.stopped_at is None else Stands.STOPPED,
        signals=asked.signals,
        rate_hz=asked.rate_hz,
        when=asked.when,
        holds_s=asked.holds_s,
        before_s=asked.before_s,
        after_s=asked.after_s,
        upload=asked.upload,
        until=to_iso(asked.until),
        max_rows_per_day=asked.max_rows_per_day,
        started_at=to_iso(started.started_at),
        stopped_at=None if started.stopped_at is None else to_iso(started.stopped_at),
        vehicles=sum(totals.states.values()),
        states=totals.states,
        triggered=totals.triggered,
        rows=totals.rows,
        dropped=totals.dropped,
    )


def campaign_page(
    store: CampaignStore, now_ns: int, *, limit: int, cursor: str | None
) -> CampaignPage:
    """At most `limit` campaigns."""
    found = store.page(limit=limit + 1, before=cursor)
    items = [campaign_now(store, one, now_ns) for one in found[:limit]]
    return CampaignPage(items, items[-1].id if len(found) > limit else None)


def progress_page(
    store: CampaignStore, campaign_id: str, *, limit: int, cursor: str | None
) -> ProgressPage:
    """At most `limit` vehicles of a campaign.

    Raises:
        UnknownCampaign: there is none of that id.
    """
    store.find(campaign_id)
    found = store.vehicles(campaign_id, limit=limit + 1, after=cursor or "")
    items = [_told(vehicle_id, one) for vehicle_id, one in found[:limit]]
    return ProgressPage(items, items[-1].vehicle_id if len(found) > limit else None)


def _told(vehicle_id: str, one: Progress) -> VehicleProgress:
    last = None if one.last_trigger is None else to_iso(one.last_trigger)
    return VehicleProgress(
        vehicle_id, one.state, one.reason, one.triggered, one.rows, one.dropped, last
    )
