"""The live stream: a WebSocket that tells the twin's state, then each change of it, as JSON.

    WS /api/v1/live?vehicle=demo&path=Vehicle.Speed         both repeatable, all by default

    {"type": "snapshot", "vehicles": [...]}     first, as GET /vehicles/{id} tells each; where one
                                                vehicle was asked for, that one's members as well
    {"type": "change", ...}                     and so on: see contactor.cloud.twin.events
    {"type": "tick", "now": ...}                after two seconds without anything else

A socket that is slow is told the newest values only (see `contactor.cloud.twin.feed`); one that
takes nothing for half a minute is closed with 1013 and the reason. What a client sends is read and
ignored. Closed with 1008: an unknown vehicle or path. A third party hears values of what its
consent names, and no command, no wish, nor whether the vehicle is heard.
"""

import asyncio
import contextlib
from collections.abc import Sequence

import msgspec
from litestar import WebSocket, websocket
from litestar.datastructures import State
from litestar.exceptions import PermissionDeniedException, WebSocketDisconnect
from litestar.handlers import WebsocketRouteHandler

from contactor.clock import Clock, to_iso
from contactor.cloud.access.door import Doorkeeper
from contactor.cloud.access.logins import Principal
from contactor.cloud.ingest.presence import Connectivity
from contactor.cloud.twin.feed import Subscription
from contactor.cloud.twin.twin import TICK_S, SignalNow, Twin
from contactor.errors import ContactorError, UnknownVehicle, UsageError
from contactor.faces.web.fleet import Fleet, VehicleNow
from contactor.faces.web.narrowed import check_paths, is_for, now_for
from contactor.faces.web.needs import filtered, of_some, secret_of
from contactor.signals.catalogue import catalogue
from contactor.signals.rights import Right, tells_where

MAX_SOCKETS = 256
MAX_VEHICLES = 128  # a request line has room for 8 KB
MAX_PATHS = 128
SILENCE_S = 2.0
SEND_LIMIT_S = 30.0
STILL_WELCOME_S = 2.0
MAX_REASON_BYTES = 120  # RFC 6455, section 5.5: a close frame has room for 123
GOING_AWAY, POLICY, TRY_AGAIN = 1001, 1008, 1013

_encoder = msgspec.json.Encoder()


class Snapshot(msgspec.Struct, frozen=True, tag_field="type", tag="snapshot"):
    """How things stand; of one vehicle that was asked for by name, at the top too."""

    vehicles: list[VehicleNow]
    vehicle_id: str | msgspec.UnsetType = msgspec.UNSET
    name: str | msgspec.UnsetType = msgspec.UNSET
    profile: str | msgspec.UnsetType | None = msgspec.UNSET
    connectivity: Connectivity | msgspec.UnsetType | None = msgspec.UNSET
    signals: dict[str, SignalNow] | msgspec.UnsetType = msgspec.UNSET

    @classmethod
    def of(cls, vehicles: list[VehicleNow], *, is_one_named: bool) -> "Snapshot":
        """The snapshot of some vehicles."""
        if not is_one_named:
            return cls(vehicles)
        [one] = vehicles
        return cls(vehicles, one.vehicle_id, one.name, one.profile, one.connectivity, one.signals)


class Tick(msgspec.Struct, frozen=True, tag_field="type", tag="tick"):
    """Nothing happened, and the connection lives."""

    now: str


AnySocket = WebSocket[Principal, object, State]


