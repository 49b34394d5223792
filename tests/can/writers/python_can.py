"""python-can as the stranger who reads what we wrote."""

from pathlib import Path

import can
import numpy as np

from contactor.can.frames import FrameTable
from contactor.can.writers.table import Written, write_log

READERS = {
    "candump": can.CanutilsLogReader,
    "asc": can.ASCReader,
    "blf": can.BLFReader,
    "trc": can.TRCReader,
}
DATE_NS = 1_700_000_000_000_000_000


def frames(*, first_ts: int = DATE_NS) -> FrameTable:
    """Every kind of frame but error frames, with stamps in whole microseconds."""
    rows = [
        (0, 0, 0x1DB, "", bytes(range(8))),
        (100_000, 1, 0x18FF50E5, "x", b"\x01\x02"),
        (200_000, 2, 0x7, "", b""),
        (300_000, 0, 0x7FF, "r", bytes(8)),
        (1_000_000, 0, 0x1DB, "x", b"\xff" * 7),
        (1_000_000, 11, 0x100, "f", bytes(range(64))),
        (999_000, 3, 0x1ABCDEF0, "fx", bytes(range(1, 13))),
        (2_500_000_000, 0, 0x0, "", b"\x80"),
        (90_000_000_000, 0, 0x123, "rx", b""),
    ]
    return FrameTable.of(
        ts=[first_ts + row[0] for row in rows],
        bus=[row[1] for row in rows],
        can_id=[row[2] for row in rows],
        is_extended=["x" in row[3] for row in rows],
        is_remote=["r" in row[3] for row in rows],
        is_fd=["f" in row[3] for row in rows],
        data=[row[4] for row in rows],
    )


def write(path: Path, form: str, *tables: FrameTable, least_ts: int | None = None) -> Written:
    with path.open("wb") as file:
        return write_log(tables, file, form, least_ts=least_ts)


def messages(path: Path, form: str) -> list[can.Message]:
    """What python-can reads, with instants where its reader can give them."""
    options = {"relative_timestamp": False} if form == "asc" else {}
    with READERS[form](path, **options) as reader:
        return list(reader)


def told(message: can.Message, form: str) -> tuple[object, ...]:
    channel = message.channel
    if form == "candump":
        channel = int(str(channel).removeprefix("can"))
    elif form == "trc":
        channel -= 1
    data = b"" if message.is_remote_frame else bytes(message.data)
    return (
        round(message.timestamp * 1e6),
        channel,
        message.arbitration_id,
        message.is_extended_id,
        message.is_remote_frame,
        message.is_fd,
        message.dlc if message.is_remote_frame else len(data),
        data,
    )


def expected(table: FrameTable) -> list[tuple[object, ...]]:
    return [
        (
            round(frame.ts / 1000),
            frame.bus,
            frame.can_id,
            frame.is_extended,
            frame.is_remote,
            frame.is_fd,
            frame.length,
            frame.data,
        )
        for frame in (table[row] for row in range(len(table)))
    ]


def assert_same(found: FrameTable, wanted: FrameTable) -> None:
    """Every column is the same; what lies in a remote frame's payload means nothing."""
    assert len(found) == len(wanted)
    for name in ("ts", "bus", "can_id", "is_extended", "is_fd", "is_remote", "is_error", "length"):
        assert np.array_equal(getattr(found, name), getattr(wanted, name)), name
    assert [found[row].data for row in range(len(found))] == [
        wanted[row].data for row in range(len(wanted))
    ]
