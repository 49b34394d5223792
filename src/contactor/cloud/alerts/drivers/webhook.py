"""A webhook: the message as JSON, signed where the channel has a secret.

    POST ...  Idempotency-Key: ID  X-Contactor-Signature: sha256=HEX

The signature is the HMAC-SHA256 of the body. A message that comes twice has the same key.
"""

import hashlib
import hmac

from contactor.cloud.alerts.channels import Webhook
from contactor.cloud.alerts.drivers.http import post
from contactor.cloud.alerts.message import Message


class WebhookDriver:
    """Sends to one webhook."""

    def __init__(self, channel: Webhook) -> None:
        self._channel = channel

    def send(self, message: Message) -> None:
        body = message.json()
        headers = {"content-type": "application/json", "idempotency-key": message.id}
        if self._channel.secret:
            signature = hmac.new(self._channel.secret.encode(), body, hashlib.sha256).hexdigest()
            headers["x-contactor-signature"] = f"sha256={signature}"
        if self._channel.token:
            headers["authorization"] = f"Bearer {self._channel.token}"
        post(self._channel.url, body, headers)
