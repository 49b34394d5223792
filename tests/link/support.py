"""Brokers for the tests: a real process, and one in memory, with the same handles."""

import asyncio
import contextlib
import ctypes
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Protocol

from contactor.link.broker import BrokerLaunch, prepare_broker, wait_broker
from contactor.link.broker_config import BrokerTls
from contactor.link.memory import MemoryBroker, MemoryTransport
from contactor.link.nats import NatsTransport
from contactor.link.ports import QueueLimits, Transport

PR_SET_PDEATHSIG = 1
DEADLINE_S = 60.0
SMALL = QueueLimits(held_bytes=200_000, ack_wait_s=1.0, duplicate_window_s=10.0)


async def until(is_so: Callable[[], bool], within_s: float = DEADLINE_S) -> None:
    """Return when it is so; fail after the deadline."""
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, "not so within the deadline"
        await asyncio.sleep(0.01)


class BrokerProcess:
    """A real broker in a folder; it never outlives the tests."""

    def __init__(
        self, folder: Path, *, has_gate: bool = False, tls: BrokerTls | None = None
    ) -> None:
        self.folder = folder
        self._has_gate, self._tls = has_gate, tls
        self.launch: BrokerLaunch = prepare_broker(folder, has_gate=has_gate, tls=tls)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def start(self) -> None:
        """Start it from the thread that the tests run in: it ends when that thread does."""
        with (self.folder / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.launch.command,
                stdout=log,
                stderr=log,
                preexec_fn=end_with_parent,  # noqa: PLW1509  # one system call
            )

    async def restart(self) -> None:
        self.launch = prepare_broker(self.folder, has_gate=self._has_gate, tls=self._tls)
        self.start()
        await wait_broker(self.launch.url, DEADLINE_S)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(DEADLINE_S)
            self._process = None


def end_with_parent() -> None:
    """Have Linux end this process with its parent."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Broker(Protocol):
    """What a contract test may do to a broker."""

    def transport(
        self, limits: QueueLimits = ...
    ) -> contextlib.AbstractAsyncContextManager[Transport]: ...

    async def go_down(self) -> None: ...

    async def come_back(self) -> None: ...

    async def lose_store(self) -> None: ...


class InMemory:
    def __init__(self) -> None:
        self._broker = MemoryBroker(limits=SMALL)

    @contextlib.asynccontextmanager
    async def transport(self, limits: QueueLimits = SMALL) -> AsyncIterator[Transport]:
        transport = MemoryTransport(self._broker)
        try:
            yield transport
        finally:
            await transport.close()

    async def go_down(self) -> None:
        self._broker.disconnect()

    async def come_back(self) -> None:
        self._broker.reconnect()

    async def lose_store(self) -> None:
        self._broker.disconnect()
        self._broker.drop_store()
        self._broker.reconnect()


class OverNats:
    def __init__(self, process: BrokerProcess) -> None:
        self._process = process

    @contextlib.asynccontextmanager
    async def transport(self, limits: QueueLimits = SMALL) -> AsyncIterator[Transport]:
        transport = NatsTransport(self._process.launch.url, name="test", limits=limits)
        try:
            yield transport
        finally:
            await transport.close()

    async def go_down(self) -> None:
        self._process.kill()

    async def come_back(self) -> None:
        await self._process.restart()

    async def lose_store(self) -> None:
        self._process.kill()
        shutil.rmtree(self._process.store)
        await self._process.restart()
