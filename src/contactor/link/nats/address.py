"""What a link says: where the broker is, who comes, and by what the broker is known.

    nats://[USER:PASSWORD@]HOST[:PORT]                      on this machine
    tls://[USER:PASSWORD@]HOST[:PORT][?authority=FILE]      anywhere

    read_address("nats://127.0.0.1:4222").shown

Beyond this machine nothing is said in the clear: passwords, codes and where cars are would be on
the wire.
"""

import ipaddress
import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from contactor.errors import LinkError, UsageError

DEFAULT_PORT = 4222
BETWEEN_URLS = re.compile(r",(?=(?:nats|tls)://)")
"""A password may hold a comma too."""
EXPECTED = "nats://[USER:PASSWORD@]HOST[:PORT]"


@dataclass(frozen=True, slots=True)
class Address:
    """Where the broker is and who we are; `shown` holds no secret."""

    shown: str
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    authority: Path | None = None
    """By which certificates the broker's own is believed, where the link says so."""

    @property
    def host(self) -> str:
        """A name, or an address without brackets."""
        return urlsplit(self.shown).hostname or ""

    @property
    def port(self) -> int:
        """Where it listens there."""
        return urlsplit(self.shown).port or DEFAULT_PORT

    @property
    def is_encrypted(self) -> bool:
        """Whether all is said over TLS."""
        return self.shown.startswith("tls:")

    def encryption(self, trusted_pem: bytes | None = None) -> ssl.SSLContext:
        """How TLS is spoken there: 1.2 at least, to a broker whose certificate bears its name.

        Args:
            trusted_pem: by what it is believed where the link names no authority; None for those
                that the system trusts.

        Raises:
            LinkError: the authority's file cannot be read.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # That of a car's certificate is the vehicle's id, which somebody chose.
        context.hostname_checks_common_name = False
        # At its first contact a car knows the broker's own certificate, and no root.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        try:
            if self.authority is not None:
                context.load_verify_locations(cafile=self.authority)
            elif trusted_pem is not None:
                context.load_verify_locations(cadata=trusted_pem.decode("ascii"))
            else:
                context.load_default_certs()
        except (OSError, ValueError) as error:
            said = "what is kept of it" if self.authority is None else str(self.authority)
            raise LinkError(f"authority of {self.shown} cannot be read: {said}") from error
        return context


def read_addresses(urls: str) -> tuple[Address, ...]:
    """What a link says: one url, or those of a cluster's servers with a comma between.

    Raises:
        UsageError: as `read_address`.
    """
    return tuple(map(read_address, BETWEEN_URLS.split(urls)))


def read_address(url: str) -> Address:
    """What a url says.

    Args:
        url: as above; a TOKEN may stand for user and password.

    Raises:
        UsageError: it says something else, or would have us speak in the clear beyond this
            machine; the text names no secret.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or DEFAULT_PORT
        asked = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    except ValueError:
        parts, host, port, asked = urlsplit(""), None, 0, {}
    allowed = {"authority"} if parts.scheme == "tls" else set()
    if parts.scheme not in {"nats", "tls"} or not host or "," in host or asked.keys() - allowed:
        said = url.rpartition("@")[2]
        raise UsageError(
            f"link {said!r}; expected {EXPECTED}, or tls://…[?authority=FILE] beyond this machine"
        )
    shown = f"{parts.scheme}://{in_url(host)}:{port}"
    if parts.scheme == "nats" and not is_here(host):
        raise UsageError(
            f"link {shown} is refused: beyond this machine it would be in the clear;"
            f" allowed: tls://{shown.partition('://')[2]}"
        )
    authority = Path(asked["authority"]) if "authority" in asked else None
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password is not None else None
    if password is None:
        return Address(shown, token=user, authority=authority)
    return Address(shown, user=user, password=password, authority=authority)


def is_here(host: str) -> bool:
    """Whether what is sent to a host cannot leave this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def in_url(host: str) -> str:
    """A name or address as it stands in a url."""
    return f"[{host}]" if ":" in host else host
