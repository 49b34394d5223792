"""Keeps the processes of one instance alive: broker, cloud, agent.

Each role is a process of its own. One that dies is started again within two seconds; one that
cannot start before the instance was ever ready ends the whole run with its own last words. When
the supervisor ends, however it ends, its processes end with it. What a role says goes to its log,
log/ROLE.log; one that has grown beyond 10 MB when its role starts becomes log/ROLE.log.1.

    supervisor = Supervisor(
        [RoleSpec("broker", command)], log_folder=folder.log, on_change=show
    )
    running = asyncio.create_task(supervisor.run())
    ...                                         # what makes the instance ready
    supervisor.ready()
    await supervisor.stop()
"""

import asyncio
import ctypes
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from contactor.app.folder import Process
from contactor.errors import InstanceError

RESTART_DELAY_S = (0.1, 0.3, 1.0, 1.5)
SETTLED_S = 10.0
FAILURES_BEFORE_READY = 3
STOP_LIMIT_S = {"agent": 1.0, "cloud": 2.5, "broker": 0.8}
LOG_LIMIT_BYTES = 10_000_000
TAIL_BYTES = 8192
PR_SET_PDEATHSIG = 1
OWNER_ONLY = 0o077
"""What a role writes is for the owner of the folder alone."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RoleSpec:
    """A process to keep alive."""

    role: str
    command: Sequence[str]
    vehicles: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    death_signal: int = signal.SIGTERM
    shows_output: bool = False
    """Whether what it prints is shown to who started the instance; what it logs never is."""


class Supervisor:
    """Owns the processes of an instance; roles start in the order given and stop in reverse.

    Args:
        on_change: called with the present processes whenever one was started anew.
    """

    def __init__(
        self,
        roles: Sequence[RoleSpec],
        *,
        log_folder: Path,
        on_change: Callable[[tuple[Process, ...]], None],
    ) -> None:
        self._roles = list(roles)
        self._log_folder = log_folder
        self._on_change = on_change
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._is_ready = False
        self._is_stopping = False

    @property
    def processes(self) -> tuple[Process, ...]:
        """The processes alive now."""
        return tuple(
            Process(spec.role, self._running[spec.role].pid, spec.vehicles)
            for spec in self._roles
            if spec.role in self._running
        )

    def ready(self) -> None:
        """From now on a role that fails is started again without end."""
        self._is_ready = True

    async def run(self) -> None:
        """Keep every role alive until cancelled.

        Raises:
            InstanceError: a role could not be started.
        """
        self._log_folder.mkdir(exist_ok=True)
        try:
            async with asyncio.TaskGroup() as group:
                for spec in self._roles:
                    group.create_task(self._keep(spec))
        except* InstanceError as failures:
            raise failures.exceptions[0] from None

    async def stop(self) -> None:
        """End the roles, the last started first; kill what does not end in time."""
        self._is_stopping = True
        for spec in reversed(self._roles):
            process = self._running.get(spec.role)
            if process is None or process.returncode is not None:
                continue
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), STOP_LIMIT_S.get(spec.role, 1.0))
            except TimeoutError:
                _log.warning("process killed role=%s pid=%s", spec.role, process.pid)
                process.kill()
                await process.wait()

    async def _keep(self, spec: RoleSpec) -> None:
        failures = 0
        while not self._is_stopping:
            started = time.monotonic()
            process = await self._start(spec)
            code = await process.wait()
            if self._is_stopping:
                return
            failures = 0 if time.monotonic() - started > SETTLED_S else failures + 1
            if not self._is_ready and failures >= FAILURES_BEFORE_READY:
                raise InstanceError(
                    f"{spec.role} cannot start: {self._last_words(spec.role, code)}"
                )
            delay_s = RESTART_DELAY_S[min(failures, len(RESTART_DELAY_S) - 1)]
            # Before that the run itself ends with its last words, in one line.
            level = logging.WARNING if self._is_ready else logging.INFO
            _log.log(level, "process ended role=%s code=%s restart_s=%s", spec.role, code, delay_s)
            await asyncio.sleep(delay_s)

    async def _start(self, spec: RoleSpec) -> asyncio.subprocess.Process:
        path = self._log_folder / f"{spec.role}.log"
        _bound(path)
        with path.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *spec.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=None if spec.shows_output else log,
                stderr=log,
                env={**os.environ, **spec.environment},
                umask=OWNER_ONLY,
                preexec_fn=_end_with_parent(spec.death_signal, os.getpid()),
            )
        self._running[spec.role] = process
        self._on_change(self.processes)
        return process

    def _last_words(self, role: str, code: int) -> str:
        path = self._log_folder / f"{role}.log"
        lines = _tail(path).strip().splitlines()
        words = lines[-1].removeprefix("contactor: ") if lines else f"exit code {code}"
        return f"{words} (more in {path})"


def _bound(log: Path) -> None:
    """Begin a log anew that has grown too large; the one before it is kept."""
    try:
        if log.stat().st_size > LOG_LIMIT_BYTES:
            log.replace(log.with_name(f"{log.name}.1"))
    except FileNotFoundError:
        return
    except OSError as error:
        _log.warning("log not begun anew file=%s reason=%s", log, error.strerror)


def _tail(log: Path) -> str:
    """The end of a log, which may be large; empty where there is none."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - TAIL_BYTES, 0))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def _end_with_parent(death_signal: int, parent_pid: int) -> Callable[[], None] | None:
    """What a child runs before its program, so that Linux ends it when its parent is gone."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def arm() -> None:
        prctl(PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent_pid:
            os._exit(1)

    return arm
