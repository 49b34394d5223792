"""The journal over HTTP: what people say of trips and charges, their places, their tariffs.

PATCH /api/v1/vehicles/leaf/journal/{id} {"purpose": "business", "add_tags": ["north"]}
GET   /api/v1/vehicles/leaf/journal/month?month=2024-05&to=xlsx
PATCH /api/v1/places/{id} {"name": "Home"}

routes = journal_routes(fleet, history, journal, clock)
"""

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

import msgspec
from litestar import Response, delete, get, patch, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from contactor.clock import Clock
from contactor.cloud.journal.book import Book
from contactor.cloud.journal.entries import Change, Entry, EntryPage, LooseRemarks, page_of
from contactor.cloud.journal.fences import FenceJson, KnownPlace, KnownPlaces, known_place
from contactor.cloud.journal.store import Journal
from contactor.faces.report.month import MEDIA_TYPES, MonthFormat, month_file
from contactor.faces.web.fleet import Fleet
from contactor.faces.web.history import History
from contactor.faces.web.needs import of_all, of_some, of_vehicle
from contactor.faces.web.parameters import Instant, Limit, decoded, span_of
from contactor.faces.web.problems import AnyRequest, described
from contactor.history.tariff import Tariffs
from contactor.signals.rights import Right

MAX_WORDS_BYTES = 16_384
MAX_FENCE_BYTES = 131_072
MAX_TARIFF_BYTES = 16_777_216  # prices by the quarter of an hour for years

_Read = TypeVar("_Read")


