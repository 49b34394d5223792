"""`DIR/format.json`: what wrote a data folder, and who can read it.

    {"format": 2, "contactor": "0.2.0"}

    1   0.1.0
    2   the outbox keeps messages of version 2 with their codebooks, and so does the lake

A newer Contactor reads every older format, and brings the folder up to its own before it writes
(`migration`). While it does, `format` is the new one already, so that an older Contactor lets the
folder be, and `reached` says how far it came:

    {"format": 2, "contactor": "0.2.0", "reached": 1, "backup": "backups/format-1-....tar.zst"}
"""

from pathlib import Path
from typing import Annotated, Final

import msgspec

from contactor import __version__
from contactor.errors import FolderError
from contactor.whole_files import write_whole

FORMAT: Final[int] = 2
NAME: Final = "format.json"


class _Number(msgspec.Struct):
    format: Annotated[int, msgspec.Meta(ge=1)]


class Format(msgspec.Struct, frozen=True, omit_defaults=True):
    """The content of `format.json`.

    Args:
        format: what a Contactor must know to read the folder.
        contactor: the version that wrote this.
        reached: while the folder is brought up to `format`: the format that it has for certain.
        backup: made before that was begun; below the folder.
    """

    format: Annotated[int, msgspec.Meta(ge=1)]
    contactor: str = ""
    reached: Annotated[int, msgspec.Meta(ge=1)] | None = None
    backup: str | None = None

    @property
    def is_current(self) -> bool:
        """Whether it may be written as it is."""
        return self.format == FORMAT and self.reached is None


def read_format(root: Path) -> Format:
    """What `root` says of itself.

    Raises:
        FolderError: it cannot be read, or a newer Contactor wrote it.
        OSError: there is no such file, or it cannot be opened.
    """
    text = (root / NAME).read_bytes()
    try:
        written = msgspec.json.decode(text, type=_Number).format
        check_readable(str(root), written)  # whatever else a newer one says of itself
        return msgspec.json.decode(text, type=Format)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise FolderError(f"{root}/{NAME} cannot be read: {error}") from error


def check_readable(what: str, written: int) -> None:
    """Refuse what a newer Contactor wrote.

    Raises:
        FolderError: it has a newer format than this Contactor reads.
    """
    if written > FORMAT:
        reads = "1" if FORMAT == 1 else f"1 to {FORMAT}"
        raise FolderError(
            f"{what} has format {written}; this Contactor {__version__} reads {reads}"
        )


def write_format(
    root: Path, number: int = FORMAT, *, reached: int | None = None, backup: str | None = None
) -> None:
    """Say what `root` is from now on; it survives a power cut."""
    told = Format(number, __version__, reached, backup)
    write_whole(root / NAME, msgspec.json.encode(told).decode())
