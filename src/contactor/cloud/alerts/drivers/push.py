"""Web push: RFC 8030, encrypted for the browser (RFC 8291), from a known sender (RFC 8292).

A message that waits at the push service is replaced by one of the same topic: an alert that is sent
twice is shown once.
"""

import hashlib
from types import MappingProxyType

from contactor.clock import NS_PER_S, Clock
from contactor.cloud.alerts.channels import Push, decode_key
from contactor.cloud.alerts.drivers.encryption import encrypt
from contactor.cloud.alerts.drivers.http import post
from contactor.cloud.alerts.drivers.vapid import authorization
from contactor.cloud.alerts.message import Message
from contactor.cloud.alerts.ports import NotDelivered
from contactor.history.alerts.rules import Severity

KEPT_S = 86_400
TOPIC_CHARACTERS = 32
"""RFC 8030, section 5.4."""
URGENCIES = MappingProxyType(
    {Severity.INFO: "normal", Severity.WARNING: "high", Severity.CRITICAL: "high"}
)


class PushDriver:
    """Sends to one browser.

    Args:
        key_pem: of this instance; the browser has subscribed with its public half.
    """

    def __init__(self, channel: Push, *, key_pem: str, clock: Clock) -> None:
        self._channel = channel
        self._clock = clock
        self._key_pem = key_pem

    def send(self, message: Message) -> None:
        channel = self._channel
        try:
            body = encrypt(
                message.json(),
                p256dh=decode_key("p256dh", channel.p256dh),
                auth=decode_key("auth", channel.auth),
            )
        except ValueError as error:
            raise NotDelivered(f"{channel.place}: {error}", is_final=True) from None
        now_s = self._clock.now_ns() // NS_PER_S
        headers = {
            "content-type": "application/octet-stream",
            "content-encoding": "aes128gcm",
            "ttl": str(KEPT_S),
            "urgency": URGENCIES[message.severity],
            "topic": hashlib.sha256(message.id.encode()).hexdigest()[:TOPIC_CHARACTERS],
            "authorization": authorization(self._key_pem, channel.endpoint, channel.contact, now_s),
        }
        post(channel.endpoint, body, headers, can_end=True)
