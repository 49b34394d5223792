"""Where a message goes, as data. What is secret in it is never told again, nor written to a log.

name = "phone"
kind = "ntfy"
url = "https://ntfy.example.org/my-car"
token = "tk_..."

check_channel(channel)      # raises UsageError naming what is wrong and what is allowed
channel.place               # ntfy.example.org: what may be shown
"""

import base64
import binascii
import re
from typing import Annotated, ClassVar, Literal, TypeAlias
from urllib.parse import SplitResult, urlsplit

from msgspec import Meta, Struct

from contactor.errors import UsageError
from contactor.history.alerts.rules import Name

MAX_CHANNELS = 64
MAX_URL_CHARACTERS = 2_048
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
P256_POINT_BYTES, AUTH_BYTES = 65, 16
"""Of a push subscription's keys. Source: RFC 8291, sections 2.1 and 3.2."""

Url = Annotated[str, Meta(min_length=1, max_length=MAX_URL_CHARACTERS)]
Secret = Annotated[str, Meta(min_length=1, max_length=1_024, pattern=r"^[\x20-\x7e]+\Z")]
Word = Annotated[str, Meta(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]+\Z")]
Host = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:-]{1,253}\Z")]
Address = Annotated[str, Meta(max_length=254)]
Port = Annotated[int, Meta(ge=1, le=65_535)]

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


class Channel(
    Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="kind"
):
    """Something that messages are sent to, by its name."""

    part: ClassVar[str | None] = None
    """A package that it needs beyond those of the cloud."""

    name: Name

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.place!r})"

    @property
    def place(self) -> str:
        """What of it may be shown."""
        raise NotImplementedError


class Webhook(Channel, frozen=True, tag="webhook"):
    """An HTTP POST of JSON.

    Args:
        secret: the body is signed with it: HMAC-SHA256 in `X-Contactor-Signature`.
        token: sent as `Authorization: Bearer`.
    """

    url: Url
    secret: Secret | None = None
    token: Secret | None = None

    @property
    def place(self) -> str:
        return urlsplit(self.url).netloc


class Ntfy(Channel, frozen=True, tag="ntfy"):
    """An HTTP POST of text, as ntfy takes it; the url ends in the topic."""

    url: Url
    token: Secret | None = None

    @property
    def place(self) -> str:
        return urlsplit(self.url).netloc


class Mqtt(Channel, frozen=True, tag="mqtt"):
    """A message of JSON at QoS 1, MQTT 3.1.1.

    Args:
        url: mqtt://host:port or mqtts://host:port.
    """

    part: ClassVar[str | None] = "paho.mqtt"

    url: Url
    topic: Annotated[str, Meta(min_length=1, max_length=1_024)]
    user: Word | None = None
    password: Secret | None = None

    @property
    def place(self) -> str:
        return f"{urlsplit(self.url).netloc} {self.topic}"


class Mail(Channel, frozen=True, tag="mail", rename={"sender": "from"}):
    """A mail over SMTP.

    Args:
        tls: "start" (STARTTLS), "always" (from the first byte) or "none".
    """

    host: Host
    sender: Address
    to: Annotated[tuple[Address, ...], Meta(min_length=1, max_length=16)]
    port: Port = 587
    tls: Literal["start", "always", "none"] = "start"
    user: Word | None = None
    password: Secret | None = None

    @property
    def place(self) -> str:
        return ", ".join(self.to)


class Push(Channel, frozen=True, tag="push"):
    """A browser that has asked to be told: its push subscription.

    Args:
        endpoint, p256dh, auth: as the browser gives them; the keys in base64url.
        contact: of whoever runs this instance, for the push service: mailto: or https:.
    """

    part: ClassVar[str | None] = "cryptography"

    endpoint: Url
    p256dh: Secret
    auth: Secret
    contact: Word = "mailto:owner@localhost"

    @property
    def place(self) -> str:
        return urlsplit(self.endpoint).netloc


