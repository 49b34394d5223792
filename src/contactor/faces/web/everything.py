"""Everything of a vehicle or a person, for whom it concerns: one archive, streamed.

    GET /api/v1/vehicles/leaf/everything
    GET /api/v1/people/Mia/everything           oneself, or who governs

It is put together in a file that has no name, in a thread, and then sent: memory holds a piece.
"""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import BinaryIO, Final, Protocol
from urllib.parse import quote

from litestar import get
from litestar.exceptions import PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath
from litestar.response import Stream

from contactor.clock import Clock
from contactor.cloud.access.rights import Scope
from contactor.cloud.access.rows import key_of
from contactor.cloud.lake.lake import Lake
from contactor.errors import TooManyTries
from contactor.faces.web.fleet import Fleet
from contactor.faces.web.login import SignedIn
from contactor.faces.web.needs import SOMEBODY, note_always, of_vehicle
from contactor.faces.web.problems import described
from contactor.signals.rights import EVERY_VEHICLE, Right

PIECE_BYTES: Final = 1 << 20
MEDIA_TYPE: Final = "application/zip"


class Everything(Protocol):
    """Makes archives; calls block."""

    @property
    def place(self) -> Path:
        """A folder where they are put together."""
        ...

    def of_vehicle(self, vehicle_id: str, lake: Lake, file: BinaryIO) -> None:
        """Write that of a vehicle.

        Raises:
            UnknownVehicle: nothing is stored of it.
        """
        ...

    def of_person(self, name: str, file: BinaryIO) -> None:
        """Write that of a person.

        Raises:
            UnknownPerson: there is none of that name.
        """
        ...


def everything_routes(
    everything: Everything, fleet: Fleet, clock: Clock
) -> Sequence[BaseRouteHandler]:
    """The handlers that make archives, one at a time."""
    making = asyncio.Lock()

    async def made(name: str, write: Callable[[BinaryIO], None]) -> Stream:
        if making.locked():
            raise TooManyTries("an archive is being made; again in a minute")
        async with making:
            file, size = await asyncio.to_thread(_made, everything.place, write)
        shown = f"attachment; filename*=UTF-8''{quote(name, safe='')}.zip"
        headers = {"content-disposition": shown, "content-length": str(size)}
        return Stream(_pieces(file), headers=headers)

    @get(
        "/vehicles/{vehicle_id:str}/everything",
        summary="Everything that is kept of a vehicle, as a zip",
        media_type=MEDIA_TYPE,
        responses=described(400, 404, 429),
        needs=of_vehicle(Right.GOVERN),
    )
    async def of_vehicle_(request: SignedIn, vehicle_id: FromPath[str]) -> Stream:
        note_always(request)
        fleet.vehicle(vehicle_id)
        lake = fleet.lake_now()
        return await made(vehicle_id, lambda file: everything.of_vehicle(vehicle_id, lake, file))

    @get(
        "/people/{name:str}/everything",
        summary="Everything that is kept of a person, as a zip; one's own, or any who governs",
        media_type=MEDIA_TYPE,
        responses=described(400, 404, 429),
        needs=SOMEBODY,
    )
    async def of_person(request: SignedIn, name: FromPath[str]) -> Stream:
        note_always(request)
        user = request.user
        is_whole = user.scope in (None, Scope.ADMIN) and user.only == EVERY_VEHICLE
        is_self = is_whole and key_of(name) == key_of(user.person.name)
        if not is_self and not user.may(Right.GOVERN, EVERY_VEHICLE, clock.now_ns()):
            raise PermissionDeniedException(f"needs {Right.GOVERN}, for anybody but oneself")
        return await made(name, lambda file: everything.of_person(name, file))

    return [of_vehicle_, of_person]


def _made(place: Path, write: Callable[[BinaryIO], None]) -> tuple[BinaryIO, int]:
    """A file without a name that holds the archive, at its begin; and how large it is."""
    with contextlib.ExitStack() as failing:
        file = failing.enter_context(tempfile.TemporaryFile(dir=place))
        write(file)
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        failing.pop_all()
    return file, size


async def _pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    with file:
        while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
            yield piece
