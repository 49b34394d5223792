"""The routes of alerts: rules and channels, what fired, and who is told.

    POST /api/v1/alerts/rules {"version": 1, "rules": [...], "channels": [...]}
    GET  /api/v1/alerts?open=true
    POST /api/v1/alerts/{id}/acknowledge

What is secret in a channel is never told.
"""

import hashlib
from collections.abc import Sequence
from typing import Annotated

import msgspec
from litestar import delete, get, post
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from contactor.clock import Clock
from contactor.cloud.alerts.alerts import Alerts
from contactor.cloud.alerts.channels import Push
from contactor.cloud.alerts.document import MAX_BYTES, Document, decode_document
from contactor.cloud.alerts.ports import NotDelivered
from contactor.cloud.alerts.told import AlertNow, AlertPage, ChannelNow, ChannelPage, Kept, RulePage
from contactor.cloud.alerts.warnings_told import WarningPage
from contactor.errors import UnknownAlert, UsageError
from contactor.faces.web.login import SignedIn
from contactor.faces.web.needs import may, of_all, of_some, of_vehicle, reach
from contactor.faces.web.parameters import Limit
from contactor.faces.web.problems import AnyRequest, described
from contactor.signals.rights import Right

MAX_SUBSCRIPTION_BYTES = 8_192


class PushKey(msgspec.Struct, frozen=True):
    """What a browser subscribes with: `applicationServerKey`, base64url."""

    key: str


class SubscriptionKeys(msgspec.Struct, frozen=True):
    """The keys of a browser's push subscription, base64url."""

    p256dh: str
    auth: str


class Subscription(msgspec.Struct, frozen=True):
    """A browser's push subscription, as its `toJSON()` gives it."""

    endpoint: str
    keys: SubscriptionKeys


class Removed(msgspec.Struct, frozen=True):
    """What is kept no more."""

    name: str


class Tested(msgspec.Struct, frozen=True):
    """A message that a channel has taken."""

    channel: str
    message: str


_subscription = msgspec.json.Decoder(Subscription)


_RULES = of_all(Right.RULES)


def alert_routes(alerts: Alerts, clock: Clock) -> Sequence[BaseRouteHandler]:
    """The handlers over the alerts of an instance."""
    return [*_alert_routes(alerts, clock), *_rule_routes(alerts), *_channel_routes(alerts)]


def _alert_routes(alerts: Alerts, clock: Clock) -> Sequence[BaseRouteHandler]:
    async def of(request: SignedIn, right: Right, alert_id: str) -> AlertNow:
        """An alert, for somebody who may do something of its vehicle; unknown to anybody else."""
        found = await alerts.alert(alert_id)
        if not may(request, right, found.vehicle_id, clock):
            raise UnknownAlert(f"no alert {alert_id[:64]!r}")
        return found

    @get(
        "/alerts",
        summary="Alerts, newest first",
        responses=described(400),
        needs=of_some(Right.HISTORY),
    )
    async def fired(
        request: SignedIn,
        limit: Limit = 100,
        cursor: FromQuery[str | None] = None,
        is_open: Annotated[
            bool, QueryParameter(name="open", description="only those not acknowledged")
        ] = False,
    ) -> AlertPage:
        found, before = await alerts.alerts(limit=limit, before=_number(cursor), is_open=is_open)
        mine = reach(request, Right.HISTORY, clock)
        shown = found if mine is None else [one for one in found if one.vehicle_id in mine]
        return AlertPage(shown, None if before is None else str(before))

    @get(
        "/alerts/{alert_id:str}",
        summary="An alert",
        responses=described(400, 404),
        needs=of_some(Right.HISTORY),
    )
    async def one(request: SignedIn, alert_id: FromPath[str]) -> AlertNow:
        return await of(request, Right.HISTORY, alert_id)

    @post(
        "/alerts/{alert_id:str}/acknowledge",
        summary="Say that somebody has seen an alert",
        status_code=200,
        responses=described(400, 404),
        needs=of_some(Right.JOURNAL),
    )
    async def acknowledge(request: SignedIn, alert_id: FromPath[str]) -> AlertNow:
        await of(request, Right.JOURNAL, alert_id)
        return await alerts.acknowledge(alert_id)

    @get(
        "/vehicles/{vehicle_id:str}/warnings",
        summary="Early warnings of a vehicle, each with what shows it",
        responses=described(400, 404),
        needs=of_vehicle(Right.HISTORY),
    )
    async def warnings(vehicle_id: FromPath[str]) -> WarningPage:
        return WarningPage(await alerts.warnings(vehicle_id))

    return [fired, one, acknowledge, warnings]