AnyChannel: TypeAlias = Webhook | Ntfy | Mqtt | Mail | Push


def check_channel(channel: AnyChannel) -> None:
    """Whether the channel can be meant.

    Raises:
        UsageError: something of it is of the wrong form; the text says what is allowed.
    """
    try:
        if isinstance(channel, Webhook | Ntfy):
            _check_http("url", channel.url, insecure=True)
            if isinstance(channel, Ntfy) and not _split(channel.url).path.strip("/"):
                raise UsageError("url: no topic; allowed: https://host/topic")
        elif isinstance(channel, Mqtt):
            _check_mqtt(channel)
        elif isinstance(channel, Mail):
            _check_mail(channel)
        else:
            _check_push(channel)
    except UsageError as error:
        raise UsageError(f"channel {channel.name}: {error}") from error


def _check_http(place: str, url: str, *, insecure: bool) -> None:
    parts = _split(url)
    is_near = parts.hostname in LOOPBACK
    allowed = ("https", "http") if insecure or is_near else ("https",)
    if parts.scheme not in allowed or not parts.hostname:
        raise UsageError(f"{place}: allowed: {' or '.join(f'{one}://host' for one in allowed)}")
    if "@" in parts.netloc:
        raise UsageError(f"{place}: a user in it; allowed: none, use token")
    if parts.fragment:
        raise UsageError(f"{place}: a # in it; allowed: none")


def _split(url: str) -> SplitResult:
    """The parts of a url; what is wrong is told without it, for it may hold a secret."""
    if not re.fullmatch(r"[\x21-\x7e]+", url):
        raise UsageError("url: a space, or what is not ASCII; allowed: neither")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise UsageError("url: it cannot be read; allowed: scheme://host:port/path") from error
    return parts


def _check_mqtt(channel: Mqtt) -> None:
    parts = _split(channel.url)
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
        raise UsageError("url: allowed: mqtt://host or mqtts://host, with a port")
    if parts.username or parts.password or parts.path.strip("/") or parts.query or parts.fragment:
        raise UsageError("url: allowed: a host and a port; user and password apart")
    if re.search(r"[#+\x00-\x1f\x7f]", channel.topic) or channel.topic.startswith("$"):
        raise UsageError(f"topic: {channel.topic!r}; allowed: no + # $ and no control characters")
    if channel.password and not channel.user:
        raise UsageError("password: without a user; allowed: both")


def _check_mail(channel: Mail) -> None:
    for name, address in (("from", channel.sender), *(("to", one) for one in channel.to)):
        if not _ADDRESS.fullmatch(address):
            raise UsageError(f"{name}: {address!r}; allowed: name@host")
    if (channel.user is None) is not (channel.password is None):
        raise UsageError("user and password: allowed: both or neither")
    if channel.password and channel.tls == "none" and channel.host not in LOOPBACK:
        raise UsageError(
            'password: with tls = "none" it would be read on the way; allowed: "start"'
        )


def _check_push(channel: Push) -> None:
    _check_http("endpoint", channel.endpoint, insecure=False)
    for name, text, size in (
        ("p256dh", channel.p256dh, P256_POINT_BYTES),
        ("auth", channel.auth, AUTH_BYTES),
    ):
        if len(decode_key(name, text)) != size:
            raise UsageError(f"{name}: {len(decode_key(name, text))} bytes; allowed: {size}")
    if not channel.contact.startswith(("mailto:", "https:")):
        raise UsageError("contact: allowed: mailto:name@host or https://host")


def decode_key(name: str, text: str) -> bytes:
    """A key in base64url, padded or not.

    Raises:
        UsageError: it is none.
    """
    try:
        plain = text.rstrip("=")
        if not re.fullmatch(r"[A-Za-z0-9_-]*", plain):
            raise binascii.Error("alphabet")
        return base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
    except (binascii.Error, ValueError) as error:
        raise UsageError(f"{name}: allowed: base64url") from error
