"""Which of 64 parts a vehicle falls to: how many ingests share one queue.

    contactor.v1.up.leaf       as a car puts it; no car knows of parts
    contactor.v1.up.21.leaf    as the broker keeps it: the stream's subject transform says so

The part is FNV-1a, 32 bits, of the vehicle id's bytes, modulo 64: what NATS calls `partition`, so
the broker, this module and any other language agree. It never changes, whatever the number of
ingests: each takes some of the parts (`cloud.ingest.partition`).

    part_of("leaf")                                     # 21
    kept_as(topics.ALL_UPLINKS, frozenset({20, 21}))    # the filters of one consumer
    sent_as("contactor.v1.up.21.leaf")                  # 'contactor.v1.up.leaf'

Source: http://www.isthe.com/chongo/tech/comp/fnv/, https://docs.nats.io (subject mapping)
"""

from collections.abc import Collection
from functools import lru_cache
from typing import Final

from contactor.link import topics

PARTS: Final = 64

_OFFSET: Final = 2_166_136_261
_PRIME: Final = 16_777_619
_UPLINK: Final = topics.ALL_UPLINKS.removesuffix(topics.ANY)

TRANSFORM: Final = {
    "src": topics.ALL_UPLINKS,
    "dest": f"{_UPLINK}{{{{partition({PARTS},1)}}}}.{{{{wildcard(1)}}}}",
}
"""What the stream does to a subject before it keeps the message."""


def part_of(vehicle_id: str) -> int:
    """The part of a vehicle, 0 to 63."""
    value = _OFFSET
    for byte in vehicle_id.encode():
        value = (value ^ byte) * _PRIME & 0xFFFFFFFF
    return value % PARTS


def kept_as(pattern: str, parts: Collection[int] | None) -> list[str]:
    """The subjects under which the broker keeps what was put under `pattern`, of those parts.

    Before there were parts it kept a message as it came: that subject is always among them.
    """
    if not pattern.startswith(_UPLINK):
        return [pattern]
    vehicle = pattern.removeprefix(_UPLINK)
    if vehicle != topics.ANY:
        return [pattern, f"{_UPLINK}{part_of(vehicle)}.{vehicle}"]
    if parts is None or len(parts) == PARTS:
        return [f"{_UPLINK}>"]
    return [pattern, *(f"{_UPLINK}{part}.{topics.ANY}" for part in sorted(parts))]


@lru_cache(maxsize=topics.MAX_REMEMBERED)
def sent_as(subject: str) -> str:
    """The subject as the car put it, of one under which the broker keeps it."""
    rest = subject.removeprefix(_UPLINK)
    if rest == subject:
        return subject
    part, dot, vehicle = rest.partition(".")
    return f"{_UPLINK}{vehicle}" if dot and part.isdigit() else subject
