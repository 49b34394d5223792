"""What a driver of a channel promises."""

from typing import Protocol

from contactor.cloud.alerts.message import Message
from contactor.errors import ContactorError


class NotDelivered(ContactorError):
    """A channel did not take a message; the text names no secret.

    Fields:
        is_final: it never will, or not this one.
        is_gone: the receiver has ended the channel.
        retry_after_s: how long it asks to wait.
    """

    def __init__(
        self,
        reason: str,
        *,
        is_final: bool = False,
        is_gone: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.is_final, self.is_gone, self.retry_after_s = is_final, is_gone, retry_after_s


class Driver(Protocol):
    """Delivers messages to one channel; called from a thread, one message at a time."""

    def send(self, message: Message) -> None:
        """Return once the receiver has taken it, within half a minute.

        Raises:
            NotDelivered: it has not, as far as is known.
        """
        ...
