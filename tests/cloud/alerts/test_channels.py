"""Channels: their forms, and that nothing secret is shown."""

import msgspec
import pytest

from contactor.cloud.alerts.channels import AnyChannel, check_channel
from contactor.errors import UsageError

P256DH = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
HOOK = {"kind": "webhook", "name": "a", "url": "https://a.org/x?b=1"}
NTFY = {"kind": "ntfy", "name": "a", "url": "https://a.org/topic"}
MQTT = {"kind": "mqtt", "name": "a", "url": "mqtt://a.org:1883", "topic": "home/car"}
MAIL = {"kind": "mail", "name": "a", "host": "a.org", "from": "car@a.org", "to": ["me@a.org"]}
PUSH = {
    "kind": "push",
    "name": "a",
    "endpoint": "https://push.a.org/p/1",
    "p256dh": P256DH,
    "auth": AUTH,
}


def read(given: dict[str, object]) -> AnyChannel:
    channel: AnyChannel = msgspec.convert(given, AnyChannel)
    check_channel(channel)
    return channel


@pytest.mark.parametrize("given", [HOOK, NTFY, MQTT, MAIL, PUSH])
def test_channel_that_is_right_is_taken(given: dict[str, object]) -> None:
    channel = read(given)

    assert msgspec.json.decode(msgspec.json.encode(channel), type=AnyChannel) == channel


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({**HOOK, "url": "ftp://a.org/x"}, "url: allowed: https://host or http://host"),
        ({**HOOK, "url": "https:///x"}, "url: allowed"),
        ({**HOOK, "url": "https://me:pw@a.org/"}, "a user in it"),
        ({**HOOK, "url": "https://a.org/ x"}, "a space"),
        ({**HOOK, "url": "https://a.org/\r\nHost: b"}, "a space"),
        ({**HOOK, "url": "https://a.org/#x"}, "a # in it"),
        ({**HOOK, "url": "https://a.org:99999/"}, "cannot be read"),
        ({**HOOK, "url": "https://[::1/"}, "cannot be read"),
        ({**NTFY, "url": "https://a.org/"}, "no topic"),
        ({**MQTT, "url": "http://a.org"}, "mqtt://host or mqtts://host"),
        ({**MQTT, "url": "mqtt://me:pw@a.org"}, "user and password apart"),
        ({**MQTT, "topic": "home/#"}, "no . # . and no control characters"),
        ({**MQTT, "password": "x"}, "without a user"),
        ({**MAIL, "from": "car@a.org\nBcc: b@b.org"}, "name@host"),
        ({**MAIL, "to": ["me"]}, "name@host"),
        ({**MAIL, "user": "me"}, "both or neither"),
        ({**MAIL, "user": "me", "password": "x", "tls": "none"}, "read on the way"),
        ({**PUSH, "endpoint": "http://push.a.org/p/1"}, "endpoint: allowed: https://host"),
        ({**PUSH, "p256dh": AUTH}, "p256dh: 16 bytes; allowed: 65"),
        ({**PUSH, "auth": "a+b"}, "auth: allowed: base64url"),
        ({**PUSH, "contact": "me"}, "contact: allowed"),
    ],
)
def test_channel_that_is_wrong_is_refused(given: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read(given)


@pytest.mark.parametrize(
    "given",
    [
        {**HOOK, "url": "https://a.org/T0PSECRET", "secret": "T0PSECRET", "token": "T0PSECRET"},
        {**NTFY, "token": "T0PSECRET"},
        {**MQTT, "user": "me", "password": "T0PSECRET"},
        {**MAIL, "user": "me", "password": "T0PSECRET"},
        {**PUSH, "endpoint": "https://push.a.org/T0PSECRET"},
    ],
)
def test_nothing_secret_is_shown(given: dict[str, object]) -> None:
    channel = read(given)

    assert "T0PSECRET" not in f"{channel} {channel!r} {channel.place}"
    assert AUTH not in repr(channel)
