"""An ELM327 on a socket: scan tools ask the virtual car over TCP on this machine.

    python-OBD ── socket://127.0.0.1:35000 ──► Interpreter ──► car.diagnose

    async with elm327_server(car, port=35000) as port:
        ...

Rules: at most `MAX_CLIENTS` at once, each with settings of its own; a line that is too long is
answered by ?, a tool that has not spoken for `IDLE_S` is left.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from contactor.car.adapters.elm327_interpreter import UNKNOWN, Diagnosed, Interpreter
from contactor.errors import UsageError

HOST = "127.0.0.1"
MAX_CLIENTS = 4
MAX_LINE_BYTES = 128
"""The longest command has 31 signs; more is noise."""
IDLE_S = 600.0
SEND_S = 10.0
_CHUNK_BYTES = 1024

_log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def elm327_server(car: Diagnosed, *, port: int = 0) -> AsyncIterator[int]:
    """Listen on 127.0.0.1 for scan tools, until the block ends.

    Args:
        port: 1 to 65535; 0 takes a free one.

    Yields:
        The port.

    Raises:
        UsageError: the port is taken, or not allowed.
    """
    clients: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(clients) >= MAX_CLIENTS:
            _log.warning("scan tool refused allowed=%d", MAX_CLIENTS)
            writer.close()
            return
        clients.add(writer)
        try:
            await _converse(Interpreter(car), reader, writer)
        except (OSError, TimeoutError) as error:
            _log.info("scan tool left reason=%s", str(error) or type(error).__name__)
        finally:
            clients.discard(writer)
            writer.close()

    try:
        server = await asyncio.start_server(serve, HOST, port)
    except OSError as error:
        raise UsageError(f"elm327 port {port} cannot be opened: {error}") from error
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in list(clients):
            writer.close()


async def _converse(
    interpreter: Interpreter, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer line by line until the other side leaves."""
    line, is_too_long = bytearray(), False
    while chunk := await asyncio.wait_for(reader.read(_CHUNK_BYTES), IDLE_S):
        *ended, rest = chunk.split(b"\r")
        for piece in ended:
            line += piece
            is_too_long |= len(line) > MAX_LINE_BYTES
            text = line.replace(b"\n", b"").decode("latin-1")
            answer = interpreter.answer(UNKNOWN if is_too_long else text)
            line.clear()
            is_too_long = False
            writer.write(answer.encode("latin-1"))
            await asyncio.wait_for(writer.drain(), SEND_S)
            await asyncio.sleep(0)
        line += rest
        if len(line) > MAX_LINE_BYTES:
            is_too_long = True
            line.clear()
