"""The routes of commands: ask, look one up, list them.

POST /api/v1/vehicles/{id}/commands {"path": ..., "value": ..., "expires_in_s": 30}
"""

from collections.abc import Sequence
from typing import Annotated, Self

import msgspec
from litestar import get, post
from litestar.exceptions import PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from contactor.clock import Clock
from contactor.cloud.access.rights import SETTING
from contactor.cloud.commands.dispatcher import DEFAULT_EXPIRES_IN_S, Dispatcher
from contactor.cloud.commands.told import told
from contactor.faces.web.fleet import Fleet
from contactor.faces.web.login import SignedIn
from contactor.faces.web.needs import may, note, of_vehicle
from contactor.faces.web.parameters import decoded
from contactor.faces.web.problems import described
from contactor.signals.command import Command, CommandState
from contactor.signals.record import Scalar
from contactor.signals.rights import Right, right_to_set

MAX_BODY_BYTES = 16_384


class CommandRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked: an actuator's path, its value, and for how long the car may take it up."""

    path: Annotated[str, msgspec.Meta(max_length=256)]
    value: Scalar
    expires_in_s: float = DEFAULT_EXPIRES_IN_S


class CommandNow(msgspec.Struct, frozen=True):
    """A command and where it stands; instants in ISO 8601."""

    id: str
    vehicle_id: str
    path: str
    value: Scalar
    issued_by: str
    issued_at: str
    expires_at: str
    state: CommandState
    reason: str | None

    @classmethod
    def of(cls, command: Command) -> Self:
        """A command as the API tells it."""
        return msgspec.convert(told(command), cls, from_attributes=True)


class CommandPage(msgspec.Struct, frozen=True):
    """One page of commands, newest first; `next` is the cursor of the next page, or null."""

    items: list[CommandNow]
    next: str | None


def command_routes(
    fleet: Fleet, dispatcher: Dispatcher, clock: Clock
) -> Sequence[BaseRouteHandler]:
    """The handlers over a fleet and its dispatcher."""

    @post(
        "/vehicles/{vehicle_id:str}/commands",
        summary="Ask an actuator of a vehicle to be set",
        status_code=202,
        request_max_body_size=MAX_BODY_BYTES,
        responses=described(400, 404, 409, 413),
        needs=of_vehicle(*sorted(SETTING)),
    )
    async def ask(
        request: SignedIn, vehicle_id: FromPath[str], data: JSONBody[CommandRequest]
    ) -> CommandNow:
        vehicle = fleet.vehicle(vehicle_id)
        asked = decoded(await request.body(), CommandRequest)
        note(request, path=asked.path, value=str(asked.value))
        right = right_to_set(asked.path)
        if not may(request, right, vehicle_id, clock):
            raise PermissionDeniedException(f"needs {right}, to set {asked.path}")
        command = await dispatcher.submit(
            vehicle_id,
            asked.path,
            asked.value,
            profile=vehicle.profile,
            expires_in_s=asked.expires_in_s,
            issued_by=request.user.person.name,
        )
        return CommandNow.of(command)

    @get(
        "/vehicles/{vehicle_id:str}/commands",
        summary="What a vehicle was asked, newest first",
        responses=described(400, 404),
        needs=of_vehicle(*sorted(SETTING), Right.HISTORY),
    )
    async def commands(
        vehicle_id: FromPath[str],
        limit: Annotated[int, QueryParameter(ge=1, le=1000)] = 100,
        cursor: FromQuery[str | None] = None,
    ) -> CommandPage:
        fleet.vehicle(vehicle_id)
        found = dispatcher.store.page(vehicle_id, limit=limit + 1, before=cursor)
        items = [CommandNow.of(command) for command in found[:limit]]
        return CommandPage(items, items[-1].id if len(found) > limit else None)

    @get(
        "/vehicles/{vehicle_id:str}/commands/{command_id:str}",
        summary="Where a command stands",
        responses=described(400, 404),
        needs=of_vehicle(*sorted(SETTING), Right.HISTORY),
    )
    async def command(vehicle_id: FromPath[str], command_id: FromPath[str]) -> CommandNow:
        fleet.vehicle(vehicle_id)
        return CommandNow.of(dispatcher.store.find(vehicle_id, command_id))

    return [ask, commands, command]
