"""WebSockets that end: uvicorn's own wait for ever for a client that stopped reading.

    uvicorn.Config(..., ws=EndingSockets)

A close is written at once, behind what waits already, so that a client that reads again learns the
reason. One that does not take it within `LEAVE_S` is cut off, and its buffers are freed.
"""

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

LEAVE_S = 10.0


class EndingSockets(WebSocketsSansIOProtocol):
    """One connection."""

    async def send(self, message: ASGISendEvent) -> None:
        """Write a message; a close without waiting for room."""
        if message["type"] == "websocket.close":
            self.writable.set()
        await super().send(message)

    async def run_asgi(self) -> None:
        """Run the application; once it is done the client has a while to leave."""
        try:
            await super().run_asgi()
        finally:
            self.loop.call_later(LEAVE_S, self.transport.abort)