class PlaceName(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a place is called; null for nothing."""

    name: str | None


class DrawnPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place as its owner draws it."""

    name: str
    fence: FenceJson


_READ, _WRITE = of_vehicle(Right.HISTORY), of_all(Right.JOURNAL)


def journal_routes(
    fleet: Fleet, history: History, journal: Journal, clock: Clock
) -> Sequence[HTTPRouteHandler]:
    """The handlers over the journal of an instance."""
    asked = _Asked(fleet, history, journal, clock)
    return [*_entry_routes(asked), *_place_routes(asked), *_tariff_routes(asked)]


class _Asked:
    """Asks the book, in threads, of a vehicle whose facts are fresh."""

    def __init__(self, fleet: Fleet, history: History, journal: Journal, clock: Clock) -> None:
        self._fleet, self._history = fleet, history
        self._journal, self._clock = journal, clock

    async def of(self, vehicle_id: str, question: Callable[[Book], _Read]) -> _Read:
        """A question about one vehicle.

        Raises:
            UnknownVehicle: there is no such vehicle.
        """
        self._fleet.vehicle(vehicle_id)
        return await self._history.ask(
            vehicle_id, lambda keeper: question(Book(self._journal, keeper, clock=self._clock))
        )

    async def all(self, question: Callable[[Book], _Read]) -> _Read:
        """A question about no vehicle."""
        return await self._history.ask_all(
            lambda keeper: question(Book(self._journal, keeper, clock=self._clock))
        )


def _entry_routes(asked: _Asked) -> Sequence[HTTPRouteHandler]:
    @get(
        "/vehicles/{vehicle_id:str}/journal",
        summary="Trips and charges with what was said of them, newest first",
        responses=described(400, 404),
        needs=_READ,
    )
    async def entries(
        vehicle_id: FromPath[str],
        start: Instant = None,
        end: Instant = None,
        limit: Limit = 100,
        cursor: FromQuery[str | None] = None,
    ) -> EntryPage:
        span = span_of(start, end)
        found = await asked.of(vehicle_id, lambda book: book.entries(vehicle_id, *span))
        return page_of(found, limit=limit, cursor=cursor)

    @patch(
        "/vehicles/{vehicle_id:str}/journal/{entry_id:str}",
        summary="Say something of a trip or a charge",
        request_max_body_size=MAX_WORDS_BYTES,
        responses=described(400, 404, 413),
        needs=of_vehicle(Right.JOURNAL),
    )
    async def change(
        request: AnyRequest,
        vehicle_id: FromPath[str],
        entry_id: FromPath[str],
        data: JSONBody[Change],
    ) -> Entry:
        said = decoded(await request.body(), Change)  # `data` was read leniently
        return await asked.of(vehicle_id, lambda book: book.change(vehicle_id, entry_id, said))

    @get(
        "/vehicles/{vehicle_id:str}/journal/loose",
        summary="What was said of trips and charges that are not found any more",
        responses=described(400, 404),
        needs=_READ,
    )
    async def loose(vehicle_id: FromPath[str]) -> LooseRemarks:
        return LooseRemarks(await asked.of(vehicle_id, lambda book: book.loose(vehicle_id)))

    @get(
        "/vehicles/{vehicle_id:str}/journal/month",
        summary="A month as CSV, XLSX or PDF",
        responses=described(400, 404),
        needs=_READ,
    )
    async def month(
        vehicle_id: FromPath[str],
        month: Annotated[str, QueryParameter(description="as 2024-05")],
        to: MonthFormat = MonthFormat.CSV,
        time_zone: Annotated[
            str | None, QueryParameter(description="as Europe/Vaduz; default that of the tariffs")
        ] = None,
    ) -> Response[bytes]:
        file = await asked.of(
            vehicle_id,
            lambda book: month_file(book.month(vehicle_id, month, time_zone), to),
        )
        name = f"{vehicle_id}-{month}.{to.value}"
        return Response(
            file.content,
            media_type=MEDIA_TYPES[to],
            headers={"content-disposition": f'attachment; filename="{name}"'},
        )

    return [entries, change, loose, month]


def _place_routes(asked: _Asked) -> Sequence[HTTPRouteHandler]:
    @get(
        "/places",
        summary="Every place that is known",
        responses=described(),
        needs=of_all(Right.LOCATE),
    )
    async def places() -> KnownPlaces:
        found = await asked.all(lambda book: book.journal.places())
        return KnownPlaces([known_place(place) for place in found])

    @patch(
        "/places/{place_id:str}",
        summary="Name a place",
        request_max_body_size=MAX_WORDS_BYTES,
        responses=described(400, 404, 413),
        needs=_WRITE,
    )
    async def name(
        request: AnyRequest, place_id: FromPath[str], data: JSONBody[PlaceName]
    ) -> KnownPlace:
        said = decoded(await request.body(), PlaceName)
        return known_place(await asked.all(lambda book: book.name_place(place_id, said.name)))

    @put(
        "/places/{place_id:str}",
        summary="Draw a place",
        request_max_body_size=MAX_FENCE_BYTES,
        responses=described(400, 413),
        needs=_WRITE,
    )
    async def draw(
        request: AnyRequest, place_id: FromPath[str], data: JSONBody[DrawnPlace]
    ) -> KnownPlace:
        said = decoded(await request.body(), DrawnPlace)
        return known_place(
            await asked.all(lambda book: book.draw_place(place_id, said.name, said.fence))
        )

    @delete(
        "/places/{place_id:str}",
        summary="Forget a place",
        status_code=204,
        responses=described(400, 404),
        needs=_WRITE,
    )
    async def forget(place_id: FromPath[str]) -> None:
        await asked.all(lambda book: book.journal.forget_place(place_id))

    return [places, name, draw, forget]


def _tariff_routes(asked: _Asked) -> Sequence[HTTPRouteHandler]:
    @get(
        "/tariffs",
        summary="What charging costs, or null",
        responses=described(),
        needs=of_some(Right.HISTORY),
    )
    async def tariffs() -> Tariffs | None:
        return await asked.all(lambda book: book.tariffs())

    @put(
        "/tariffs",
        summary="Say what charging costs",
        request_max_body_size=MAX_TARIFF_BYTES,
        responses=described(400, 413),
        needs=_WRITE,
    )
    async def say(request: AnyRequest, data: JSONBody[Tariffs]) -> Tariffs:
        said = decoded(await request.body(), Tariffs)
        return await asked.all(lambda book: book.set_tariffs(said))

    return [tariffs, say]
