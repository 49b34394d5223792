"""`contactor decode --to FORMAT`: frames as a log of another format, to a file or standard output.

    check_export("blf", "drive.blf")
    written = export(frames_of_the_logs, "blf", "drive.blf")

A file appears under its name only when it is whole.
"""

import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, cast

from contactor.can.frames import FrameTable
from contactor.can.writers.table import Written, write_log, writer_of
from contactor.errors import ContactorError, UsageError


def check_export(form: str, output: str | None) -> None:
    """Refuse what the arguments alone show to be wrong, before any work.

    Raises:
        UsageError: no such format is written, the file cannot be there, or a terminal would be
            given binary data.
    """
    writer = writer_of(form)
    if output is None:
        if not writer.is_text and sys.stdout.isatty():
            raise UsageError(f"{form} is binary, not for a terminal: give --output FILE, or a pipe")
        return
    path = Path(output)
    if output.endswith("/") or path.is_dir():
        raise UsageError(f"--output {output} is a folder; --to {form} writes one file")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"--output {path}: there is no folder {path.parent}")


def export(tables: Iterable[FrameTable], form: str, output: str | None) -> Written:
    """Write the frames of all tables.

    Args:
        tables: in the order of the log.
        form: one of `contactor.can.writers.table.FORMATS`.
        output: a file; None for standard output.

    Raises:
        ContactorError: the file cannot be written.
    """
    if output is None:
        return _to_stdout(tables, form)
    path = Path(output)
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            written = write_log(tables, file, form)
        part.replace(path)
    except OSError as error:
        raise ContactorError(f"cannot write {path}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    return written


def _to_stdout(tables: Iterable[FrameTable], form: str) -> Written:
    """Text goes out as it comes; a format with totals in its head is put together aside first.

    Even a file that standard output is sent to may be one that can only be added to.
    """
    sys.stdout.flush()
    stdout = sys.stdout.buffer
    if writer_of(form).is_text:
        written = write_log(tables, stdout, form)
    else:
        with tempfile.TemporaryFile() as aside:
            written = write_log(tables, cast("BinaryIO", aside), form)
            aside.seek(0)
            shutil.copyfileobj(aside, stdout)
    stdout.flush()
    return written
