"""The past of all cars for their rules: facts as they are kept, early warnings from the lake.

source = LakeFacts(lake, clock=clock, facts=kept_facts, limit_pct=limit)
"""

import asyncio
import functools
from collections.abc import Callable, Sequence

from contactor.clock import NS_PER_DAY, Clock
from contactor.cloud.alerts.lake_seen import NO_FACTS, read_seen
from contactor.cloud.lake.lake import Lake
from contactor.history.alerts.endings import by_start, endings
from contactor.history.alerts.events import Anomalies, Ended
from contactor.history.anomalies.anomaly import Anomaly
from contactor.history.anomalies.look import look
from contactor.history.facts import Charge, Facts, Trip

RECENT_NS = 3 * NS_PER_DAY

FactsOf = Callable[[str], Facts]
"""All facts of a car, worked out as far as its rows go; blocks."""
NameOf = Callable[[str, Trip | Charge], str]
"""What names a trip or charge of a car, the same after its history was worked out anew."""
LimitOf = Callable[[str], float | None]
"""The state of charge at which a car stops charging, in percent."""


class LakeFacts:
    """Answers what rules ask of the past.

    Args:
        lake: of its own; it is refreshed for each question.
        facts: where there are none, no trip or charge ends.
    """

    def __init__(
        self,
        lake: Lake,
        *,
        clock: Clock,
        facts: FactsOf = lambda _: NO_FACTS,
        limit_pct: LimitOf = lambda _: None,
        id_of: NameOf = lambda _, fact: by_start(fact),
    ) -> None:
        self._lake, self._clock = lake, clock
        self._facts, self._limit_pct, self._id_of = facts, limit_pct, id_of

    async def vehicles(self) -> Sequence[str]:
        """Every car."""
        self._lake.refresh()
        return [str(name) for name in self._lake.vehicles()["vehicle_id"]]

    async def ended(self, vehicle_id: str) -> Sequence[Ended]:
        """Trips and charges of a car that ended in the last days, by time."""
        now_ns = self._clock.now_ns()
        facts = await asyncio.to_thread(self._facts, vehicle_id)
        return endings(
            facts,
            now_ns,
            since_ns=now_ns - RECENT_NS,
            limit_pct=self._limit_pct(vehicle_id),
            id_of=functools.partial(self._id_of, vehicle_id),
        )

    async def anomalies(self, vehicle_id: str) -> Anomalies:
        """All that is odd about a car now."""
        return Anomalies(tuple(one.found for one in await self.shown(vehicle_id)))

    async def shown(self, vehicle_id: str) -> list[Anomaly]:
        """All that is odd about a car now, with what shows it.

        Raises:
            UnknownVehicle: nothing is stored of it.
        """
        self._lake.refresh()
        return await asyncio.to_thread(self._look, vehicle_id)

    def _look(self, vehicle_id: str) -> list[Anomaly]:
        facts = self._facts(vehicle_id)
        return look(read_seen(self._lake, vehicle_id, self._clock.now_ns(), facts=facts))
