"""Has it noted what cars refused: commands of this instance, and those that were sent past it.

    refusals = Refusals(note, clock=clock)
    refusals.hear("leaf", "0f8b...", "signature: ...", is_ours=False)
    await refusals.run()                # until cancelled

A command that the instance never sent comes from who has a stolen key, or the broker's password.
Of those a car gets two hundred lines at once and six hundred an hour: whoever sends them without
end is not to fill the disk.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Final

from contactor.clock import Clock
from contactor.cloud.access.throttle import Throttle

MOST_WAITING: Final = 1_000

Detail = Mapping[str, str | float | bool | None]
Note = Callable[[str, Detail], None]

_log = logging.getLogger(__name__)


class Refusals:
    """Owns what is still to be noted; lives on one loop.

    Args:
        note: keeps it, with the vehicle that refused; may block.
    """

    def __init__(self, note: Note, *, clock: Clock) -> None:
        self._note, self._clock = note, clock
        self._waiting: asyncio.Queue[tuple[str, Detail]] = asyncio.Queue(MOST_WAITING)
        self._sent_past_us = Throttle(burst=200, per_hour=600)

    def hear(self, vehicle_id: str, command_id: str, reason: str | None, *, is_ours: bool) -> None:
        """A car has refused a command."""
        if not is_ours:
            now_ns = self._clock.now_ns()
            if self._sent_past_us.wait_ns(vehicle_id, now_ns):
                return
            self._sent_past_us.count(vehicle_id, now_ns)
        detail = {"command": command_id, "reason": reason, "is_ours": is_ours}
        try:
            self._waiting.put_nowait((vehicle_id, detail))
        except asyncio.QueueFull:
            _log.error("refusal not noted vehicle=%s command=%s", vehicle_id, command_id)

    async def run(self) -> None:
        """Note them until cancelled."""
        while True:
            await asyncio.to_thread(self._note, *await self._waiting.get())
