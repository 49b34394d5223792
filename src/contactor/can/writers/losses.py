"""What a format could not carry, counted, so that nothing is lost in silence.

losses = Losses()
losses.add("CAN FD remote frames are written as classic ones", 3)
losses.told()                       # ("3 CAN FD remote frames are written as classic ones",)
"""

from contactor.can.frames import FrameTable

EARLY = "frames from before the first one's time are written at that time"


class Losses:
    """Counts by the words in which they are told."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def add(self, what: str, count: int) -> None:
        """Count what happened to `count` frames; none is no loss."""
        if count:
            self._counts[what] = self._counts.get(what, 0) + count

    def add_error_details(self, frames: FrameTable, *, name: str) -> None:
        """Count the error frames that say more than that there was an error."""
        has_more = (frames.can_id > 0) | (frames.length > 0)
        self.add(
            f"error frames are written without their details, which {name} cannot carry",
            int((frames.is_error & has_more).sum()),
        )

    def told(self) -> tuple[str, ...]:
        """A line for each, in the order in which they came up."""
        return tuple(f"{count} {what}" for what, count in self._counts.items())
