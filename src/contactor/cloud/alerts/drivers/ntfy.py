"""A message as ntfy takes it: text, and title, priority and tags in headers.

Source: docs.ntfy.sh, "Publishing". Header values that are not ASCII are encoded as in RFC 2047.
"""

from email.header import Header
from types import MappingProxyType

from contactor.cloud.alerts.channels import Ntfy
from contactor.cloud.alerts.drivers.http import post
from contactor.cloud.alerts.message import Message
from contactor.history.alerts.rules import Severity

PRIORITIES = MappingProxyType(
    {Severity.INFO: "default", Severity.WARNING: "high", Severity.CRITICAL: "urgent"}
)


class NtfyDriver:
    """Sends to one topic."""

    def __init__(self, channel: Ntfy) -> None:
        self._channel = channel

    def send(self, message: Message) -> None:
        headers = {
            "content-type": "text/plain; charset=utf-8",
            "title": _ascii(message.title),
            "priority": PRIORITIES[message.severity],
            "tags": "electric_plug",
            "x-contactor-id": message.id,
        }
        if self._channel.token:
            headers["authorization"] = f"Bearer {self._channel.token}"
        post(self._channel.url, message.body.encode(), headers)


def _ascii(text: str) -> str:
    return text if text.isascii() else Header(text, "utf-8", maxlinelen=10_000).encode()
