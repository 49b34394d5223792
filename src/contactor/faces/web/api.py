"""The HTTP API under `/api/v1`; its OpenAPI document is at `/api/v1/openapi.json`.

app = create_api(fleet, dispatcher=dispatcher, campaigns=campaigns, live=live, clock=clock)

It answers this machine's names only, and no page of another site (`same_site`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated

import msgspec
from litestar import Litestar, MediaType, Router, get
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.types import ASGIApp

from contactor import __version__
from contactor.clock import Clock
from contactor.cloud.alerts.alerts import Alerts
from contactor.cloud.campaigns.sender import CampaignSender
from contactor.cloud.commands.dispatcher import Dispatcher
from contactor.cloud.journal.store import Journal
from contactor.errors import ContactorError, UsageError
from contactor.faces.web import metrics as prometheus
from contactor.faces.web.alerts import alert_routes
from contactor.faces.web.app import web_app_routes
from contactor.faces.web.campaigns import campaign_routes
from contactor.faces.web.commands import command_routes
from contactor.faces.web.fleet import Fleet, Vehicle, VehicleNow
from contactor.faces.web.history import History, history_routes
from contactor.faces.web.journal import journal_routes
from contactor.faces.web.live import Live
from contactor.faces.web.parameters import Instant, span_of
from contactor.faces.web.problems import described, of_http_error, of_our_error, of_unexpected
from contactor.faces.web.same_site import SameSite
from contactor.signals.catalogue import catalogue

OPENAPI = "/api/v1/openapi.json"
MAX_POINTS = 100_000
MAX_PATHS = 64


class VehiclePage(msgspec.Struct, frozen=True):
    """One page of vehicles; `next` is the cursor of the next page, or null."""

    items: list[Vehicle]
    next: str | None


class SeriesAnswer(msgspec.Struct, frozen=True):
    """The stored values of some signals of one vehicle."""

    vehicle_id: str
    series: list[Mapping[str, object]]


class Health(msgspec.Struct, frozen=True):
    """The instance answers."""

    status: str
    version: str


PathList = Annotated[list[str] | None, QueryParameter(description="VSS paths, ?path=A&path=B")]
NameList = Annotated[
    list[str] | None, QueryParameter(description="these only, ?vehicle=A&vehicle=B")
]
Where = Annotated[
    str | None, QueryParameter(description='as Vehicle.Speed > 100 and connectivity == "online"')
]


def create_api(
    fleet: Fleet,
    *,
    dispatcher: Dispatcher,
    campaigns: CampaignSender,
    live: Live,
    clock: Clock,
    alerts: Alerts | None = None,
    history: History | None = None,
    journal: Journal | None = None,
    measures: Callable[[], Iterable[prometheus.Metric]] = tuple,
) -> ASGIApp:
    """The ASGI application over a fleet, what is asked of it, and its live stream."""

    @get(
        "/vehicles",
        summary="Every vehicle, those named, or those that are so now",
        responses=described(400),
    )
    async def vehicles(
        limit: Annotated[int, QueryParameter(ge=1, le=1000)] = 100,
        cursor: FromQuery[str | None] = None,
        vehicle: NameList = None,
        where: Where = None,
    ) -> VehiclePage:
        return VehiclePage(*fleet.page(vehicle, where, limit=limit, cursor=cursor))

    @get(
        "/vehicles/{vehicle_id:str}",
        summary="The last value of each signal of a vehicle",
        responses=described(400, 404),
    )
    async def vehicle(vehicle_id: FromPath[str]) -> VehicleNow:
        return fleet.now(vehicle_id)

    @get(
        "/vehicles/{vehicle_id:str}/signals",
        summary="Stored values, extremes kept",
        responses=described(400, 404),
    )
    async def signals(
        vehicle_id: FromPath[str],
        path: PathList = None,
        start: Instant = None,
        end: Instant = None,
        max_points: Annotated[int, QueryParameter(ge=1, le=MAX_POINTS)] = 1000,
    ) -> SeriesAnswer:
        paths = _paths(path)
        span = span_of(start, end)
        answer = await fleet.series(vehicle_id, paths, *span, max_points)
        return SeriesAnswer(vehicle_id, answer)

    @get(
        "/vehicles/{vehicle_id:str}/summary",
        summary="Count, extremes and mean of each signal",
        responses=described(400, 404),
    )
    async def summary(
        vehicle_id: FromPath[str], path: PathList = None, start: Instant = None, end: Instant = None
    ) -> Mapping[str, object]:
        paths = _paths(path) if path else None
        span = span_of(start, end)
        return await fleet.summary(vehicle_id, paths, *span)

    @get("/healthz", summary="Whether the instance answers")
    async def healthz() -> Health:
        return Health("ok", __version__)

    @get("/metrics", summary="What the instance counts", media_type=prometheus.MEDIA_TYPE)
    async def metrics() -> str:
        told = () if alerts is None else prometheus.alert_metrics(alerts)
        return prometheus.metrics_text([*measures(), *told])

    routes = [
        *(vehicles, vehicle, signals, summary),
        *command_routes(fleet, dispatcher),
        *campaign_routes(campaigns, clock),
        *(() if alerts is None else alert_routes(alerts)),
        *(() if history is None else history_routes(fleet, history)),
        *_journal_routes(fleet, history, journal, clock),
        live.route(),
    ]
    api = Litestar(
        [Router("/api/v1", route_handlers=routes), healthz, metrics, *web_app_routes()],
        openapi_config=_openapi(),
        exception_handlers={
            HTTPException: of_http_error,
            ContactorError: of_our_error,
            Exception: of_unexpected,
        },
        logging_config=None,
    )
    return SameSite(api)


def _journal_routes(
    fleet: Fleet, history: History | None, journal: Journal | None, clock: Clock
) -> Sequence[HTTPRouteHandler]:
    """Those of the journal, which is told over a history."""
    if history is None or journal is None:
        return ()
    return journal_routes(fleet, history, journal, clock)


def _openapi() -> OpenAPIConfig:
    """The document alone: the framework's pages over it load scripts from elsewhere."""
    document = JsonRenderPlugin(path=["/", "/openapi.json"], media_type=MediaType.JSON)
    return OpenAPIConfig("Contactor", __version__, path=OPENAPI, render_plugins=[document])


def _paths(paths: Sequence[str] | None) -> list[str]:
    """The paths asked for, each known."""
    if not paths:
        raise UsageError("path is missing: ?path=Vehicle.Speed, may be repeated")
    if len(paths) > MAX_PATHS:
        raise UsageError(f"{len(paths)} paths; the limit is {MAX_PATHS}")
    return [catalogue()[path].path for path in paths]
