"""Container frames taken apart: the messages that one frame carries, each with a small header.

    ┌──────────────┬─────────┬────────────┬──────────────┬─────────┬──────── ─ ─
    │ header id    │ length  │ payload    │ header id    │ length  │ payload
    │ 24 bits      │ 8 bits  │            │ 24 bits      │ 8 bits  │
    └──────────────┴─────────┴────────────┴──────────────┴─────────┴──────── ─ ─

A frame is walked from its first byte, all frames in step. A message that is cut short by the end of
its frame has the bytes that are there, and its frame is counted as broken; so is one that ends in a
piece too short for a header. Header ids that the container does not know are passed over and
counted. Zeros at the end are padding.

    unpacked = unpack(frames, plan.messages[5], rows)
    unpacked.parts[0].message.name, unpacked.parts[0].rows      # ("message1", rows of `frames`)
    unpacked.broken, unpacked.unknown                           # counts

Source: AUTOSAR, "Specification of I-PDU Multiplexer", container I-PDUs with a short header.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contactor.can.frames import CLASSIC_BYTES, FD_BYTES, FrameTable
from contactor.can.plan import MessagePlan

HEADER_BYTES = 4
ID_BYTES = 3


@dataclass(frozen=True, slots=True, eq=False)
class ContainedFrames:
    """All that was carried of one message.

    Fields:
        rows: int64 (k,), the rows of the frames that carried it, ascending; a frame may repeat.
        data: uint8 (k, w), payloads padded with zeros.
        length: uint8 (k,), how many bytes of each are there.
    """

    message: MessagePlan
    rows: NDArray[np.int64]
    data: NDArray[np.uint8]
    length: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Unpacked:
    """What container frames held.

    Fields:
        parts: in the order of the container's messages, those that were there.
        broken: frames that end within a message or a header.
        unknown: contained messages whose header id the database does not have.
    """

    parts: tuple[ContainedFrames, ...]
    broken: int
    unknown: int


def unpack(frames: FrameTable, container: MessagePlan, rows: NDArray[np.int64]) -> Unpacked:
    """Take container frames apart.

    Args:
        rows: int64 (n,), ascending, the container's frames.
    """
    rows = rows.astype(np.int64, copy=False)
    data = frames.data[rows]
    ends = np.minimum(frames.length[rows], data.shape[1]).astype(np.int64)
    found: dict[int, list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]] = {}
    unknown = 0
    is_broken = np.zeros(len(rows), np.bool_)
    at = np.arange(len(rows))
    position = np.zeros(len(rows), np.int64)
    while len(at):
        is_short = position + HEADER_BYTES > ends[at]
        is_broken[at[is_short]] = _is_any_set(data, at[is_short], position[is_short])
        at, position = at[~is_short], position[~is_short]
        header_ids, lengths = _headers(data, at, position, container.header_order)
        position = position + HEADER_BYTES
        is_cut = position + lengths > ends[at]
        is_broken[at[is_cut]] = True
        there = np.where(is_cut, ends[at] - position, lengths)
        is_known = np.zeros(len(at), np.bool_)
        for place, message in enumerate(container.contained):
            chosen = np.flatnonzero((header_ids == message.header_id) & ~is_known)
            if len(chosen):
                is_known[chosen] = True
                found.setdefault(place, []).append((at[chosen], position[chosen], there[chosen]))
        unknown += int(np.count_nonzero(~is_known & ((header_ids != 0) | (lengths != 0))))
        position = position + there
        is_left = position < ends[at]
        at, position = at[is_left], position[is_left]
    parts = [_part(container.contained[place], found[place], data, rows) for place in sorted(found)]
    return Unpacked(tuple(parts), int(is_broken.sum()), unknown)


def _headers(
    data: NDArray[np.uint8], at: NDArray[np.int64], position: NDArray[np.int64], order: str
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Header ids and lengths."""
    header = data[at[:, None], position[:, None] + np.arange(HEADER_BYTES)].astype(np.int64)
    shifts = np.array([16, 8, 0] if order == "big_endian" else [0, 8, 16])
    return (header[:, :ID_BYTES] << shifts).sum(axis=1), header[:, ID_BYTES]


def _is_any_set(
    data: NDArray[np.uint8], at: NDArray[np.int64], position: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether there is more than padding from `position` on; tables are zero past the length."""
    is_behind = np.arange(data.shape[1]) >= position[:, None]
    is_set: NDArray[np.bool_] = ((data[at] != 0) & is_behind).any(axis=1)
    return is_set


def _part(
    message: MessagePlan,
    pieces: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]],
    data: NDArray[np.uint8],
    rows: NDArray[np.int64],
) -> ContainedFrames:
    """The payloads of one contained message, in the order of frames."""
    at, start, length = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
    order = np.argsort(at, kind="stable")
    at, start, length = at[order], start[order], length[order]
    width = CLASSIC_BYTES if length.max() <= CLASSIC_BYTES else FD_BYTES
    bytes_of = np.arange(width)
    source = np.minimum(start[:, None] + bytes_of, data.shape[1] - 1)
    payloads = np.where(bytes_of < length[:, None], data[at[:, None], source], np.uint8(0))
    return ContainedFrames(message, rows[at], payloads, length.astype(np.uint8))
