"""The cloud in one process: ingest, lake and API over a link."""

import asyncio
import contextlib
import signal

import uvicorn

from contactor.app.folder import DataFolder
from contactor.clock import SystemClock
from contactor.cloud.ingest.ingest import Ingest
from contactor.cloud.lake.lake import Lake
from contactor.cloud.lake.local import LocalStore
from contactor.faces.web.api import create_api
from contactor.faces.web.fleet import Fleet
from contactor.link.nats import NatsTransport

POLL_S = 0.05


def serve_cloud(folder: DataFolder, *, link: str, host: str, port: int) -> int:
    """Serve until SIGINT or SIGTERM, then commit what was taken in; says when the API answers.

    Raises:
        StaleWriter: another ingest writes this lake.
        LakeError: the lake cannot be opened or written.
    """
    return asyncio.run(_serve(folder, link, host, port))


async def _serve(folder: DataFolder, link: str, host: str, port: int) -> int:
    clock = SystemClock()
    store = await asyncio.to_thread(LocalStore, folder.root)
    transport = NatsTransport(link, name="cloud")
    ingest = Ingest(store=store, transport=transport, clock=clock)
    fleet = Fleet(ingest=ingest, lake=Lake(store, pending=ingest.pending), clock=clock)
    server = _server(create_api(fleet), host, port)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    taking = asyncio.create_task(ingest.run())
    serving = asyncio.create_task(server.serve())
    stopping = asyncio.create_task(stopped.wait())
    announcing = asyncio.create_task(_announce(server, port))
    try:
        await asyncio.wait({taking, serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if taking.done():
            taking.result()
    finally:
        announcing.cancel()
        server.should_exit = True
        taking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await taking
        await serving
        fleet.close()
        stopping.cancel()
        await transport.close()
    return 0


async def _announce(server: uvicorn.Server, port: int) -> None:
    while not server.started:
        await asyncio.sleep(POLL_S)
    print(f"ready http://localhost:{port}", flush=True)


def _server(api: object, host: str, port: int) -> uvicorn.Server:
    """uvicorn inside our loop, with our signals."""
    config = uvicorn.Config(
        api,  # type: ignore[arg-type]  # any ASGI application
        host=host,
        port=port,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        log_config=None,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]  # ours
    return server
