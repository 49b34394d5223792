"""Headers that every answer of the API bears: nobody keeps it, guesses at it, or frames it.

    app = Headers(api)          # any ASGI application

What an answer says itself stands: the page has its own policy (`app`), and its parts are kept.
"""

from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

USUAL: Final = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


class Headers:
    """An application whose answers bear them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return

        async def bearing(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = {name.lower() for name, _ in message["headers"]}
                usual = [header for header in USUAL if header[0] not in said]
                message["headers"] = [*message["headers"], *usual]
            await send(message)

        await self._app(scope, receive, bearing)
