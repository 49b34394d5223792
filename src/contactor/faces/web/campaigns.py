"""The routes of collection campaigns: start, list, look up, stop.

POST /api/v1/campaigns {"version": 1, "name": ..., "vehicles": [...], "signals": [...], ...}
"""

from collections.abc import Sequence

from litestar import delete, get, post
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody

from contactor.clock import Clock
from contactor.cloud.campaigns.request import MAX_BYTES, CampaignRequest, decode_request
from contactor.cloud.campaigns.sender import CampaignSender
from contactor.cloud.campaigns.told import (
    CampaignNow,
    CampaignPage,
    ProgressPage,
    campaign_now,
    campaign_page,
    progress_page,
)
from contactor.faces.web.needs import of_all
from contactor.faces.web.parameters import Limit
from contactor.faces.web.problems import AnyRequest, described
from contactor.signals.rights import Right

_RULES = of_all(Right.RULES)


def campaign_routes(sender: CampaignSender, clock: Clock) -> Sequence[BaseRouteHandler]:
    """The handlers over the campaigns of an instance."""
    store = sender.store

    @post(
        "/campaigns",
        summary="Have vehicles record more than their usual rows",
        status_code=202,
        request_max_body_size=MAX_BYTES,
        responses=described(400, 404, 413),
        needs=_RULES,
    )
    async def start(request: AnyRequest, data: JSONBody[CampaignRequest]) -> CampaignNow:
        asked = decode_request(await request.body())  # `data` was read leniently: "1" for 1
        return campaign_now(store, sender.start(asked), clock.now_ns())

    @get("/campaigns", summary="Campaigns, newest first", responses=described(400), needs=_RULES)
    async def campaigns(limit: Limit = 100, cursor: FromQuery[str | None] = None) -> CampaignPage:
        return campaign_page(store, clock.now_ns(), limit=limit, cursor=cursor)

    @get(
        "/campaigns/{campaign_id:str}",
        summary="A campaign",
        responses=described(400, 404),
        needs=_RULES,
    )
    async def campaign(campaign_id: FromPath[str]) -> CampaignNow:
        return campaign_now(store, store.find(campaign_id), clock.now_ns())

    @get(
        "/campaigns/{campaign_id:str}/vehicles",
        summary="Where a campaign stands in each of its vehicles",
        responses=described(400, 404),
        needs=_RULES,
    )
    async def vehicles(
        campaign_id: FromPath[str], limit: Limit = 100, cursor: FromQuery[str | None] = None
    ) -> ProgressPage:
        return progress_page(store, campaign_id, limit=limit, cursor=cursor)

    @delete(
        "/campaigns/{campaign_id:str}",
        summary="Stop a campaign",
        status_code=202,
        responses=described(400, 404),
        needs=_RULES,
    )
    async def stop(campaign_id: FromPath[str]) -> CampaignNow:
        return campaign_now(store, sender.stop(campaign_id), clock.now_ns())

    return [start, campaigns, campaign, vehicles, stop]
