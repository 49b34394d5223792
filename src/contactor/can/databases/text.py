"""The text of a database file, whatever it was written in.

    text = read_text(Path("car.dbc"))
    text.content, text.encoding       # ('VERSION ""\\n...', 'gb18030')

A byte order mark decides; else UTF-16 shows by its zero bytes, then UTF-8 where all bytes are so,
and last a legacy encoding by evidence (`encoding.py`).
"""

from dataclasses import dataclass
from pathlib import Path

from contactor.can.databases.encoding import decode_legacy
from contactor.can.databases.kinds import binary_kind
from contactor.errors import DatabaseError, UsageError

MAX_DATABASE_BYTES = 64_000_000
"""More than any CAN database has; a parser needs some fifty times as much memory."""

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class DatabaseText:
    """The content with line ends as "\\n", and Python's name of the encoding it was in."""

    content: str
    encoding: str


def read_text(path: Path) -> DatabaseText:
    """Read a database file as text.

    Raises:
        UsageError: there is no such file, or it is a directory.
        DatabaseError: it cannot be read, is larger than `MAX_DATABASE_BYTES`, or is no text.
    """
    content = _bytes_of(path)
    if kind := binary_kind(content):
        raise DatabaseError(f"{path} is no CAN database: it is {kind}")
    text = decode(content)
    lines = text.content.replace("\r\n", "\n").replace("\r", "\n")
    return DatabaseText(lines.lstrip("\ufeff"), text.encoding)


def decode(content: bytes) -> DatabaseText:
    """Decode bytes; a byte that fits no encoding becomes U+FFFD."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return DatabaseText(content.decode(encoding, "replace"), encoding)
    if wide := _wide_encoding(content[:_HEAD_BYTES]):
        return DatabaseText(content.decode(wide, "replace"), wide)
    try:
        return DatabaseText(content.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        return DatabaseText(*decode_legacy(content))


def _wide_encoding(head: bytes) -> str | None:
    """UTF-16 without a mark: of ASCII, every other byte is zero."""
    half = len(head) // 2
    if half < 4:
        return None
    if head[1::2].count(0) > 0.7 * half and head[::2].count(0) < 0.1 * half:
        return "utf-16-le"
    if head[::2].count(0) > 0.7 * half and head[1::2].count(0) < 0.1 * half:
        return "utf-16-be"
    return None


def _bytes_of(path: Path) -> bytes:
    if path.is_dir():
        raise UsageError(f"{path} is a directory, not a CAN database")
    if not path.exists():
        raise UsageError(f"no such file: {path}")
    try:
        with path.open("rb") as file:
            content = file.read(MAX_DATABASE_BYTES + 1)
    except OSError as error:
        raise DatabaseError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > MAX_DATABASE_BYTES:
        raise DatabaseError(
            f"{path} is larger than {MAX_DATABASE_BYTES:,} bytes, too large for a CAN database"
        )
    return content
