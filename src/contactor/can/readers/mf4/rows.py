"""Records of one group as columns of frames.

    rows = rows_of(group, records, start_ns=start, first=0)     # records: uint8 (n, bytes)
    rows.offset[0]                                              # where its payload begins, or -1

A number is taken from at most nine bytes, whole columns at a time. Seconds become nanoseconds by
whole numbers where the clock counts a whole number of them.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from contactor.can.frames import (
    CLASSIC_BYTES,
    DLC_BYTES,
    FD_BYTES,
    MAX_EXTENDED_ID,
    MAX_STANDARD_ID,
    FrameTable,
)
from contactor.can.readers.blf_objects import EXTENDED_FLAG
from contactor.can.readers.lines import Mask, Positions
from contactor.can.readers.mf4.groups import (
    FLOAT,
    FLOAT_BIG,
    SIGNED,
    SIGNED_BIG,
    Clock,
    FrameGroup,
    Kind,
    Part,
)
from contactor.can.readers.numbers import MAX_TS_NS
from contactor.can.readers.parsed import MAX_BUS, Cause, Fault
from contactor.clock import NS_PER_S

Octets = NDArray[np.uint8]
NO_OFFSET = -1
# How near to a whole number of nanoseconds a clock's step is one: 1e-9 is not exact in binary.
STEP_PRECISION = 1e-9
# Seconds of a clock's step or offset beyond which its stamps are no instants.
MAX_FACTOR = 1e9
IS_SHORT, IS_LENGTH, IS_TIME, IS_BUS, IS_IDENTIFIER, IS_CUT = 1, 2, 3, 4, 5, 6
VERDICTS = {
    IS_SHORT: Cause.SHORT,
    IS_LENGTH: Cause.LENGTH,
    IS_TIME: Cause.TIME,
    IS_BUS: Cause.BUS,
    IS_IDENTIFIER: Cause.IDENTIFIER,
    IS_CUT: Cause.CUT_RECORD,
}


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """n records, frames or not; columns as of `FrameTable`.

    Fields:
        length: int64 (n,), -1 where the payload itself says it.
        offset: int64 (n,), where the payload begins in its signal's data, -1 where `data` holds it.
        signal: int64 (n,), the record id of the signal's group; of no meaning without an offset.
        place: int64 (n,), where records lie in their run.
        verdict: uint8 (n,), 0 or a key of `VERDICTS`.
    """

    ts: NDArray[np.int64]
    bus: NDArray[np.uint8]
    can_id: NDArray[np.uint32]
    is_extended: Mask
    is_fd: Mask
    is_remote: Mask
    is_error: Mask
    length: Positions
    data: Octets
    offset: Positions
    signal: Positions
    place: Positions
    verdict: Octets

    def __len__(self) -> int:
        return len(self.ts)

    def take(self, rows: Positions | Mask | slice) -> "Rows":
        """The records at `rows`, in that order."""
        return Rows(*(getattr(self, one.name)[rows] for one in fields(self)))

    @classmethod
    def concat(cls, parts: "list[Rows]") -> "Rows":
        """All records one after another; payloads widen to the widest."""
        if len(parts) == 1:
            return parts[0]
        width = max(part.data.shape[1] for part in parts)
        columns = {
            one.name: np.concatenate([getattr(part, one.name) for part in parts])
            for one in fields(cls)
            if one.name != "data"
        }
        data = np.concatenate([widened(part.data, width) for part in parts])
        return cls(**columns, data=data)

    def with_payloads(self, where: Positions, lengths: Positions, data: Octets) -> "Rows":
        """The same with payloads that were found elsewhere, at `where`.

        Args:
            lengths: int64 (k,), the bytes of each.
            data: uint8 (k, w), zeros behind them.
        """
        width = max(self.data.shape[1], data.shape[1])
        wide = widened(self.data, width)
        wide = wide.copy() if wide is self.data else wide
        wide[where, : data.shape[1]] = data
        length, verdict, offset = self.length.copy(), self.verdict.copy(), self.offset.copy()
        stated = length[where]
        length[where] = np.where(stated < 0, lengths, stated)
        offset[where] = NO_OFFSET
        is_fine = verdict[where] == 0
        verdict[where[is_fine & (stated > lengths)]] = IS_SHORT
        verdict[where[is_fine & (stated < 0) & (lengths > FD_BYTES)]] = IS_LENGTH
        columns = {one.name: getattr(self, one.name) for one in fields(self)}
        changed = {"data": wide, "length": length, "offset": offset, "verdict": verdict}
        return Rows(**(columns | changed))

    def settled(self, before: int) -> tuple[FrameTable, tuple[Fault, ...]]:
        """The frames, and what was refused; `before` counts the records before these."""
        is_kept = self.verdict == 0
        faults: tuple[Fault, ...] = ()
        rows = self
        if not is_kept.all():
            faults = tuple(
                self._fault(code, before) for code in np.unique(self.verdict[~is_kept]).tolist()
            )
            rows = self.take(is_kept)
        width = FD_BYTES if int(rows.length.max(initial=0)) > CLASSIC_BYTES else CLASSIC_BYTES
        data = widened(rows.data, width)[:, :width]
        beyond = np.arange(width) >= np.where(rows.is_remote, 0, rows.length)[:, None]
        frames = FrameTable(
            ts=rows.ts,
            bus=rows.bus,
            can_id=rows.can_id,
            is_extended=rows.is_extended,
            is_fd=rows.is_fd | (rows.length > CLASSIC_BYTES),
            is_remote=rows.is_remote,
            is_error=rows.is_error,
            length=rows.length.astype(np.uint8),
            data=np.where(beyond, np.uint8(0), data),
        )
        return frames, faults

    def _fault(self, code: int, before: int) -> Fault:
        found = np.flatnonzero(self.verdict == code)
        row = int(found[0])
        payload = self.data[row].tobytes()[: max(int(self.length[row]), 0)]
        text = f"bus {self.bus[row]} id {self.can_id[row]:X} {payload.hex()}"
        return Fault(VERDICTS[code], len(found), before + row + 1, text)


def widened(data: Octets, width: int) -> Octets:
    """Payloads with zeros up to a width; the same where they are as wide."""
    if data.shape[1] >= width:
        return data
    return np.pad(data, ((0, 0), (0, width - data.shape[1])))


def rows_of(
    group: FrameGroup, records: Octets, *, start_ns: int, first: int, signal: int = 0
) -> Rows:
    """What the records of a group say.

    Args:
        records: uint8 (n, bytes), whole records without their ids.
        start_ns: what the group's clock counts from.
        first: the records of this group before these.
        signal: the record id of the group that holds its payloads.
    """
    count = len(records)
    parts = group.parts
    is_remote = np.full(count, group.kind is Kind.REMOTE)
    if "RTR" in parts:
        is_remote = is_remote | (_number(records, parts["RTR"]) != 0)
    is_fd = _flag(records, parts, "EDL")
    raw = _number(records, parts["ID"]) if "ID" in parts else np.zeros(count, np.int64)
    number = raw & MAX_EXTENDED_ID
    is_flagged = _flag(records, parts, "IDE") if "IDE" in parts else (raw & EXTENDED_FLAG) != 0
    length = _length(records, parts, is_fd, is_remote)
    ts, is_late = _stamps(records, group.clock, start_ns, first)
    bus = _number(records, parts["BusChannel"]) if "BusChannel" in parts else np.zeros(count, int)
    verdict = np.zeros(count, np.uint8)
    for is_wrong, code in (
        (length > FD_BYTES, IS_LENGTH),
        (is_late, IS_TIME),
        ((bus < 0) | (bus > MAX_BUS), IS_BUS),
    ):
        verdict[is_wrong] = code
    offset = np.full(count, NO_OFFSET)
    data = np.zeros((count, CLASSIC_BYTES), np.uint8)
    if group.payload is not None and group.payload.signal:
        offset = np.where(is_remote, NO_OFFSET, _number(records, group.payload.part))
        verdict[~is_remote & (offset < 0)] = IS_SHORT
    elif group.payload is not None:
        part = group.payload.part
        width = min(part.bits // 8, FD_BYTES)
        data = records[:, part.place : part.place + width]
        length = np.where(length < 0, width, length)
        verdict[(verdict == 0) & ~is_remote & (length > width)] = IS_SHORT
    else:
        is_empty = group.kind is Kind.ERROR
        length = np.where(is_remote, length, 0 if is_empty else length)
        verdict[(verdict == 0) & ~is_remote & (length != 0)] = IS_SHORT
    return Rows(
        ts=ts,
        bus=np.clip(bus, 0, MAX_BUS).astype(np.uint8),
        can_id=number.astype(np.uint32),
        is_extended=is_flagged | (number > MAX_STANDARD_ID),
        is_fd=is_fd,
        is_remote=is_remote,
        is_error=np.full(count, group.kind is Kind.ERROR),
        length=np.where(is_remote & (length < 0), 0, length),
        data=data,
        offset=offset,
        signal=np.full(count, signal),
        place=np.arange(first, first + count),
        verdict=verdict,
    )


def _length(records: Octets, parts: dict[str, Part], is_fd: Mask, is_remote: Mask) -> Positions:
    """Payload bytes as the records state them, -1 where they do not."""
    none = np.full(len(records), -1)
    by_code = none
    if "DLC" in parts:
        dlc = _number(records, parts["DLC"]) & 15
        by_code = np.where(is_fd, DLC_BYTES[dlc], np.minimum(dlc, CLASSIC_BYTES))
    if "DataLength" not in parts:
        return by_code
    stated = _number(records, parts["DataLength"])
    stated = np.where(stated < 0, FD_BYTES + 1, stated)
    return np.where(is_remote & (by_code >= 0), by_code, stated)


def _stamps(
    records: Octets, clock: Clock, start_ns: int, first: int
) -> tuple[NDArray[np.int64], Mask]:
    """Nanoseconds, and where there are none: a stamp that is no number or out of range."""
    limit_ns = MAX_TS_NS - start_ns
    part = clock.part
    if part is not None and part.form in {FLOAT, FLOAT_BIG}:
        return _rounded(_float(records, part), clock, start_ns)
    raw = np.arange(first, first + len(records)) if part is None else _number(records, part)
    step_ns = round(clock.factor * NS_PER_S) if abs(clock.factor) < MAX_FACTOR else 0
    is_whole = abs(clock.factor * NS_PER_S - step_ns) < STEP_PRECISION * step_ns
    if not is_whole or not abs(clock.offset) < MAX_FACTOR:
        return _rounded(raw.astype(np.float64), clock, start_ns)
    offset_ns = round(clock.offset * NS_PER_S)
    limit = (limit_ns - abs(offset_ns)) // step_ns
    is_late = (raw > limit) | (raw < -limit)
    return np.where(is_late, 0, raw) * step_ns + (start_ns + offset_ns), is_late


def _rounded(
    raw: NDArray[np.float64], clock: Clock, start_ns: int
) -> tuple[NDArray[np.int64], Mask]:
    with np.errstate(invalid="ignore", over="ignore"):
        ns = np.rint((raw * clock.factor + clock.offset) * NS_PER_S)
        is_late = ~(np.abs(ns) <= MAX_TS_NS - start_ns)
    return np.where(is_late, 0, ns).astype(np.int64) + start_ns, is_late


def _number(records: Octets, part: Part) -> Positions:
    """Whole numbers, the highest bit of 64 dropped where it would be a sign of its own."""
    columns = range(part.place, part.place + part.size)
    octets = [records[:, at] for at in (reversed(columns) if part.is_big else columns)]
    number = np.zeros(len(records), np.uint64)
    for step, octet in enumerate(octets):
        shift = 8 * step - part.bit
        word = octet.astype(np.uint64)
        number |= word << np.uint64(shift) if shift >= 0 else word >> np.uint64(-shift)
    if part.bits < 64:
        number &= np.uint64((1 << part.bits) - 1)
    signed = number.astype(np.int64)
    if part.form in {SIGNED, SIGNED_BIG} and part.bits < 64:
        signed -= (signed >> (part.bits - 1)) << part.bits
    return signed


def _float(records: Octets, part: Part) -> NDArray[np.float64]:
    form = f"{'>' if part.is_big else '<'}f{part.bits // 8}"
    octets = np.ascontiguousarray(records[:, part.place : part.place + part.bits // 8])
    with np.errstate(invalid="ignore", over="ignore"):
        seconds: NDArray[np.float64] = octets.view(form)[:, 0].astype(np.float64)
    return seconds


def _flag(records: Octets, parts: dict[str, Part], name: str) -> Mask:
    if name not in parts:
        return np.zeros(len(records), np.bool_)
    is_set: Mask = _number(records, parts[name]) != 0
    return is_set
