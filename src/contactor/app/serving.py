"""The servers of one cloud's application, inside our own event loop.

HOST:PORT                   the application: in the clear on this machine, over TLS beyond it
localhost:LOCAL_PORT        beyond it: the same in the clear, for commands and people here
HOST:CERTIFICATE_PORT       beyond it, with a certificate of our own: the page that offers it

servers = Servers(api, listening, tls)
await servers.run()         # until servers.stop()
"""

import asyncio
import contextlib
import logging
import ssl
from dataclasses import dataclass

import uvicorn

from contactor.app.elsewhere import Elsewhere
from contactor.app.listening import Listening
from contactor.app.tls import WebTls
from contactor.errors import IdentityError, first_failure
from contactor.faces.web.authority import Offered, authority_page
from contactor.faces.web.sockets import EndingSockets

KEEP_S = 3600.0
"""So often the certificate is looked at: one given may be renewed at any time."""
MAX_CLIENT_MESSAGE_BYTES = 4_096

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Serving:
    """How a cloud is served.

    Fields:
        listening: where the API is answered.
        has_login: whether anybody is asked who they are.
        has_ingest: whether it stores what comes, or others do.
        has_gate: whether the broker of this folder asks it who comes in.
        is_supervised: whether who started it tells the first owner's link.
    """

    listening: Listening
    has_login: bool = True
    has_ingest: bool = True
    has_gate: bool = False
    is_supervised: bool = False


class Servers:
    """All of them; they begin and end together."""

    def __init__(self, api: object, listening: Listening, tls: WebTls | None) -> None:
        self._tls = tls
        has_proxy = listening.public_url is not None
        host, beside = listening.host, listening.beside
        self._main = server_of(api, host, listening.port, tls=tls, has_proxy=has_proxy)
        self._all = [self._main]
        if tls is None or beside is None:
            return
        # The application begins and ends once, with the first.
        self._all.append(
            server_of(api, "localhost", beside.local, has_proxy=has_proxy, is_first=False)
        )
        told = Elsewhere.of(listening, tls)
        if tls.authority is not None and told is not None:
            offered = Offered(tls.authority.der, tls.authority.fingerprint, told.urls)
            page = authority_page(offered, names=tls.names)
            self._all.append(server_of(page, host, beside.certificate))

    @property
    def is_started(self) -> bool:
        """Whether all of them answer."""
        return all(server.started for server in self._all)

    def stop(self) -> None:
        """End them, soon."""
        for server in self._all:
            server.should_exit = True

    async def run(self) -> None:
        """Answer until told to stop."""
        keeping = asyncio.create_task(self._keep()) if self._tls is not None else None
        try:
            async with asyncio.TaskGroup() as group:
                for server in self._all:
                    group.create_task(server.serve())
        except BaseExceptionGroup as failures:
            raise first_failure(failures) from failures
        finally:
            if keeping is not None:
                keeping.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await keeping

    async def _keep(self) -> None:
        """Serve the certificate that there is by now."""
        while True:
            await asyncio.sleep(KEEP_S)
            try:
                await asyncio.to_thread(self.renew)
            except (IdentityError, OSError) as error:
                _log.error("certificate not renewed reason=%s", error)

    def renew(self) -> None:
        """Whoever comes from now on is shown the certificate as it is in its file.

        Raises:
            IdentityError, OSError: it cannot be written, or read; the one before is shown on.
        """
        context = self._main.config.ssl
        if self._tls is not None and context is not None and self._tls.renew(context):
            _log.warning("certificate renewed file=%s", self._tls.files.certificate)


def server_of(
    app: object,
    host: str,
    port: int,
    *,
    tls: WebTls | None = None,
    has_proxy: bool = False,
    is_first: bool = True,
) -> uvicorn.Server:
    """uvicorn inside our loop, with our signals."""
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]  # any ASGI application
        host=host,
        port=port,
        lifespan="auto" if is_first else "off",
        proxy_headers=has_proxy,
        forwarded_allow_ips="127.0.0.1,::1",
        ws=EndingSockets,
        ws_per_message_deflate=False,
        ws_max_size=MAX_CLIENT_MESSAGE_BYTES,
        log_config=None,
        timeout_graceful_shutdown=1,
        ssl_certfile=None if tls is None else tls.files.certificate,
        ssl_keyfile=None if tls is None else tls.files.key,
    )
    config.load()
    if config.ssl is not None:
        config.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]  # ours
    return server
