"""A file that appears under its name only when it is whole.

    with whole_file(Path("out.parquet")) as part:
        table.write_parquet(part)

Symbolic links are followed: the file that they lead to is replaced. What is no regular file, such
as a pipe, cannot be replaced, and is written as it is. A process that is told to end (SIGTERM,
SIGHUP) clears up first; told twice, it ends at once.
"""

import os
import signal
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from contactor.errors import ContactorError

ENDING = tuple(signal.Signals[name] for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """The path to write to; on leaving the file gets its name, or is gone where writing failed.

    Raises:
        ContactorError: the file cannot be written, or the process was told to end meanwhile.
        BrokenPipeError: nobody reads any more from the pipe that `path` is.
    """
    part = None
    try:
        with _ending_raises():
            if _is_written_as_it_is(path):
                yield path
                return
            target = Path(os.path.realpath(path))
            part = target.with_name(f".{target.name}.part")
            try:
                yield part
                part.replace(target)
            finally:
                part.unlink(missing_ok=True)
    except _Ended as ended:
        raise ContactorError(f"ended by {ended} while writing {path}") from None
    except BrokenPipeError:
        raise
    except _failures() as error:
        raise ContactorError(f"cannot write {path}: {_reason(error)}") from error


class _Ended(BaseException):
    """The process was told to end: nobody but `whole_file` is to catch it."""


def _is_written_as_it_is(path: Path) -> bool:
    """Whether something is there that is no regular file."""
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return False


def _failures() -> tuple[type[Exception], ...]:
    """What is raised where a file cannot be written; of polars only where it is at work."""
    polars = sys.modules.get("polars.exceptions")
    return (OSError,) if polars is None else (OSError, polars.PolarsError)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or " ".join(str(error).split())


@contextmanager
def _ending_raises() -> Iterator[None]:
    """In the main thread, what would end the process at once raises instead."""
    before: dict[signal.Signals, signal.Handlers] = {}

    def put_back() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def end(number: int, _: FrameType | None) -> None:
        put_back()
        raise _Ended(signal.Signals(number).name)

    if threading.current_thread() is threading.main_thread():
        for number in ENDING:
            if signal.getsignal(number) is signal.SIG_DFL:
                before[number] = signal.SIG_DFL
                signal.signal(number, end)
    try:
        yield
    finally:
        put_back()
