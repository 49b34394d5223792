"""The formats that are written, by name.

with open("drive.blf", "wb") as file:
    written = write_log(log.chunks(), file, "blf")
written.frames, written.losses
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from contactor.can.frames import FrameTable
from contactor.can.writers.asc import write_asc
from contactor.can.writers.blf import write_blf
from contactor.can.writers.candump import write_candump
from contactor.can.writers.losses import Losses
from contactor.can.writers.trc import write_trc
from contactor.errors import UsageError


@dataclass(frozen=True, slots=True)
class Writer:
    """A format: how it is written, and whether a terminal can show it."""

    name: str
    write: Callable[[Iterable[FrameTable], BinaryIO, Losses, int | None], None]
    is_text: bool


WRITERS = (
    Writer("candump", write_candump, is_text=True),
    Writer("asc", write_asc, is_text=True),
    Writer("blf", write_blf, is_text=False),
    Writer("trc", write_trc, is_text=True),
)
FORMATS = tuple(writer.name for writer in WRITERS)


@dataclass(frozen=True, slots=True)
class Written:
    """How many frames were written, and a line for each thing that the format could not carry."""

    frames: int
    losses: tuple[str, ...]


def writer_of(name: str) -> Writer:
    """The writer of a format.

    Raises:
        UsageError: no such format is written.
    """
    for writer in WRITERS:
        if writer.name == name:
            return writer
    raise UsageError(f"unknown format {name!r}; written are: {', '.join(FORMATS)}")


def write_log(
    tables: Iterable[FrameTable], target: BinaryIO, form: str, *, least_ts: int | None = None
) -> Written:
    """Write frames as a log of another format, table by table.

    Args:
        tables: in the order of the log. Stamps from 2001 on are instants, others count from 0.
        target: where to write; of `blf` it must be seekable.
        form: one of `FORMATS`.
        least_ts: the least stamp of all tables, which `least_stamp` finds, where tables can be read
            twice; None where not: frames from before the first one then lose their time.

    Raises:
        UsageError: no such format is written.
        OSError: the target cannot be written.
    """
    writer = writer_of(form)
    losses = Losses()
    frames = 0

    def counted() -> Iterator[FrameTable]:
        nonlocal frames
        for table in tables:
            frames += len(table)
            yield table

    writer.write(counted(), target, losses, least_ts)
    return Written(frames, losses.told())
