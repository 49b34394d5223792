"""The file that says how to reach the instance that runs on a folder: not there before it is ready.

run_file = RunFile(folder.run_json, listening, elsewhere)
run_file.begin(supervisor.processes, code)
run_file.update(supervisor.processes)
"""

import logging
import os
import time
from pathlib import Path

import msgspec

from contactor import __version__
from contactor.app.elsewhere import Elsewhere
from contactor.app.folder import Process, RunningInstance
from contactor.app.listening import Listening
from contactor.app.ready import owner_links
from contactor.clock import NS_PER_MS, to_iso
from contactor.whole_files import write_whole

_log = logging.getLogger(__name__)


class RunFile:
    """Owns `run.json`, and keeps it true."""

    def __init__(self, path: Path, listening: Listening, elsewhere: Elsewhere | None) -> None:
        self._path, self._listening, self._elsewhere = path, listening, elsewhere
        self._started_at = to_iso(time.time_ns() // NS_PER_MS * NS_PER_MS)
        self._has_begun = self._is_failing = False
        self._processes: tuple[Process, ...] = ()
        self._code: str | None = None

    def begin(self, processes: tuple[Process, ...], code: str | None = None) -> None:
        """Write it for the first time.

        Args:
            code: by which somebody becomes the first owner; None where there is one.

        Raises:
            OSError: it cannot be written.
        """
        self._code = code
        self._write(processes)
        self._has_begun = True

    def update(self, processes: tuple[Process, ...]) -> None:
        """Write it again; a full disk is no reason to stop what runs."""
        if not self._has_begun:
            return
        try:
            self._write(processes)
        except OSError as error:
            if not self._is_failing:
                _log.error("run.json not written reason=%s", error)
            self._is_failing = True
        else:
            if self._is_failing:
                _log.warning("run.json written again")
            self._is_failing = False

    def tell_first_owner(self, code: str | None) -> None:
        """Write by which code somebody becomes the first owner; None where there is one."""
        self._code = code
        self.update(self._processes)

    def _write(self, processes: tuple[Process, ...]) -> None:
        code = self._code
        links = [] if code is None else owner_links(self._listening, self._elsewhere, code)
        document = RunningInstance(
            self._listening.local_url,
            __version__,
            self._started_at,
            os.getpid(),
            processes,
            first_owner_url=links[0] if links else None,
            elsewhere=msgspec.UNSET if self._elsewhere is None else self._elsewhere,
        )
        self._processes = processes
        write_whole(self._path, msgspec.json.encode(document).decode())
