"""Frames to the payloads that the transport protocol ISO 15765-2 carries in several of them.

Transfers of one sender follow each other on one (bus, id, address); those of several interleave:

    7E4   03 22 01 01             request, a single frame
    7EC   10 3E 62 01 01 ...      answer of 62 bytes: first frame
    7E4   30 00 00                flow control
    7EC   21 ..   22 ..   28 ..   consecutive frames

Rules: a payload is complete only if every frame of it is there, in order, each soon after the one
before. Of one that breaks, the bytes up to the break are given, marked as not complete: they are
true, but not all. Whatever fits no transfer is counted by its cause.

    transfers = reassemble(frames, ids=[0x7EC])
    transfers.payload_of(0)               # b"\\x62\\x01\\x01..."
    transfers.row, transfers.faults       # rows of the last frames; {TransferFault.LOST: 2}

Source: ISO 15765-2:2016, 9 (network layer protocol).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from contactor.can.frames import MAX_STANDARD_ID, FrameTable
from contactor.can.isotp_segments import Segments, TransferFault, segments_of

# A single payload may be longer by the standard (4 GiB); no car's answer is.
MAX_PAYLOAD_BYTES = 1 << 20
# Frames of open transfers that wait for the next frames; beyond, the oldest transfers are given up.
MAX_WAITING_FRAMES = 1 << 18


class Addressing(StrEnum):
    """Where the address of a transfer is."""

    NORMAL = "normal"
    """In the id alone; so with 29 bit ids 18DAttss (normal fixed)."""
    EXTENDED = "extended"
    """The first byte of each frame is an address too: extended and mixed addressing."""


@dataclass(frozen=True, slots=True, eq=False)
class Transfers:
    """Columns of k transfers, in the order of their last frames.

    Fields:
        first_row, row: int64, rows of the first and the last frame that carry the payload, in the
            frames given last; the first lies before them (below 0) where it came in earlier ones.
        ts: int64, of the last frame (ns).
        bus, can_id, is_extended: as in the frame table.
        address: uint8, the address byte; 0 where there is none.
        length: int64, bytes as announced.
        is_complete: bool, whether all of them are there.
        offsets: int64 (k + 1,), where each payload begins in `payload`.
        payload: uint8, all payloads one after another.
        addressing: how they were read.
        faults: transfers that broke and frames that belong to none, by cause.
        flow_controls: flow control frames seen.
    """

    first_row: NDArray[np.int64]
    row: NDArray[np.int64]
    ts: NDArray[np.int64]
    bus: NDArray[np.uint8]
    can_id: NDArray[np.uint32]
    is_extended: NDArray[np.bool_]
    address: NDArray[np.uint8]
    length: NDArray[np.int64]
    is_complete: NDArray[np.bool_]
    offsets: NDArray[np.int64]
    payload: NDArray[np.uint8]
    addressing: Addressing
    faults: Mapping[TransferFault, int]
    flow_controls: int

    def __len__(self) -> int:
        return int(self.row.shape[0])

    @property
    def sizes(self) -> NDArray[np.int64]:
        """int64 (k,), bytes that are there."""
        return np.diff(self.offsets)

    def payload_of(self, number: int) -> bytes:
        """The bytes of one transfer, for the edges only."""
        return self.payload[self.offsets[number] : self.offsets[number + 1]].tobytes()

    def inside(self) -> "Transfers":
        """The same with no last row below 0: what ended before these frames counts as their first.

        That is so only of transfers without an end, which are given up later.
        """
        return replace(self, row=np.maximum(self.row, 0))

    def matrix(
        self, numbers: NDArray[np.int64], first: NDArray[np.int64] | int, width: int
    ) -> NDArray[np.uint8]:
        """Bytes of some transfers, with zeros past their ends.

        Args:
            numbers: int64 (n,), which transfers.
            first: the byte to begin with, of all or of each.
            width: bytes.

        Returns:
            uint8 (n, width).
        """
        begin = self.offsets[numbers] + first
        there = np.clip(self.offsets[numbers + 1] - begin, 0, width)
        matrix = np.zeros((len(numbers), width), np.uint8)
        is_there = np.arange(width) < there[:, None]
        places = (begin[:, None] + np.arange(width))[is_there]
        matrix[is_there] = self.payload[places]
        return matrix


def reassemble(
    frames: FrameTable,
    *,
    addressing: Addressing = Addressing.NORMAL,
    ids: Collection[int] | None = None,
) -> Transfers:
    """The transfers of a whole log.

    Args:
        frames: any frames; error and remote frames carry nothing.
        addressing: where addresses are.
        ids: whose frames to take, those above 0x7FF with 29 bits; None for all frames, which makes
            sense of diagnostic traffic alone: other frames are counted as malformed, or worse, look
            like transfers.
    """
    return IsoTpReassembler(addressing=addressing, ids=ids).feed(frames, is_last=True)


class IsoTpReassembler:
    """Reassembles a log that comes in chunks; what is open at the end of one waits for the next.

    reassembler = IsoTpReassembler(ids=[0x7EC])
    for frames in chunks:
        transfers = reassembler.feed(frames)      # rows of `frames`
    rest = reassembler.finish()                   # what never ended; rows of the last `frames`
    """

    def __init__(
        self, *, addressing: Addressing = Addressing.NORMAL, ids: Collection[int] | None = None
    ) -> None:
        """Take the frames of `ids` alone, as `reassemble`."""
        self._addressing = addressing
        self._ids = None if ids is None else _Ids(ids)
        self._waiting = FrameTable.empty()
        self._waiting_rows = np.zeros(0, np.int64)
        self._last = 0  # how many frames came last

    def feed(self, frames: FrameTable, *, is_last: bool = False) -> Transfers:
        """The transfers that end in these frames.

        Args:
            frames: what was recorded next.
            is_last: nothing follows, so that what is open now has no end.
        """
        carries = ~(frames.is_error | frames.is_remote)
        if self._ids is not None:
            carries &= self._ids.are_in(frames)
        rows = np.flatnonzero(carries)
        table = frames.take(rows) if len(rows) < len(frames) else frames
        if len(self._waiting):
            table = FrameTable.concat((self._waiting, table))
        self._last = len(frames)
        return self._step(table, np.concatenate((self._waiting_rows, rows)), is_last=is_last)

    def finish(self) -> Transfers:
        """The transfers that have no end: all that waited."""
        return self._step(self._waiting, self._waiting_rows + self._last, is_last=True)

    def _step(self, table: FrameTable, rows: NDArray[np.int64], *, is_last: bool) -> Transfers:
        address_bytes = int(self._addressing is Addressing.EXTENDED)
        segments = segments_of(table, address_bytes=address_bytes, max_bytes=MAX_PAYLOAD_BYTES)
        is_kept = segments.newest_open(0 if is_last else MAX_WAITING_FRAMES)
        places = segments.places_of(is_kept)
        self._waiting = table.take(places)
        self._waiting_rows = rows[places] - self._last
        return _transfers(table, rows, segments, is_kept, self._addressing)


class _Ids:
    """Which frames have one of some ids."""

    def __init__(self, ids: Collection[int]) -> None:
        self._is_standard = np.zeros(MAX_STANDARD_ID + 1, np.bool_)
        self._is_standard[[number for number in ids if number <= MAX_STANDARD_ID]] = True
        extended = sorted(number for number in ids if number > MAX_STANDARD_ID)
        self._extended = np.array(extended, np.uint32)

    def are_in(self, frames: FrameTable) -> NDArray[np.bool_]:
        is_in: NDArray[np.bool_] = self._is_standard[frames.can_id & MAX_STANDARD_ID]
        is_in &= ~frames.is_extended & (frames.can_id <= MAX_STANDARD_ID)
        if len(self._extended):
            rows = np.flatnonzero(frames.is_extended)
            is_in[rows] = np.isin(frames.can_id[rows], self._extended)
        return is_in


def _offsets(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes)))


def _transfers(
    table: FrameTable,
    rows: NDArray[np.int64],
    segments: Segments,
    is_kept: NDArray[np.bool_],
    addressing: Addressing,
) -> Transfers:
    """The transfers of all segments but those that are kept for later."""
    given = np.flatnonzero(segments.has_payload & ~is_kept)
    last = segments.order[segments.head[given] + segments.good[given]]
    given = given[np.argsort(rows[last], kind="stable")]
    head = segments.order[segments.head[given]]
    last = segments.order[segments.head[given] + segments.good[given]]
    sizes = segments.size[given]
    return Transfers(
        first_row=rows[head],
        # One that a later chunk broke: its last frame is gone, the chunk's first row stands for it.
        row=np.maximum(rows[last], 0),
        ts=table.ts[last],
        bus=table.bus[head],
        can_id=table.can_id[head],
        is_extended=table.is_extended[head],
        address=segments.address[head],
        length=segments.total[given],
        is_complete=segments.is_complete[given],
        offsets=_offsets(sizes),
        payload=segments.payloads(table.data, given),
        addressing=addressing,
        faults=segments.faults(is_kept),
        flow_controls=segments.flow_controls,
    )
