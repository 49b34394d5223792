"""Keeps a twin in a file beside the lake: every minute, at a clean stop, and back at a start.

keeper = Keeper(twin, store=store, path=folder / NAME, clock=clock)
keeper.restore()            # in any thread, before the twin is in use
await keeper.run()          # until cancelled
keeper.keep_now()           # once no more is taken in
"""

import asyncio
import logging
from pathlib import Path

from contactor.clock import Clock
from contactor.cloud.lake.ports import LakeReader
from contactor.cloud.twin.restore import restore
from contactor.cloud.twin.snapshot import Kept, keep, kept_from, kept_of
from contactor.cloud.twin.twin import Twin
from contactor.errors import FolderError

KEEP_S = 60.0

_log = logging.getLogger(__name__)


class Keeper:
    """Owns the file of one twin."""

    def __init__(self, twin: Twin, *, store: LakeReader, path: Path, clock: Clock) -> None:
        self._twin, self._store, self._path, self._clock = twin, store, path, clock
        self._is_failing = False

    def restore(self) -> None:
        """Fill the twin: from the file and what the lake stored since, else from the lake alone.

        Raises:
            LakeError: the lake cannot be read.
        """
        kept = self._kept()
        restore(self._twin, self._store, kept)
        if kept is not None:
            self._twin.presence.restore(kept.heard, self._clock.now_ns())

    async def run(self) -> None:
        """Keep the twin every minute until cancelled."""
        while True:
            await asyncio.sleep(KEEP_S)
            await asyncio.to_thread(self._keep, self._copy())

    def keep_now(self) -> None:
        """Keep the twin as it is."""
        self._keep(self._copy())

    def _copy(self) -> Kept:
        # The parts first: what they hold was in the twin before it was committed.
        parts = self._store.snapshot().parts
        return kept_of(self._twin, self._clock.now_ns(), parts)

    def _kept(self) -> Kept | None:
        try:
            return kept_from(self._path)
        except FolderError as error:
            _log.warning("kept twin ignored, the lake is read reason=%s", error)
            return None

    def _keep(self, kept: Kept) -> None:
        try:
            keep(kept, self._path)
        except FolderError as error:
            if not self._is_failing:
                _log.warning("twin not kept reason=%s", error)
            self._is_failing = True
        else:
            self._is_failing = False
