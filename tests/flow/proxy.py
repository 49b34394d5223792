"""A TCP proxy that treats its connections badly, by chance and by seed.

stall     nothing passes for a while, and the connections stay open
reset     every connection is cut, with RST
halve     the next piece passes by half, then its connection is cut
split     pieces pass in two halves with a pause between, for a while
throttle  few bytes pass in a second, for a while
refuse    new connections are cut at once, for a while

with Proxy(target_port=4222, seed=1) as proxy:
    proxy.port                      # what clients connect to
    proxy.harm("stall", 0.5)
"""

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

HARMS = ("stall", "reset", "halve", "split", "throttle", "refuse")
PIECE_BYTES = 16_384
POLL_S = 0.01
RST_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class _Pipe:
    """The two ends of one connection through the proxy."""

    client: asyncio.StreamWriter
    target: asyncio.StreamWriter

    def cut(self) -> None:
        for writer in (self.client, self.target):
            taken = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST_ON_CLOSE)
            writer.transport.abort()


class Proxy:
    """Passes 127.0.0.1:`port` on to 127.0.0.1:`target_port`, in a thread of its own.

    `passed` and `harmed` count bytes and harms.
    """

    def __init__(self, *, target_port: int, seed: int, throttle_bytes_s: int = 50_000) -> None:
        self.target_port = target_port
        self.port = 0
        self.passed = 0
        self.connections = 0
        self.harmed: Counter[str] = Counter()
        self._chance = random.Random(seed)
        self._throttle_bytes_s = throttle_bytes_s
        self._until: dict[str, float] = {}
        self._is_halving = False
        self._pipes: list[_Pipe] = []
        self._loop: asyncio.AbstractEventLoop
        self._thread: threading.Thread
        self._server: asyncio.Server

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def harm(self, kind: str, duration_s: float) -> None:
        """Do one harm; those that last do so for `duration_s`."""
        self._loop.call_soon_threadsafe(self._harm, kind, duration_s)

    def harms(self) -> Iterator[tuple[str, float]]:
        """Harms without end, each kind as often as the others, in an order that the seed gives."""
        while True:
            kinds = list(HARMS)
            self._chance.shuffle(kinds)
            for kind in kinds:
                yield kind, self._chance.uniform(0.1, 1.0)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        for pipe in self._pipes:
            pipe.cut()
        own = asyncio.current_task()
        tasks = [task for task in asyncio.all_tasks() if task is not own]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _harm(self, kind: str, duration_s: float) -> None:
        self.harmed[kind] += 1
        if kind == "reset":
            for pipe in self._pipes:
                pipe.cut()
        elif kind == "halve":
            self._is_halving = True
        else:
            self._until[kind] = self._loop.time() + duration_s

    def _is(self, kind: str) -> bool:
        return self._loop.time() < self._until.get(kind, 0.0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            target = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            writer.transport.abort()
            return
        pipe = _Pipe(writer, target[1])
        self._pipes.append(pipe)
        if self._is("refuse"):
            pipe.cut()
        try:
            await asyncio.wait(
                {
                    asyncio.create_task(self._pass(pipe, reader, target[1])),
                    asyncio.create_task(self._pass(pipe, target[0], writer)),
                },
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            self._pipes.remove(pipe)
            pipe.cut()

    async def _pass(
        self, pipe: _Pipe, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(PIECE_BYTES):
                while self._is("stall"):
                    await asyncio.sleep(POLL_S)
                if self._is_halving:
                    self._is_halving = False
                    await _write(writer, piece[: len(piece) // 2])
                    await asyncio.sleep(POLL_S)  # so that the half is read before the cut
                    pipe.cut()
                    return
                if self._is("split"):
                    await _write(writer, piece[: len(piece) // 2])
                    await asyncio.sleep(POLL_S)
                    piece = piece[len(piece) // 2 :]
                if self._is("throttle"):
                    await asyncio.sleep(len(piece) / self._throttle_bytes_s)
                await _write(writer, piece)
                self.passed += len(piece)


async def _write(writer: asyncio.StreamWriter, piece: bytes) -> None:
    writer.write(piece)
    await writer.drain()