class Live:
    """Owns the open sockets; lives on one loop."""

    def __init__(self, *, fleet: Fleet, twin: Twin, clock: Clock) -> None:
        self._fleet = fleet
        self._twin = twin
        self._clock = clock
        self._sockets = 0
        self._closing = asyncio.Event()

    @property
    def sockets(self) -> int:
        """How many are open."""
        return self._sockets

    def close(self) -> None:
        """End every socket, and take no more."""
        self._closing.set()

    async def run(self) -> None:
        """Tell subscribers once a second what became stale or was lost, until cancelled."""
        while True:
            await asyncio.sleep(TICK_S)
            self._twin.tick()

    def route(self, door: Doorkeeper) -> WebsocketRouteHandler:
        """The handler of the stream; who loses the right to it is told so and put out."""

        @websocket("/live", needs=filtered(of_some(Right.SEE)))
        async def live(socket: AnySocket) -> None:
            await socket.accept()
            if self._sockets >= MAX_SOCKETS:
                await _close(socket, TRY_AGAIN, f"{MAX_SOCKETS} streams are open, the limit")
                return
            self._sockets += 1
            try:
                await self._serve(socket, door)
            finally:
                self._sockets -= 1

        return live

    async def _serve(self, socket: AnySocket, door: Doorkeeper) -> None:
        try:
            named = socket.query_params.getall("vehicle", [])
            paths = _paths(socket.query_params.getall("path", []))
            vehicles, paths = self._allowed(socket.user, named, paths)
        except ContactorError as error:
            await _close(socket, POLICY, str(error))
            return
        except PermissionDeniedException as error:
            await _close(socket, POLICY, error.detail)
            return
        subscription = self._twin.subscribe(vehicles=vehicles, paths=paths)
        tasks: list[asyncio.Task[object]] = []
        try:
            found = await self._fleet.snapshot(vehicles, paths)
            consent = socket.user.consent
            snapshot = Snapshot.of(
                found if consent is None else [now_for(consent, one) for one in found],
                is_one_named=vehicles is not None and len(vehicles) == 1,
            )
            first = _encoder.encode(snapshot).decode()
            tasks += [
                asyncio.create_task(self._send(socket, first, subscription)),
                asyncio.create_task(_read(socket)),
                asyncio.create_task(self._closing.wait()),
                asyncio.create_task(_until_put_out(socket, door, self._clock)),
            ]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            subscription.close()
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        if self._closing.is_set():
            await _close(socket, GOING_AWAY, "the server stops")
            return
        if results and results[-1] is None:
            await _close(socket, POLICY, "the session has ended, or its rights have changed")
            return
        for result in results:
            if isinstance(result, Exception) and not isinstance(
                result, WebSocketDisconnect | TimeoutError
            ):
                raise result
        await _close(socket, TRY_AGAIN, f"nothing was taken for {SEND_LIMIT_S:g} s")

    async def _send(self, socket: AnySocket, first: str, subscription: Subscription) -> None:
        await _send_text(socket, first)
        while True:
            events = await subscription.next(SILENCE_S)
            for event in events:
                if socket.user.consent is None or is_for(event):
                    await _send_text(socket, event.wire)
            if not events:
                tick = Tick(to_iso(self._clock.now_ns()))
                await _send_text(socket, _encoder.encode(tick).decode())

    def _allowed(
        self, principal: Principal, names: Sequence[str], paths: frozenset[str] | None
    ) -> tuple[frozenset[str] | None, frozenset[str] | None]:
        """Of what is asked for that which may be seen; None for all.

        Raises:
            UsageError: too many vehicles.
            UnknownVehicle: one is not known, or not to be seen.
            PermissionDeniedException: a third party asks for a path that its consent names not.
        """
        if len(names) > MAX_VEHICLES:
            raise UsageError(f"{len(names)} vehicles; the limit is {MAX_VEHICLES}")
        seen, located = _seen_by(principal, self._clock)
        for name in names:
            if seen is not None and name not in seen:
                raise UnknownVehicle(f"no vehicle {name!r}")
            self._fleet.vehicle(name)
        vehicles = frozenset(names) or seen
        if principal.consent is not None:
            check_paths(principal.consent, sorted(paths or ()))
            return vehicles, paths or principal.consent.paths
        if located is not None and not (vehicles is not None and vehicles <= located):
            known = catalogue() if paths is None else paths
            paths = frozenset(path for path in known if not tells_where(path))
        return vehicles, paths


def _paths(paths: Sequence[str]) -> frozenset[str] | None:
    if len(paths) > MAX_PATHS:
        raise UsageError(f"{len(paths)} paths; the limit is {MAX_PATHS}")
    return frozenset(catalogue()[path].path for path in paths) or None


async def _read(socket: AnySocket) -> None:
    """Until the client is gone; what it says is of no interest."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _until_put_out(socket: AnySocket, door: Doorkeeper, clock: Clock) -> None:
    """Until who listens is nobody any more, or may see something else."""
    secret, _ = secret_of(socket)
    seen = _seen_by(socket.user, clock)
    while (principal := await door.principal(secret)) and _seen_by(principal, clock) == seen:
        await door.changed(STILL_WELCOME_S)


def _seen_by(
    principal: Principal, clock: Clock
) -> tuple[frozenset[str] | None, frozenset[str] | None]:
    now_ns = clock.now_ns()
    return principal.reach(Right.SEE, now_ns), principal.reach(Right.LOCATE, now_ns)


async def _send_text(socket: AnySocket, text: str) -> None:
    async with asyncio.timeout(SEND_LIMIT_S):
        await socket.send({"type": "websocket.send", "text": text, "bytes": None})


async def _close(socket: AnySocket, code: int, reason: str) -> None:
    """Close, unless the client was faster."""
    short = reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")
    with contextlib.suppress(Exception, TimeoutError):
        async with asyncio.timeout(0.5):
            await socket.close(code=code, reason=short)
