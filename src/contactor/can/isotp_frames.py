"""What the first bytes of frames say in the transport protocol, as columns.

One byte may come before them: the address of extended and mixed addressing.

    single       0n ......          n bytes follow; of more than 8 bytes (CAN FD): 00 nn ......
    first        1n nn ......       nnn bytes in all; longer than 4095: 10 00 nn nn nn nn ......
    consecutive  2s ......          s counts 1, 2 ... 15, 0, 1 ...
    flow control 3f bb tt           f: go on, wait, no room

    said = frames_said(data, length, address_bytes=0)
    said.kind, said.total, said.start

Source: ISO 15765-2:2016, 9.6 (protocol control information) and 10 (addressing).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SINGLE, FIRST, CONSECUTIVE, FLOW_CONTROL, MALFORMED = range(5)

CLASSIC_BYTES = 8
# The most that the 12 bit length of a first frame can say; beyond, it has 32 bits (9.6.3.2).
MAX_SHORT_LENGTH = 0xFFF
FLOW_STATES = 3
FLOW_CONTROL_BYTES = 3


@dataclass(frozen=True, slots=True, eq=False)
class FramesSaid:
    """The protocol's view of k frames.

    Fields:
        kind: uint8, one of the constants above.
        total: int64, bytes of the whole payload, of single and first frames.
        sequence: uint8, 0..15, of consecutive frames.
        start: int64, where the frame's share of the payload begins.
        size: int64, how many bytes from there on the frame has.
    """

    kind: NDArray[np.uint8]
    total: NDArray[np.int64]
    sequence: NDArray[np.uint8]
    start: NDArray[np.int64]
    size: NDArray[np.int64]


def frames_said(
    data: NDArray[np.uint8], length: NDArray[np.uint8], *, address_bytes: int
) -> FramesSaid:
    """Read the protocol's bytes.

    Args:
        data: (k, 8 or 64).
        length: (k,), bytes of each frame.
        address_bytes: 0, or 1 where an address comes first.

    Returns:
        Frames that the standard tells a receiver to ignore are `MALFORMED`.
    """
    first, second = data[:, address_bytes], data[:, address_bytes + 1].astype(np.int64)
    low = (first & 0xF).astype(np.int64)
    frame_bytes = length.astype(np.int64)
    there = frame_bytes - address_bytes
    kind = np.where(there > 0, first >> 4, MALFORMED).astype(np.uint8)
    total = np.zeros(len(kind), np.int64)
    head = np.ones(len(kind), np.int64)

    at = kind == SINGLE
    is_long = frame_bytes > CLASSIC_BYTES
    total[at] = np.where(is_long, np.where(low == 0, second, 0), low)[at]
    head[at & is_long] = 2

    at = kind == FIRST
    short_total = low << 8 | second
    total[at] = short_total[at]
    head[at] = 2
    at &= short_total == 0
    total[at] = _number(data[at, address_bytes + 2 : address_bytes + 6])
    head[at] = 6

    size = there - head
    is_well_formed = np.select(
        [kind == SINGLE, kind == FIRST, kind == CONSECUTIVE, kind == FLOW_CONTROL],
        [
            (total > 0) & (total <= size),
            (frame_bytes >= CLASSIC_BYTES)
            & (total > size)
            & ((head == 2) | (total > MAX_SHORT_LENGTH)),
            size > 0,
            (low < FLOW_STATES) & (there >= FLOW_CONTROL_BYTES),
        ],
        default=False,
    )
    kind[~is_well_formed] = MALFORMED
    sequence = np.bitwise_and(first, np.uint8(0xF))
    return FramesSaid(kind, total, sequence, head + address_bytes, size)


def _number(column: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Bytes (k, 4) as numbers, the highest first."""
    return np.ascontiguousarray(column).view(">u4")[:, 0].astype(np.int64)
