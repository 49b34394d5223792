"""What history finds, brought to the rules: trips and charges that ended, early warnings.

await follow_facts(source, watch)       # until cancelled
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Protocol

from contactor.errors import ContactorError
from contactor.history.alerts.events import Anomalies, Ended

FACTS_S = 30.0
ANOMALIES_EVERY = 120
"""Rounds of facts: an hour."""

_log = logging.getLogger(__name__)


class FactSource(Protocol):
    """What is known of the past of all cars."""

    async def vehicles(self) -> Sequence[str]:
        """Every car."""
        ...

    async def ended(self, vehicle_id: str) -> Sequence[Ended]:
        """Trips and charges of a car that ended in the last days, by time.

        Raises:
            ContactorError: it cannot be read now.
        """
        ...

    async def anomalies(self, vehicle_id: str) -> Anomalies:
        """All that is odd about a car now.

        Raises:
            ContactorError: it cannot be read now.
        """
        ...


class FactTaker(Protocol):
    """Who hears of it."""

    def wants(self) -> tuple[bool, bool]:
        """Whether any rule is about facts, and whether any is about anomalies."""
        ...

    def take_ended(self, vehicle_id: str, ended: Iterable[Ended]) -> None:
        """Trips and charges that history has found."""
        ...

    def take_anomalies(self, vehicle_id: str, anomalies: Anomalies) -> None:
        """All anomalies that history shows of a car now."""
        ...


async def follow_facts(source: FactSource, taker: FactTaker) -> None:
    """Ask again and again, only for what any rule is about, until cancelled."""
    number, is_failing = 0, False
    while True:
        facts, anomalies = taker.wants()
        try:
            for vehicle_id in await source.vehicles() if facts or anomalies else ():
                if facts:
                    taker.take_ended(vehicle_id, await source.ended(vehicle_id))
                if anomalies and number % ANOMALIES_EVERY == 0:
                    taker.take_anomalies(vehicle_id, await source.anomalies(vehicle_id))
            number = number + 1 if anomalies else 0
            is_failing = False
        except ContactorError as error:
            if not is_failing:
                _log.error("facts for alerts cannot be read reason=%s", error)
            is_failing = True
        await asyncio.sleep(FACTS_S)
