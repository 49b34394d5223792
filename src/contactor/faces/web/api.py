"""The HTTP API under `/api/v1`; its OpenAPI document is at `/api/v1/openapi.json`.

app = create_api(fleet, dispatcher=dispatcher, campaigns=campaigns, live=live, clock=clock)

It answers this machine's names only, and no page of another site (`same_site`).
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Annotated

import msgspec
from litestar import Litestar, MediaType, Router, get
from litestar.exceptions import HTTPException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.types import ASGIApp

from contactor import __version__
from contactor.clock import Clock
from contactor.cloud.access.door import OpenDoor
from contactor.cloud.access.records import Records
from contactor.cloud.alerts.alerts import Alerts
from contactor.cloud.campaigns.sender import CampaignSender
from contactor.cloud.commands.dispatcher import Dispatcher
from contactor.cloud.commands.revoker import Revoker
from contactor.cloud.identities.desk import IdentityDesk
from contactor.cloud.journal.store import Journal
from contactor.errors import ContactorError, UsageError
from contactor.faces.web import metrics as prometheus
from contactor.faces.web.alerts import alert_routes
from contactor.faces.web.app import web_app_routes
from contactor.faces.web.audited import Audited
from contactor.faces.web.campaigns import campaign_routes
from contactor.faces.web.commands import command_routes
from contactor.faces.web.consents import consent_routes
from contactor.faces.web.everything import Everything, everything_routes
from contactor.faces.web.fleet import Fleet, Vehicle, VehicleNow, without_place
from contactor.faces.web.headers import Headers
from contactor.faces.web.history import History, history_routes
from contactor.faces.web.identities import identity_routes
from contactor.faces.web.invitations import invitation_routes
from contactor.faces.web.journal import journal_routes
from contactor.faces.web.keys import key_routes
from contactor.faces.web.live import Live
from contactor.faces.web.login import Access, SignedIn, login_routes
from contactor.faces.web.narrowed import check_paths, check_question, now_for, vehicle_for
from contactor.faces.web.needs import (
    ANYBODY,
    filtered,
    guard,
    may,
    of_all,
    of_some,
    of_vehicle,
    reach,
)
from contactor.faces.web.parameters import Instant, span_of
from contactor.faces.web.passkeys import passkey_routes
from contactor.faces.web.people import people_routes
from contactor.faces.web.problems import described, of_http_error, of_our_error, of_unexpected
from contactor.faces.web.same_site import SameSite
from contactor.faces.web.second_factor import second_factor_routes
from contactor.faces.web.tokens import token_routes
from contactor.signals.catalogue import catalogue
from contactor.signals.rights import Right, tells_where

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
    identities: IdentityDesk | None = None,
    revoker: Revoker | None = None,
    measures: Callable[[], Iterable[prometheus.Metric]] = tuple,
    access: Access | None = None,
    records: Records | None = None,
    public_host: str | None = None,
    names: Collection[str] = (),
    strict_names: Collection[str] = (),
    everything: Everything | None = None,
) -> ASGIApp:
    """The ASGI application over a fleet, what is asked of it, and its live stream.

    Args:
        access: people, and the door that knows them; without it everybody may do everything.
        records: where it is noted who did what.
        public_host: by which name a proxy on this machine serves it, too.
        names: by which it is reached over TLS.
        strict_names: those of them that are never to be asked without it.
        everything: makes archives of all that is kept of a vehicle or a person.
    """
    door = OpenDoor() if access is None else access.door

    def _check_paths(request: SignedIn, vehicle_id: str, paths: Sequence[str]) -> None:
        if request.user.consent is not None:
            check_paths(request.user.consent, paths)
        if any(map(tells_where, paths)) and not may(request, Right.LOCATE, vehicle_id, clock):
            raise PermissionDeniedException(f"needs {Right.LOCATE}: a path tells where it is")

    @get(
        "/vehicles",
        summary="Every vehicle, those named, or those that are so now",
        responses=described(400),
        needs=filtered(of_some(Right.SEE)),
    )
    async def vehicles(
        request: SignedIn,
        limit: Annotated[int, QueryParameter(ge=1, le=1000)] = 100,
        cursor: FromQuery[str | None] = None,
        vehicle: NameList = None,
        where: Where = None,
    ) -> VehiclePage:
        right = Right.LOCATE if where is not None and tells_where(where) else Right.SEE
        seen = reach(request, right, clock)
        named = vehicle if seen is None else seen if vehicle is None else seen & set(vehicle)
        consent = request.user.consent
        if consent is not None and where is not None:
            check_question(consent, where)
        items, following = fleet.page(named, where, limit=limit, cursor=cursor)
        if consent is not None:
            items = [vehicle_for(consent, fleet.now(one.vehicle_id)) for one in items]
        return VehiclePage(items, following)

    @get(
        "/vehicles/{vehicle_id:str}",
        summary="The last value of each signal of a vehicle",
        responses=described(400, 404),
        needs=filtered(of_vehicle(Right.SEE)),
    )
    async def vehicle(request: SignedIn, vehicle_id: FromPath[str]) -> VehicleNow:
        now = fleet.now(vehicle_id)
        if request.user.consent is not None:
            return now_for(request.user.consent, now)
        return now if may(request, Right.LOCATE, vehicle_id, clock) else without_place(now)

    @get(
        "/vehicles/{vehicle_id:str}/signals",
        summary="Stored values, extremes kept",
        responses=described(400, 404),
        needs=filtered(of_vehicle(Right.SEE)),
    )
    async def signals(
        request: SignedIn,
        vehicle_id: FromPath[str],
        path: PathList = None,
        start: Instant = None,
        end: Instant = None,
        max_points: Annotated[int, QueryParameter(ge=1, le=MAX_POINTS)] = 1000,
    ) -> SeriesAnswer:
        paths = _paths(path)
        _check_paths(request, vehicle_id, paths)
        span = span_of(start, end)
        answer = await fleet.series(vehicle_id, paths, *span, max_points)
        return SeriesAnswer(vehicle_id, answer)

    @get(
        "/vehicles/{vehicle_id:str}/summary",
        summary="Count, extremes and mean of each signal",
        responses=described(400, 404),
        needs=filtered(of_vehicle(Right.SEE)),
    )
    async def summary(
        request: SignedIn,
        vehicle_id: FromPath[str],
        path: PathList = None,
        start: Instant = None,
        end: Instant = None,
    ) -> Mapping[str, object]:
        paths = _paths(path) if path else None
        if paths is None and request.user.consent is not None:
            paths = sorted(request.user.consent.paths)
        if paths is None and not may(request, Right.LOCATE, vehicle_id, clock):
            paths = [path for path in catalogue() if not tells_where(path)]
        _check_paths(request, vehicle_id, paths or ())
        span = span_of(start, end)
        return await fleet.summary(vehicle_id, paths, *span)

    @get("/healthz", summary="Whether the instance answers", needs=ANYBODY)
    async def healthz() -> Health:
        return Health("ok", __version__)

    @get(
        "/metrics",
        summary="What the instance counts",
        media_type=prometheus.MEDIA_TYPE,
        responses=described(),
        needs=of_all(Right.SEE),
    )
    async def metrics() -> str:
        told = () if alerts is None else prometheus.alert_metrics(alerts)
        known = () if identities is None else prometheus.identity_metrics(identities)
        return prometheus.metrics_text([*measures(), *told, *known])

    routes = [
        *(vehicles, vehicle, signals, summary),
        *(() if access is None else _entrance_routes(access)),
        *_people_routes(access, records, dispatcher),
        *command_routes(fleet, dispatcher, clock),
        *campaign_routes(campaigns, clock),
        *identity_routes(identities, clock),
        *key_routes(fleet, dispatcher, revoker, clock),
        *(() if alerts is None else alert_routes(alerts, clock)),
        *(() if history is None else history_routes(fleet, history)),
        *_journal_routes(fleet, history, journal, clock),
        *(() if everything is None else everything_routes(everything, fleet, clock)),
        live.route(door),
    ]
    api = Litestar(
        [Router("/api/v1", route_handlers=routes), healthz, metrics, *web_app_routes()],
        openapi_config=_openapi(),
        exception_handlers={
            HTTPException: of_http_error,
            ContactorError: of_our_error,
            Exception: of_unexpected,
        },
        guards=[guard(door, clock)],
        logging_config=None,
    )
    site = Headers(SameSite(api, public_host=public_host, names=names), strict_names=strict_names)
    return site if records is None else Audited(site, records, clock)


def _entrance_routes(access: Access) -> Sequence[BaseRouteHandler]:
    """Those by which somebody comes in."""
    return [
        *login_routes(access),
        *token_routes(access),
        *second_factor_routes(access),
        *passkey_routes(access),
        *invitation_routes(access),
    ]


def _people_routes(
    access: Access | None, records: Records | None, dispatcher: Dispatcher
) -> Sequence[BaseRouteHandler]:
    """Those of people and consents, which stand over a log."""
    if access is None or records is None:
        return ()
    return [
        *people_routes(access, records, dispatcher.forget_issuer),
        *consent_routes(access, records),
    ]


def _journal_routes(
    fleet: Fleet, history: History | None, journal: Journal | None, clock: Clock
) -> Sequence[HTTPRouteHandler]:
    """Those of the journal, which is told over a history."""
    if history is None or journal is None:
        return ()
    return journal_routes(fleet, history, journal, clock)


def _openapi() -> OpenAPIConfig:
    """The document alone: the framework's pages over it load scripts from elsewhere."""
    for_anybody = Router(
        OPENAPI, route_handlers=[], opt={"needs": ANYBODY}, include_in_schema=False
    )
    document = JsonRenderPlugin(path=["/", "/openapi.json"], media_type=MediaType.JSON)
    return OpenAPIConfig(
        "Contactor",
        __version__,
        path=OPENAPI,
        render_plugins=[document],
        openapi_router=for_anybody,
    )


def _paths(paths: Sequence[str] | None) -> list[str]:
    """The paths asked for, each known."""
    if not paths:
        raise UsageError("path is missing: ?path=Vehicle.Speed, may be repeated")
    if len(paths) > MAX_PATHS:
        raise UsageError(f"{len(paths)} paths; the limit is {MAX_PATHS}")
    return [catalogue()[path].path for path in paths]
