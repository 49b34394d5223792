"""An instance behind a real server on a free port, for as long as a test needs it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import uvicorn

from contactor.app.serving import server_of
from tests.faces.web.conftest import Instance


@contextlib.asynccontextmanager
async def serving(
    instance: Instance, servers: list[uvicorn.Server] | None = None
) -> AsyncIterator[int]:
    """The port at which the instance answers; its own tasks run meanwhile.

    Args:
        servers: takes the server, for those who look at its connections.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        server: uvicorn.Server = server_of(instance.api(), "127.0.0.1", port)
        if servers is not None:
            servers.append(server)
        tasks = [
            asyncio.create_task(server.serve([listener])),
            asyncio.create_task(instance.dispatcher.run()),
            asyncio.create_task(instance.ingest.run()),
        ]
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield port
        finally:
            instance.live.close()
            server.should_exit = True
            for task in tasks[1:]:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
