"""An HTTP POST that arrives or says why not: no redirects, no more of the answer than needed.

post(url, body, {"content-type": "application/json"})
"""

import http
import http.client
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import Message as Headers
from typing import IO
from urllib.parse import urlsplit

from contactor.cloud.alerts.channels import LOOPBACK
from contactor.cloud.alerts.ports import NotDelivered

TIMEOUT_S = 20.0
MAX_ANSWER_BYTES = 65_536
MAX_RETRY_AFTER_S = 3_600.0
_TEMPORARY = frozenset({http.HTTPStatus.REQUEST_TIMEOUT, http.HTTPStatus.TOO_MANY_REQUESTS, 425})
_GONE = frozenset({http.HTTPStatus.NOT_FOUND, http.HTTPStatus.GONE})


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A receiver that has moved is told to its owner, not followed: the message is not for it."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Headers,
        newurl: str,
    ) -> None:
        return None


def post(url: str, body: bytes, headers: Mapping[str, str], *, can_end: bool = False) -> None:
    """Send a body.

    Args:
        can_end: whether 404 and 410 say that the receiver is gone for good.

    Raises:
        NotDelivered: it was not taken; the text names the host and no more of the url.
    """
    host = urlsplit(url).netloc
    handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
    if urlsplit(url).hostname in LOOPBACK:
        handlers.append(urllib.request.ProxyHandler({}))
    opener = urllib.request.build_opener(*handlers)
    request = urllib.request.Request(
        url, data=body, headers={"user-agent": "contactor", **headers}, method="POST"
    )
    try:
        with opener.open(request, timeout=TIMEOUT_S) as answer:
            answer.read(MAX_ANSWER_BYTES)
    except urllib.error.HTTPError as error:
        with error:
            raise _refused(host, error, can_end=can_end) from None
    except ssl.SSLError as error:
        raise NotDelivered(f"{host}: {error.reason}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotDelivered(f"{host}: {_why(error)}") from None


def _why(error: Exception) -> str:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return f"no answer within {TIMEOUT_S:g} s"
    return getattr(cause, "strerror", None) or type(cause).__name__


def _refused(host: str, error: urllib.error.HTTPError, *, can_end: bool) -> NotDelivered:
    status = error.code
    is_gone = can_end and status in _GONE
    is_temporary = status >= http.HTTPStatus.INTERNAL_SERVER_ERROR or status in _TEMPORARY
    return NotDelivered(
        f"{host} answered {status}",
        is_final=not is_temporary,
        is_gone=is_gone,
        retry_after_s=_retry_after_s(error.headers.get("retry-after")),
    )


def _retry_after_s(text: str | None) -> float | None:
    """Seconds as a number; a date is left to our own patience."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 9:
        return None
    return min(float(text), MAX_RETRY_AFTER_S)
