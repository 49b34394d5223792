"""What is said to JetStream, the store inside NATS: requests as JSON, answers checked. No I/O.

    subject, payload = open_stream(QueueLimits())
    check(await session.request(subject, payload))      # raises what JetStream refused

Source: https://docs.nats.io/reference/reference-protocols/nats_api_reference
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from contactor.clock import NS_PER_S
from contactor.errors import LinkError, LinkFull
from contactor.link import parts, topics
from contactor.link.ports import QueueLimits

STREAM = "CONTACTOR_UP"
PULL_BYTES = 32 * 2**20

# Source: https://github.com/nats-io/nats-server/blob/main/server/errors.json
STREAM_NOT_FOUND = 10059
NAME_IN_USE = 10058
NO_SPACE = frozenset({10002, 10023, 10047, 10077})
SERVER_FAILED = 500

_API = "$JS.API"

Request = tuple[str, bytes]


class JetStreamRefusal(LinkError):
    """JetStream refused a request; `err_code` is its number for the reason."""

    def __init__(self, message: str, *, code: int, err_code: int) -> None:
        super().__init__(message)
        self.code = code
        self.err_code = err_code


class _Refusal(msgspec.Struct, frozen=True):
    code: int
    err_code: int = 0
    description: str = ""


class _Answer(msgspec.Struct, frozen=True):
    error: _Refusal | None = None
    created: str = ""
    consumers: list[str] = []
    total: int = 0


_answer = msgspec.json.Decoder(_Answer)


def create_closed_stream(limits: QueueLimits) -> Request:
    """Make the stream so that it refuses every message, for want of room.

    Under interest retention a stream without a consumer acknowledges messages and forgets them.
    """
    closed = replace(limits, held_bytes=1)
    return f"{_API}.STREAM.CREATE.{STREAM}", _stream(closed, retention="limits")


def open_stream(limits: QueueLimits) -> Request:
    """Give an existing stream our settings."""
    return f"{_API}.STREAM.UPDATE.{STREAM}", _stream(limits, retention="interest")


def delete_stream() -> Request:
    """Remove the stream and all that is in it."""
    return f"{_API}.STREAM.DELETE.{STREAM}", b""


def create_consumer(
    name: str, subjects: Sequence[str], limits: QueueLimits, *, is_partial: bool
) -> Request:
    """Make a durable consumer, or give it our settings.

    Args:
        is_partial: whether it takes of some parts only; then it is not kept for ever.
    """
    config = {
        "name": name,
        "durable_name": name,
        "filter_subjects": subjects,
        "inactive_threshold": round(limits.idle_s * NS_PER_S) if is_partial else 0,
        "deliver_policy": "all",
        "ack_policy": "explicit",
        "ack_wait": round(limits.ack_wait_s * NS_PER_S),
        "max_ack_pending": limits.unacknowledged,
    }
    return f"{_API}.CONSUMER.CREATE.{STREAM}.{name}", _json(
        {"stream_name": STREAM, "config": config}
    )


def list_consumers(offset: int) -> Request:
    """Ask for the names of the stream's consumers, from the given place on."""
    return f"{_API}.CONSUMER.NAMES.{STREAM}", _json({"offset": offset})


def delete_consumer(name: str) -> Request:
    """Forget a consumer."""
    return f"{_API}.CONSUMER.DELETE.{STREAM}.{name}", b""


def pull(name: str, *, limit: int, expires_s: float, heartbeat_s: float) -> Request:
    """Ask for the next messages; the broker sends them as they come until it expires.

    While there are none it says so every `heartbeat_s`.
    """
    request = {
        "batch": limit,
        "max_bytes": PULL_BYTES,
        "expires": round(expires_s * NS_PER_S),
        "idle_heartbeat": round(heartbeat_s * NS_PER_S),
    }
    return f"{_API}.CONSUMER.MSG.NEXT.{STREAM}.{name}", _json(request)


def consumers(answer: bytes) -> tuple[list[str], int]:
    """The names in an answer to `list_consumers`, and how many there are in all.

    Raises:
        LinkError: as `check`.
    """
    accepted = _accepted(answer)
    return accepted.consumers, accepted.total


def check(answer: bytes) -> str:
    """Accept an answer; returns when the thing asked for was made, as JetStream writes it.

    Raises:
        LinkFull: the store is full.
        JetStreamRefusal: it refused for another reason.
        LinkError: this is no answer of JetStream.
    """
    return _accepted(answer).created


def _accepted(answer: bytes) -> _Answer:
    try:
        accepted = _answer.decode(answer)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise LinkError(f"no answer of JetStream: {error}") from error
    if (refusal := accepted.error) is None:
        return accepted
    text = " ".join(refusal.description.split()) or f"error {refusal.err_code or refusal.code}"
    if refusal.err_code in NO_SPACE:
        raise LinkFull(f"the broker's store is full: {text}")
    raise JetStreamRefusal(
        f"the broker refused: {text}", code=refusal.code, err_code=refusal.err_code
    )


def _stream(limits: QueueLimits, *, retention: str) -> bytes:
    return _json(
        {
            "name": STREAM,
            "subjects": [topics.ALL_UPLINKS],
            "subject_transform": parts.TRANSFORM,
            "storage": "file",
            "retention": retention,
            "discard": "new",
            "max_bytes": limits.held_bytes,
            "max_msgs": -1,
            "max_consumers": -1,
            "max_age": 0,
            "duplicate_window": round(limits.duplicate_window_s * NS_PER_S),
            "num_replicas": limits.replicas,
        }
    )


def _json(document: dict[str, Any]) -> bytes:
    return msgspec.json.encode(document)
