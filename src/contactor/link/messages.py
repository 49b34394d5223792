"""The small messages of the watermark protocol, as MessagePack, versioned and bounded.

    hello     = ["hello/1", vehicle_id, profile, [[stream, lane, first, last], ...], flush, closing,
                 asleep]
    watermark = ["watermark/1", vehicle_id, stream, watermark, [[first, last], ...], rows_stored,
                 rows_refused, {reason: count}, committed_at, needs_codebook]

A car says hello when it connects, when it stands still and when it asks; the cloud answers with
one watermark per stream. Both may be lost: each is said again.

    decode_hello(encode_hello(hello)) == hello
"""

from collections.abc import Mapping
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from contactor.errors import MalformedRecord

MAX_BYTES = 262_144
MAX_STREAMS = 1_024
MAX_MISSING = 64
MAX_REASONS = 256
MAX_REASON_CHARACTERS = 400
OTHER_REASONS = "other reasons"

_Count = Annotated[int, Meta(ge=0, le=2**62)]
_Sequence = Annotated[int, Meta(ge=1, le=2**62)]
_Stream = Annotated[int, Meta(ge=0)]
_VehicleId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
_Reason = Annotated[str, Meta(max_length=MAX_REASON_CHARACTERS)]
_Message = TypeVar("_Message")


class StreamHello(Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """Where one stream of an outbox stands; `first` is `last + 1` when nothing is held.

    Args:
        stream: the stream's number, 64 bits.
        lane: its priority: urgent, live or backlog.
        first: the lowest sequence still held.
        last: the highest sequence ever made, 0 for none.
    """

    stream: _Stream
    lane: Annotated[str, Meta(max_length=32)]
    first: _Sequence
    last: _Count

    def __post_init__(self) -> None:
        if self.first > self.last + 1:
            raise ValueError(f"first held {self.first}, but the last made is {self.last}")


class Hello(Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag="hello/1"):
    """What a car holds.

    Args:
        flush: it waits for its last messages to be stored: commit now, not at the next flush.
        closing: this is a clean end; the car is asleep from now on, not lost.
        asleep: the car's buses are silent on purpose; its agent listens on.
    """

    vehicle_id: _VehicleId
    profile: Annotated[str, Meta(max_length=200)]
    streams: Annotated[tuple[StreamHello, ...], Meta(max_length=MAX_STREAMS)]
    flush: bool = False
    closing: bool = False
    asleep: bool = False


class Watermark(
    Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag="watermark/1"
):
    """What the cloud has of one stream.

    Args:
        watermark: the greatest n with all of 1..n committed or durably quarantined.
        missing: inclusive ranges absent between it and the highest seen, ascending; the first
            `MAX_MISSING` of them.
        rows_stored: rows of this stream in the lake.
        rows_refused: rows of this stream in quarantine, by reason in `refused`.
        committed_at: ns UTC of the last commit, 0 for none.
        needs_codebook: records of the stream wait for their codebook: send it.
    """

    vehicle_id: _VehicleId
    stream: _Stream
    watermark: _Count
    missing: Annotated[tuple[tuple[_Sequence, _Sequence], ...], Meta(max_length=MAX_MISSING)]
    rows_stored: _Count
    rows_refused: _Count
    refused: Annotated[Mapping[_Reason, _Count], Meta(max_length=MAX_REASONS)]
    committed_at: _Count
    needs_codebook: bool = False

    def __post_init__(self) -> None:
        end = self.watermark
        for first, last in self.missing:
            if not end < first <= last:
                raise ValueError(f"missing {first}..{last} after {end}: not ascending")
            end = last


_encoder = msgspec.msgpack.Encoder()
_hello = msgspec.msgpack.Decoder(Hello)
_watermark = msgspec.msgpack.Decoder(Watermark)


def encode_hello(hello: Hello) -> bytes:
    """The wire form of a hello.

    Raises:
        ValueError: it names more than `MAX_STREAMS` streams.
    """
    if len(hello.streams) > MAX_STREAMS:
        raise ValueError(f"hello of {len(hello.streams)} streams; the limit is {MAX_STREAMS}")
    return _encoder.encode(hello)


def encode_watermark(watermark: Watermark) -> bytes:
    """The wire form of a watermark, cut to the limits: a car can always read it.

    A question for the codebook is left out where there is none: an older car does not know it.
    """
    told = msgspec.structs.replace(
        watermark,
        missing=watermark.missing[:MAX_MISSING],
        refused=_bounded(watermark.refused),
    )
    if told.needs_codebook:
        return _encoder.encode(told)
    return _encoder.encode(("watermark/1", *msgspec.structs.astuple(told)[:-1]))


def decode_hello(payload: bytes) -> Hello:
    """The hello in `payload`.

    Raises:
        MalformedRecord: too large, or not our form.
    """
    return decode_bounded(payload, _hello, "hello", limit_bytes=MAX_BYTES)


def decode_watermark(payload: bytes) -> Watermark:
    """The watermark in `payload`.

    Raises:
        MalformedRecord: too large, or not our form.
    """
    return decode_bounded(payload, _watermark, "watermark", limit_bytes=MAX_BYTES)


def decode_bounded(
    payload: bytes, decoder: msgspec.msgpack.Decoder[_Message], what: str, *, limit_bytes: int
) -> _Message:
    """The message in `payload`, checked for size, then form.

    Raises:
        MalformedRecord: too large, or not of that form; the text says `what` was expected.
    """
    if len(payload) > limit_bytes:
        raise MalformedRecord(f"{what} of {len(payload)} bytes; the limit is {limit_bytes}")
    try:
        return decoder.decode(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MalformedRecord(f"no {what}: {error}") from error


def _bounded(refused: Mapping[str, int]) -> dict[str, int]:
    """The counts under reasons short and few enough; their sum stays."""
    bounded: dict[str, int] = {}
    for reason, count in refused.items():
        key = reason[:MAX_REASON_CHARACTERS]
        if key not in bounded and len(bounded) >= MAX_REASONS - 1:
            key = OTHER_REASONS
        bounded[key] = bounded.get(key, 0) + count
    return bounded
