"""A log file as blocks of whole lines, in bounded memory.

One block and the one after it are in memory, whatever the size of the file.

    for lines in read_lines(path, line_end=LINE_FEED, chunk_bytes=2**21):
        parser.parse(lines)
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from contactor.can.readers.lines import CARRIAGE_RETURN, LINE_FEED, Lines, cut_lines
from contactor.errors import LogError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_head(path: Path, size: int) -> bytes:
    """The first bytes of a log, without a byte order mark.

    Raises:
        LogError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(size).removeprefix(BYTE_ORDER_MARK)
    except OSError as error:
        raise LogError(f"{path} cannot be read: {error.strerror}") from error


def line_end_of(head: bytes) -> int:
    """The byte that ends lines: a line feed, or a carriage return where there is no line feed."""
    return LINE_FEED if bytes([LINE_FEED]) in head else CARRIAGE_RETURN


def read_lines(
    path: Path,
    *,
    line_end: int,
    chunk_bytes: int,
    on_progress: Callable[[int, int], None] | None = None,
) -> Iterator[Lines]:
    """The lines of a file, in blocks of about `chunk_bytes`; a line longer than that is cut.

    Args:
        on_progress: told the bytes read and the bytes in all, after each block.

    Raises:
        LogError: the file cannot be read.
    """
    mark = bytes([line_end])
    number, done, rest = 1, 0, b""
    try:
        total = path.stat().st_size
        with path.open("rb") as file:
            read = file.read(chunk_bytes).removeprefix(BYTE_ORDER_MARK)
            while read:
                following = file.read(chunk_bytes)
                block = rest + read
                # The last block keeps its open line: what came before tells whether it was cut.
                size = block.rfind(mark) + 1 if following else len(block)
                if not size and len(block) > chunk_bytes:
                    size = len(block)
                rest = block[size:]
                if size:
                    lines = cut_lines(
                        block[:size],
                        first_number=number,
                        line_end=line_end,
                        is_end=not following,
                    )
                    number += len(lines)
                    yield lines
                done += len(read)
                if on_progress:
                    on_progress(min(done, total), total)
                read = following
    except OSError as error:
        raise LogError(f"{path} cannot be read: {error.strerror}") from error