def _rule_routes(alerts: Alerts) -> Sequence[BaseRouteHandler]:
    @get("/alerts/rules", summary="Every alert rule", responses=described(), needs=_RULES)
    async def rules() -> RulePage:
        return RulePage(await alerts.rules())

    @post(
        "/alerts/rules",
        summary="Keep alert rules and channels, in place of those of the same names",
        status_code=200,
        request_max_body_size=MAX_BYTES,
        responses=described(400, 413),
        needs=_RULES,
    )
    async def put(request: AnyRequest, data: JSONBody[Document]) -> Kept:
        document = decode_document(await request.body())  # `data` was read leniently: "1" for 1
        return Kept(*await alerts.put(document))

    @delete(
        "/alerts/rules/{name:str}",
        summary="Forget an alert rule",
        status_code=200,
        responses=described(400, 404),
        needs=_RULES,
    )
    async def remove(name: FromPath[str]) -> Removed:
        await alerts.watch.remove(rule=name)
        return Removed(name)

    return [rules, put, remove]


def _channel_routes(alerts: Alerts) -> Sequence[BaseRouteHandler]:
    @get(
        "/alerts/channels",
        summary="Every channel, without its secrets",
        responses=described(),
        needs=_RULES,
    )
    async def channels() -> ChannelPage:
        return ChannelPage(await alerts.channels())

    @delete(
        "/alerts/channels/{name:str}",
        summary="Forget a channel",
        status_code=200,
        responses=described(400, 404),
        needs=_RULES,
    )
    async def remove(name: FromPath[str]) -> Removed:
        await alerts.watch.remove(channel=name)
        return Removed(name)

    @post(
        "/alerts/channels/{name:str}/test",
        summary="Send a message to a channel now",
        status_code=200,
        responses=described(400, 404, 502),
        needs=_RULES,
    )
    async def test(name: FromPath[str]) -> Tested:
        try:
            message = await alerts.outbox.test(name)
        except NotDelivered as error:
            raise HTTPException(f"channel {name}: {error}", status_code=502) from error
        return Tested(name, message.id)

    @get(
        "/alerts/push-key",
        summary="What a browser subscribes with",
        responses=described(501),
        needs=of_some(Right.HISTORY),
    )
    async def push_key() -> PushKey:
        try:
            return PushKey(await alerts.push_key())
        except ModuleNotFoundError as error:
            needed = f"this needs {error.name}: pip install 'contactor[alerts]'"
            raise HTTPException(needed, status_code=501) from error

    @post(
        "/alerts/push-subscriptions",
        summary="Keep a browser's push subscription as a channel",
        status_code=201,
        request_max_body_size=MAX_SUBSCRIPTION_BYTES,
        responses=described(400, 413),
        needs=of_all(Right.HISTORY),
    )
    async def subscribe(request: AnyRequest, data: JSONBody[Subscription]) -> ChannelNow:
        given = _read_subscription(await request.body())
        # The same browser that subscribes again is the same channel.
        name = f"push-{hashlib.sha256(given.endpoint.encode()).hexdigest()[:12]}"
        channel = Push(name, given.endpoint, given.keys.p256dh, given.keys.auth)
        document = _checked({"version": 1, "channels": [msgspec.to_builtins(channel)]})
        _, kept = await alerts.put(document)
        return kept[0]

    return [channels, remove, test, push_key, subscribe]


def _read_subscription(body: bytes) -> Subscription:
    try:
        return _subscription.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise UsageError(f"push subscription: {error}") from error


def _checked(content: object) -> Document:
    try:
        return msgspec.convert(content, Document)
    except msgspec.ValidationError as error:
        raise UsageError(f"push subscription: {error}") from error


def _number(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise UsageError(f"cursor={cursor[:64]!r}; allowed: what `next` said")
    return int(cursor)
