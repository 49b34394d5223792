"""Frames as columns: the engine's only currency.

A `FrameTable` holds n frames in flat arrays. Row order is the order of the recording, so time may
run backwards where the recording does. A payload row is padded with zeros past `length`.

    table = FrameTable.of(ts=[0, 10], can_id=[0x1DB, 0x1DC], data=[b"\\x01\\x02", b"\\x03"])
    table[1]            # Frame(ts=10, bus=0, can_id=0x1dc, ..., data=b"\\x03")
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

CLASSIC_BYTES = 8
FD_BYTES = 64
MAX_STANDARD_ID = 0x7FF
MAX_EXTENDED_ID = 0x1FFF_FFFF
STANDARD_IDS = MAX_STANDARD_ID + 1
# The hexadecimal digits of an id, as everybody writes them.
STANDARD_DIGITS, EXTENDED_DIGITS = 3, 8
# A bus is numbered in one byte.
BUSES = 256
# The payload of each DLC, in bytes (ISO 11898-1, table 5).
MAX_DLC = 15
DLC_BYTES = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64])
# 2001-09-09: a stamp from then on is an instant, an earlier one counts from some start.
FIRST_DATE_NS = 10**18


def id_name(can_id: int, *, is_extended: bool) -> str:
    """An id as facts and messages name it: 0x1db, 0x18ff50e5."""
    return f"0x{can_id:0{EXTENDED_DIGITS if is_extended else STANDARD_DIGITS}x}"


@dataclass(frozen=True, slots=True)
class Frame:
    """One CAN frame (ISO 11898-1), for the edges only: hot paths stay in columns."""

    ts: int
    bus: int
    can_id: int
    is_extended: bool
    is_fd: bool
    is_remote: bool
    is_error: bool
    length: int
    data: bytes


@dataclass(frozen=True, slots=True, eq=False)
class FrameTable:
    """Columns of n CAN frames.

    Fields:
        ts: int64 (n,), nanoseconds UTC, or since the start where the log has no date.
        bus: uint8 (n,), the channel as numbered by the recording.
        can_id: uint32 (n,), without flag bits.
        is_extended, is_fd, is_remote, is_error: bool (n,).
        length: uint8 (n,), payload bytes, 0..64; of a remote frame those it asks for.
        data: uint8 (n, w), w = 8 for classic CAN alone, 64 where any frame is FD.
    """

    ts: NDArray[np.int64]
    bus: NDArray[np.uint8]
    can_id: NDArray[np.uint32]
    is_extended: NDArray[np.bool_]
    is_fd: NDArray[np.bool_]
    is_remote: NDArray[np.bool_]
    is_error: NDArray[np.bool_]
    length: NDArray[np.uint8]
    data: NDArray[np.uint8]

    def __post_init__(self) -> None:
        rows = self.ts.shape[0]
        for field in fields(self):
            column = getattr(self, field.name)
            if column.shape[0] != rows:
                raise ValueError(f"column {field.name} has {column.shape[0]} rows, ts has {rows}")

    def __len__(self) -> int:
        return int(self.ts.shape[0])

    def __getitem__(self, row: int) -> Frame:
        length = int(self.length[row])
        is_remote = bool(self.is_remote[row])
        return Frame(
            ts=int(self.ts[row]),
            bus=int(self.bus[row]),
            can_id=int(self.can_id[row]),
            is_extended=bool(self.is_extended[row]),
            is_fd=bool(self.is_fd[row]),
            is_remote=is_remote,
            is_error=bool(self.is_error[row]),
            length=length,
            data=b"" if is_remote else self.data[row, :length].tobytes(),
        )

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_] | slice) -> "FrameTable":
        """The frames at `rows` (indices, a mask, or a slice), in that order."""
        return FrameTable(*(getattr(self, field.name)[rows] for field in fields(self)))

    @classmethod
    def of(
        cls,
        *,
        ts: Sequence[int],
        can_id: Sequence[int],
        data: Sequence[bytes],
        bus: Sequence[int] | int = 0,
        is_extended: Sequence[bool] | bool = False,
        is_fd: Sequence[bool] | bool = False,
        is_remote: Sequence[bool] | bool = False,
        is_error: Sequence[bool] | bool = False,
    ) -> Self:
        """A table from plain sequences of equal length n; a scalar stands for all rows."""
        rows = len(ts)
        width = FD_BYTES if any(len(payload) > CLASSIC_BYTES for payload in data) else CLASSIC_BYTES
        padded = b"".join(payload.ljust(width, b"\0") for payload in data)
        return cls(
            ts=np.array(ts, np.int64),
            bus=np.full(rows, bus, np.uint8),
            can_id=np.array(can_id, np.uint32),
            is_extended=np.full(rows, is_extended, np.bool_),
            is_fd=np.full(rows, is_fd, np.bool_),
            is_remote=np.full(rows, is_remote, np.bool_),
            is_error=np.full(rows, is_error, np.bool_),
            length=np.array([len(payload) for payload in data], np.uint8),
            data=np.frombuffer(padded, np.uint8).reshape(rows, width).copy(),
        )

    @classmethod
    def empty(cls) -> Self:
        """A table of no frames."""
        return cls.of(ts=(), can_id=(), data=())

    @classmethod
    def concat(cls, tables: Iterable["FrameTable"]) -> Self:
        """All rows of `tables` one after another; payloads widen to the widest."""
        parts = list(tables)
        store = FrameStore(expected=sum(len(part) for part in parts))
        for part in parts:
            store.append(part)
        return cls(*store.columns())


class FrameStore:
    """Frames that come table by table, kept as one.

    Memory that nothing was written to costs nothing, so more is asked for than may be needed; it is
    written once, in pieces as large as the system has them.

    Args:
        expected: how many frames may come; more are no fault.
    """

    def __init__(self, *, expected: int = 0) -> None:
        self._count = 0
        self._columns = {
            field.name: getattr(FrameTable.empty(), field.name) for field in fields(FrameTable)
        }
        self._expected = expected

    def __len__(self) -> int:
        return self._count

    def append(self, table: FrameTable) -> None:
        """Copy a table behind the frames that are there."""
        end = self._count + len(table)
        width = max(table.data.shape[1], self._columns["data"].shape[1])
        rows = len(self._columns["ts"])
        if end > rows:
            rows = max(end, self._expected, 2 * self._count)
        for name, column in self._columns.items():
            shape = (rows, width) if name == "data" else (rows,)
            if column.shape != shape:
                self._columns[name] = np.empty(shape, column.dtype)
                _write(self._columns[name], 0, column[: self._count])
            _write(self._columns[name], self._count, getattr(table, name))
        self._count = end

    def columns(self) -> list[NDArray[Any]]:
        """The columns of a `FrameTable` of all frames; no copies."""
        return [column[: self._count] for column in self._columns.values()]

    def table(self) -> FrameTable:
        """All frames; a view, which later ones do not change."""
        return FrameTable(*self.columns())


def _write(column: NDArray[Any], start: int, values: NDArray[Any]) -> None:
    """Write values from `start` on; payloads that are narrower are padded with zeros."""
    end = start + len(values)
    if values.ndim > 1 and values.shape[1] < column.shape[1]:
        column[start:end, values.shape[1] :] = 0
        column[start:end, : values.shape[1]] = values
    else:
        column[start:end] = values
