"""Where a lake lies in an object storage: `s3://BUCKET/PREFIX`, and how it is reached.

    url = check_url("s3://fleet/lake/")         # "s3://fleet/lake"
    options_of(url)                             # what deltalake must be told besides

Keys, region and endpoint are those of the environment that every program for S3 knows:
AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL. Without
encryption (an endpoint that begins with http) only this machine is spoken to, unless AWS_ALLOW_HTTP
says otherwise.
"""

import os
import re
from typing import Final
from urllib.parse import urlsplit

from contactor.errors import UsageError

SCHEME: Final = "s3://"
_URL: Final = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9_.=-]+)*/?")
_PATIENCE: Final = {"connect_timeout": "5s", "max_retries": "5", "retry_timeout": "20s"}
"""So long a storage that does not answer is asked again before the asker is told."""
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


def is_url(text: str) -> bool:
    """Whether this names an object storage, and no folder."""
    return "://" in text


def check_url(text: str) -> str:
    """The url of a lake, without a slash at its end.

    Raises:
        UsageError: it is none, or its endpoint is refused.
    """
    if not _URL.fullmatch(text) or "/../" in f"{text}/" or "/./" in f"{text}/":
        raise UsageError(f"lake {text!r}; allowed: s3://BUCKET or s3://BUCKET/PREFIX")
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"AWS_ENDPOINT_URL={endpoint}; allowed: https://HOST[:PORT]")
        if parts.scheme == "http" and not _may_be_plain(parts.hostname):
            raise UsageError(
                f"AWS_ENDPOINT_URL={endpoint} is not encrypted; allowed: https, http on this"
                " machine, or AWS_ALLOW_HTTP=true"
            )
    return text.rstrip("/")


def options_of(root: object) -> dict[str, str] | None:
    """What deltalake must be told of a table there; None for a folder."""
    if not str(root).startswith(SCHEME):
        return None
    is_plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
    return {**_PATIENCE, **({"aws_allow_http": "true"} if is_plain else {})}


def _may_be_plain(host: str) -> bool:
    return host in _LOOPBACK or os.environ.get("AWS_ALLOW_HTTP", "").lower() in ("true", "1")
