"""The records of one data group, a chunk at a time: frames in the order of the file.

Sorted groups hold records of one form. In unsorted ones each record begins with its id, and records
of several groups are mixed; those of a signal's group hold the payloads of frames before or after
them, found by their place in all of the signal's data. Frames wait until their payload has come.

    for frames, faults in SortedRun(blocks, group, ...).tables():
        ...

A run that is damaged ends there: what is whole is given, the rest is a fault.
"""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from contactor.can.frames import CLASSIC_BYTES, FD_BYTES, FrameTable
from contactor.can.readers.lines import Positions
from contactor.can.readers.mf4.blocks import Blocks
from contactor.can.readers.mf4.data import RECORDS, SIGNALS, DataBytes
from contactor.can.readers.mf4.groups import DataGroup, FrameGroup
from contactor.can.readers.mf4.rows import IS_CUT, IS_SHORT, Rows, rows_of
from contactor.can.readers.mf4.splitting import LENGTH_BYTES, PAD, Split, Splitter
from contactor.can.readers.parsed import Cause, Fault
from contactor.errors import LogError

Octets = NDArray[np.uint8]
Tables: TypeAlias = Iterator[tuple[FrameTable, tuple[Fault, ...]]]

# Signal data looked at together, for payloads that lie near each other.
SPAN_BYTES = 4 * 1024 * 1024
# Payloads of an unsorted group that are kept for frames that come later, and frames that wait.
KEPT_PAYLOADS = 16 * 1024
MAX_WAITING = 256 * 1024
SHOWN_BYTES = 24


