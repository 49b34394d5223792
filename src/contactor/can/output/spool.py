"""Frames set aside message by message: in memory while they are few, on disk when they are many.

spool = FrameSpool(folder)
spool.add(frames, groups.rows())
for table in spool.tables("BatteryState"):
    ...
spool.close()
"""

import tempfile
from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contactor.can.columns import Rows
from contactor.can.frames import FrameTable

MEMORY_BYTES = 32 * 1024 * 1024
PIECE_NUMBERS = 3


class FrameSpool:
    """Frames by label, in the order in which they came.

    Args:
        folder: where the file is that many frames need; it has no name and needs no clearing up.
    """

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.SpooledTemporaryFile(  # noqa: SIM115  # closed on leaving
            max_size=MEMORY_BYTES, dir=str(folder), prefix=".contactor-"
        )
        # For each label the pieces of the file that are its frames: start, rows, payload width,
        # one after another (24 bytes a piece, of which a long log has very many).
        self._pieces: dict[str, array[int]] = {}
        self._size = 0

    def close(self) -> None:
        """Let go of the frames."""
        self._file.close()

    @property
    def labels(self) -> list[str]:
        """All labels, in the order of their first frames."""
        return list(self._pieces)

    def rows(self, label: str) -> int:
        """How many frames a label has."""
        return sum(self._pieces[label][1::PIECE_NUMBERS])

    def add(self, frames: FrameTable, rows_of: Mapping[str, Rows]) -> None:
        """Set frames aside.

        Raises:
            OSError: the disk is full.
        """
        if not rows_of:
            return
        order = np.concatenate(list(rows_of.values()))
        records = np.empty(len(order), _record(frames.data.shape[1]))
        for name in records.dtype.names or ():
            records[name] = getattr(frames, name)[order]
        self._file.write(records.view(np.uint8).data)
        width = frames.data.shape[1]
        at = self._size
        for label, rows in rows_of.items():
            self._pieces.setdefault(label, array("q")).extend((at, len(rows), width))
            at += len(rows) * records.dtype.itemsize
        self._size = at

    def tables(self, label: str, rows: int) -> Iterator[FrameTable]:
        """The frames of a label, in tables of about `rows` each."""
        waiting: list[FrameTable] = []
        count = 0
        pieces = self._pieces[label]
        for at in range(0, len(pieces), PIECE_NUMBERS):
            start, length, width = pieces[at : at + PIECE_NUMBERS]
            self._file.seek(start)
            size = length * _record(width).itemsize
            waiting.append(_table(np.frombuffer(self._file.read(size), _record(width))))
            count += length
            if count >= rows:
                yield FrameTable.concat(waiting)
                waiting, count = [], 0
        if waiting:
            yield FrameTable.concat(waiting)


def _record(width: int) -> np.dtype[Any]:
    """A frame as it lies in the file; error and remote frames carry no message."""
    return np.dtype(
        [
            ("ts", np.int64),
            ("can_id", np.uint32),
            ("bus", np.uint8),
            ("is_extended", np.bool_),
            ("is_fd", np.bool_),
            ("length", np.uint8),
            ("data", np.uint8, (width,)),
        ]
    )


def _table(records: NDArray[np.void]) -> FrameTable:
    none = np.zeros(len(records), np.bool_)
    columns = {name: np.ascontiguousarray(records[name]) for name in records.dtype.names or ()}
    return FrameTable(**columns, is_remote=none, is_error=none)
