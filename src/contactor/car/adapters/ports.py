"""What a live car is to the agent: frames in, command frames out.

while True:
    frames = await source.next()
    ...
    await source.send(command_frames)
"""

from typing import Protocol

from contactor.can.frames import FrameTable


class FrameSource(Protocol):
    """The buses of one car that is there now."""

    @property
    def is_asleep(self) -> bool:
        """Whether the car is silent on purpose: a parked car whose control units sleep."""
        ...

    async def next(self) -> FrameTable:
        """The frames of the next 100 ms at most, none while there are none; waits for them.

        Raises:
            LogError: the source has ended or failed.
        """
        ...

    async def send(self, frames: FrameTable) -> None:
        """Put frames on the bus; a sleeping car wakes.

        Raises:
            LogError: the bus refused.
        """
        ...
