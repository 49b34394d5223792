"""Headers that every answer of the API bears: nobody keeps it, guesses at it, or frames it.

    app = Headers(api)          # any ASGI application

What an answer says itself stands: the page has its own policy (`app`), and its parts are kept.
Over TLS a name that everybody's browser believes is kept to TLS; one that only our own authority
vouches for is not: where that is lost, nobody could go on even if he wanted.
"""

from collections.abc import Collection
from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from contactor.faces.web.same_site import host_name, in_header, is_among

USUAL: Final = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


STRICT: Final = (b"strict-transport-security", b"max-age=31536000")
"""Source: RFC 6797, for a year."""


class Headers:
    """An application whose answers bear them.

    Args:
        strict_names: of hosts that are never to be asked without TLS.
    """

    def __init__(self, app: ASGIApp, *, strict_names: Collection[str] = ()) -> None:
        self._app, self._strict_names = app, frozenset(map(in_header, strict_names))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        borne = (*USUAL, STRICT) if self._is_strict(scope) else USUAL

        async def bearing(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = {name.lower() for name, _ in message["headers"]}
                usual = [header for header in borne if header[0] not in said]
                message["headers"] = [*message["headers"], *usual]
            await send(message)

        await self._app(scope, receive, bearing)

    def _is_strict(self, scope: HTTPScope) -> bool:
        if not self._strict_names or scope["scheme"] != "https":
            return False
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        return len(hosts) == 1 and is_among(host_name(hosts[0]), self._strict_names)
