"""Frames by id, table by table, in bounded memory.

    builder = IdentifierFactsBuilder()
    builder.add(frames)
    builder.facts()                 # {"0x1db": {"frames": 1890, "cycle_time_ms": 10.0, ...}, ...}
    builder.buses()                 # {"0": {"frames": 25832, "ids": 41, ...}}

Small tables are gathered, so that what is done once per id and table weighs little.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from contactor.can.clock_set import TimeSpan
from contactor.can.frames import (
    BUSES,
    FIRST_DATE_NS,
    MAX_STANDARD_ID,
    STANDARD_IDS,
    FrameTable,
    id_name,
)
from contactor.can.identify.facts import BusFacts, IdentifierFacts
from contactor.can.identify.pace import Pace
from contactor.can.identify.report import facts_of
from contactor.can.identify.tallies import Tallies
from contactor.can.identify.texts import VinFinder
from contactor.can.identify.watch import Watch
from contactor.clock import NS_PER_S

EXTENDED_FLAG = 1 << 29
BUS_SHIFT = 30
GATHERED_FRAMES = 200_000
# Of more, the frames are counted and no more said: that is a log of a fuzzer.
MOST_IDS = 4096
# Of one id; what is guessed is told of the most usual.
MOST_WATCHED = 4
NO_SLOT = -1
# A classic frame and the pause after it, without payload and stuff bits (ISO 11898-1).
STANDARD_BITS, EXTENDED_BITS = 47, 67


@dataclass(slots=True)
class Seen:
    """One id on one bus, as seen so far."""

    key: int
    frames: int = 0
    first_ts: int = 0
    last_ts: int = 0
    last_length: int = 0
    last_data: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(64, np.uint8))
    lengths: dict[int, int] = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)
    watches: dict[int, Watch] = field(default_factory=dict)


@dataclass(slots=True)
class _Bus:
    frames: int = 0
    left_out: int = 0
    bits: int = 0
    span: TimeSpan = field(default_factory=TimeSpan)


class IdentifierFactsBuilder:
    """Gathers what can be seen of each id; error and remote frames carry no payload and no fact.

    Of ids beyond the first 4096 the frames are counted, by bus.
    """

    def __init__(self) -> None:
        self._seen: list[Seen] = []
        self._standard = np.full(BUSES * STANDARD_IDS, NO_SLOT, np.int32)
        self._others: dict[int, int] = {}
        self._other_keys = np.zeros(0, np.int64)
        self._other_slots = np.zeros(0, np.int64)
        self._tallies = Tallies()
        self._vins = VinFinder()
        self._buses: dict[int, _Bus] = {}
        self._waiting: list[FrameTable] = []
        self._waiting_frames = 0

    def add(self, frames: FrameTable) -> None:
        """Take the next frames of the log."""
        self._waiting.append(frames)
        self._waiting_frames += len(frames)
        if self._waiting_frames >= GATHERED_FRAMES:
            self._flush()

    def facts(self) -> dict[str, IdentifierFacts]:
        """For each id of data frames, in the order of ids; one on several buses is `bus:id`."""
        self._flush()
        buses_of: dict[int, int] = {}
        for seen in self._seen:
            identifier = seen.key & ((1 << BUS_SHIFT) - 1)
            buses_of[identifier] = buses_of.get(identifier, 0) + 1
        slots = sorted(range(len(self._seen)), key=lambda slot: _order(self._seen[slot].key))
        facts = {}
        for slot in slots:
            seen = self._seen[slot]
            is_shared = buses_of[seen.key & ((1 << BUS_SHIFT) - 1)] > 1
            facts[_name(seen.key, is_shared=is_shared)] = facts_of(
                seen, self._tallies, slot, self._vins.found.get(seen.key)
            )
        return facts

    def buses(self) -> dict[str, BusFacts]:
        """For each bus, how busy it is; error frames do not count."""
        self._flush()
        facts = {}
        for number, bus in sorted(self._buses.items()):
            lasted_s = (bus.span.lasted_ns or 0) / NS_PER_S
            facts[str(number)] = BusFacts(
                frames=bus.frames,
                ids=sum(seen.key >> BUS_SHIFT == number for seen in self._seen),
                left_out=bus.left_out,
                frames_per_s=bus.frames / lasted_s if lasted_s > 0 else None,
                bits_per_s=bus.bits / lasted_s if lasted_s > 0 else None,
            )
        return facts

    def _flush(self) -> None:
        if not self._waiting:
            return
        frames = self._waiting[0] if len(self._waiting) == 1 else FrameTable.concat(self._waiting)
        self._waiting, self._waiting_frames = [], 0
        if len(frames):
            self._take(frames)

    def _take(self, frames: FrameTable) -> None:
        self._count_buses(frames)
        if frames.is_error.any() or frames.is_remote.any():
            frames = frames.take(~(frames.is_error | frames.is_remote))
        slots, keys = self._slots(frames)
        is_left_out = slots == NO_SLOT
        if is_left_out.any():
            for number, count in enumerate(np.bincount(frames.bus[is_left_out]).tolist()):
                if count:
                    self._buses[number].left_out += count
            frames, keys = frames.take(~is_left_out), keys[~is_left_out]
            slots = slots[~is_left_out]
        if not len(slots):
            return
        self._vins.add(keys, frames.data)
        order = np.argsort(slots.astype(np.uint16), kind="stable")
        slots, ts, lengths = slots[order], frames.ts[order], frames.length[order]
        data = frames.data[order]
        starts = np.flatnonzero(np.diff(slots, prepend=-1))
        changes, common = self._changes(slots, starts, data, lengths)
        self._tallies.add(slots, data, lengths, changes, common)
        ends = np.append(starts[1:], len(slots))
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            seen = self._seen[int(slots[start])]
            _see(seen, ts[start:end], data[start:end], lengths[start:end])

    def _changes(
        self,
        slots: NDArray[np.int64],
        starts: NDArray[np.int64],
        data: NDArray[np.uint8],
        lengths: NDArray[np.uint8],
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """What differs from the id's frame before, and how many bytes both have."""
        changes = np.empty_like(data)
        changes[1:] = data[1:] ^ data[:-1]
        common = np.empty_like(lengths)
        common[1:] = np.minimum(lengths[1:], lengths[:-1])
        before = [self._seen[slot] for slot in slots[starts].tolist()]
        width = data.shape[1]
        last = np.stack([seen.last_data[:width] for seen in before])
        changes[starts] = data[starts] ^ last
        had = np.array([seen.last_length if seen.frames else 0 for seen in before], np.uint8)
        common[starts] = np.minimum(lengths[starts], had)
        return changes, common

    def _slots(self, frames: FrameTable) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The slot and the key of each frame; new ids get the next slots."""
        ids = frames.can_id.astype(np.int64)
        buses = frames.bus.astype(np.int64)
        keys = buses << BUS_SHIFT | ids | np.where(frames.is_extended, EXTENDED_FLAG, 0)
        is_other = frames.is_extended | (frames.can_id > MAX_STANDARD_ID)
        places = np.where(is_other, 0, buses * STANDARD_IDS + ids)
        slots = self._standard[places].astype(np.int64)
        others = np.flatnonzero(is_other)
        if len(others):
            slots[others] = self._found(keys[others])
        is_new = slots == NO_SLOT
        if is_new.any() and len(self._seen) < MOST_IDS:
            rows = np.flatnonzero(is_new)
            for key in np.unique(keys[rows])[: MOST_IDS - len(self._seen)].tolist():
                self._open(key)
            return self._slots(frames)
        return slots, keys

    def _open(self, key: int) -> None:
        slot = len(self._seen)
        self._seen.append(Seen(key))
        identifier = key & ((1 << BUS_SHIFT) - 1)
        if identifier <= MAX_STANDARD_ID:
            self._standard[(key >> BUS_SHIFT) * STANDARD_IDS + identifier] = slot
            return
        self._others[key] = slot
        self._other_keys = np.zeros(0, np.int64)

    def _found(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        if not self._others:
            return np.full(len(keys), NO_SLOT, np.int64)
        if not len(self._other_keys):
            self._other_keys = np.array(sorted(self._others), np.int64)
            self._other_slots = np.array([self._others[key] for key in self._other_keys.tolist()])
        places = np.minimum(np.searchsorted(self._other_keys, keys), len(self._other_keys) - 1)
        return np.where(self._other_keys[places] == keys, self._other_slots[places], NO_SLOT)

    def _count_buses(self, frames: FrameTable) -> None:
        bits = np.where(frames.is_extended, EXTENDED_BITS, STANDARD_BITS)
        bits += np.where(frames.is_remote, 0, frames.length.astype(np.int64) * 8)
        for number in np.flatnonzero(np.bincount(frames.bus)).tolist():
            is_own = (frames.bus == number) & ~frames.is_error
            if not is_own.any():
                continue
            bus = self._buses.setdefault(number, _Bus())
            bus.frames += int(is_own.sum())
            bus.bits += int(bits[is_own].sum())
            bus.span.add(frames.ts[is_own])


def _see(
    seen: Seen,
    ts: NDArray[np.int64],
    data: NDArray[np.uint8],
    lengths: NDArray[np.uint8],
) -> None:
    """Add the next frames of one id, in their order."""
    since_ts = seen.last_ts if seen.frames else int(ts[0])
    if since_ts < FIRST_DATE_NS <= ts[-1]:  # the clock was set: its steps count from here
        dated = ts[ts >= FIRST_DATE_NS]
        seen.first_ts, seen.pace = int(dated[0]), Pace()
        seen.pace.add(np.diff(dated))
    elif not seen.frames:
        seen.first_ts = int(ts[0])
        seen.pace.add(np.diff(ts))
    else:
        seen.pace.add(np.diff(ts, prepend=seen.last_ts))
    seen.frames += len(ts)
    seen.last_ts = int(ts[-1])
    for length in np.flatnonzero(np.bincount(lengths)).tolist():
        seen.lengths[length] = seen.lengths.get(length, 0) + int((lengths == length).sum())
        if length in seen.watches or len(seen.watches) < MOST_WATCHED:
            watch = seen.watches.setdefault(length, Watch())
            watch.add(data[lengths == length, :length])
    seen.last_length = int(lengths[-1])
    seen.last_data[: data.shape[1]] = data[-1]


def _order(key: int) -> tuple[int, int]:
    return (key & ((1 << BUS_SHIFT) - 1), key >> BUS_SHIFT)


def _name(key: int, *, is_shared: bool) -> str:
    identifier = key & ((1 << BUS_SHIFT) - 1)
    is_extended = bool(identifier & EXTENDED_FLAG)
    name = id_name(identifier & ~EXTENDED_FLAG, is_extended=is_extended)
    return f"{key >> BUS_SHIFT}:{name}" if is_shared else name
