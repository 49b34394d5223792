"""Drivers of channels, one module per kind: `driver_of(channel, push_key=..., clock=...)`."""

import importlib.util
from collections.abc import Callable

from contactor.clock import Clock
from contactor.cloud.alerts.channels import AnyChannel, Mail, Mqtt, Ntfy, Webhook
from contactor.cloud.alerts.ports import Driver
from contactor.errors import MissingPart


def check_installed(channel: AnyChannel) -> None:
    """Whether what the channel needs is installed.

    Raises:
        MissingPart: it is not.
    """
    part = channel.part
    if part is not None and importlib.util.find_spec(part.partition(".")[0]) is None:
        raise MissingPart(f"channel {channel.name} needs {part}: pip install 'contactor[alerts]'")


def driver_of(channel: AnyChannel, *, push_key: Callable[[], str], clock: Clock) -> Driver:
    """The driver of a channel; imports only what it needs.

    Args:
        push_key: the instance's own key for push services, PEM.

    Raises:
        ModuleNotFoundError: a package that it needs is not installed.
    """
    if isinstance(channel, Webhook):
        from contactor.cloud.alerts.drivers.webhook import WebhookDriver

        return WebhookDriver(channel)
    if isinstance(channel, Ntfy):
        from contactor.cloud.alerts.drivers.ntfy import NtfyDriver

        return NtfyDriver(channel)
    if isinstance(channel, Mqtt):
        from contactor.cloud.alerts.drivers.mqtt import MqttDriver

        return MqttDriver(channel)
    if isinstance(channel, Mail):
        from contactor.cloud.alerts.drivers.mail import MailDriver

        return MailDriver(channel)
    from contactor.cloud.alerts.drivers.push import PushDriver

    return PushDriver(channel, key_pem=push_key(), clock=clock)
