"""Hearing every message of a pattern, for as long as somebody wants to.

await listen(transport, topics.command("leaf"), self.hear)      # until cancelled
"""

import asyncio
from collections.abc import Awaitable, Callable

from contactor.errors import LinkError
from contactor.link.ports import Broadcast, Message

RETRY_S = 0.5
QUIET_S = 60.0


async def listen(
    transport: Broadcast, pattern: str, hear: Callable[[Message], Awaitable[None] | None]
) -> None:
    """Show `hear` each message; a lost link, there or here, is waited for without end."""
    while True:
        try:
            subscription = await transport.subscribe(pattern)
            while True:
                message = await subscription.next(timeout_s=QUIET_S)
                if message is not None and (hearing := hear(message)) is not None:
                    await hearing
        except LinkError:
            await asyncio.sleep(RETRY_S)
