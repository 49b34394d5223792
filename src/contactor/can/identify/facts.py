"""What is told of ids and buses, as plain values for JSON: unknown is None.

Bits are named as a DBC names them, `START|LENGTH@ORDER` and the sign, + or -: order 0 is big endian
(the start is the highest bit), 1 little endian (the lowest). Bytes count from 0.
"""

from typing import TypedDict


class CounterFacts(TypedDict):
    """Bits that go on by `step` from frame to frame; `held` of `checked` steps did."""

    bits: str
    step: int
    modulo: int
    checked: int
    held: int


class ChecksumFacts(TypedDict):
    """A byte or nibble that follows from the others.

    `kind` is "xor", "sum", "negative sum" or "crc8"; a CRC has a `polynomial`, x^8 left out and
    not turned over where the bits are (`is_reflected`). `constant` is what remains when the
    payload is taken away: start value, final exclusive or and id in one.
    """

    bits: str
    kind: str
    polynomial: str | None
    is_reflected: bool
    constant: int
    checked: int
    held: int


class SignalGuess(TypedDict):
    """Bits that move like one number.

    `roughness` is the mean step over the range seen: near 0 glides, a third is noise.
    """

    bits: str
    min: int
    max: int
    roughness: float


class MultiplexerFacts(TypedDict):
    """A byte whose value decides what the others mean: `depending` bytes are steady within each."""

    byte: int
    values: list[int]
    depending: list[int]


class IdentifierFacts(TypedDict):
    """The frames of one id, as they look without a database.

    Fields:
        cycle_time_ms: the median step from frame to frame.
        jitter_ms: 90 % of the steps are that close to the median.
        longest_gap_ms: the longest step.
        rate_hz: steps over the time they took.
        sending: "cyclic", "event", or None of too few frames.
        length: the longest payload; `lengths` all that occurred.
        changing_bits: hex mask of the payload's bits that were not always the same.
        bytes_min, bytes_max: of each byte.
        bit_flips: for each byte how often each bit, from 7 down to 0, differed from the last frame.
        is_diagnostic: an id of diagnosis with frames of ISO 15765-2; nothing is guessed of it.
        text: readable text in the payload, None where there is none.
    """

    frames: int
    cycle_time_ms: float | None
    length: int
    changing_bits: str
    bus: int
    first_ts: int
    last_ts: int
    jitter_ms: float | None
    longest_gap_ms: float | None
    rate_hz: float | None
    sending: str | None
    lengths: list[int]
    bytes_min: list[int]
    bytes_max: list[int]
    bit_flips: list[list[int]]
    counters: list[CounterFacts]
    checksums: list[ChecksumFacts]
    multiplexer: MultiplexerFacts | None
    signals: list[SignalGuess]
    text: str | None
    is_diagnostic: bool


class BusFacts(TypedDict):
    """One bus: how busy it is.

    `bits_per_s` counts every frame's bits and the pause after it, without stuff bits (ISO 11898-1;
    a CAN FD frame as if it were a classic one): at least so much of the bit rate is taken.
    `left_out` are data frames of ids beyond the first 4096 of all buses: counted, and no more told.
    """

    frames: int
    ids: int
    left_out: int
    frames_per_s: float | None
    bits_per_s: float | None
