"""The lake's upkeep behind a running cloud: now and then, in a thread, never in the ingest's way.

upkeep = BackgroundUpkeep(store, ages=ages_of_environment(), clock=clock)
await upkeep.run()          # until cancelled
"""

import asyncio
import logging
import threading
from typing import Final

from contactor.clock import Clock
from contactor.cloud.lake.keeper import LakeKeeper
from contactor.cloud.lake.upkeep.ages import Ages
from contactor.cloud.lake.upkeep.upkeep import Done, Upkeep
from contactor.errors import ContactorError

FIRST_S: Final = 60.0
PERIOD_S: Final = 300.0
THOROUGH_S: Final = 86_400.0

logger = logging.getLogger(__name__)


class BackgroundUpkeep:
    """Keeps the lake of a running cloud in order."""

    def __init__(
        self,
        store: LakeKeeper,
        *,
        ages: Ages,
        clock: Clock,
        first_s: float = FIRST_S,
        period_s: float = PERIOD_S,
    ) -> None:
        """An upkeep of the ingest's own `store`.

        Args:
            first_s, period_s: when it looks first, and how often then.
        """
        self._upkeep, self._clock = Upkeep(store, ages=ages), clock
        self._first_s, self._period_s = first_s, period_s
        self._stopped = threading.Event()
        self.done: list[Done] = []
        """What the last run did, if there was one."""

    async def run(self) -> None:
        """Look now and then until cancelled; a rewrite under way is then given up."""
        loop = asyncio.get_running_loop()
        thorough_s = -THOROUGH_S
        await asyncio.sleep(self._first_s)
        try:
            while True:
                is_thorough = loop.time() - thorough_s >= THOROUGH_S
                if await self._look(is_thorough=is_thorough) and is_thorough:
                    thorough_s = loop.time()
                await asyncio.sleep(self._period_s)
        finally:
            self._stopped.set()

    async def _look(self, *, is_thorough: bool) -> bool:
        try:
            done = await asyncio.to_thread(
                self._upkeep.run,
                now_ns=self._clock.now_ns(),
                is_thorough=is_thorough,
                is_stopped=self._stopped.is_set,
            )
        except ContactorError as error:
            # What can harm the rows ends the ingest itself; the upkeep has nothing of its own.
            logger.warning("lake upkeep failed reason=%s", error)
            return False
        self.done[:] = [done]
        if done.rewrites or done.files_deleted:
            logger.info(
                "lake upkeep rewrites=%d files=%d before=%d deleted=%d",
                done.rewrites,
                done.parts_after,
                done.parts_before,
                done.files_deleted,
            )
        return True
