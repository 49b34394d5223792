"""Frames of the transport protocol, cut where a transfer begins: the arithmetic of reassembly.

All frames of a (bus, id, address) lie in a row of the order of recording; a single or first frame
begins a segment, and what follows up to the next one can only belong to it:

    order      F C C C | S | F C C | F C C C ...
    position   0 1 2 3   0   0 1 2   0 1 2 3
    segment    0         1   2       3

A transfer is complete if the frames that it needs follow, each with the number of its position.
So the whole protocol is sums and comparisons over columns.

    segments = segments_of(table, address_bytes=0, max_bytes=1 << 20)
    segments.is_complete, segments.payloads(table.data, np.flatnonzero(segments.has_payload))
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from contactor.can.frames import FrameTable
from contactor.can.isotp_frames import (
    CONSECUTIVE,
    FIRST,
    FLOW_CONTROL,
    MALFORMED,
    SINGLE,
    frames_said,
)

# N_Cr is 1 s (ISO 15765-2:2016, 9.8); a receiver that asks to wait may hold its sender longer, for
# which diagnostics allow 5 s (P2* of ISO 14229-2).
MAX_GAP_NS = 5_000_000_000
SEQUENCE = 16
NEVER = np.iinfo(np.int64).max


class TransferFault(StrEnum):
    """Why a transfer is not complete, or a frame belongs to none."""

    LOST = "consecutive frames are missing"
    WRONG_SEQUENCE = "consecutive frames are repeated or out of order"
    LATE = "the next frame came too late"
    SHORT = "a consecutive frame is too short"
    UNFINISHED = "the transfer has no end"
    TOO_LONG = "the payload is announced longer than any car's"
    UNEXPECTED = "a consecutive frame belongs to no transfer"
    MALFORMED = "the frame is none of the protocol"


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """Segments of a table's frames, s of them over n ordered frames.

    Fields:
        order: int64 (n,), places in the table.
        start: int64 (table,), where each frame's share of its payload begins.
        address: uint8 (table,), the address byte, 0 where there is none.
        head: int64 (s,), the segment's first frame, in `order`.
        count: int64 (s,), frames after it.
        good: int64 (s,), how many of those carry on the transfer.
        total: int64 (s,), bytes announced; `first_size` and `next_size` are those of the first
            frame and of each next one.
        size: int64 (s,), bytes that are there.
        has_payload: bool (s,), whether it begins as a transfer that we take.
        is_complete, is_open: bool (s,); open is one that later frames may complete.
        breaks: which transfers broke, by cause, bool (s,).
        unexpected: int64 (s,), consecutive frames that belong to no transfer.
        malformed, flow_controls: frames outside of all segments.
    """

    order: NDArray[np.int64]
    start: NDArray[np.int64]
    address: NDArray[np.uint8]
    head: NDArray[np.int64]
    count: NDArray[np.int64]
    good: NDArray[np.int64]
    total: NDArray[np.int64]
    first_size: NDArray[np.int64]
    next_size: NDArray[np.int64]
    size: NDArray[np.int64]
    has_payload: NDArray[np.bool_]
    is_complete: NDArray[np.bool_]
    is_open: NDArray[np.bool_]
    breaks: Mapping[TransferFault, NDArray[np.bool_]]
    unexpected: NDArray[np.int64]
    malformed: int
    flow_controls: int

    def __len__(self) -> int:
        return int(self.head.shape[0])

    def newest_open(self, max_frames: int) -> NDArray[np.bool_]:
        """The open segments, or as many of those that came last as have that many frames."""
        numbers = np.flatnonzero(self.is_open)
        frames = self.count[numbers] + 1
        newest = np.argsort(-self.order[self.head[numbers] + self.count[numbers]], kind="stable")
        fits = np.cumsum(frames[newest]) <= max_frames
        is_kept = np.zeros(len(self), np.bool_)
        is_kept[numbers[newest[fits]]] = True
        return is_kept

    def places_of(self, is_kept: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The places in the table of all frames of some segments, ascending."""
        return np.sort(self.order[np.repeat(is_kept, self.count + 1)])

    def faults(self, is_kept: NDArray[np.bool_]) -> dict[TransferFault, int]:
        """How often what went wrong, but for segments that are kept."""
        counts = {cause: int((broke & ~is_kept).sum()) for cause, broke in self.breaks.items()}
        counts[TransferFault.UNEXPECTED] = int(self.unexpected.sum())
        counts[TransferFault.MALFORMED] = self.malformed
        return {cause: count for cause, count in counts.items() if count}

    def payloads(self, data: NDArray[np.uint8], given: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The bytes of some segments one after another.

        Args:
            data: the table's.
            given: int64 (k,), which segments, in the order wanted.
        """
        frames = self.good[given] + 1
        segment = np.repeat(given, frames)
        position = _counted(frames)
        before = np.where(
            position == 0,
            0,
            self.first_size[segment] + (position - 1) * self.next_size[segment],
        )
        share = np.where(position == 0, self.first_size[segment], self.next_size[segment])
        share = np.minimum(share, self.size[segment] - before)
        place = self.order[self.head[segment] + position]
        column = np.repeat(self.start[place], share) + _counted(share)
        taken: NDArray[np.uint8] = data[np.repeat(place, share), column]
        return taken


def segments_of(table: FrameTable, *, address_bytes: int, max_bytes: int) -> Segments:
    """Cut frames into segments and judge each.

    Args:
        table: n frames with payloads.
        address_bytes: 0, or 1 where an address comes first.
        max_bytes: the longest payload that is taken.
    """
    said = frames_said(table.data, table.length, address_bytes=address_bytes)
    has_address = address_bytes == 1
    address = table.data[:, 0] if has_address else np.zeros(len(table), np.uint8)
    places = np.flatnonzero(said.kind <= CONSECUTIVE)
    lane = (
        table.bus[places].astype(np.int64) << 38
        | table.is_extended[places].astype(np.int64) << 37
        | table.can_id[places].astype(np.int64) << 8
        | address[places]
    )
    ordered = np.argsort(lane, kind="stable")
    order, lane = places[ordered], lane[ordered]
    kind, share = said.kind[order], said.size[order]
    begins_lane = np.ones(len(order), np.bool_)
    begins_lane[1:] = lane[1:] != lane[:-1]
    head = np.flatnonzero((kind != CONSECUTIVE) | begins_lane)
    count = np.diff(np.append(head, len(order))) - 1
    position = _counted(count + 1)

    total = said.total[order[head]]
    is_single, is_first = kind[head] == SINGLE, kind[head] == FIRST
    is_taken = is_first & (total <= max_bytes)
    first_size = np.where(is_single, total, share[head])
    next_size = np.maximum(table.length[order[head]].astype(np.int64) - address_bytes - 1, 1)
    needed = np.where(is_taken, -(-(total - first_size) // next_size), 0)

    ahead = (said.sequence[order].astype(np.int64) - position) % SEQUENCE
    left = np.repeat(total - first_size, count + 1) - (position - 1) * np.repeat(
        next_size, count + 1
    )
    is_short = share < np.minimum(left, np.repeat(next_size, count + 1))
    is_late = np.zeros(len(order), np.bool_)
    is_late[1:] = np.diff(table.ts[order]) > MAX_GAP_NS
    is_due = (position > 0) & (position <= np.repeat(needed, count + 1))
    is_bad = is_due & ((ahead != 0) | is_short | is_late)
    first_bad = np.full(len(head), NEVER)
    if len(head):
        first_bad = np.minimum.reduceat(np.where(is_bad, position, NEVER), head)
    is_broken = first_bad != NEVER
    bad_at = np.where(is_broken, head + np.where(is_broken, first_bad, 0), 0)
    late, jump = is_late[bad_at], ahead[bad_at]
    # What a frame that is too short has is still what comes next.
    cut_short = is_broken & ~late & (jump == 0)
    good = np.where(is_broken, first_bad - 1, np.minimum(count, needed))
    size = first_size + good * next_size + np.where(cut_short, share[bad_at], 0)
    good += cut_short
    is_complete = is_single | (is_taken & ~is_broken & (good == needed))
    ends_lane = np.append(begins_lane[head[1:]], True)[: len(head)]
    is_waiting = is_taken & ~is_complete & ~is_broken

    skips = is_broken & ~late & (jump > 0) & (jump < SEQUENCE // 2)
    spare = np.where(is_taken & ~is_complete, 0, count - good)
    spare[is_first & ~is_taken] = 0
    return Segments(
        order=order,
        start=said.start,
        address=address,
        head=head,
        count=count,
        good=good,
        total=total,
        first_size=first_size,
        next_size=next_size,
        size=np.minimum(total, size),
        has_payload=is_single | is_taken,
        is_complete=is_complete,
        is_open=is_waiting & ends_lane,
        breaks={
            TransferFault.LOST: skips,
            TransferFault.WRONG_SEQUENCE: is_broken & ~late & (jump >= SEQUENCE // 2),
            TransferFault.LATE: is_broken & late,
            TransferFault.SHORT: cut_short,
            TransferFault.UNFINISHED: is_waiting,
            TransferFault.TOO_LONG: is_first & ~is_taken,
        },
        unexpected=spare + ((kind[head] == CONSECUTIVE) & begins_lane[head]),
        malformed=int((said.kind == MALFORMED).sum()),
        flow_controls=int((said.kind == FLOW_CONTROL).sum()),
    )


def _counted(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """0, 1, 2 ... for each of some sizes, one after another."""
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) - np.repeat(ends - sizes, sizes)
