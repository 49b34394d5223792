"""Questions to an instance on this machine, by HTTP and never through a proxy.

document = get_json("http://localhost:8080/api/v1/vehicles", timeout_s=2.0)
"""

import contextlib
import http.client
import json
import shutil
import urllib.request
from collections.abc import Iterator
from typing import BinaryIO


def get_json(url: str, *, timeout_s: float, secret: str | None = None) -> object:
    """The document at `url`.

    Raises:
        urllib.error.HTTPError: the answer is an error.
        OSError: there is no answer, or not a whole one.
        ValueError: it is no JSON.
    """
    return ask_json(url, method="GET", timeout_s=timeout_s, secret=secret)


def ask_json(
    url: str,
    *,
    method: str,
    timeout_s: float,
    body: bytes | None = None,
    secret: str | None = None,
) -> object:
    """The document that answers a request, which may carry one itself; None where none comes.

    Args:
        secret: what to show; None where nobody is asked who they are.

    Raises:
        urllib.error.HTTPError: the answer is an error.
        OSError: there is no answer, or not a whole one.
        ValueError: it is no JSON.
    """
    headers = _shown(secret)
    if body is not None:
        headers["content-type"] = "application/json"
    request = urllib.request.Request(url, data=body, method=method, headers=headers)
    content = _answer(request, timeout_s)
    return json.loads(content) if content else None


def get_bytes(url: str, *, timeout_s: float, secret: str | None = None) -> bytes:
    """What is at `url`, whole.

    Raises:
        urllib.error.HTTPError: the answer is an error.
        OSError: there is no answer, or not a whole one.
    """
    return _answer(urllib.request.Request(url, headers=_shown(secret)), timeout_s)


def save(url: str, file: BinaryIO, *, timeout_s: float, secret: str | None = None) -> None:
    """Write what is at `url` into a file as it comes; raises as `get_bytes`."""
    request = urllib.request.Request(url, headers=_shown(secret))
    with _opened(request, timeout_s) as answer:
        shutil.copyfileobj(answer, file)


def _shown(secret: str | None) -> dict[str, str]:
    return {} if secret is None else {"authorization": f"Bearer {secret}"}


def _answer(request: urllib.request.Request, timeout_s: float) -> bytes:
    with _opened(request, timeout_s) as answer:
        return answer.read()


@contextlib.contextmanager
def _opened(request: urllib.request.Request, timeout_s: float) -> Iterator[BinaryIO]:
    # The environment's http_proxy is for the world outside; only some machines except localhost.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=timeout_s) as answer:
            yield answer
    except http.client.HTTPException as error:
        raise ConnectionError(f"{request.full_url}: answer cut off: {error!r}") from error
