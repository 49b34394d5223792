"""python-can as a peer: what its readers find in a log, and logs that its writers write."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import can
from hypothesis import strategies as st

from contactor.can.frames import FrameTable

FD_SIZES = (0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64)


class Row(NamedTuple):
    """A frame in the terms that both have; a remote frame has no data."""

    ts_us: int
    bus: int
    can_id: int
    is_extended: bool
    is_remote: bool
    is_error: bool
    is_fd: bool
    length: int
    data: bytes


@contextmanager
def utc() -> Iterator[None]:
    """python-can takes dates in local time; here that is UTC."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    try:
        yield
    finally:
        os.environ.pop("TZ")
        if before is not None:
            os.environ["TZ"] = before
        time.tzset()


def rows_of(frames: FrameTable) -> list[Row]:
    """Our frames."""
    rows = (frames[row] for row in range(len(frames)))
    return [
        Row(
            round(frame.ts / 1000),
            frame.bus,
            frame.can_id,
            frame.is_extended,
            frame.is_remote,
            frame.is_error,
            frame.is_fd,
            frame.length,
            frame.data,
        )
        for frame in rows
    ]


def rows_of_peer(path: Path) -> list[Row]:
    """The frames that python-can finds.

    Its TRC reader keeps the bus that its writer adds one to; an error frame has no id that could
    be extended, though it says so.
    """
    options: dict[str, Any] = {"relative_timestamp": False} if path.suffix == ".asc" else {}
    with utc(), can.LogReader(path, **options) as log:
        return [
            Row(
                round(message.timestamp * 1e6),
                int(message.channel or 0) - (path.suffix == ".trc"),
                message.arbitration_id,
                message.is_extended_id and not message.is_error_frame,
                message.is_remote_frame,
                message.is_error_frame,
                message.is_fd,
                message.dlc,
                bytes(message.data),
            )
            for message in log
        ]


def write(rows: Sequence[Row], path: Path) -> None:
    """Write a log by python-can's writer for that extension."""
    with utc(), can.Logger(path) as log:
        for row in rows:
            log.on_message_received(
                can.Message(
                    timestamp=row.ts_us / 1e6,
                    arbitration_id=row.can_id,
                    is_extended_id=row.is_extended,
                    is_remote_frame=row.is_remote,
                    is_error_frame=row.is_error,
                    is_fd=row.is_fd,
                    channel=row.bus,
                    dlc=row.length,
                    data=row.data,
                )
            )


@st.composite
def rows(draw: st.DrawFn, *, kinds: Sequence[str], first_us: int, has_bus: bool) -> list[Row]:
    """Some frames of these kinds (`data`, `remote`, `error`, `fd`), in the order of time."""
    ts_us = first_us + draw(st.integers(0, 10**12))
    result = []
    for _ in range(draw(st.integers(1, 20))):
        kind = draw(st.sampled_from(kinds))
        is_extended = draw(st.booleans())
        size = draw(st.sampled_from(FD_SIZES)) if kind == "fd" else draw(st.integers(0, 8))
        is_error = kind == "error"
        result.append(
            Row(
                ts_us,
                draw(st.integers(0, 7)) if has_bus else 0,
                0 if is_error else draw(st.integers(0, 0x1FFF_FFFF if is_extended else 0x7FF)),
                is_extended and not is_error,
                kind == "remote",
                is_error,
                kind == "fd",
                0 if is_error else size,
                draw(st.binary(min_size=size, max_size=size)) if kind in ("data", "fd") else b"",
            )
        )
        ts_us += draw(st.integers(0, 10**8))
    return result


def as_undated(found: Sequence[Row]) -> list[Row]:
    """The same with time from the first frame on."""
    return [row._replace(ts_us=row.ts_us - found[0].ts_us) for row in found]
