"""How much is handed to the link at once, so that what is urgent never waits long behind it. Pure.

What is under way cannot be overtaken: on a slow link, a megabyte of backlog is a minute in which no
alarm gets through. So a chunk is as large as the link carries in about `AIM_S`, beyond the time
that any message takes, which is the link's own delay.

    pace = Pace()
    messages = pace.chunk(messages, size=len)       # at least one of them
    pace.took(sent_bytes, elapsed_s)                # larger or smaller from now on
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

AIM_S = 0.25
FIRST_BYTES = 16_384
LEAST_BYTES = 4_096
MOST_BYTES = 4 * 2**20

_Message = TypeVar("_Message")


class Pace:
    """Owns the size of a chunk: doubled while it goes quickly, less where it does not."""

    def __init__(self) -> None:
        self.bytes = FIRST_BYTES
        self._least_s = float("inf")

    def chunk(
        self, messages: Sequence[_Message], size: Callable[[_Message], int]
    ) -> Sequence[_Message]:
        """The first of the messages, as many as are sent at once; at least one if there is any."""
        total = 0
        for place, message in enumerate(messages):
            total += size(message)
            if place and total > self.bytes:
                return messages[:place]
        return messages

    def took(self, sent_bytes: int, elapsed_s: float) -> None:
        """So much was taken by the broker in that time."""
        self._least_s = min(self._least_s, elapsed_s)
        carried_s = elapsed_s - self._least_s
        if carried_s > AIM_S:
            fitting = round(sent_bytes * AIM_S / carried_s)
            self.bytes = max(min(fitting, self.bytes // 2), LEAST_BYTES)
        elif carried_s < AIM_S / 2 and sent_bytes * 2 > self.bytes:
            self.bytes = min(self.bytes * 2, MOST_BYTES)
