"""The buffer behind a subscription, the same for every driver.

mailbox = Mailbox("contactor.v1.hello.*", on_close=forget)
mailbox.offer(message)              # drops the oldest when full, and counts it
await mailbox.next(timeout_s=1.0)   # the oldest, or None
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from contactor.errors import LinkError
from contactor.link.ports import Message

CAPACITY = 1_024


class Mailbox:
    """A `Subscription` that is fed by its driver.

    Args:
        pattern: what is subscribed to.
        on_close: lets the driver forget it.
        capacity: how many messages it holds.
    """

    def __init__(
        self,
        pattern: str,
        *,
        on_close: Callable[["Mailbox"], Awaitable[None]],
        capacity: int = CAPACITY,
    ) -> None:
        self.pattern = pattern
        self.dropped = 0
        self._on_close = on_close
        self._messages: deque[Message] = deque()
        self._capacity = capacity
        self._changed = asyncio.Event()
        self._is_closed = False

    def offer(self, message: Message) -> None:
        """Put a message in; the oldest gives way."""
        if len(self._messages) >= self._capacity:
            self._messages.popleft()
            self.dropped += 1
        self._messages.append(message)
        self._changed.set()

    async def next(self, timeout_s: float) -> Message | None:
        """The next message; None when there was none for `timeout_s`."""
        if not self._messages and not self._is_closed:
            self._changed.clear()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._changed.wait()
            except TimeoutError:
                return None
        if not self._messages:
            raise LinkError(f"subscription to {self.pattern} was closed")
        return self._messages.popleft()

    def shut(self) -> None:
        """End it from the driver's side; what is inside can still be taken."""
        self._is_closed = True
        self._changed.set()

    async def close(self) -> None:
        """End it; never raises."""
        if not self._is_closed:
            self.shut()
            await self._on_close(self)
