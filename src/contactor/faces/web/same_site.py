"""Keeps pages of other sites out: they may run in the user's browser, on the user's machine.

    Host      localhost, 127.0.0.1 or [::1], any port; a      else 421: a name that others gave us
              name of the served certificate; or that of
              the public URL
    Origin    where it is sent with a change or a WebSocket,   else 403: another site's page
              its host is the Host; https, of the public URL

A name that someone else points at this machine (DNS rebinding) is thus no way in, nor is a form or
a script of another page. Programs send no Origin and are not concerned. A WebSocket is closed
before it is accepted, whichever rule it breaks: the client gets a 403.

    app = SameSite(api)         # any ASGI application
"""

import http
from collections.abc import Collection, Iterable
from typing import Final
from urllib.parse import urlsplit

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from contactor.faces.web.problems import MEDIA_TYPE, Problem

HOSTS: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
POLICY_VIOLATION: Final = 1008
"""Source: RFC 6455, 7.4.1."""
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class SameSite:
    """An application behind the rules above."""

    def __init__(
        self, app: ASGIApp, *, public_host: str | None = None, names: Collection[str] = ()
    ) -> None:
        self._app, self._public_host = app, public_host
        self._names = HOSTS.union(map(in_header, names))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that breaks a rule; hand any other on."""
        refused = refusal(scope, self._public_host, self._names)
        if refused is not None:
            await _refuse(scope, send, *refused)
            return
        await self._app(scope, receive, send)


def refusal(
    scope: Scope, public_host: str | None = None, names: Collection[str] = HOSTS
) -> tuple[int, str] | None:
    """The status and the words with which a request is to be refused; None where it is not.

    Args:
        public_host: as a proxy hands it on, with its port where that is not 443.
        names: of hosts, whatever their port; `*.` stands for one more label.
    """
    if scope["type"] not in (ScopeType.HTTP, ScopeType.WEBSOCKET):
        return None  # the server's start and end
    hosts = _header(scope["headers"], b"host")
    is_ours = len(hosts) == 1 and (
        is_among(host_name(hosts[0]), names) or hosts[0].lower() == public_host
    )
    if not is_ours:
        return 421, f"host {', '.join(hosts)[:120]!r}; served here: {', '.join(sorted(HOSTS))}"
    is_change = scope["type"] == ScopeType.WEBSOCKET or scope["method"] not in SAFE_METHODS
    origins = _header(scope["headers"], b"origin")
    is_public = hosts[0].lower() == public_host
    if is_change and any(not _is_of(origin, hosts[0].lower(), is_public) for origin in origins):
        return 403, f"origin {', '.join(origins)[:120]!r} is another site than {hosts[0]!r}"
    return None


def _header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in headers if key.lower() == name]


def is_among(name: str, names: Collection[str]) -> bool:
    """Whether a host has one of the names, as certificates count it."""
    return name in names or f"*.{name.partition('.')[2]}" in names


def in_header(name: str) -> str:
    """A name or address as it stands in a header."""
    return f"[{name}]" if ":" in name else name.lower()


def host_name(host: str) -> str:
    """The host of a header, without its port."""
    end = host.rfind(":")
    has_port = end > host.rfind("]") and host[end + 1 :].isdigit()
    return (host[:end] if has_port else host).lower()


def _is_of(origin: str, host: str, is_public: bool) -> bool:
    """Whether a page is the host's own; that of the public URL has TLS."""
    try:
        found = urlsplit(origin)
    except ValueError:
        return False
    return found.netloc.lower() == host and (not is_public or found.scheme == "https")


async def _refuse(scope: Scope, send: Send, status: int, detail: str) -> None:
    if scope["type"] == ScopeType.WEBSOCKET:
        # Before it is accepted: the server answers 403. An answer of our own would be logged by
        # uvicorn as a handshake that was forgotten.
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": detail})
        return
    phrase = http.HTTPStatus(status).phrase
    body = msgspec.json.encode(Problem("about:blank", phrase, status, detail))
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