class SortedRun:
    """Records of one group of frames."""

    def __init__(
        self,
        blocks: Blocks,
        group: DataGroup,
        *,
        start_ns: int,
        is_unfinished: bool,
    ) -> None:
        """Look the data up; raises LogError where links lead nowhere."""
        self._frames = group.frames[0]
        self._start_ns = start_ns
        data = DataBytes(blocks, group.data, RECORDS, is_unfinished=is_unfinished)
        self._data = data
        payload = self._frames.payload
        self._signal = (
            DataBytes(blocks, payload.signal, SIGNALS, is_unfinished=is_unfinished)
            if payload and payload.signal
            else None
        )
        invalid_bytes = 0 if data.is_bare else self._frames.invalid_bytes
        self._record_bytes = max(self._frames.data_bytes + invalid_bytes, 1)
        whole = data.size // self._record_bytes
        stated = self._frames.cycles
        self._records = min(stated, whole) if stated else whole
        self._is_cut = stated > whole or (data.is_cut and not stated)

    def tables(self, chunk_bytes: int) -> Tables:
        """The frames, some at a time."""
        step = max(chunk_bytes // self._record_bytes, 1)
        for first in range(0, self._records, step):
            count = min(step, self._records - first)
            try:
                raw = self._data.read(first * self._record_bytes, count * self._record_bytes)
                records = np.frombuffer(raw, np.uint8).reshape(count, self._record_bytes)
                rows = rows_of(self._frames, records, start_ns=self._start_ns, first=first)
                if self._signal is not None:
                    rows = _with_signal(rows, self._signal)
            except LogError as error:
                yield FrameTable.empty(), (Fault(Cause.GARBLED, 1, first + 1, str(error)),)
                return
            yield rows.settled(first)
        if self._is_cut:
            text = f"{self._records} whole records"
            yield FrameTable.empty(), (Fault(Cause.CUT_RECORD, 1, self._records + 1, text),)


def _with_signal(rows: Rows, signal: DataBytes) -> Rows:
    """Rows with the payloads that lie in a signal's data."""
    order = np.argsort(rows.offset, kind="stable")
    sorted_offsets = rows.offset[order]
    at, last = np.searchsorted(sorted_offsets, [0, signal.size]).tolist()
    lengths, data = np.zeros(len(rows), np.int64), np.zeros((len(rows), FD_BYTES), np.uint8)
    is_there = np.zeros(len(rows), np.bool_)
    while at < last:
        start = int(sorted_offsets[at])
        end = min(int(np.searchsorted(sorted_offsets, start + SPAN_BYTES, side="right")), last)
        where = order[at:end]
        size = int(sorted_offsets[end - 1]) - start + LENGTH_BYTES + FD_BYTES
        raw = signal.read(start, size)
        buffer = np.frombuffer(raw + bytes(PAD), np.uint8)
        places = rows.offset[where] - start
        is_headed = places + LENGTH_BYTES <= len(raw)
        places = np.where(is_headed, places, 0)
        sizes = lengths_at(buffer, places)
        is_whole = is_headed & (places + LENGTH_BYTES + np.minimum(sizes, FD_BYTES) <= len(raw))
        is_there[where] = is_whole
        lengths[where] = sizes
        data[where[is_whole]] = payloads_at(buffer, places[is_whole], sizes[is_whole], FD_BYTES)
        at = end
    found = np.flatnonzero(is_there)
    widest = int(lengths[found].max(initial=0))
    width = FD_BYTES if widest > CLASSIC_BYTES else CLASSIC_BYTES
    missing = np.flatnonzero((rows.offset >= 0) & ~is_there)
    is_behind = signal.is_cut & (rows.offset[missing] >= signal.size - LENGTH_BYTES - FD_BYTES)
    rows = without_payloads(rows, missing[is_behind], IS_CUT)
    rows = without_payloads(rows, missing[~is_behind])
    return rows.with_payloads(found, lengths[found], data[found, :width])


def without_payloads(rows: Rows, where: Positions, verdict: int = IS_SHORT) -> Rows:
    """Rows of which some are refused, because their payload is not there."""
    if not len(where):
        return rows
    none = np.zeros(len(where), np.int64)
    rows.verdict[where] = verdict
    return rows.with_payloads(where, none, np.zeros((len(where), 1), np.uint8))


def lengths_at(buffer: Octets, places: Positions) -> Positions:
    """The u4 at each place."""
    octets = [buffer[places + step].astype(np.int64) << (8 * step) for step in range(LENGTH_BYTES)]
    return octets[0] | octets[1] | octets[2] | octets[3]


def payloads_at(buffer: Octets, places: Positions, sizes: Positions, width: int) -> Octets:
    """The bytes behind the u4 at each place, (n, width), zeros behind them."""
    found = sliding_window_view(buffer, width)[places + LENGTH_BYTES]
    return np.where(np.arange(width) < sizes[:, None], found, np.uint8(0))


class _Payloads:
    """The latest payloads of a signal's group, by their place in all of its data."""

    def __init__(self) -> None:
        self.end = 0
        self._starts = np.zeros(0, np.int64)
        self._sizes = np.zeros(0, np.int64)
        self._data = np.zeros((0, CLASSIC_BYTES), np.uint8)

    def add(self, buffer: Octets, places: Positions) -> None:
        """Take in records of the group, each u4 bytes at a place of a buffer."""
        if not len(places):
            return
        sizes = lengths_at(buffer, places)
        ends = self.end + np.cumsum(sizes + LENGTH_BYTES)
        wide = int(sizes.max(initial=0)) > CLASSIC_BYTES or self._data.shape[1] > CLASSIC_BYTES
        width = FD_BYTES if wide else CLASSIC_BYTES
        data = payloads_at(buffer, places, sizes, width)
        kept = slice(max(len(self._starts) - KEPT_PAYLOADS, 0), None)
        before = self._data[kept]
        before = np.pad(before, ((0, 0), (0, width - before.shape[1])))
        self._starts = np.concatenate((self._starts[kept], ends - sizes - LENGTH_BYTES))
        self._sizes = np.concatenate((self._sizes[kept], sizes))
        self._data = np.concatenate((before, data))
        self.end = int(ends[-1])

    def find(self, offsets: Positions) -> tuple[Positions, Positions, Octets]:
        """Which of the offsets are there, and the lengths and payloads of those."""
        at = np.searchsorted(self._starts, offsets)
        is_there = at < len(self._starts)
        is_there[is_there] = self._starts[at[is_there]] == offsets[is_there]
        found = at[is_there]
        return np.flatnonzero(is_there), self._sizes[found], self._data[found]


class UnsortedRun:
    """Records of several groups, each behind its id."""

    def __init__(
        self,
        blocks: Blocks,
        group: DataGroup,
        *,
        start_ns: int,
        is_unfinished: bool,
        is_compiled: bool,
    ) -> None:
        """Look the data up; raises LogError where links lead nowhere."""
        self._data = DataBytes(blocks, group.data, RECORDS, is_unfinished=is_unfinished)
        self._splitter = Splitter(group.id_bytes, group.sizes, is_compiled=is_compiled)
        self._id_bytes = group.id_bytes
        self._start_ns = start_ns
        self._frames = {frames.number: frames for frames in group.frames}
        self._signals: dict[int, int] = {}
        self._outer: dict[int, DataBytes] = {}
        self._payloads: dict[int, _Payloads] = {}
        for frames in group.frames:
            if frames.payload is None or not frames.payload.signal:
                continue
            link = frames.payload.signal
            if link in group.signals:
                self._signals[frames.number] = group.signals[link]
                self._payloads[group.signals[link]] = _Payloads()
            else:
                self._outer[frames.number] = DataBytes(
                    blocks, link, SIGNALS, is_unfinished=is_unfinished
                )
        self._counts = dict.fromkeys(self._frames, 0)
        self._waiting: list[Rows] = []
        self._given = 0

    def tables(self, chunk_bytes: int) -> Tables:
        """The frames, some at a time."""
        rest, base = b"", 0
        for place in range(0, self._data.size, chunk_bytes):
            try:
                raw = rest + self._data.read(place, chunk_bytes)
                buffer = np.frombuffer(raw + bytes(PAD), np.uint8)
                split = self._splitter.split(buffer, len(raw))
                rows = [*self._waiting, *self._rows(buffer, split, base)]
            except LogError as error:
                yield self._settled(None)
                yield FrameTable.empty(), (self._fault(Cause.GARBLED, str(error)),)
                return
            yield self._settled(rows, is_last=False)
            if split.wrong:
                yield self._settled(None)
                yield FrameTable.empty(), (self._fault(Cause.GARBLED, split.wrong),)
                return
            rest = raw[split.used :]
            base += split.used
        yield self._settled(None)
        if rest:
            text = rest[:SHOWN_BYTES].hex(" ")
            yield FrameTable.empty(), (self._fault(Cause.CUT_RECORD, text),)

    def _fault(self, cause: Cause, text: str) -> Fault:
        return Fault(cause, 1, self._given + 1, text)

    def _rows(self, buffer: Octets, split: Split, base: int) -> Iterator[Rows]:
        """The frames of each group; payloads are taken in first."""
        for number, payloads in self._payloads.items():
            payloads.add(buffer, split.places[split.numbers == number] + self._id_bytes)
        for number, frames in self._frames.items():
            places = split.places[split.numbers == number]
            if len(places):
                yield self._rows_of(frames, buffer, places, base)

    def _rows_of(self, frames: FrameGroup, buffer: Octets, places: Positions, base: int) -> Rows:
        records = sliding_window_view(buffer, frames.data_bytes)[places + self._id_bytes]
        rows = rows_of(
            frames,
            records,
            start_ns=self._start_ns,
            first=self._counts[frames.number],
            signal=self._signals.get(frames.number, 0),
        )
        self._counts[frames.number] += len(places)
        rows.place[:] = places + base
        if frames.number in self._outer:
            rows = _with_signal(rows, self._outer[frames.number])
        return rows

    def _settled(
        self, rows: list[Rows] | None, *, is_last: bool = True
    ) -> tuple[FrameTable, tuple[Fault, ...]]:
        """The frames up to the first that has to wait; at the end those that wait are refused."""
        waiting = self._waiting if rows is None else rows
        self._waiting = []
        if not waiting:
            return FrameTable.empty(), ()
        pool = Rows.concat(waiting)
        if len(waiting) > 1:
            pool = pool.take(np.argsort(pool.place, kind="stable"))
        for number, payloads in self._payloads.items():
            where = np.flatnonzero((pool.offset >= 0) & (pool.signal == number))
            if not len(where):
                continue
            offsets = pool.offset[where]
            found, lengths, data = payloads.find(offsets)
            is_lost = offsets < payloads.end
            is_lost[found] = False
            pool = without_payloads(pool, where[is_lost])
            pool = pool.with_payloads(where[found], lengths, data)
        open_rows = np.flatnonzero(pool.offset >= 0)
        is_given_up = is_last | (len(pool) - open_rows > MAX_WAITING)
        pool = without_payloads(pool, open_rows[is_given_up])
        open_rows = open_rows[~is_given_up]
        ready = int(open_rows[0]) if len(open_rows) else len(pool)
        if ready < len(pool):
            self._waiting = [pool.take(slice(ready, None))]
        frames, faults = pool.take(slice(0, ready)).settled(self._given)
        self._given += ready
        return frames, faults
