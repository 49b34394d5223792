"""What happened to a vehicle, over HTTP: trips, charges, battery, places and a report.

Each answer is refreshed first, in threads of its own, so that none keeps a commit waiting.

    routes = history_routes(fleet, History(keeper, clock))
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import msgspec
from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery

from contactor.clock import NS_PER_DAY, Clock
from contactor.cloud.access.consent_scope import HistoryKind
from contactor.cloud.history.documents import Document
from contactor.cloud.history.keeper import HistoryKeeper
from contactor.cloud.history.refresh import Refreshed
from contactor.errors import UsageError
from contactor.faces.web.fleet import Fleet
from contactor.faces.web.login import SignedIn
from contactor.faces.web.narrowed import document_for
from contactor.faces.web.needs import history_of, of_vehicle
from contactor.faces.web.parameters import Instant, Limit, span_of
from contactor.faces.web.problems import described
from contactor.history.facts import Facts
from contactor.signals.rights import Right

THREADS: Final = 2
RECENT_NS: Final = 45 * NS_PER_DAY
"""What alerts and early warnings look back on."""
_Answer = TypeVar("_Answer")


class FactPage(msgspec.Struct, frozen=True):
    """One page by time, places by visits; `next` is the cursor of the next page, or null."""

    items: list[Mapping[str, object]]
    next: str | None


class Rebuilt(msgspec.Struct, frozen=True):
    """The history of a vehicle was found anew out of so many rows."""

    vehicle_id: str
    rows_read: int


class History:
    """Answers from the kept facts of an instance."""

    def __init__(self, keeper: HistoryKeeper, clock: Clock) -> None:
        self._keeper, self._clock = keeper, clock
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="history")

    def close(self) -> None:
        """Take no more questions; one under way ends soon."""
        self._keeper.stop()
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._keeper.close()

    def recent(self, vehicle_id: str) -> Facts:
        """The facts of a vehicle of the last days, refreshed; blocks."""
        self._keeper.refresh(vehicle_id)
        return self._keeper.facts(vehicle_id, self._clock.now_ns() - RECENT_NS, None)

    async def ask(self, vehicle_id: str, question: Callable[[HistoryKeeper], _Answer]) -> _Answer:
        """Refresh the vehicle, then ask.

        Raises:
            LakeError, FolderError: the lake cannot be read, the facts not be kept.
        """

        def answer() -> _Answer:
            self._keeper.refresh(vehicle_id)
            return question(self._keeper)

        return await asyncio.get_running_loop().run_in_executor(self._threads, answer)

    async def ask_all(self, question: Callable[[HistoryKeeper], _Answer]) -> _Answer:
        """Ask about no vehicle, or about all as they were found last.

        Raises:
            FolderError: the facts cannot be read.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, question, self._keeper)

    async def rebuild(self, vehicle_id: str) -> Refreshed:
        """Find everything of the vehicle anew.

        Raises:
            LakeError, FolderError: the lake cannot be read, the facts not be kept.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._keeper.rebuild, vehicle_id)


_HISTORY = of_vehicle(Right.HISTORY)


def history_routes(fleet: Fleet, history: History) -> list[HTTPRouteHandler]:
    """The routes below `/vehicles/{vehicle_id}`."""

    async def asked(
        vehicle_id: str,
        start: str | None,
        end: str | None,
        question: Callable[[HistoryKeeper, str, int | None, int | None], _Answer],
    ) -> _Answer:
        span = span_of(start, end)
        fleet.vehicle(vehicle_id)
        return await history.ask(vehicle_id, lambda keeper: question(keeper, vehicle_id, *span))

    @get(
        "/vehicles/{vehicle_id:str}/trips",
        summary="Trips that began in [start, end), by time",
        responses=described(400, 404),
        needs=history_of(HistoryKind.TRIPS),
    )
    async def trips(
        request: SignedIn,
        vehicle_id: FromPath[str],
        start: Instant = None,
        end: Instant = None,
        limit: Limit = 100,
        cursor: FromQuery[str | None] = None,
    ) -> FactPage:
        found = await asked(vehicle_id, start, end, HistoryKeeper.trip_documents)
        return _page(_told(request, HistoryKind.TRIPS, found), limit, cursor)

    @get(
        "/vehicles/{vehicle_id:str}/trips/{trip_id:str}/consumption",
        summary="What drove the consumption of a trip, each part with its uncertainty",
        responses=described(400, 404),
        needs=history_of(HistoryKind.TRIPS),
    )
    async def consumption(
        vehicle_id: FromPath[str], trip_id: FromPath[str]
    ) -> Mapping[str, object]:
        fleet.vehicle(vehicle_id)
        return await history.ask(vehicle_id, lambda keeper: keeper.consumption(vehicle_id, trip_id))

    @get(
        "/vehicles/{vehicle_id:str}/charges",
        summary="Charges that began in [start, end), by time",
        responses=described(400, 404),
        needs=history_of(HistoryKind.CHARGES),
    )
    async def charges(
        request: SignedIn,
        vehicle_id: FromPath[str],
        start: Instant = None,
        end: Instant = None,
        limit: Limit = 100,
        cursor: FromQuery[str | None] = None,
    ) -> FactPage:
        found = await asked(vehicle_id, start, end, HistoryKeeper.charge_documents)
        return _page(_told(request, HistoryKind.CHARGES, found), limit, cursor)

    @get(
        "/vehicles/{vehicle_id:str}/places",
        summary="Where the vehicle stopped in [start, end), the most visited first",
        responses=described(400, 404),
        needs=_HISTORY,
    )
    async def places(
        vehicle_id: FromPath[str],
        start: Instant = None,
        end: Instant = None,
        limit: Limit = 100,
        cursor: FromQuery[str | None] = None,
    ) -> FactPage:
        found = await asked(vehicle_id, start, end, HistoryKeeper.places)
        return _page(found, limit, cursor)

    @get(
        "/vehicles/{vehicle_id:str}/battery",
        summary="The battery's capacity and health, each with its uncertainty",
        responses=described(400, 404),
        needs=history_of(HistoryKind.BATTERY),
    )
    async def battery(vehicle_id: FromPath[str]) -> Mapping[str, object]:
        fleet.vehicle(vehicle_id)
        return await history.ask(vehicle_id, lambda keeper: keeper.battery(vehicle_id))

    @get(
        "/vehicles/{vehicle_id:str}/report",
        summary="Sums over [start, end), and the range now",
        responses=described(400, 404),
        needs=_HISTORY,
    )
    async def report(
        vehicle_id: FromPath[str], start: Instant = None, end: Instant = None
    ) -> Mapping[str, object]:
        return await asked(vehicle_id, start, end, HistoryKeeper.report)

    @post(
        "/vehicles/{vehicle_id:str}/history/rebuild",
        summary="Find everything anew that there are rows for",
        status_code=200,
        responses=described(400, 404),
        needs=of_vehicle(Right.RULES),
    )
    async def rebuild(vehicle_id: FromPath[str]) -> Rebuilt:
        fleet.vehicle(vehicle_id)
        return Rebuilt(vehicle_id, (await history.rebuild(vehicle_id)).rows_read)

    return [trips, consumption, charges, places, battery, report, rebuild]


def _told(request: SignedIn, kind: HistoryKind, found: Sequence[Document]) -> Sequence[Document]:
    """Documents as who asks may read them."""
    consent = request.user.consent
    return found if consent is None else [document_for(consent, kind, one) for one in found]


def _page(found: Sequence[Document], limit: int, cursor: str | None) -> FactPage:
    """At most `limit` documents, those after the one whose id is `cursor`."""
    first = 0
    if cursor is not None:
        ids = [one["id"] for one in found]
        if cursor not in ids:
            raise UsageError(f"cursor={cursor[:80]!r} is none of this list; begin anew")
        first = ids.index(cursor) + 1
    page = found[first : first + limit]
    is_more = len(found) > first + limit
    return FactPage(list(page), str(page[-1]["id"]) if is_more else None)
