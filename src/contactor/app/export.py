"""`contactor decode --to FORMAT`: frames as a log of another format, to a file or standard output.

    check_export("blf", "drive.blf")
    written = export(frames_of_the_logs, "blf", "drive.blf")

A file appears under its name only when it is whole (see `contactor.can.output.whole`).
"""

import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from contactor.can.frames import FrameTable
from contactor.can.output.whole import whole_file
from contactor.can.writers.table import Written, write_log, writer_of
from contactor.errors import ContactorError, UsageError


def check_export(form: str, output: str | None) -> None:
    """Refuse what the arguments alone show to be wrong, before any work.

    Raises:
        UsageError: no such format is written, the file cannot be there, or a terminal would be
            given binary data.
        ContactorError: standard output is closed.
    """
    writer = writer_of(form)
    if output is None:
        if _stdout().isatty() and not writer.is_text:
            raise UsageError(f"{form} is binary, not for a terminal: give --output FILE, or a pipe")
        return
    path = Path(output)
    if output.endswith("/") or path.is_dir():
        raise UsageError(f"--output {output} is a folder; --to {form} writes one file")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"--output {path}: there is no folder {path.parent}")


def export(
    tables: Iterable[FrameTable], form: str, output: str | None, *, least_ts: int | None = None
) -> Written:
    """Write the frames of all tables.

    Args:
        tables: in the order of the log.
        form: one of `contactor.can.writers.table.FORMATS`.
        output: a file, a pipe or a device; None for standard output.
        least_ts: the least stamp of all tables, where it is known; see `write_log`.

    Raises:
        ContactorError: the file cannot be written, or standard output is closed.
        OSError: standard output cannot be written.
    """
    if output is None:
        return _to_stdout(tables, form, least_ts)
    with whole_file(Path(output)) as place, place.open("wb") as file:
        write = write_log if file.seekable() else _write_in_order
        return write(tables, file, form, least_ts=least_ts)


def _to_stdout(tables: Iterable[FrameTable], form: str, least_ts: int | None) -> Written:
    """Even a file that standard output is sent to may be one that can only be added to."""
    stdout = _stdout()
    try:
        stdout.flush()
        written = _write_in_order(tables, stdout.buffer, form, least_ts=least_ts)
        stdout.flush()
    except OSError as error:
        error.filename = error.filename or "standard output"
        raise
    return written


def _write_in_order(
    tables: Iterable[FrameTable], file: BinaryIO, form: str, *, least_ts: int | None
) -> Written:
    """Text goes out as it comes; a format with totals in its head is put together aside first."""
    if writer_of(form).is_text:
        return write_log(tables, file, form, least_ts=least_ts)
    with tempfile.TemporaryFile() as aside:
        written = write_log(tables, cast("BinaryIO", aside), form, least_ts=least_ts)
        aside.seek(0)
        shutil.copyfileobj(aside, file)
    return written


def _stdout() -> TextIO:
    """Standard output; Python has none where it is closed from the start."""
    if sys.stdout is None:
        raise ContactorError("standard output is closed: give --output FILE")
    return sys.stdout
